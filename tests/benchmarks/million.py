"""A million referrals with three million entries: what the doctor, the board, the lists and a minute of the clock cost.

Only where it is asked for, `make bench BENCH=million`: each of the two databases takes 30 GB and longer to build than
all that is measured on it. `REFERRALS=100000` measures on fewer.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Engine, func, select

import worker
from desk import board
from desk.doctor import faults
from foundation import clock, database, heartbeat
from foundation.settings import Settings
from ledger import checkpoint
from ledger.sequencer import Sequencer
from referrals import retention
from referrals.duty import Duty
from referrals.tables import referrals
from routing import register, signs
from tests import builders, plans, servers
from tests.benchmarks import growing
from tests.benchmarks.cores import server_seconds
from tests.benchmarks.table import Row
from tests.builders import Town

MILLION = 1_000_000
# A statement that takes longer is named.
_SLOW = 0.25


@dataclass(frozen=True)
class Took:
    """An act: the seconds of its first try, and of its second; of the second those of a processor in this process and
    in the server's, and its slowest statement."""

    what: str
    first: float
    seconds: float
    cpu: float
    slowest: float
    statement: str


def measured(town: Town) -> Iterator[Took]:
    """Each act in turn, on a database that is grown."""
    for what, act in _acts(town).items():
        began = time.perf_counter()
        act()
        first = time.perf_counter() - began
        with plans.watched(town.engine) as seen:
            began, core = time.perf_counter(), time.process_time() + server_seconds(town.engine)
            act()
            seconds = time.perf_counter() - began
            cpu = time.process_time() + server_seconds(town.engine) - core
        slowest = max(seen.seconds, key=lambda statement: seen.seconds[statement], default="")
        yield Took(what, first, seconds, cpu, seen.seconds.get(slowest, 0.0), " ".join(slowest.split()))


def _acts(town: Town) -> dict[str, Callable[[], Any]]:
    tempe, hub, root = (town.team[slug] for slug in ("tempe-police", "az-stamp", "root-desk"))
    duty = Duty(town.engine, town.settings, town.keys)
    sequencer = Sequencer(town.engine, town.settings)
    return {
        # First, since the doctor misses a checkpoint over what was grown.
        "The sequencer's round, nothing new": lambda: sequencer.round(clock.now()),
        "The doctor": lambda: _doctor(town),
        "The doctor, --whole": lambda: _doctor(town, whole=True),
        "Tempe's board, every group": lambda: _board(town, tempe),
        "The board of the hub above 200 teams": lambda: _board(town, hub),
        "The root desk's board": lambda: _board(town, root),
        "Records whose time is over, a page": lambda: _records(town),
        "Handoffs of one referral": lambda: _handoffs(town),
        "A round of the clock": lambda: worker.sweep(duty),
        "A minute's upkeep": lambda: [keep(duty) for keep in worker.UPKEEP],
        "The signs for Prometheus": lambda: _signs(town),
    }


def _doctor(town: Town, *, whole: bool = False) -> None:
    with database.transaction(town.engine) as session:
        heartbeat.beat(session, "clock", clock.now())
    for fault in faults(town.engine, town.settings, whole=whole):
        print("  the doctor says:", fault[:200])


def _board(town: Town, team_id: str) -> None:
    with database.reading(town.engine) as session:
        for group in board.GROUPS.values():
            group(session, [team_id], None, None)


def _records(town: Town) -> None:
    with database.reading(town.engine) as session:
        assert retention.due(session, clock.now())


def _handoffs(town: Town) -> None:
    with database.reading(town.engine) as session:
        id = session.execute(select(referrals.c.id).order_by(referrals.c.id).limit(1)).scalar_one()
        assert register.of_referral(session, id)


def _signs(town: Town) -> None:
    with database.reading(town.engine) as session:
        list(signs.readings(session, town.settings, clock.now()))


def rows() -> Iterator[Row]:
    """Each act on SQLite, then on PostgreSQL."""
    count = int(os.environ.get("REFERRALS", MILLION))
    for started in (_sqlite, servers.postgresql):
        with started() as url:
            town = _grown(url, count)
            yield from map(partial(_row, town, _size(town.engine)), measured(town))
            town.engine.dispose()


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/million.db"


def _row(town: Town, count: int, took: Took) -> Row:
    what = f"{took.what}, {count:,} referrals, {town.engine.dialect.name}"
    row = (
        what,
        f"{took.seconds:.2f} s",
        f"the first time {took.first:.2f} s",
        f"processor {took.cpu:.2f} s",
    )
    print("|", " | ".join(row), "|", flush=True)
    if took.slowest > _SLOW:
        print(f"    {took.slowest:.2f} s: {took.statement[:400]}")
    return row


def _grown(url: str, count: int) -> Town:
    settings = Settings.from_mapping({"SECRET_KEY": "a benchmark's key, known to everybody who reads it"})
    settings = replace(settings, database_url=url, ledger_key=checkpoint.new_key(settings.deployment))
    engine = database.make_engine(url)
    database.migrate(engine)
    town = builders.found(engine, settings)
    growing.grow(town, count)
    return town


def _size(engine: Engine) -> int:
    with database.reading(engine) as session:
        return int(session.execute(select(func.count()).select_from(referrals)).scalar_one())
