"""The wall clock, in one place so that tests can move it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_shift = timedelta(0)


def now() -> datetime:
    """The present moment, aware, in UTC, to the microsecond."""
    return datetime.now(UTC) + _shift


def shift() -> timedelta:
    """How far the clock was moved; zero outside tests."""
    return _shift


@contextmanager
def moved(by: timedelta) -> Iterator[None]:
    """Everything inside believes that `by` more time has passed. For tests of clocks only."""
    global _shift
    before = _shift
    _shift = before + by
    try:
        yield
    finally:
        _shift = before
