"""What a map and its rules cost a worker as both grow: loading, memory, a point, a whole decision. Each size is
measured in a process of its own, which is a worker that has loaded a snapshot and nothing else."""

from __future__ import annotations

import gc
import json
import multiprocessing
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from referrals.facts import Evidence, Facts, PlaceKind, Relation, Urgency
from routing import gazetteer
from routing.area_set import Columns
from routing.areas import Area
from routing.boundaries import Boundaries
from routing.decision import decide
from routing.rules import RuleSet
from tests.benchmarks import synthetic_areas

_AS_OF = datetime(2026, 3, 4, 17, tzinfo=UTC)
_ROUNDS = 3

Spot = tuple[float, float, float]


@dataclass(frozen=True)
class Worker:
    """`load_s`: CPU seconds until the first decision may be made, `areas_s` of them for the areas. `memory_mb`: what
    that took; `later_mb`: what it had become when all points were asked. The others are µs of CPU: a point the first
    time, again, and a whole decision on it with explanation and digest."""

    outlines: int
    rules: int
    areas_s: float
    load_s: float
    memory_mb: float
    later_mb: float
    first_p99: float
    located: float
    decided_p50: float
    decided_p99: float


def worker(folder: Path, towns: list[Area], others: Iterable[Area], points: int) -> Worker:
    """What the towns, the other areas, and a rule for each town and county cost a worker."""
    areas, rules = folder / "areas", folder / "rules.json"
    areas.write_bytes(Columns.of([*towns, *others]).to_bytes())
    rules.write_text(_stored_rules(towns))
    spots = synthetic_areas.points(towns, points)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        return alone.submit(_measured, areas, rules, spots, len(towns)).result()


def _stored_rules(towns: list[Area]) -> str:
    """As snapshots keep them."""
    covered = [*(town.id for town in towns), *gazetteer.load().counties]
    leads = [
        {"id": f"lead-{number:06}", "team": f"team {number % 4_000}", "role": "lead", "area": area}
        for number, area in enumerate(covered)
    ]
    content = RuleSet.from_json({"root_team": "root", "rules": leads}).as_json()
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _measured(areas: Path, rules_file: Path, spots: list[Spot], towns: int) -> Worker:
    # Not the map's: what every process has that uses shapely.
    import routing.outlines  # noqa: F401

    before, start = _resident_mb(), time.process_time()
    boundaries = Boundaries(Columns.from_bytes(areas.read_bytes()))
    boundaries.prepare()
    middle = time.process_time()
    rules = RuleSet.from_stored(rules_file.read_text())
    rules.prepare()
    end = time.process_time()
    gc.collect()
    gc.freeze()
    loaded = _resident_mb()
    at, facts = boundaries.outlines.at, [_facts(spot) for spot in spots]
    first = _us(lambda spot: at(*spot), spots)
    located = [_us(lambda spot: at(*spot), spots) for _ in range(_ROUNDS)]
    decided = [_us(lambda one: decide(one, rules, boundaries, _AS_OF).digest, facts) for _ in range(_ROUNDS)]
    usual = _usual(decided)
    return Worker(
        towns + len(gazetteer.load().counties), len(rules.rules), middle - start, end - start,
        loaded - before, _resident_mb() - before, _at(first, 0.99),
        min(sum(times) / len(times) for times in located), _at(usual, 0.5), _at(usual, 0.99),
    )  # fmt: skip


def _facts(spot: Spot) -> Facts:
    latitude, longitude, accuracy_m = spot
    point = Evidence(
        PlaceKind.POINT, Relation.TARGET, latitude=latitude, longitude=longitude, accuracy_m=accuracy_m
    )
    return Facts(Urgency.ELEVATED, ("threat_communicated",), evidence=(point,))


def _us(answer: Callable[[Any], object], asked: Iterable[Any]) -> list[float]:
    taken = []
    for one in asked:
        start = time.thread_time_ns()
        answer(one)
        taken.append((time.thread_time_ns() - start) / 1_000)
    return taken


def _usual(rounds: list[list[float]]) -> list[float]:
    return [median(times) for times in zip(*rounds, strict=True)]


def _at(times: list[float], quantile: float) -> float:
    return sorted(times)[int(len(times) * quantile)]


def _resident_mb() -> float:
    with Path("/proc/self/statm").open() as pages:
        return int(pages.read().split()[1]) * 4_096 / 1e6
