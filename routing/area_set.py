"""The areas of a boundary set in columns: 150,000 of them are read in a fraction of a second, and become
objects one by one when they are asked for."""

from __future__ import annotations

import hashlib
import io
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
import orjson

from routing.areas import Area, Shares
from routing.names import place_key, school_key

# Days without a beginning or an end.
_EVER, _NEVER = date.min.toordinal(), date.max.toordinal()
_KEPT_BY_NAME = {"school": school_key, "campus": school_key, "place": place_key}


@dataclass(frozen=True)
class Drawn:
    """Outlines that are read one by one: ids, precisions in metres, boxes (west, south, east, north), and the outline
    in a place as WKB."""

    ids: list[str]
    precisions: Any
    boxes: Any
    outline: Callable[[int], bytes | None]


@dataclass(frozen=True)
class Columns:
    """One row a version, by id and first day. `bodies` and `outlines` are laid end to end; `starts` and
    `drawn_at` say where each begins. `keys` are sorted words that lead to rows: a school's or a place's
    name, a ZIP. `boxes` are those of the drawn rows: they are found by them before their outlines are read."""

    ids: list[str]
    digests: bytes
    bodies: bytes
    starts: Any
    outlines: bytes
    drawn_at: Any
    precisions: Any
    boxes: Any
    first_days: Any
    end_days: Any
    keys: list[str]
    key_rows: Any

    @classmethod
    def of(cls, areas: Iterable[Area]) -> Columns:
        """The columns of these versions. Of the same content twice, one stays."""
        rows = sorted({area.digest: area for area in areas}.values(), key=_order)
        keys = sorted((key, row) for row, area in enumerate(rows) for key in _keys(area))
        bodies, outlines = [area.body.encode() for area in rows], [area.geometry or b"" for area in rows]
        return cls(
            ids=[area.id for area in rows],
            digests=b"".join(bytes.fromhex(area.digest) for area in rows),
            bodies=b"".join(bodies),
            starts=_offsets(bodies),
            outlines=b"".join(outlines),
            drawn_at=_offsets(outlines),
            precisions=np.array([area.precision_m for area in rows], dtype=np.float64),
            boxes=_boxes([outline for outline in outlines if outline]),
            first_days=np.array([_ordinal(area.valid_from, _EVER) for area in rows], dtype=np.int32),
            end_days=np.array([_ordinal(area.valid_to, _NEVER) for area in rows], dtype=np.int32),
            keys=[key for key, _ in keys],
            key_rows=np.array([row for _, row in keys], dtype=np.int32),
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the sorted digests of the versions: the name of the set."""
        named = sorted(self.digests[at : at + 32] for at in range(0, len(self.digests), 32))
        return hashlib.sha256(b"".join(named)).hexdigest()

    def to_bytes(self) -> bytes:
        """The columns as one blob. Coordinates hardly shrink and are most of it, so they stay as they are."""
        packed = io.BytesIO()
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        texts = {name: _lines(getattr(self, name)) for name in ("ids", "keys")} | {"bodies": self.bodies}
        small = {name: np.frombuffer(zlib.compress(text, 6), np.uint8) for name, text in texts.items()}
        plain = {name: np.frombuffer(getattr(self, name), np.uint8) for name in ("digests", "outlines")}
        np.savez(packed, allow_pickle=False, **arrays, **small, **plain)
        return packed.getvalue()

    @classmethod
    def from_bytes(cls, packed: bytes) -> Columns:
        """What to_bytes made."""
        with np.load(io.BytesIO(packed), allow_pickle=False) as read:
            return cls(
                **{name: read[name] for name in _ARRAYS},
                digests=read["digests"].tobytes(),
                outlines=read["outlines"].tobytes(),
                ids=_split(zlib.decompress(read["ids"].tobytes())),
                keys=_split(zlib.decompress(read["keys"].tobytes())),
                bodies=zlib.decompress(read["bodies"].tobytes()),
            )

    @cached_property
    def turns(self) -> list[int]:
        """Days, as ordinals, on which something begins or ends."""
        return sorted({*self.first_days.tolist(), *self.end_days.tolist()} - {_EVER, _NEVER})

    def rows_on(self, day: date | None) -> Mapping[str, int]:
        """Row by id. None: each area's last version, ended or not. Of two in force, the one that began last."""
        if day is None:
            return dict(zip(self.ids, range(len(self.ids)), strict=True))
        at = day.toordinal()
        valid = np.flatnonzero((self.first_days <= at) & (at < self.end_days)).tolist()
        return {self.ids[row]: row for row in valid}

    def areas(self) -> Iterator[Area]:
        """All versions, in order."""
        return map(self.area, range(len(self.ids)))

    def area(self, row: int) -> Area:
        """The version in that row."""
        return Area.from_body(self.bodies[self.starts[row] : self.starts[row + 1]], self.outline(row))

    def held_by(self, row: int) -> tuple[Shares, str]:
        """Parents and state of the version in that row, without the rest of it."""
        stored = orjson.loads(self.bodies[self.starts[row] : self.starts[row + 1]])
        return tuple(sorted(stored.get("parents", {}).items())), stored.get("state", "")

    def linked(self) -> Iterator[Area]:
        """Versions that say what they became or were made from."""
        for row in range(len(self.ids)):
            # Few do: the others need not be read.
            if self.bodies.find(b'"relations"', self.starts[row], self.starts[row + 1]) >= 0:
                yield self.area(row)

    def outline(self, row: int) -> bytes | None:
        """Its outline as WKB."""
        return self.outlines[self.drawn_at[row] : self.drawn_at[row + 1]] or None


_ARRAYS = ("starts", "drawn_at", "precisions", "boxes", "first_days", "end_days", "key_rows")


class AreaSet(Mapping[str, Area]):
    """Areas by id, as of a day. Never changes."""

    def __init__(self, columns: Columns, day: date | None = None) -> None:
        self.columns = columns
        self._rows = columns.rows_on(day)
        self._met: dict[str, Area] = {}

    def __getitem__(self, area_id: str) -> Area:
        met = self._met.get(area_id)
        if met is None:
            met = self._met[area_id] = self.columns.area(self._rows[area_id])
        return met

    def held_by(self, area_id: str) -> tuple[Shares, str]:
        """Parents and state of one area. A dry run asks a hundred thousand for them and for nothing else."""
        met = self._met.get(area_id)
        return (met.parents, met.state) if met else self.columns.held_by(self._rows[area_id])

    def __contains__(self, area_id: object) -> bool:
        return area_id in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def by_school_name(self, key: str, *, begun: bool = False) -> tuple[str, ...]:
        """Schools and campuses by the key of a name; `begun`: whose name goes on after these words."""
        return self._found(f"school {key}", f"school {key} \x7f" if begun else f"school {key}")

    def by_place_name(self, key: str) -> tuple[str, ...]:
        """Places by the key of a name."""
        return self._found(f"place {key}", f"place {key}")

    def by_zip(self, code: str) -> tuple[str, ...]:
        """Areas that have a share of that ZIP."""
        return self._found(f"zip {code}", f"zip {code}")

    def _found(self, first: str, last: str) -> tuple[str, ...]:
        keys, ids = self.columns.keys, self.columns.ids
        reach = slice(bisect_left(keys, first), bisect_right(keys, last))
        rows = self.columns.key_rows[reach].tolist()
        return tuple(dict.fromkeys(ids[row] for row in rows if self._rows.get(ids[row]) == row))

    def drawn(self) -> Drawn:
        """All that have an outline."""
        columns = self.columns
        rows = np.array(sorted(self._rows.values()), dtype=np.int64)
        where = np.flatnonzero(columns.drawn_at[1:] > columns.drawn_at[:-1])
        kept = np.isin(where, rows)
        rows = where[kept]
        ids = [columns.ids[row] for row in rows.tolist()]
        return Drawn(
            ids, columns.precisions[rows], columns.boxes[kept], lambda place: columns.outline(rows[place])
        )


def _boxes(outlines: list[bytes]) -> Any:
    if not outlines:
        return np.empty((0, 4))
    # Whoever only reads names goes without shapely.
    import shapely

    return shapely.bounds(shapely.from_wkb(np.array(outlines, dtype=object)))


def _order(area: Area) -> tuple[str, date, str]:
    return area.id, area.valid_from or date.min, area.digest


def _keys(area: Area) -> Iterable[str]:
    keyed = _KEPT_BY_NAME.get(area.layer)
    if keyed is not None:
        kind = "place" if area.layer == "place" else "school"
        yield from {f"{kind} {keyed(name)}" for name in (area.name, *area.aliases)}
    yield from (f"zip {code}" for code, _ in area.zips)


def _ordinal(day: date | None, otherwise: int) -> int:
    return day.toordinal() if day else otherwise


def _offsets(parts: Iterable[bytes]) -> Any:
    return np.array([0, *accumulate(map(len, parts))], dtype=np.int64)


def _lines(words: Iterable[str]) -> bytes:
    return "\n".join(words).encode()


def _split(lines: bytes) -> list[str]:
    return lines.decode().split("\n") if lines else []
