"""How much is without a lead: addresses and land, by urgency and hour of the week."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import shapely

from referrals.facts import Evidence, PlaceKind, Relation, Urgency
from routing import gazetteer, land, shapes, situations
from routing.areas import code_of, layer_of
from routing.circumstances import Circumstance
from routing.decision import Status
from routing.rules import Role
from routing.situations import Answer, Side

_HOURS = 24 * 7
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Unled:
    """What has no lead at one urgency in some hours of the week (UTC where they are named). ZIPs count as one each,
    parts of them by shares of addresses."""

    urgency: str
    hours: str
    zips: int
    zips_without: float
    zips_tied: float
    km2: float
    km2_without: float


def unled(side: Side, at: datetime, state: str, urgencies: tuple[Urgency, ...]) -> list[Unled]:
    """One line for each urgency and each set of hours in which the same rules with hours hold. Kept for the last few
    that were asked."""
    key = (side.rules.digest, side.boundaries.digest, at.date(), state, urgencies)
    if key not in _kept:
        _kept[key] = list(_counted(side, at, state, urgencies))
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return _kept[key]


_KEPT = 8
_kept: OrderedDict[Hashable, list[Unled]] = OrderedDict()


def bare_land(side: Side, at: datetime, state: str) -> list[tuple[str, float, float]]:
    """Counties with land without a lead for an elevated tip at that moment: the id, square kilometres without, and all
    of them; the most first. Only a county of the map has land; what its outline has lost is told apart."""
    size = land.counties()
    bare = _places(side, state).bare_land(Circumstance(at))
    found = [(county, km2, size[county]) for county, km2 in bare.items() if km2 >= _SLIVER_KM2]
    return sorted(found, key=lambda one: (-one[1], one[0]))


# Less than this is how lines are drawn, and no land.
_SLIVER_KM2 = 0.1


def _places(side: Side, state: str) -> _Places:
    """The last few that were asked about, by what they depend on."""
    key = (side.rules.digest, side.boundaries.digest, id(side.boundaries), state)
    if key not in _kept_places:
        _kept_places[key] = _Places(side, state)
        while len(_kept_places) > 2:
            _kept_places.popitem(last=False)
    return _kept_places[key]


_kept_places: OrderedDict[Hashable, _Places] = OrderedDict()


def _counted(side: Side, at: datetime, state: str, urgencies: tuple[Urgency, ...]) -> Iterator[Unled]:
    places = _places(side, state)
    for urgency in urgencies:
        for hours, moment in _hours(side, at):
            circumstance = Circumstance(moment, urgency)
            without, tied = places.addresses(circumstance)
            yield Unled(
                urgency.value,
                hours,
                places.count,
                without,
                tied,
                places.km2,
                places.land_without(circumstance),
            )


def _hours(side: Side, at: datetime) -> Iterator[tuple[str, datetime]]:
    """The hours of the coming week in groups in which the same rules hold, in words, each with its first moment."""
    timed = [rule for rule in side.rules.rules if rule.hours]
    first = at.replace(minute=0, second=0, microsecond=0)
    groups: dict[tuple[bool, ...], list[datetime]] = defaultdict(list)
    for number in range(_HOURS):
        moment = first + timedelta(hours=number)
        groups[tuple(side.rules.hours_of(rule).hold(moment) for rule in timed)].append(moment)
    for moments in groups.values():
        yield ("at every hour" if len(groups) == 1 else _in_words(moments)), max(moments[0], at)


def _in_words(moments: list[datetime]) -> str:
    """`Mon 00:00–15:00, Tue …` in UTC; what is the same on every day is said once."""
    by_day: dict[str, list[int]] = defaultdict(list)
    for moment in moments:
        by_day[_DAYS[moment.weekday()]].append(moment.hour)
    spans: dict[str, list[str]] = defaultdict(list)
    for day in _DAYS:
        if day in by_day:
            spans[_spans(sorted(by_day[day]))].append(day)
    parts = [f"{'every day' if len(days) == 7 else ', '.join(days)} {span}" for span, days in spans.items()]
    return f"{'; '.join(parts)} (UTC)"


def _spans(hours: list[int]) -> str:
    spans: list[tuple[int, int]] = []
    for hour in hours:
        if spans and spans[-1][1] == hour:
            spans[-1] = (spans[-1][0], hour + 1)
        else:
            spans.append((hour, hour + 1))
    return " and ".join(f"{begins:02}:00–{ends:02}:00" for begins, ends in spans)


class _Places:
    """ZIPs and counties of the country or of a state, each situation once."""

    def __init__(self, side: Side, state: str) -> None:
        self._side, known = side, gazetteer.load()
        chosen = [county for county in known.counties if not state or code_of(county)[:2] == state]
        self._counties = {county: situations.naming(county) for county in chosen}
        self._situations = {county: side.situation(named) for county, named in self._counties.items()}
        self.km2 = sum(land.counties().get(county, 0.0) for county in chosen)
        self._letters = known.states[state].letters if state else ""
        self._drawn = {rule.area for rule in side.rules.rules if _is_drawn_lead(side, rule.area, rule.role)}

    @cached_property
    def _zips(self) -> Mapping[Hashable, list[str]]:
        """ZIPs that are answered alike."""
        known, found = gazetteer.load(), defaultdict[Hashable, list[str]](list)
        for code in known.zip_codes:
            entry = known.zip(code)
            # A ZIP of another state's post office may reach over the line; it is counted where it is addressed.
            if entry is not None and (not self._letters or entry.state == self._letters):
                found[self._side.kin(f"zip:{code}")].append(code)
        return found

    @property
    def count(self) -> int:
        """How many ZIPs there are."""
        return sum(map(len, self._zips.values()))

    def addresses(self, circumstance: Circumstance) -> tuple[float, float]:
        """Without a lead, and tied."""
        without = tied = 0.0
        for codes in self._zips.values():
            one, other = self._zip(codes[0], circumstance)
            without += one * len(codes)
            tied += other * len(codes)
        return without, tied

    def _zip(self, code: str, circumstance: Circumstance) -> tuple[float, float]:
        """Of one ZIP. Where it has no lead as a whole, each county's part of it is asked with the county's name."""
        named = situations.naming(f"zip:{code}")
        whole = self._side.answer(self._side.situation(named), circumstance, named)
        entry = gazetteer.load().zip(code)
        if whole.leads or entry is None or not entry.shares:
            return float(not whole.leads), float(whole.status is Status.AMBIGUOUS)
        parts = [(share, self._part(code, county, circumstance)) for county, share in entry.shares]
        return (
            sum(share for share, answer in parts if not answer.leads),
            sum(share for share, answer in parts if answer.status is Status.AMBIGUOUS),
        )

    def _part(self, code: str, county: str, circumstance: Circumstance) -> Answer:
        within = (*situations.naming(f"zip:{code}"), Evidence(PlaceKind.COUNTY, Relation.INCIDENT, (county,)))
        return self._side.answer(self._side.situation(within), circumstance, within)

    def land_without(self, circumstance: Circumstance) -> float:
        """Square kilometres of counties without a lead, but for outlines inside them that have one."""
        return sum(self.bare_land(circumstance).values())

    def bare_land(self, circumstance: Circumstance) -> dict[str, float]:
        """The same by county, of those that have no lead as a whole."""
        size = land.counties()
        bare = [county for county in self._counties if not self._county(county, circumstance).leads]
        inside = self._led_inside(bare, circumstance)
        return {county: size.get(county, 0.0) - inside.get(county, 0.0) for county in bare}

    def _county(self, county: str, circumstance: Circumstance) -> Answer:
        return self._side.answer(self._situations[county], circumstance, self._counties[county])

    def _led_inside(self, bare: list[str], circumstance: Circumstance) -> dict[str, float]:
        led = [shape for area in sorted(self._drawn) if (shape := self._led(area, circumstance)) is not None]
        drawn = [(county, shape) for county in bare if (shape := shapes.counties().get(county)) is not None]
        if not led or not drawn:
            return {}
        all_led = shapely.union_all(led)
        shapely.prepare(all_led)
        met = [(county, shape) for county, shape in drawn if shapely.intersects(all_led, shape)]
        return {county: land.km2(shapely.intersection(all_led, shape)) for county, shape in met}

    def _led(self, area: str, circumstance: Circumstance) -> Any:
        named = situations.naming(area)
        answer = self._side.answer(self._side.situation(named), circumstance, named)
        return shapes.shape_of(area, self._side.boundaries) if answer.leads else None


def _is_drawn_lead(side: Side, area: str, role: Role) -> bool:
    own = side.boundaries.extra.get(area)
    return role is Role.LEAD and own is not None and bool(own.geometry) and layer_of(area) != "county"
