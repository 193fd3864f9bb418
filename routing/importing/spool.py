"""The spool: what a file brings, kept on disk until all of it was read and found good."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import shapely

from routing.importing.checking import Checked

_TABLES = """
CREATE TABLE brought (id TEXT PRIMARY KEY, row INTEGER, entry TEXT, shape BLOB) WITHOUT ROWID;
CREATE TABLE owed (row INTEGER, id TEXT, parent TEXT);
"""


class Spool:
    """Areas by id, in an unnamed file that is gone at the end of the block. Memory stays bounded."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        self._database.close()

    def add(self, found: Checked) -> int | None:
        """Keeps a row without faults; where another row brought its id before, it keeps that one and returns its
        number."""
        drawn = found.shape is not None and found.shape.geom_type != "Point"
        # The same bytes on every machine: the digest of the version depends on them.
        shape = shapely.to_wkb(found.shape, byte_order=1, output_dimension=2) if drawn else None
        kept = self._database.execute(
            "INSERT OR IGNORE INTO brought VALUES (?, ?, ?, ?)",
            (found.entry["id"], found.row, json.dumps(found.entry), shape),
        )
        if not kept.rowcount:
            return self._row(found.entry["id"])
        self._database.executemany(
            "INSERT INTO owed VALUES (?, ?, ?)",
            [(found.row, found.entry["id"], parent) for parent in found.owed],
        )
        return None

    def orphans(self) -> list[tuple[int, str, str]]:
        """Row, id and parent of areas whose parent no row brought."""
        return list(
            self._database.execute(
                "SELECT row, id, parent FROM owed WHERE parent NOT IN (SELECT id FROM brought) ORDER BY row"
            )
        )

    def remove(self, area_id: str) -> None:
        """Takes back what was kept."""
        self._database.execute("DELETE FROM brought WHERE id = ?", (area_id,))
        self._database.execute("DELETE FROM owed WHERE id = ?", (area_id,))

    def has(self, area_id: str) -> bool:
        """Whether a row brought it."""
        return self._row(area_id) is not None

    def _row(self, area_id: str) -> int | None:
        found = self._database.execute("SELECT row FROM brought WHERE id = ?", (area_id,)).fetchone()
        return found and int(found[0])

    def __len__(self) -> int:
        count: int = self._database.execute("SELECT count(*) FROM brought").fetchone()[0]
        return count

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any], bytes | None]]:
        """Row, plain JSON without the shape, and the outline as WKB, by id."""
        for row, entry, shape in self._database.execute("SELECT row, entry, shape FROM brought ORDER BY id"):
            yield row, json.loads(entry), shape
