"""docs/benchmarks.md: a section for each part, with the day on which it was measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

_PATH = Path(__file__).parents[2] / "docs" / "benchmarks.md"
_HEAD = """# Measured

Each part was written by `make bench` on the day that stands above it; `make bench BENCH="locating deciding"` measures
some again and leaves the others as they are. SQLite syncs each commit (FULL), PostgreSQL likewise. The figures of a
shared machine drift; the ratios are measured pair by pair.
"""

Row = tuple[str, ...]


def rewrite(part: str, rows: Iterable[Row]) -> str:
    """Puts the rows in the place of those of the part, and returns its section."""
    sections = _sections(_PATH.read_text(encoding="utf-8"))
    sections[_title(part)] = _section(rows)
    written = (f"\n## {title}\n{section}" for title, section in sorted(sections.items()))
    _PATH.write_text(_HEAD + "".join(written), encoding="utf-8")
    return sections[_title(part)]


def _sections(text: str) -> dict[str, str]:
    """By title, what stands below it."""
    sections = (section.partition("\n") for section in text.split("\n## ")[1:])
    return {title: f"{below.rstrip()}\n" for title, _, below in sections}


def _title(part: str) -> str:
    return part.replace("_", " ").capitalize()


def _section(rows: Iterable[Row]) -> str:
    machine = f"{os.cpu_count()} cores, {platform.system()} on {platform.machine()}"
    told = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {machine}, Python {platform.python_version()}\n\n"
        f"| What | Measured | Beside it | Ratio |\n|---|---|---|---|\n{told}"
    )
