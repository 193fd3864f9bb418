"""Cells: what is written in one, or why it cannot be used."""

from __future__ import annotations

from datetime import date

_LONGEST_NAME = 200


class Wrong(ValueError):
    """One thing in a row that cannot be used."""

    def __init__(self, reason: str, value: str = "") -> None:
        super().__init__(reason)
        self.value = value


def name_of(written: str) -> str:
    """A name as it is written. Raises Wrong."""
    if len(written) > _LONGEST_NAME:
        raise Wrong(f"a name has at most {_LONGEST_NAME} signs", f"{written[:40]}…")
    if not written.isprintable():
        raise Wrong("a name has no line breaks and no invisible signs", repr(written[:40]))
    return written


def number_of(written: str, what: str) -> float:
    """A number; `what` it is begins the sentence. Raises Wrong."""
    try:
        return float(written)
    except ValueError:
        raise Wrong(f"{what} must be a number", written) from None


def day_of(written: str) -> str:
    """An ISO day, "" for nothing. Raises Wrong."""
    try:
        return date.fromisoformat(written).isoformat() if written else ""
    except ValueError:
        raise Wrong("a day is written 2026-03-31", written) from None
