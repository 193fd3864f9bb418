"""Waiting for what happens beside a test."""

from __future__ import annotations

import time
from collections.abc import Callable

# It costs only a test that fails, and a busy machine may take a while for anything.
PATIENCE_S = 60


def until(holds: Callable[[], bool], shown: Callable[[], object] = lambda: "it never held") -> None:
    """Waits until that holds; after a minute the test fails and shows how things stand."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, shown()
        time.sleep(0.01)
