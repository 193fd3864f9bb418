"""Sheets: CSVs of ours with fixed columns, for rules, teams and contacts."""

from __future__ import annotations

from collections.abc import Iterable

from routing.importing.rows import ReadingFault


def check_columns(there: Iterable[str], needed: Iterable[str], allowed: Iterable[str]) -> None:
    """Raises ReadingFault for columns that lack, and for those that mean nothing: a misspelt condition would be a rule
    without it."""
    columns, known = tuple(there), tuple(dict.fromkeys((*needed, *allowed)))
    if missing := [name for name in needed if name not in columns]:
        raise ReadingFault(f"The file has no column {', '.join(missing)}")
    if unknown := [name for name in columns if name not in known]:
        raise ReadingFault(
            f"The columns {', '.join(unknown)} mean nothing here. Known are {', '.join(known)}"
        )


def listed(cell: str) -> list[str]:
    """The parts of a cell that holds several, parted by semicolons."""
    return [part.strip() for part in cell.split(";") if part.strip()]
