"""Boundaries: the country's areas plus a site's own, as one immutable set named by the hash of its
content."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from routing import gazetteer, soundness_of_areas
from routing.area_set import AreaSet, Columns
from routing.areas import (
    LAYER_RANKS,
    NAMED_LAYERS,
    NATION,
    Area,
    AreaFault,
    Became,
    Shares,
    code_of,
    layer_of,
)
from routing.names import place_key, school_key

if TYPE_CHECKING:
    from routing.outlines import Outlines


class Boundaries:
    """What lies in what. Never changes after it is made; `digest` (SHA-256, hex) names its whole content.

    Making it is cheap: tables are read when first asked for, outlines only when a point is located. `extra`
    are a site's own areas; made as it is, each in its last version, ended or not. `on` chooses by a day.
    """

    def __init__(self, extra: Iterable[Area] | Columns = (), day: date | None = None) -> None:
        columns = extra if isinstance(extra, Columns) else Columns.of(extra)
        self.extra = AreaSet(columns, day)
        self._base = gazetteer.load()
        self._widened: dict[str, Shares] = {}
        self._views: dict[int, Boundaries] = {}
        # What names mean here, kept by `locate`.
        self.remembered: dict[tuple[tuple[str, ...], str, float], Any] = {}

    @classmethod
    def from_json(cls, stored: Iterable[Mapping[str, Any]]) -> Boundaries:
        """The base plus areas in plain JSON (see Area.from_json). Raises AreaFault at the first that is
        wrong."""
        areas = [Area.from_json(entry) for entry in stored]
        if len({(area.id, area.valid_from) for area in areas}) < len(areas):
            raise AreaFault("two areas have the same id and the same first day")
        boundaries = cls(areas)
        if faults := boundaries.faults():
            raise AreaFault("; ".join(faults))
        return boundaries

    def on(self, day: date) -> Boundaries:
        """The same set as the law has it on that day: what had not begun or has ended is not there."""
        turns = self.extra.columns.turns
        if not turns:
            return self
        # Between two turns every day is alike. Few are asked for; the last two stay.
        span = bisect_right(turns, day.toordinal())
        view = self._views.get(span)
        if view is None:
            for earlier in list(self._views)[:-1]:
                self._views.pop(earlier, None)
            view = self._views[span] = Boundaries(self.extra.columns, day)
        return view

    @cached_property
    def digest(self) -> str:
        """Equal digests and equal days: equal answers."""
        return hashlib.sha256((self._base.digest + self.extra.columns.digest).encode()).hexdigest()

    @cached_property
    def outlines(self) -> Outlines:
        """The index of outlines; loads shapely."""
        from routing.outlines import Outlines

        return Outlines(self.extra)

    def prepare(self) -> None:
        """Builds now what the first decision would have to wait for."""
        _ = self.digest, self.outlines, self._own_successors, self.extra.columns.key_places
        self._base.read_all()

    def faults(self) -> list[str]:
        """Sentences about areas of the set that could never be found, hang in the air or lie elsewhere."""
        return list(soundness_of_areas.faults(self))

    def knows(self, area: str) -> bool:
        """Whether the id names an area in force; ended ones are not."""
        if area in self.extra or area == NATION:
            return True
        layer, code = layer_of(area), code_of(area)
        return (
            (layer == "county" and area in self._base.counties)
            or (layer == "state" and code in self._base.states)
            or (layer == "zip" and self._base.has_zip(code))
            or (layer == "place" and area in self._base.places)
        )

    def can_be_found(self, area: str) -> bool:
        """Whether some evidence can lead to it: by its name, an outline or ZIPs."""
        own = self.extra.get(area)
        if own is None:
            return self.knows(area)
        return layer_of(area) in NAMED_LAYERS or bool(own.geometry or own.zips)

    def successors(self, area: str) -> tuple[str, ...]:
        """What took the place of an ended area; itself for any other."""
        change = self._base.changes.get(area)
        if change:
            return change.successors
        own = self._own_successors.get(area)
        if not own or area in self.extra:
            return (area,)
        # A successor may have ended as well; nothing follows itself, so this ends.
        return tuple(dict.fromkeys(last for after in own for last in self.successors(after)))

    @cached_property
    def _own_successors(self) -> Mapping[str, tuple[str, ...]]:
        """By ended area, over all versions of the set: it names what it became, or is named by it."""
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for area in self.extra.columns.linked():
            for link in area.links:
                merged = link.became is Became.MERGED_FROM
                before, after = (link.area, area.id) if merged else (area.id, link.area)
                if before != after:
                    found[before][after] = None
        return {before: tuple(after) for before, after in found.items()}

    def name(self, area: str) -> str:
        """What people call it, without its state; the id itself if it is not known."""
        if area in self.extra:
            return self.extra[area].name
        code = code_of(area)
        names: dict[str, Callable[[], str]] = {
            "nation": lambda: "the United States",
            "state": lambda: self._base.states[code].name,
            "county": lambda: self._base.counties[area],
            "zip": lambda: f"ZIP {code}",
            "place": lambda: self._base.places[area].name,
        }
        try:
            return names[layer_of(area)]()
        except KeyError:
            return area

    def state_of(self, area: str) -> str:
        """FIPS code of the one state that holds all of it; "" where there is none."""
        whole = [
            code_of(parent)
            for parent, share in self.widen(area)
            if layer_of(parent) == "state" and share >= 1
        ]
        return whole[0] if len(whole) == 1 else ""

    def widen(self, area: str) -> Shares:
        """The area itself and all that holds it, each with the share of the area that surely lies in it."""
        known = self._widened.get(area)
        if known is None:
            # Ids are many but finite; an unknown one is not kept, so that typed rubbish cannot fill the
            # memory.
            known = self._climb(area)
            if self.knows(area):
                self._widened[area] = known
        return known

    def _climb(self, area: str) -> Shares:
        if layer_of(area) == "county" and self._as_the_country_has_it(area):
            # Most places lie in one: what is the same for all its county's is not climbed again.
            return ((area, 1.0), *self.widen(f"state:{code_of(area)[:2]}"))
        reached = {area: 1.0}
        edge = dict(reached)
        # In rounds from the area outwards; no chain of areas is deeper than the layers are many.
        for _ in range(len(LAYER_RANKS)):
            farther = self._one_round(area, edge)
            edge = {name: share for name, share in farther.items() if share > reached.get(name, 0.0)}
            if not edge:
                break
            reached |= edge
        return tuple(reached.items())

    def _as_the_country_has_it(self, county: str) -> bool:
        """A county of the base in a state of the base, and the site says nothing else of either."""
        above = (county, f"state:{code_of(county)[:2]}", NATION)
        return county in self._base.counties and not any(area in self.extra for area in above)

    def _one_round(self, start: str, edge: Mapping[str, float]) -> dict[str, float]:
        sums: dict[tuple[str, str], float] = defaultdict(float)
        by_zip = layer_of(start) == "zip"
        for below, share in edge.items():
            layer = layer_of(below)
            if by_zip and layer == "place":
                # Where a place lies says nothing of the part that this ZIP covers; its counties are in the
                # table.
                continue
            for parent, part in self.parents(below):
                # Neighbours add up (the counties of one ZIP, in their state); ways through different layers
                # do not.
                sums[parent, layer] += share * part
        farther: dict[str, float] = {}
        for (parent, _), share in sums.items():
            # Most are whole: rounding costs more than asking.
            rounded = 1.0 if share >= 1 else round(share, 4)
            known = farther.get(parent, 0.0)
            farther[parent] = rounded if rounded > known else known
        return farther

    def parents(self, area: str) -> Shares:
        """What directly holds it, with shares."""
        layer, code = layer_of(area), code_of(area)
        own = self.extra.held_by(area)
        if own is not None:
            parents, state = own
            return (*parents, (f"state:{state}", 1.0)) if state else parents
        if layer == "zip":
            return self._zip_parents(code)
        if layer == "place":
            return self._place_parents(area)
        if layer == "county" and area in self._base.counties:
            return ((f"state:{code[:2]}", 1.0),)
        return ((NATION, 1.0),) if layer == "state" and code in self._base.states else ()

    def _zip_parents(self, code: str) -> Shares:
        entry = self._base.zip(code)
        if entry is None:
            return ()
        own = self._areas_of_zip(code)
        if entry.shares:
            return (*own, *self._preferred_place(entry), *entry.shares)
        state = self._base.state_by_letters(entry.state)
        return (*own, (f"state:{state.code}", 1.0)) if state else own

    def _preferred_place(self, entry: gazetteer.Zip) -> Shares:
        # Where the site knows the real city, its own table of ZIPs counts, not the post office's name.
        known = entry.state in self._own_places(place_key(entry.city))
        return () if known else ((gazetteer.place_id(entry.state, entry.city), 1.0),)

    def _place_parents(self, area: str) -> Shares:
        place = self._base.places.get(area)
        if place is None:
            return ()
        state = self._base.state_by_letters(place.state)
        return (*self._base.place_counties(place), *(((f"state:{state.code}", 1.0),) if state else ()))

    def _areas_of_zip(self, code: str) -> Shares:
        return tuple((area, dict(self.extra[area].zips)[code]) for area in self.extra.by_zip(code))

    def _own_places(self, key: str) -> Mapping[str, tuple[str, ...]]:
        """The site's places by that key, by postal letters."""
        found: dict[str, tuple[str, ...]] = {}
        for area in self.extra.by_place_name(key):
            if state := self._base.states.get(self.extra[area].state):
                found[state.letters] = (*found.get(state.letters, ()), area)
        return found

    def places_named(self, name: str) -> tuple[str, ...]:
        """Places of every state by that name; a site's own stand in for the postal one of their state."""
        key = place_key(name)
        own = self._own_places(key)
        postal = self._base.places_by_name.get(key, ())
        others = (area for area in postal if self._base.places[area].state not in own)
        return tuple(sorted([*others, *(area for areas in own.values() for area in areas)]))

    def schools_named(self, name: str) -> tuple[str, ...]:
        """Schools and campuses by that name; if none has just that name, those whose name begins with it."""
        key = school_key(name)
        if not key:
            return ()
        return self.extra.by_school_name(key) or tuple(sorted(self.extra.by_school_name(key, begun=True)))
