"""What people type about a place becomes evidence, or stays unknown. Never a guess."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from referrals.facts import Evidence, PlaceKind, Relation
from routing import gazetteer
from routing.areas import layer_of
from routing.boundaries import Boundaries
from routing.gazetteer import State
from routing.names import county_key, place_key, says_county, school_key

# Names of states that most people who say them alone may as well mean as cities.
_ALSO_CITIES = {"new york", "washington"}
_ZIP = re.compile(r"(\d{5})(?:[- ]?\d{4})?")


class Reason(StrEnum):
    """What is wrong with a field; the form has a sentence for each."""

    UNKNOWN_STATE = "unknown_state"
    ZIP_FORM = "zip_form"
    UNKNOWN_ZIP = "unknown_zip"
    ZIP_NOT_IN_STATE = "zip_not_in_state"
    PLACE_NOT_IN_STATE = "place_not_in_state"


@dataclass(frozen=True)
class Fault:
    """`field` is the name of the parameter of `resolve` that should be looked at again."""

    field: str
    reason: Reason


@dataclass(frozen=True)
class Resolution:
    """Evidence to be stored, or faults to be shown. With faults, the evidence is empty."""

    evidence: tuple[Evidence, ...] = ()
    faults: tuple[Fault, ...] = ()


def resolve(
    boundaries: Boundaries,
    *,
    relation: Relation,
    school: str = "",
    place: str = "",
    state: str = "",
    zip_code: str = "",
    county: str = "",
) -> Resolution:
    """Evidence of what was typed about one place.

    `state` is postal letters, a FIPS code or a name, `county` a FIPS code or a name; the others are as people write
    them ("Lincoln HS", "tempe az", "Maricopa County, AZ", "85281-1234"). Words that fit several areas give one piece
    of evidence with all of them; words that fit none give evidence of kind unknown, without them. All fields empty: no
    evidence.
    """
    given = {"school": school, "place": place, "state": state, "zip_code": zip_code, "county": county}
    typed = {field: " ".join(words.split()) for field, words in given.items()}
    chosen = state_named(typed["state"])
    faults = list(_faults(boundaries, typed, chosen))
    if faults:
        return Resolution(faults=tuple(faults))
    return Resolution(tuple(_evidence(boundaries, typed, chosen, relation)))


def state_named(words: str) -> State | None:
    """The state by postal letters, FIPS code or name."""
    known = gazetteer.load()
    return known.states.get(words) or known.states_by_name.get(place_key(words))


def _faults(boundaries: Boundaries, typed: dict[str, str], chosen: State | None) -> Iterable[Fault]:
    if typed["state"] and chosen is None:
        yield Fault("state", Reason.UNKNOWN_STATE)
    if typed["zip_code"]:
        yield from _zip_faults(boundaries, typed["zip_code"], chosen)
    _, said = _parted(typed["place"])
    if chosen and said and said != chosen:
        yield Fault("place", Reason.PLACE_NOT_IN_STATE)


def _zip_faults(boundaries: Boundaries, words: str, chosen: State | None) -> Iterable[Fault]:
    code = _ZIP.fullmatch(words)
    if code is None:
        yield Fault("zip_code", Reason.ZIP_FORM)
    elif not boundaries.knows(f"zip:{code[1]}"):
        yield Fault("zip_code", Reason.UNKNOWN_ZIP)
    elif chosen and f"state:{chosen.code}" not in _states_of(boundaries, f"zip:{code[1]}"):
        yield Fault("zip_code", Reason.ZIP_NOT_IN_STATE)


def _evidence(
    boundaries: Boundaries, typed: dict[str, str], chosen: State | None, relation: Relation
) -> Iterable[Evidence]:
    code = _ZIP.fullmatch(typed["zip_code"])
    zips = (f"zip:{code[1]}",) if code else ()
    if zips:
        yield Evidence(PlaceKind.ZIP, relation, zips)
    states = {f"state:{chosen.code}"} if chosen else _states_of(boundaries, *zips)
    found = _place(boundaries, typed["place"], states, relation) if typed["place"] else None
    if found:
        yield found
        states = states or _states_of(boundaries, *found.areas)
    if typed["county"]:
        yield _county(typed["county"], states, relation)
    if typed["school"]:
        yield _school(boundaries, typed["school"], states, found.areas if found else (), relation)
    if chosen:
        yield Evidence(PlaceKind.STATE, relation, (f"state:{chosen.code}",))


def _states_of(boundaries: Boundaries, *areas: str) -> set[str]:
    """Every state that some part of the areas lies in; the post office's state for a ZIP included."""
    found = {above for area in areas for above, _ in boundaries.widen(area) if layer_of(above) == "state"}
    for area in areas:
        entry = gazetteer.load().zip(area.removeprefix("zip:"))
        if entry and (state := gazetteer.load().state_by_letters(entry.state)):
            found.add(f"state:{state.code}")
    return found


