"""CSV: read line by line, so that a million rows need no more memory than one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TextIO

from routing.importing.rows import Opened, ReadingFault, Row

_DELIMITERS = ",;\t|"
# What surrogateescape makes of bytes that are not in the encoding.
_UNDECODED = re.compile("[\udc80-\udcff]")
_ENCODING = (
    "is not in UTF-8: save the file as CSV UTF-8, or name its encoding on the command line (--encoding)"
)


@contextmanager
def open_table(path: Path, encoding: str = "") -> Iterator[Opened]:
    """The rows of a CSV with a header, separated by commas, semicolons, tabs or bars; UTF-8 unless told otherwise.
    Row 1 is the header, as in a spreadsheet. Raises ReadingFault, also while rows are read."""
    try:
        file = path.open(encoding=encoding or "utf-8-sig", errors="surrogateescape", newline="")
    except LookupError:
        raise ReadingFault(f"There is no encoding {encoding}") from None
    with file:
        header = file.readline()
        delimiter = max(_DELIMITERS, key=header.count)
        columns = _columns(header, delimiter)
        count = sum(chunk.count(b"\n") for chunk in _chunks(path))
        file.seek(0)
        yield Opened(columns, count, _rows(file, columns, delimiter))


def _columns(header: str, delimiter: str) -> tuple[str, ...]:
    if _UNDECODED.search(header):
        raise ReadingFault(f"The header {_ENCODING}")
    columns = tuple(name.strip() for name in next(csv.reader([header], delimiter=delimiter), []))
    if not any(columns):
        raise ReadingFault("The file is empty: its first row must name the columns")
    if len(set(columns)) < len(columns):
        raise ReadingFault("Two columns have the same name")
    return columns


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(io.DEFAULT_BUFFER_SIZE * 64), b"")


def _rows(file: TextIO, columns: tuple[str, ...], delimiter: str) -> Iterator[Row]:
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    number = 1
    try:
        for number, cells in enumerate(islice(reader, 1, None), 2):
            if any(cells):
                yield _row(number, cells, columns)
    except csv.Error as fault:
        # An unclosed quotation mark swallows what follows: nothing after it can be trusted.
        raise ReadingFault(f"The file cannot be read after row {number}: {fault}") from None


def _row(number: int, cells: list[str], columns: tuple[str, ...]) -> Row:
    if any(map(_UNDECODED.search, cells)):
        return Row(number, {}, fault=f"it {_ENCODING}")
    values = {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}
    if len(cells) != len(columns):
        return Row(number, values, fault=f"it has {len(cells)} cells where the header has {len(columns)}")
    return Row(number, values)
