"""What a dry run costs over every ZIP and 130,000 schools, on rules as many as the country's would be."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from routing import gazetteer, situations
from routing.alike import Alike
from routing.areas import Area, code_of
from routing.boundaries import Boundaries
from routing.circumstances import Circumstance
from routing.found import Step
from routing.holding import Graph
from routing.pair import Pair
from routing.redeciding import everybody, redecide
from routing.rules import RuleSet
from routing.situations import Answer
from routing.snapshots import Snapshot

_SCHOOLS, _DISTRICTS, _PLACES = 130_000, 3_500, 10_000
# As many as one new agreement changes.
_FEW = 20
_AS_OF = datetime(2026, 3, 4, 17, tzinfo=UTC)
# So many places of each run are decided one by one as well.
_CHECKED = 500


@dataclass(frozen=True)
class Spent:
    """CPU seconds of one dry run: `named` for ZIPs and schools together, `whole` for all of it, points and rules
    included. `reached` of `asked` places were felt, in `wrong` of those compared one by one
    the row was not what its place is."""

    what: str
    rules: int
    asked: int
    reached: int
    named: float
    whole: float
    compared: int
    wrong: int


def dry_runs() -> list[Spent]:
    """A draft that changes a few rules, and one that changes them all."""
    boundaries, rules = Boundaries(_areas()), _rules()
    before = _snapshot(rules, boundaries)
    # Tables that a worker has read long since.
    for code in gazetteer.load().zip_codes[:1]:
        boundaries.widen(f"zip:{code}")
    few = [rule | {"team": "another"} if number < _FEW else rule for number, rule in enumerate(rules)]
    every = [rule | {"team": f"new {rule['team']}"} for rule in rules]
    return [
        _measured(f"{_FEW} of the rules change", before, _snapshot(few, boundaries)),
        _measured("every rule changes", before, _snapshot(every, boundaries)),
    ]


def _measured(what: str, before: Snapshot, after: Snapshot) -> Spent:
    marks: dict[str, float] = {}

    def tick(step: str, done: int, total: int) -> None:
        marks.setdefault(step, time.process_time())

    population = everybody(before, after, ())
    start = time.process_time()
    found = redecide(before, after, _AS_OF, population, tick)
    whole = time.process_time() - start
    compared, wrong = _compared(before, after, [*population.zips, *population.schools])
    return Spent(
        what,
        len(after.rules.rules),
        found.asked[Step.ZIPS] + found.asked[Step.SCHOOLS],
        found.reached[Step.ZIPS] + found.reached[Step.SCHOOLS],
        marks[Step.POINTS] - start,
        whole,
        compared,
        wrong,
    )


def _compared(before: Snapshot, after: Snapshot, areas: list[str]) -> tuple[int, int]:
    """Places of a sample, each decided for itself and as one of its row."""
    pair, circumstance = Pair(before, after, _AS_OF.date()), Circumstance(_AS_OF)
    sample = random.Random(7).sample(areas, _CHECKED)
    alike = Alike(Graph(sample, pair.old.parents), *pair.numbers, circumstance.relation, examples=_CHECKED)
    wrong = compared = 0
    for same in alike.answers(circumstance):
        for area in same.examples:
            compared += 1
            for side, said in ((pair.old, same.before), (pair.new, same.after)):
                wrong += said != Answer.of(side.decide(circumstance, situations.naming(area)))
    return compared, wrong


def _snapshot(rules: list[dict[str, Any]], boundaries: Boundaries) -> Snapshot:
    return Snapshot(RuleSet.from_json({"root_team": "root", "rules": rules}), boundaries, "", "")


def _rules() -> list[dict[str, Any]]:
    """A team for each county, for the largest half of the districts, and for many towns."""
    known = gazetteer.load()
    towns = sorted(known.places)[:: max(1, len(known.places) // _PLACES)]
    areas = [*known.counties, *(f"district:{number:05}" for number in range(_DISTRICTS)), *towns]
    return [
        {"id": f"rule-{number:05}", "team": f"team {number % 4_000}", "role": "lead", "area": area}
        for number, area in enumerate(areas)
    ]


def _areas() -> Iterator[Area]:
    """Invented districts and schools in real counties and towns: each school in a town, a district and a county."""
    chance, known = random.Random(3), gazetteer.load()
    counties = sorted(known.counties)
    towns: dict[str, list[str]] = {}
    for area, place in known.places.items():
        shares = known.place_counties(place)
        if shares:
            towns.setdefault(shares[0][0], []).append(area)
    home = [chance.choice(counties) for _ in range(_DISTRICTS * 4)]
    for number, county in enumerate(home):
        yield Area(
            f"district:{number:05}", f"District {number}", state=code_of(county)[:2], parents=((county, 1.0),),
            zips=(("85281", 0.01),) if number == 0 else (),
        )  # fmt: skip
    for number in range(_SCHOOLS):
        district = chance.randrange(len(home))
        county = home[district]
        town = chance.choice(towns.get(county, [county]))
        parents = tuple(sorted({town: 1.0, county: 1.0, f"district:{district:05}": 1.0}.items()))
        yield Area(f"school:{number:06}", f"School {number}", state=code_of(county)[:2], parents=parents)