def _parted(words: str) -> tuple[str, State | None]:
    """ "Tempe, AZ", "tempe az 85281", "Tempe, Arizona" → the name, and the state that is said with it.
    Words that are nothing but a state's name stay a name."""
    bare = re.sub(r"[\s,]*\d{5}(-\d{4})?$", "", words)
    if "," in bare:
        name, _, said = bare.rpartition(",")
        if name.strip() and (state := state_named(said.strip())):
            return name.strip(), state
    known = gazetteer.load().states_by_name
    if place_key(bare) in known:
        return bare, None
    parts = bare.split()
    # The longest name first: "Charleston West Virginia" lies in West Virginia.
    for length in range(min(4, len(parts) - 1), 0, -1):
        if state := known.get(place_key(" ".join(parts[-length:]))):
            return " ".join(parts[:-length]), state
    return bare, None


def _place(boundaries: Boundaries, words: str, states: set[str], relation: Relation) -> Evidence:
    code = _ZIP.fullmatch(words)
    if code and boundaries.knows(f"zip:{code[1]}"):
        return Evidence(PlaceKind.ZIP, relation, (f"zip:{code[1]}",))
    name, said = _parted(words)
    states = {f"state:{said.code}"} if said else states
    as_state = gazetteer.load().states_by_name.get(place_key(name))
    if (
        as_state
        and not said
        and place_key(name) not in _ALSO_CITIES
        and not _in_states(boundaries, name, states)
    ):
        return Evidence(PlaceKind.STATE, relation, (f"state:{as_state.code}",))
    areas = _in_states(boundaries, name, states)
    if as_state and not said and not states:
        areas = (*areas, f"state:{as_state.code}")
    if areas:
        return Evidence(PlaceKind.PLACE, relation, areas)
    counties = _counties(name, states)
    return (
        Evidence(PlaceKind.COUNTY, relation, counties) if counties else Evidence(PlaceKind.UNKNOWN, relation)
    )


def _in_states(boundaries: Boundaries, name: str, states: set[str]) -> tuple[str, ...]:
    found = boundaries.places_named(name)
    if not states:
        # A state's name alone means the state, although some village elsewhere may be called so.
        is_state = place_key(name) in gazetteer.load().states_by_name and place_key(name) not in _ALSO_CITIES
        return () if is_state else found
    return tuple(area for area in found if states & _states_of(boundaries, area))


def _county(words: str, states: set[str], relation: Relation) -> Evidence:
    name, said = _parted(words)
    states = {f"state:{said.code}"} if said else states
    known = gazetteer.load().counties_by_name
    coded = (f"county:{words}",) if f"county:{words}" in gazetteer.load().counties else ()
    found = (
        _within(coded, states) or _counties(name, states) or _within(known.get(county_key(name), ()), states)
    )
    return Evidence(PlaceKind.COUNTY, relation, found) if found else Evidence(PlaceKind.UNKNOWN, relation)


def _counties(name: str, states: set[str]) -> tuple[str, ...]:
    """Counties that are legally called so ("Maricopa County", "Baltimore city")."""
    known = gazetteer.load()
    exact = [
        area
        for area in known.counties_by_name.get(place_key(name), ())
        if says_county(name) or place_key(known.counties[area]) == place_key(name)
    ]
    return _within(exact, states)


def _within(counties: Iterable[str], states: set[str]) -> tuple[str, ...]:
    return tuple(
        area for area in counties if not states or f"state:{area.removeprefix('county:')[:2]}" in states
    )


def _school(
    boundaries: Boundaries, words: str, states: set[str], places: tuple[str, ...], relation: Relation
) -> Evidence:
    found = _school_names(boundaries, words)
    if states:
        found = tuple(area for area in found if states & _states_of(boundaries, area))
    # A town narrows where it can. People name the big city for the suburb, so it never rules out the last
    # one.
    near = tuple(area for area in found if set(places) & {above for above, _ in boundaries.widen(area)})
    found = near or found
    if not found:
        return Evidence(PlaceKind.UNKNOWN, relation)
    campus = all(layer_of(area) == "campus" for area in found)
    return Evidence(PlaceKind.CAMPUS if campus else PlaceKind.SCHOOL, relation, found)


def _school_names(boundaries: Boundaries, words: str) -> tuple[str, ...]:
    """Schools so called; a town typed behind the name ("Lincoln High, Mesa") is tried as the name's end
    first."""
    name, _, rest = words.partition(",")
    found = boundaries.schools_named(words) or (boundaries.schools_named(name) if school_key(rest) else ())
    return tuple(sorted(found))
