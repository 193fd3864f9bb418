"""The areas of a boundary set in columns: 150,000 of them are read in a fraction of a second, and become
objects one by one when they are asked for."""

from __future__ import annotations

import hashlib
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from routing.areas import LAYER_RANKS, Area, Shares, layer_of
from routing.blob import joined, parted
from routing.names import place_key, school_key
from routing.packs import Packs
from routing.words import Lookup, Words

if TYPE_CHECKING:
    from routing.lines import Lines

# Days without a beginning or an end.
_EVER, _NEVER = date.min.toordinal(), date.max.toordinal()
# Areas that are kept as objects; only what is named is asked for again and again.
_MET = 20_000
_KEPT_BY_NAME = {"school": school_key, "campus": school_key, "place": place_key}


@dataclass(frozen=True)
class Drawn:
    """Outlines that are read one by one: ids, precisions in metres, boxes (west, south, east, north), and the outline
    in a place as WKB."""

    ids: Sequence[str]
    precisions: Any
    boxes: Any
    outline: Callable[[int], bytes | None]


@dataclass(frozen=True, eq=False)
class Columns:
    """One row a version, by id and first day. `outlines` are laid end to end; `drawn_at` says where each begins. `keys`
    are sorted words that lead to rows: a school's or a place's name, a ZIP. `boxes` and `lines` are those of the drawn
    rows, which are found by them before their outlines are read. `linked_rows` say what they became or came from."""

    ids: Words
    digests: bytes | memoryview
    bodies: Packs
    outlines: bytes | memoryview
    drawn_at: Any
    precisions: Any
    boxes: Any
    first_days: Any
    end_days: Any
    keys: Words
    key_rows: Any
    linked_rows: Any
    stored_lines: tuple[Any, ...] = ()

    @classmethod
    def of(cls, areas: Iterable[Area]) -> Columns:
        """The columns of these versions. Of the same content twice, one stays."""
        rows = sorted({area.digest: area for area in areas}.values(), key=_order)
        keys = sorted((key, row) for row, area in enumerate(rows) for key in _keys(area))
        outlines = [area.geometry or b"" for area in rows]
        return cls(
            ids=Words.of(area.id for area in rows),
            digests=b"".join(bytes.fromhex(area.digest) for area in rows),
            bodies=Packs.of([area.body.encode() for area in rows]),
            outlines=b"".join(outlines),
            drawn_at=np.cumsum([0, *map(len, outlines)], dtype=np.int32),
            precisions=np.array([area.precision_m for area in rows], dtype=np.float64),
            boxes=_boxes([outline for outline in outlines if outline]),
            first_days=np.array([_ordinal(area.valid_from, _EVER) for area in rows], dtype=np.int32),
            end_days=np.array([_ordinal(area.valid_to, _NEVER) for area in rows], dtype=np.int32),
            keys=Words.of(key for key, _ in keys),
            key_rows=np.array([row for _, row in keys], dtype=np.int32),
            linked_rows=np.array([row for row, area in enumerate(rows) if area.links], dtype=np.int32),
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the sorted digests of the versions: the name of the set."""
        named = np.sort(np.frombuffer(self.digests, "S32"))
        return hashlib.sha256(named.tobytes()).hexdigest()

    def to_bytes(self) -> bytes:
        """The columns as one blob. Coordinates hardly shrink and are most of it, so they stay as they are."""
        words = {name: _bytes(zlib.compress(getattr(self, name).lines)) for name in ("ids", "keys")}
        lines = {f"lines_{name}": getattr(self.lines, name) for name in _LINES}
        bodies = {f"bodies_{name}": getattr(self.bodies, name) for name in _BODIES}
        plain = {name: _bytes(getattr(self, name)) for name in ("digests", "outlines")}
        return joined({name: getattr(self, name) for name in _ARRAYS} | words | lines | bodies | plain)

    @classmethod
    def from_bytes(cls, packed: bytes) -> Columns:
        """What to_bytes made. It is looked into, not copied."""
        read = parted(packed)
        return cls(
            **{name: read[name] for name in _ARRAYS if name != "boxes"},
            boxes=read["boxes"].reshape(-1, 4),
            digests=memoryview(read["digests"]),
            outlines=memoryview(read["outlines"]),
            ids=Words(zlib.decompress(read["ids"])),
            keys=Words(zlib.decompress(read["keys"])),
            bodies=Packs(*(memoryview(read[f"bodies_{name}"]) for name in _BODIES)),
            stored_lines=tuple(memoryview(read[f"lines_{name}"]) for name in _LINES),
        )

    @cached_property
    def lines(self) -> Lines:
        """The lines of the drawn rows in grids. Laying them takes a second or two for all of a large site's towns, so
        they are stored with the set."""
        # Whoever only reads names goes without shapely.
        from routing.lines import Lines, lines_of

        if self.stored_lines:
            return Lines(self.outlines, *self.stored_lines)
        ends = np.append(0, self.drawn_at[1:][self.drawn_rows])
        return lines_of(self.outlines, ends, self.precisions[self.drawn_rows])

    @cached_property
    def key_places(self) -> Lookup:
        """Where a key stands last."""
        return Lookup(self.keys, np.arange(len(self.keys)))

    @cached_property
    def drawn_rows(self) -> Any:
        """Rows that have an outline, in order."""
        return np.flatnonzero(self.drawn_at[1:] > self.drawn_at[:-1])

    @cached_property
    def layers(self) -> frozenset[str]:
        """Layers of which there is any version."""
        begins = {layer: bisect_left(self.ids, f"{layer}:") for layer in LAYER_RANKS}
        return frozenset(
            layer for layer, at in begins.items() if at < len(self.ids) and layer_of(self.ids[at]) == layer
        )

    @cached_property
    def turns(self) -> list[int]:
        """Days, as ordinals, on which something begins or ends."""
        return sorted({*self.first_days.tolist(), *self.end_days.tolist()} - {_EVER, _NEVER})

    def rows_on(self, day: date | None) -> Any:
        """Rows in force, in order. None: all, ended or not."""
        if day is None:
            return np.arange(len(self.ids))
        at = day.toordinal()
        return np.flatnonzero((self.first_days <= at) & (at < self.end_days))

    def areas(self) -> Iterator[Area]:
        """All versions, in order."""
        return map(self.area, range(len(self.ids)))

    def area(self, row: int) -> Area:
        """The version in that row."""
        return Area.from_body(self.bodies[row], self.outline(row))

    def held_by(self, row: int) -> tuple[Shares, str]:
        """Parents and state of the version in that row, without the rest of it."""
        stored = orjson.loads(self.bodies[row])
        return tuple(sorted(stored.get("parents", {}).items())), stored.get("state", "")

    def linked(self) -> Iterator[Area]:
        """Versions that say what they became or were made from."""
        return map(self.area, self.linked_rows.tolist())

    def outline(self, row: int) -> bytes | None:
        """Its outline as WKB."""
        return bytes(self.outlines[self.drawn_at[row] : self.drawn_at[row + 1]]) or None


_ARRAYS = (
    "drawn_at", "precisions", "boxes", "first_days", "end_days", "key_rows", "linked_rows",
)  # fmt: skip
_BODIES = ("packed", "begins", "starts")
# All of `Lines` but the outlines, which are here already.
_LINES = ("bounds", "cells", "starts", "corners", "counts", "coarse")


class AreaSet(Mapping[str, Area]):
    """Areas by id, as of a day. Never changes."""

    def __init__(self, columns: Columns, day: date | None = None) -> None:
        self.columns = columns
        # Of two in force, the one that began last: it stands below the other.
        self._rows = Lookup(columns.ids, columns.rows_on(day))
        self._met: dict[str, Area] = {}

    def __getitem__(self, area_id: str) -> Area:
        met = self._met.get(area_id)
        if met is None:
            if len(self._met) >= _MET:
                self._met.clear()
            met = self._met[area_id] = self.columns.area(self._row(area_id))
        return met

    def _row(self, area_id: str) -> int:
        row = self._rows.get(area_id)
        if row is None:
            raise KeyError(area_id)
        return row

    def held_by(self, area_id: str) -> tuple[Shares, str] | None:
        """Parents and state of one area; None for one that is not here. A dry run asks a hundred thousand for them and
        for nothing else."""
        if met := self._met.get(area_id):
            return met.parents, met.state
        row = self._rows.get(area_id) if layer_of(area_id) in self.columns.layers else None
        return None if row is None else self.columns.held_by(row)

    def __contains__(self, area_id: object) -> bool:
        # Most that are asked for are states, counties and ZIPs, of which few sites have their own.
        return (
            isinstance(area_id, str)
            and layer_of(area_id) in self.columns.layers
            and self._rows.get(area_id) is not None
        )

    def __iter__(self) -> Iterator[str]:
        return map(self.columns.ids.__getitem__, self._rows.places.tolist())

    def __len__(self) -> int:
        return len(self._rows.places)

    def by_school_name(self, key: str, *, begun: bool = False) -> tuple[str, ...]:
        """Schools and campuses by the key of a name; `begun`: whose name goes on after these words."""
        return self._begun(f"school {key}") if begun else self._named(f"school {key}")

    def by_place_name(self, key: str) -> tuple[str, ...]:
        """Places by the key of a name."""
        return self._named(f"place {key}")

    def by_zip(self, code: str) -> tuple[str, ...]:
        """Areas that have a share of that ZIP."""
        return self._named(f"zip {code}")

    def _named(self, key: str) -> tuple[str, ...]:
        keys = self.columns.keys
        last = self.columns.key_places.get(key)
        if last is None:
            return ()
        first = last
        while first and keys[first - 1] == key:
            first -= 1
        return self._found(first, last + 1)

    def _begun(self, key: str) -> tuple[str, ...]:
        keys = self.columns.keys
        return self._found(bisect_left(keys, key), bisect_right(keys, f"{key} \x7f"))

    def _found(self, first: int, end: int) -> tuple[str, ...]:
        ids, rows = self.columns.ids, self.columns.key_rows[first:end].tolist()
        return tuple(dict.fromkeys(ids[row] for row in rows if self._rows.get(ids[row]) == row))

    def drawn(self) -> Drawn:
        """All that have an outline."""
        columns = self.columns
        kept = self.drawn_ones
        rows = columns.drawn_rows[kept]
        return Drawn(
            Words.of(columns.ids[row] for row in rows.tolist()),
            columns.precisions[rows],
            columns.boxes[kept],
            lambda place: columns.outline(rows[place]),
        )

    @property
    def drawn_ones(self) -> Any:
        """Which of the columns' drawn rows are in the set."""
        return np.isin(self.columns.drawn_rows, self._rows.places)


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


def _bytes(plain: bytes | memoryview) -> Any:
    return np.frombuffer(plain, np.uint8)
