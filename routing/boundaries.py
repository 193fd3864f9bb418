"""Boundaries: the country's areas plus a site's own, as one immutable set named by the hash of its
content."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from routing import gazetteer
from routing.areas import LAYER_RANKS, NAMED_LAYERS, NATION, Area, AreaFault, Shares, code_of, layer_of
from routing.names import place_key, school_key

if TYPE_CHECKING:
    from routing.outlines import Outlines


class Boundaries:
    """What lies in what. Never changes after it is made; `digest` (SHA-256, hex) names its whole content.

    Making it is cheap: tables are read when first asked for, outlines only when a point is located.
    """

    def __init__(self, extra: Iterable[Area] = ()) -> None:
        self.extra: Mapping[str, Area] = {area.id: area for area in sorted(extra, key=lambda area: area.id)}
        self._base = gazetteer.load()
        self._widened: dict[str, Shares] = {}

    @classmethod
    def from_json(cls, stored: Iterable[Mapping[str, Any]]) -> Boundaries:
        """The base plus areas in plain JSON (see Area.from_json). Raises AreaFault at the first that is
        wrong."""
        areas = [Area.from_json(entry) for entry in stored]
        if len({area.id for area in areas}) < len(areas):
            raise AreaFault("two areas have the same id")
        boundaries = cls(areas)
        if faults := boundaries.faults():
            raise AreaFault("; ".join(faults))
        return boundaries

    @cached_property
    def digest(self) -> str:
        """Equal digests: equal answers."""
        content = json.dumps([_content(area) for area in self.extra.values()], sort_keys=True)
        return hashlib.sha256((self._base.digest + content).encode()).hexdigest()

    @cached_property
    def outlines(self) -> Outlines:
        """The index of outlines; loads shapely."""
        from routing.outlines import Outlines

        return Outlines(self.extra.values())

    def faults(self) -> list[str]:
        """Sentences about areas of the set that could never be found or hang in the air."""
        return [sentence for area in self.extra.values() for sentence in self._faults_of(area)]

    def _faults_of(self, area: Area) -> Iterable[str]:
        if not self.can_be_found(area.id):
            yield f"{area.id} has neither an outline nor ZIPs, so no evidence could ever find it"
        for parent, _ in area.parents:
            if not self.knows(parent):
                yield f"{area.id} lies in {parent}, which is not known"
            elif parent in self.extra and area.id in dict(self.widen(parent)):
                yield f"{area.id} and {parent} lie in each other"
        for code, _ in area.zips:
            if self._base.zip(code) is None:
                yield f"{area.id} has the ZIP {code}, which is not in use"
        if area.state and area.state not in self._base.states:
            yield f"{area.id} has the state {area.state}, which is not known"

    def knows(self, area: str) -> bool:
        """Whether the id names an area in force; ended ones are not."""
        if area in self.extra or area == NATION:
            return True
        layer, code = layer_of(area), code_of(area)
        return (
            (layer == "county" and area in self._base.counties)
            or (layer == "state" and code in self._base.states)
            or (layer == "zip" and self._base.zip(code) is not None)
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
        return change.successors if change else (area,)

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

    def _one_round(self, start: str, edge: Mapping[str, float]) -> dict[str, float]:
        sums: dict[tuple[str, str], float] = defaultdict(float)
        for below, share in edge.items():
            layer = layer_of(below)
            if layer == "place" and layer_of(start) == "zip":
                # Where a place lies says nothing of the part that this ZIP covers; its counties are in the
                # table.
                continue
            for parent, part in self.parents(below):
                # Neighbours add up (the counties of one ZIP, in their state); ways through different layers
                # do not.
                sums[parent, layer] += share * part
        farther: dict[str, float] = {}
        for (parent, _), share in sums.items():
            farther[parent] = max(farther.get(parent, 0.0), round(min(share, 1.0), 4))
        return farther

    def parents(self, area: str) -> Shares:
        """What directly holds it, with shares."""
        layer, code = layer_of(area), code_of(area)
        if area in self.extra:
            own = self.extra[area]
            return (*own.parents, *((f"state:{own.state}", 1.0),) * bool(own.state))
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
        own = self._places_by_zip.get(code, ())
        if entry.shares:
            return (*own, *self._preferred_place(entry), *entry.shares)
        state = self._base.state_by_letters(entry.state)
        return (*own, (f"state:{state.code}", 1.0)) if state else own

    def _preferred_place(self, entry: gazetteer.Zip) -> Shares:
        # Where the site knows the real city, its own table of ZIPs counts, not the post office's name.
        known = entry.state in self._own_places.get(place_key(entry.city), {})
        return () if known else ((gazetteer.place_id(entry.state, entry.city), 1.0),)

    def _place_parents(self, area: str) -> Shares:
        place = self._base.places.get(area)
        if place is None:
            return ()
        state = self._base.state_by_letters(place.state)
        return (*self._base.place_counties(place), *(((f"state:{state.code}", 1.0),) if state else ()))

    @cached_property
    def _places_by_zip(self) -> dict[str, Shares]:
        found: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for area in self.extra.values():
            for code, share in area.zips:
                found[code].append((area.id, share))
        return {code: tuple(shares) for code, shares in found.items()}

    @cached_property
    def _own_places(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """The site's places by key of name, then by postal letters."""
        found: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
        for area in self.extra.values():
            if area.layer == "place" and area.state in self._base.states:
                letters = self._base.states[area.state].letters
                for key in {place_key(name) for name in (area.name, *area.aliases)}:
                    found[key][letters] = (*found[key].get(letters, ()), area.id)
        return dict(found)

    def places_named(self, name: str) -> tuple[str, ...]:
        """Places of every state by that name; a site's own stand in for the postal one of their state."""
        key = place_key(name)
        own = self._own_places.get(key, {})
        postal = self._base.places_by_name.get(key, ())
        others = (area for area in postal if self._base.places[area].state not in own)
        return tuple(sorted([*others, *(area for areas in own.values() for area in areas)]))

    @cached_property
    def _schools(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = defaultdict(list)
        for area in self.extra.values():
            if area.layer in {"school", "campus"}:
                for key in {school_key(name) for name in (area.name, *area.aliases)}:
                    found[key].append(area.id)
        return {key: tuple(areas) for key, areas in found.items()}

    def schools_named(self, name: str) -> tuple[str, ...]:
        """Schools and campuses by that name; if none has just that name, those whose name begins with it."""
        key = school_key(name)
        if not key:
            return ()
        exact = self._schools.get(key)
        begun = (areas for known, areas in self._schools.items() if known.startswith(key + " "))
        return exact or tuple(sorted({area for areas in begun for area in areas}))


def _content(area: Area) -> list[Any]:
    return [
        area.id, area.name, area.aliases, area.state, area.parents, area.zips, area.geometry,
        area.precision_m,
    ]  # fmt: skip
