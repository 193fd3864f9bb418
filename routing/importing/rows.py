"""Rows: what every kind of file is read as, before anybody asks what it means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


class ReadingFault(ValueError):
    """The file as a whole cannot be read; the message is a sentence that says why."""


@dataclass(frozen=True)
class Row:
    """One row of a file. `number` is how a person finds it: in a CSV the spreadsheet's row (the header is 1), in other
    files the feature's place, from 1. `values` are trimmed texts by column, "" for nothing. `shape` is a valid
    polygon or a point in WGS 84, longitude first, as WKB; None where the row has none. `notes` say what was mended,
    `fault` why the row cannot be used."""

    number: int
    values: Mapping[str, str]
    shape: bytes | None = None
    notes: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True)
class Opened:
    """A file that can be read, once. `count` is how many rows it has at most, for the progress bar."""

    columns: tuple[str, ...]
    count: int
    rows: Iterable[Row]


def text(value: Any) -> str:
    """What a cell holds, as text: no decimals that were not meant, ISO dates, "" for nothing."""
    if value is None or isinstance(value, bytes):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, date) else str(value).strip()
