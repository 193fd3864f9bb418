"""What a whole decision costs, explanation and digest included, on rules as many as the country's would be."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any
from unittest import mock

from referrals.facts import Evidence, Facts, PlaceKind, Relation, Urgency
from routing import decision as deciding
from routing import gazetteer
from routing.boundaries import Boundaries
from routing.decision import decide
from routing.locate import locate
from routing.rules import RuleSet

_SCHOOLS, _PLACES = 10_000, 3_500
_QUESTIONS, _ROUNDS = 500, 5
_AS_OF = datetime(2026, 3, 4, 17, tzinfo=UTC)


@dataclass(frozen=True)
class Cost:
    """CPU time of one kind of evidence, in µs. Each question is asked several times and its median counts: what other
    processes cost is no part of it. `first_p99`: the first time each was asked. `locate_*`: the part before rules."""

    kind: str
    p50: float
    p99: float
    first_p99: float
    locate_p50: float
    locate_p99: float


def costs() -> tuple[int, list[Cost]]:
    """How many rules there are, and the costs by kind of evidence. Fails if the short way decides another way."""
    boundaries, rules = _country()
    # Made before anything is measured, as a worker does when it loads a snapshot.
    _ = boundaries.digest, rules.digest, boundaries.outlines, rules.by_area, rules.by_every
    gc.collect()
    gc.freeze()
    measured = [_cost(kind, questions, boundaries, rules) for kind, questions in _questions(boundaries)]
    gc.unfreeze()
    return len(rules.rules), measured


def _cost(kind: str, questions: list[Facts], boundaries: Boundaries, rules: RuleSet) -> Cost:
    whole: list[list[float]] = [[] for _ in questions]
    located: list[list[float]] = [[] for _ in questions]
    for _ in range(_ROUNDS):
        for at, facts in enumerate(questions):
            start = time.process_time_ns()
            digest = decide(facts, rules, boundaries, _AS_OF).digest
            between = time.process_time_ns()
            locate(facts.evidence, boundaries, rules.share_floor)
            whole[at].append((between - start) / 1_000)
            located[at].append((time.process_time_ns() - between) / 1_000)
            if len(whole[at]) == 1:
                assert digest == _the_long_way(facts, rules, boundaries), kind
    usual, place = [median(times) for times in whole], [median(times) for times in located]
    first = [times[0] for times in whole]
    return Cost(kind, _at(usual, 0.5), _at(usual, 0.99), _at(first, 0.99), _at(place, 0.5), _at(place, 0.99))


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
