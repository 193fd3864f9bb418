"""Gaps on the ground: land on which nobody leads, and places that the map draws on the wrong side of a line."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from referrals.facts import Evidence, PlaceKind, Relation
from routing import naming, outlines, situations
from routing.areas import code_of
from routing.circumstances import Circumstance
from routing.gap import Gap
from routing.situations import Side
from routing.unled import bare_land

BARE = "For an elevated tip at this moment, county by county of a state, the most first."


def lies_in(area: str, state: str, side: Side) -> bool:
    """Whether an area lies in that state (FIPS code); "" for the whole country."""
    return not state or any(above == f"state:{state}" for above, _ in side.boundaries.widen(area))


def bare(side: Side, at: datetime, state: str) -> Iterator[Gap]:
    """Where the land is on which nobody leads."""
    found = bare_land(side, at, state)
    if not state:
        yield from _by_state(side, found)
        return
    for county, without, whole in found:
        part = "all of it" if without > 0.999 * whole else f"{without:,.1f} of {whole:,.0f} km²"
        yield Gap(
            f"{naming.named(county, side.boundaries)}: {part}.",
            "Draft a rule for the county; areas inside it that have a team keep it.",
        )


def _by_state(side: Side, found: Iterable[tuple[str, float, float]]) -> Iterator[Gap]:
    """Three thousand counties are read by nobody."""
    counties, km2 = Counter[str](), defaultdict[str, float](float)
    for county, without, _ in found:
        above = f"state:{code_of(county)[:2]}"
        counties[above] += 1
        km2[above] += without
    for above, without in sorted(km2.items(), key=lambda one: -one[1]):
        count = f"{counties[above]} {'county' if counties[above] == 1 else 'counties'}"
        yield Gap(
            f"{side.boundaries.name(above)}: {without:,.1f} km² in {count}.",
            "Ask for the state alone to see them by name.",
        )


def misplaced(side: Side, names: Mapping[str, str], at: datetime, state: str) -> Iterator[Gap]:
    """Places on the wrong side of a line: who is asked by the county's name, and who at a point."""
    for one in outlines.MISPLACED:
        if not lies_in(one.belongs_to, state, side):
            continue
        point = Evidence(
            PlaceKind.POINT,
            Relation.INCIDENT,
            (),
            latitude=one.latitude,
            longitude=one.longitude,
            accuracy_m=10.0,
        )
        named, there = (
            side.decide(Circumstance(at), evidence)
            for evidence in (situations.naming(one.belongs_to), (point,))
        )
        county, drawn = (naming.named(area, side.boundaries) for area in (one.belongs_to, one.drawn_in))
        if named.leads == there.leads and there.leads:
            yield Gap(
                f"{one.name} belongs to {county}; the map draws it in {drawn}. {_or(there.leads, names)} leads "
                "either way.",
                "Nothing to do, as long as one team answers for both.",
            )
        else:
            yield Gap(
                f"{one.name} belongs to {county}; the map draws it in {drawn}. Who names the county is led to "
                f"{_or(named.leads, names)}; for a point there, {_or(there.leads, names)} would be asked.",
                "For a point there nobody is chosen until a person has looked. Import an outline of it, with a rule.",
            )


def _or(teams: Iterable[str], names: Mapping[str, str]) -> str:
    return " or ".join(names.get(team, team) for team in teams) or "nobody"
