"""What a whole decision costs, explanation and digest included, on rules as many as the country's would be."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any
from unittest import mock

from referrals.facts import Evidence, Facts, PlaceKind, Relation, Urgency
from routing import decision as deciding
from routing import gazetteer
from routing.area_set import Columns
from routing.boundaries import Boundaries
from routing.decision import decide
from routing.locate import locate
from routing.rules import RuleSet

_SCHOOLS, _PLACES = 10_000, 3_500
_QUESTIONS, _ROUNDS = 500, 5
_AS_OF = datetime(2026, 3, 4, 17, tzinfo=UTC)


@dataclass(frozen=True)
class Cost:
    """CPU time of one kind of evidence, in µs. Each question is asked in several rounds and its median counts: what
    other processes cost is no part of it. `first_p99`: asked of a map that nobody has asked yet, as a worker has it
    that has just loaded a snapshot. `locate_*`: the part before rules."""

    kind: str
    p50: float
    p99: float
    first_p99: float
    locate_p50: float
    locate_p99: float


def costs() -> tuple[int, list[Cost]]:
    """How many rules there are, and the costs by kind of evidence. Fails if the short way decides another way."""
    boundaries, rules = _country()
    rules.prepare()
    return len(rules.rules), [
        _cost(kind, questions, boundaries.extra.columns, rules) for kind, questions in _questions(boundaries)
    ]


def _cost(kind: str, questions: list[Facts], columns: Columns, rules: RuleSet) -> Cost:
    rounds = [_round(questions, columns, rules) for _ in range(_ROUNDS)]
    first, whole, located = (_usual(times) for times in zip(*rounds, strict=True))
    _compare(kind, questions, Boundaries(columns), rules)
    return Cost(
        kind, _at(whole, 0.5), _at(whole, 0.99), _at(first, 0.99), _at(located, 0.5), _at(located, 0.99)
    )


def _round(questions: list[Facts], columns: Columns, rules: RuleSet) -> tuple[list[float], ...]:
    """Every question decided for the first time and again, and located alone."""
    boundaries = Boundaries(columns)
    boundaries.prepare()

    def digest(facts: Facts) -> str:
        return decide(facts, rules, boundaries, _AS_OF).digest

    # As a worker does when it has loaded a snapshot.
    gc.collect()
    gc.freeze()
    first, whole = _times(digest, questions), _times(digest, questions)
    located = _times(lambda facts: locate(facts.evidence, boundaries, rules.share_floor), questions)
    gc.unfreeze()
    return first, whole, located


def _times(answer: Callable[[Facts], object], questions: list[Facts]) -> list[float]:
    """µs of CPU for each."""
    taken = []
    for facts in questions:
        start = time.thread_time_ns()
        answer(facts)
        taken.append((time.thread_time_ns() - start) / 1_000)
    return taken


def _usual(times: Iterable[list[float]]) -> list[float]:
    """The median of each question over the rounds."""
    return [median(of_one) for of_one in zip(*times, strict=True)]


def _compare(kind: str, questions: list[Facts], boundaries: Boundaries, rules: RuleSet) -> None:
    for facts in questions:
        digest = decide(facts, rules, boundaries, _AS_OF).digest
        assert digest == _the_long_way(facts, rules, boundaries), kind


def _the_long_way(facts: Facts, rules: RuleSet, boundaries: Boundaries) -> str:
    """The digest where every end of every doubt is weighed whole, whether or not a rule could feel it."""
    with mock.patch.object(deciding, "_felt", lambda hits, asked: hits):
        return decide(facts, rules, boundaries, _AS_OF).digest


def _at(times: list[float], quantile: float) -> float:
    return sorted(times)[int(len(times) * quantile)]


def _country() -> tuple[Boundaries, RuleSet]:
    """Invented schools in real places; a lead for each state and county, for many places and every school, and a
    support rule for each state."""
    known, chance = gazetteer.load(), random.Random(3)
    places = sorted(known.places)
    schools = [
        {"id": f"school:bench-{at:05}", "name": f"School {at}", "parents": [chance.choice(places)]}
        for at in range(_SCHOOLS)
    ]
    areas = [f"state:{code}" for code in sorted(known.states)] + sorted(known.counties)
    leads = [_rule(area) for area in areas + chance.sample(places, _PLACES)]
    # Every third school's team is asked only where a school is threatened.
    leads += [_rule(school["id"], settings=["school"] * (at % 3 == 0)) for at, school in enumerate(schools)]
    helps = [
        {**_rule(f"state:{code}", behaviours=["suicidal_statement"]), "id": f"care-{code}", "role": "support"}
        for code in sorted(known.states)
    ]
    hubs = {code: f"team-state:{code}" for code in known.states}
    rules = RuleSet.from_json({"root_team": "root", "state_hubs": hubs, "rules": [*leads, *helps]})
    return Boundaries.from_json(schools), rules


def _rule(area: Any, **more: Any) -> dict[str, Any]:
    return {"id": f"lead-{area}", "team": f"team-{area}", "role": "lead", "area": area, **more}


def _questions(boundaries: Boundaries) -> Iterator[tuple[str, list[Facts]]]:
    known, chance = gazetteer.load(), random.Random(7)
    zips = [f"zip:{code}" for code in chance.sample(sorted(known.zip_codes), _QUESTIONS)]
    places = chance.sample(sorted(known.places), _QUESTIONS)
    schools = chance.sample(sorted(boundaries.extra), _QUESTIONS)
    counties = chance.sample(sorted(known.counties), _QUESTIONS)
    named = {
        PlaceKind.ZIP: zips,
        PlaceKind.PLACE: places,
        PlaceKind.SCHOOL: schools,
        PlaceKind.COUNTY: counties,
    }
    for kind, areas in named.items():
        yield f"a {kind.value}", [_facts(Evidence(kind, Relation.TARGET, (area,))) for area in areas]
    yield "a point", [_facts(_point(chance)) for _ in range(_QUESTIONS)]
    yield (
        "three that disagree",
        [
            _facts(
                Evidence(PlaceKind.ZIP, Relation.TARGET, (zips[at],)),
                Evidence(PlaceKind.SCHOOL, Relation.INCIDENT, (schools[at],)),
                Evidence(PlaceKind.PLACE, Relation.SUBJECT, (places[at],)),
            )
            for at in range(_QUESTIONS)
        ],
    )


def _point(chance: random.Random) -> Evidence:
    """A fix somewhere in the middle of the country."""
    latitude, longitude = chance.uniform(31, 42), chance.uniform(-115, -80)
    return Evidence(PlaceKind.POINT, Relation.TARGET, latitude=latitude, longitude=longitude, accuracy_m=30.0)


def _facts(*evidence: Evidence) -> Facts:
    return Facts(Urgency.ELEVATED, ("threat_communicated",), evidence=evidence)


def main() -> None:
    """Prints the costs alone: `python -m tests.benchmarks.deciding`."""
    count, measured = costs()
    print(f"{count} rules; µs of CPU for a whole decision, and for locating alone")
    for cost in measured:
        print(
            f"{cost.kind:<20} p50 {cost.p50:5.0f}  p99 {cost.p99:5.0f}  first time p99 {cost.first_p99:5.0f}"
            f"  located p50 {cost.locate_p50:5.0f}  p99 {cost.locate_p99:5.0f}"
        )


if __name__ == "__main__":
    main()
