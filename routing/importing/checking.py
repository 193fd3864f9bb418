"""Checking: one row and a mapping become one area, or all the reasons why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import shapely

from routing import gazetteer
from routing.areas import NAMED_LAYERS, layer_of
from routing.boundaries import Boundaries
from routing.importing import whereabouts
from routing.importing.cells import Wrong, day_of, name_of, number_of
from routing.importing.mapping import AreaMapping, Template
from routing.importing.mending import SWAPPED, mend
from routing.importing.report import Fault
from routing.importing.rows import Row
from routing.names import place_key

# Coarser than this an outline tells nothing, in metres.
_COARSEST_M = 50_000.0
_SEPARATORS = re.compile(r"[;,\s]+")


@dataclass
class Checked:
    """What became of a row: an area in plain JSON without its shape, the shape, the parents that only the file itself
    may still bring; faults; what was mended. `entry` is complete only where there are no faults."""

    row: int
    entry: dict[str, Any] = field(default_factory=dict)
    shape: Any = None
    owed: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)


class Checker:  # one method a step, in the order of _STEPS
    """Checks rows against a mapping and the boundary set that they will join."""

    def __init__(self, mapping: AreaMapping, layer: str, boundaries: Boundaries) -> None:
        self._mapping, self._layer, self._boundaries = mapping, layer, boundaries
        self._known = gazetteer.load()

    def wants(self, row: Row) -> bool:
        """Whether the mapping's `only` keeps the row."""
        return all(row.values.get(column, "") in kept for column, kept in self._mapping.only.items())

    def check(self, row: Row) -> Checked:
        """One row as an area, with every fault at once."""
        found = Checked(row.number)
        code = self._mapping.id.filled(row.values)
        found.entry["id"] = f"{self._layer}:{code}"
        if row.fault:
            found.faults.append(self._fault(found, "", Wrong(row.fault)))
            return found
        found.notes = [self._fault(found, "", Wrong(note)) for note in row.notes]
        for key, read in _STEPS:
            try:
                value = read(self, row, found)
            except Wrong as wrong:
                found.faults.append(self._fault(found, key, wrong))
                continue
            if value:
                found.entry[key] = value
        if found.notes:
            found.entry["notes"] = [note.reason for note in found.notes]
        return found

    def _fault(self, found: Checked, key: str, wrong: Wrong) -> Fault:
        templates = (part for name in _ASKED.get(key, (key,)) for part in self._mapping.templates(name))
        columns = dict.fromkeys(column for part in templates for column in part.columns)
        # A row that has none is not called `school:`.
        id = "" if found.entry["id"].endswith(":") else found.entry["id"]
        return Fault(found.row, id, ", ".join(columns), str(wrong), wrong.value)

    def id(self, row: Row, found: Checked) -> str:
        """The area's id, by the layer and the mapping."""
        code = self._mapping.id.filled(row.values)
        if not code:
            raise Wrong("the id is missing")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", code):
            raise Wrong("an id has only letters, digits, dots, dashes and underscores", code)
        return f"{self._layer}:{code}"

    def name(self, row: Row, found: Checked) -> str:
        """What people call it."""
        name = self._mapping.name.filled(row.values)
        if not name:
            raise Wrong("the name is missing")
        return name_of(name)

    def aliases(self, row: Row, found: Checked) -> list[str]:
        """Other names, parted by semicolons."""
        filled = (part.filled(row.values) for part in self._mapping.aliases)
        names = (name_of(name.strip()) for part in filled for name in part.split(";") if name.strip())
        return list(dict.fromkeys(name for name in names if name != found.entry.get("name")))

    def state(self, row: Row, found: Checked) -> str:
        """A state's FIPS code, from code, letters or name."""
        given = self._mapping.state.filled(row.values)
        if not given or given in self._known.states:
            return given
        state = self._known.states_by_name.get(place_key(given))
        if state is None:
            raise Wrong("there is no such state", given)
        return state.code

    def zips(self, row: Row, found: Checked) -> dict[str, float]:
        """ZIPs with shares: `85281 85282:0.4`."""
        given = self._mapping.zips.filled(row.values)
        return dict(
            self._zip(part, found.entry.get("state", "")) for part in _SEPARATORS.split(given) if part
        )

    def _zip(self, written: str, state: str) -> tuple[str, float]:
        code, _, share = written.partition(":")
        known = self._known.zip(code)
        if known is None:
            raise Wrong("this ZIP is not in use", code)
        letters = self._known.state_by_letters(known.state)
        states = {county.partition(":")[2][:2] for county, _ in known.shares} or {
            letters.code if letters else ""
        }
        if state and state not in states:
            raise Wrong(f"this ZIP does not lie in {self._known.states[state].name}", code)
        part = number_of(share or "1", "a share")
        if not 0 < part <= 1:
            raise Wrong("a share is more than 0 and at most 1", written)
        return code, part

    def precision_m(self, row: Row, found: Checked) -> float:
        """How far its line or point may be off, in metres."""
        metres = number_of(self._mapping.precision_m.filled(row.values) or "50", "the precision")
        if not 0 < metres <= _COARSEST_M:
            raise Wrong(f"the precision is more than 0 and at most {_COARSEST_M:.0f} metres", str(metres))
        return metres

    def valid_from(self, row: Row, found: Checked) -> str:
        """The day from which it is in force."""
        return day_of(self._mapping.valid_from.filled(row.values))

    def valid_to(self, row: Row, found: Checked) -> str:
        """The day from which it is in force no more."""
        last = day_of(self._mapping.valid_to.filled(row.values))
        if last and last <= found.entry.get("valid_from", ""):
            raise Wrong("it ends before it begins", last)
        return last

    def longitude(self, row: Row, found: Checked) -> None:
        """The point of latitude and longitude, unless the row is drawn."""
        mapping, values = self._mapping, row.values
        written = [part.filled(values) for part in (mapping.latitude, mapping.longitude)]
        if row.shape is not None or not any(written):
            found.shape = shapely.from_wkb(row.shape) if row.shape else None
            return
        latitude, longitude = (number_of(part, "latitude and longitude") for part in written)
        self._use(found, shapely.points((longitude, latitude)), ", ".join(written))

    def outline(self, row: Row, found: Checked) -> None:
        """An outline that a column holds as WKT."""
        if written := self._mapping.outline.filled(row.values):
            try:
                shape = shapely.from_wkt(written)
            except shapely.errors.ShapelyError:
                raise Wrong("the outline is no WKT", written[:40]) from None
            self._use(found, shape, written[:40])

    def _use(self, found: Checked, shape: Any, written: str) -> None:
        mended = mend(shape)
        if mended.fault:
            raise Wrong(mended.fault, written)
        found.notes += [self._fault(found, "outline", Wrong(note)) for note in mended.notes]
        found.shape = mended.shape

    def whereabouts(self, row: Row, found: Checked) -> None:
        """Whether it lies where the row says: a swapped pair of numbers often lies in no state at all."""
        if found.shape is None:
            return
        state = found.entry.get("state", "")
        places = whereabouts.sample(found.shape)
        precision = found.entry.get("precision_m", 50.0)
        if whereabouts.lies_in(self._boundaries, places, state, precision):
            return
        where = "{:.5f}, {:.5f}".format(*places[0])
        for reason, turn in _TURNS:
            if whereabouts.lies_in(self._boundaries, [turn(place) for place in places], state, precision):
                raise Wrong(reason, where)
        raise Wrong(
            f"it lies outside {self._known.states[state].name}" if state else "it lies in no county", where
        )

    def parents(self, row: Row, found: Checked) -> dict[str, float]:
        """What holds it: by columns; else by where it lies, layer by layer."""
        named = dict.fromkeys(self._named_parents(row, found), 1.0)
        if found.shape is None or not self._mapping.located or found.faults:
            return named
        said = {layer_of(parent) for parent in named}
        precision = found.entry.get("precision_m", 50.0)
        lying = whereabouts.parents_of(self._boundaries, found.shape, self._layer, precision)
        return named | {area: share for area, share in lying if layer_of(area) not in said}

    def _named_parents(self, row: Row, found: Checked) -> Iterable[str]:
        for parent in _filled(self._mapping.parents_if_known, row):
            if self._boundaries.knows(parent):
                yield parent
        for parent in _filled(self._mapping.parents, row):
            self._check_parent(parent, found)
            yield parent

    def _check_parent(self, parent: str, found: Checked) -> None:
        state = found.entry.get("state", "")
        after = self._boundaries.successors(parent)
        if after != (parent,):
            raise Wrong(f"it has ended; in its place: {', '.join(after)}", parent)
        if state and layer_of(parent) == "county" and not parent.startswith(f"county:{state}"):
            raise Wrong(f"it does not lie in {self._known.states[state].name}", parent)
        if not self._boundaries.knows(parent):
            # A later row may bring it.
            found.owed.append(parent)

    def found(self, row: Row, found: Checked) -> None:
        """Whether any evidence could ever lead to it, and a state that follows from its counties."""
        drawn = found.shape is not None and found.shape.geom_type != "Point"
        if not (drawn or found.entry.get("zips") or self._layer in NAMED_LAYERS or found.faults):
            raise Wrong("it has neither an outline nor ZIPs, so no tip could ever be found to lie in it")
        states = {
            area[7:9]: share
            for area, share in found.entry.get("parents", {}).items()
            if area[:7] == "county:"
        }
        if len(states) == 1 and "state" not in found.entry:
            found.entry["state"] = next(iter(states))


