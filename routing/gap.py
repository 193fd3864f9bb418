"""One gap, and gaps of one kind."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gap:
    """One thing that is not as it should be, and what to do about it."""

    sentence: str
    advice: str


@dataclass(frozen=True)
class Section:
    """Gaps of one kind. `note` says what was counted, "" where the title says all."""

    title: str
    gaps: list[Gap]
    note: str = ""
