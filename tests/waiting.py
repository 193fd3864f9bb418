"""Waiting for what happens beside a test."""

from __future__ import annotations

import time
from collections.abc import Callable

_PATIENCE_S = 10


def until(holds: Callable[[], bool], shown: Callable[[], object] = lambda: "it never held") -> None:
    """Waits until that holds; after ten seconds the test fails and shows how things stand."""
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, shown()
        time.sleep(0.01)