# What people do to coordinates, and how it is undone.
_TURNS: tuple[tuple[str, Callable[[tuple[float, float]], tuple[float, float]]], ...] = (
    (SWAPPED, lambda place: (place[1], place[0])),
    ("the longitude seems to lack its minus sign", lambda place: (place[0], -place[1])),
)
# Steps that read more than the member of the mapping that they are named for.
_ASKED = {
    "longitude": ("latitude", "longitude"),
    "whereabouts": ("latitude", "longitude", "outline"),
    "parents": ("parents", "parents_if_known"),
}
# In this order: each may look at what those before it found.
_STEPS: tuple[tuple[str, Callable[[Checker, Row, Checked], Any]], ...] = (
    ("id", Checker.id),
    ("name", Checker.name),
    ("aliases", Checker.aliases),
    ("state", Checker.state),
    ("zips", Checker.zips),
    ("precision_m", Checker.precision_m),
    ("valid_from", Checker.valid_from),
    ("valid_to", Checker.valid_to),
    ("longitude", Checker.longitude),
    ("outline", Checker.outline),
    ("whereabouts", Checker.whereabouts),
    ("parents", Checker.parents),
    ("found", Checker.found),
)


def _filled(templates: Iterable[Template], row: Row) -> Iterable[str]:
    for template in templates:
        yield from (part.strip() for part in template.filled(row.values).split(";") if part.strip())
