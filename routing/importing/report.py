"""The report: what is wrong with which row, for a person who has to mend the file."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, fields
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

# So many are kept for the screen; the report file has them all.
KEPT = 200
# A spreadsheet would run a cell that begins so.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_BY_ROW = attrgetter("row")


@dataclass(frozen=True)
class Fault:
    """One reason why a row cannot be used, or one thing that was mended in it. `row` is the file's own count."""

    row: int
    id: str
    column: str
    reason: str
    value: str = ""

    def __str__(self) -> str:
        where = f"row {self.row}" + (f", {self.id}" if self.id else "")
        what = f"{self.column} {self.value}".strip()
        return f"{where}: {what}: {self.reason}" if what else f"{where}: {self.reason}"


@dataclass
class Report:
    """Faults and notes as they come up. All are counted and written, the first `KEPT` of each are kept."""

    _write: Any = None
    faulty_rows: int = 0
    mended_rows: int = 0
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)
    all_faults: int = 0
    all_notes: int = 0

    def refuse(self, faults: Sequence[Fault]) -> None:
        """One row that cannot be used, with all its reasons."""
        self.faulty_rows += 1
        self.all_faults += self._keep(self.faults, "refused", faults)
        # What is found out at the end is still read in the order of the file.
        self.faults.sort(key=_BY_ROW)

    def note(self, notes: Sequence[Fault]) -> None:
        """One row that was mended."""
        self.mended_rows += 1
        self.all_notes += self._keep(self.notes, "mended", notes)

    def _keep(self, kept: list[Fault], kind: str, found: Sequence[Fault]) -> int:
        for fault in found:
            kept.extend(islice([fault], KEPT - len(kept)))
            if self._write:
                self._write.writerow([kind, *map(_plain, astuple(fault))])
        return len(found)


@contextmanager
def reported(path: Path | None) -> Iterator[Report]:
    """A report that is also written to a CSV as it grows, so that a million faults need no memory."""
    if path is None:
        yield Report()
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["outcome", *(entry.name for entry in fields(Fault))])
        yield Report(writer)


def _plain(cell: Any) -> str:
    written = str(cell)
    return f"'{written}" if written.startswith(_FORMULA) and not _is_number(written) else written


def _is_number(written: str) -> bool:
    try:
        float(written)
    except ValueError:
        return False
    return True
