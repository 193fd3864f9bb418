"""The report keeps the first faults in the order of the file, and counts and writes them all."""

from __future__ import annotations

import csv
from pathlib import Path

from routing.importing.report import KEPT, Fault, reported


def test_more_than_can_be_shown_are_counted_and_written(tmp_path: Path) -> None:
    path = tmp_path / "faults.csv"
    with reported(path) as report:
        for row in range(KEPT):
            report.refuse([Fault(row, "", "id", "missing"), Fault(row, "", "name", "missing")])
    assert (report.faulty_rows, report.all_faults, len(report.faults)) == (KEPT, 2 * KEPT, KEPT)
    assert len(list(csv.DictReader(path.read_text().splitlines()))) == 2 * KEPT


def test_what_is_found_out_at_the_end_stands_where_its_row_is() -> None:
    with reported(None) as report:
        for row in (2, 9, 4):
            report.refuse([Fault(row, "", "", "wrong")])
    assert [fault.row for fault in report.faults] == [2, 4, 9]
