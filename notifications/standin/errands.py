"""What the stand-in does beside its requests: each errand is a thread that ends when the stand-in does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

# Longer than a webhook may take.
_LAST_S = 20


class Errands:
    """Runs what takes its time. `pace` stretches or shortens every wait."""

    def __init__(self, pace: float = 1.0) -> None:
        self._pace = pace
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, errand: Callable[..., None], *given: Any) -> None:
        """Does that beside the caller; nothing starts any more when the stand-in ends."""
        if self._ending.is_set():
            return
        thread = threading.Thread(target=errand, args=given, daemon=True)
        # Those that are done are forgotten.
        self._threads = [each for each in self._threads if each.is_alive()]
        thread.start()
        self._threads.append(thread)

    def wait(self, seconds: float) -> bool:
        """Waits so long at this pace; False, and at once, when the stand-in ends: then the errand ends too."""
        return not self._ending.wait(seconds * self._pace)

    def end(self) -> None:
        """Ends all errands; afterwards none touches the store or the desk any more."""
        self._ending.set()
        last = time.monotonic() + _LAST_S
        for thread in self._threads:
            thread.join(max(0, last - time.monotonic()))
