"""Decisions per second on the demonstration's rules and the whole country's areas."""

from __future__ import annotations

import random
import time
from itertools import cycle, islice

from foundation import clock, database
from foundation.settings import Settings
from referrals.facts import Evidence, Facts, PlaceKind, Relation, Urgency
from routing import gazetteer, snapshots
from routing.decision import decide
from tests import builders

_COUNT = 5_000


def decisions_per_second(url: str, settings: Settings) -> dict[str, float]:
    """How many whole decisions, explanation included, one core makes per second, and the slowest hundredth in µs."""
    engine = database.make_engine(url)
    builders.found(engine, settings)
    with database.reading(engine) as session:
        snapshot = snapshots.current(session)
    engine.dispose()
    questions = list(islice(cycle(_questions()), _COUNT))
    as_of, taken = clock.now(), []
    for facts in questions:
        start = time.perf_counter()
        decide(facts, snapshot.rules, snapshot.boundaries, as_of).digest  # noqa: B018  # the digest is part of it
        taken.append(time.perf_counter() - start)
    taken.sort()
    return {"per_second": _COUNT / sum(taken), "p99_us": taken[int(_COUNT * 0.99)] * 1e6}


def _questions() -> list[Facts]:
    """ZIPs of the whole country, towns and points in Arizona, in a fixed mixed order."""
    chance = random.Random(7)
    zips = chance.sample(sorted(gazetteer.load().zip_codes), 300)
    evidence = [Evidence(PlaceKind.ZIP, Relation.INCIDENT, (f"zip:{code}",)) for code in zips]
    evidence += [
        Evidence(
            PlaceKind.POINT,
            Relation.TARGET,
            latitude=chance.uniform(31.5, 36.9),
            longitude=chance.uniform(-114.5, -109.1),
            accuracy_m=30.0,
        )
        for _ in range(300)
    ]
    evidence += [Evidence(PlaceKind.PLACE, Relation.TARGET, ("place:0473000",)) for _ in range(300)]
    chance.shuffle(evidence)
    return [Facts(Urgency.ELEVATED, ("threat_communicated",), evidence=(piece,)) for piece in evidence]
