"""A million referrals: what the doctor, the board, the lists and a minute of the clock cost on them.

By itself, since building the database takes longer than all else (30 GB on PostgreSQL):
`python -m tests.benchmarks.million [count]`. A URL in `ON` names a database that is built, or is to be.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, text

import worker
from desk import board
from desk.doctor import faults
from directory.tables import teams
from foundation import clock, database, heartbeat
from foundation.settings import Settings
from ledger import checkpoint
from ledger.sequencer import Sequencer
from referrals import retention
from referrals.duty import Duty
from referrals.keyring import HeldKeys
from referrals.tables import referrals
from routing import register, signs
from tests import builders, plans, servers
from tests.benchmarks import growing
from tests.builders import Town

MILLION = 1_000_000
# A statement that takes longer is named.
_SLOW = 0.25


@dataclass(frozen=True)
class Took:
    """An act on its second try: its seconds, those of a processor in this process and in the server's, and its slowest
    statement."""

    what: str
    seconds: float
    cpu: float
    server: float
    slowest: float
    statement: str


def measured(town: Town) -> Iterator[Took]:
    """Each act in turn, on a database that is grown."""
    for what, act in _acts(town).items():
        act()
        with plans.watched(town.engine) as seen:
            began, core, there = time.perf_counter(), time.process_time(), _server_seconds(town.engine)
            act()
            seconds, cpu = time.perf_counter() - began, time.process_time() - core
            server = _server_seconds(town.engine) - there
        slowest = max(seen.seconds, key=lambda statement: seen.seconds[statement], default="")
        yield Took(what, seconds, cpu, server, seen.seconds.get(slowest, 0.0), " ".join(slowest.split()))


def _server_seconds(engine: Engine) -> float:
    """What PostgreSQL's processes for this database spent of a processor, on this machine; 0 on SQLite."""
    if engine.dialect.name == "sqlite":
        return 0.0
    with database.reading(engine) as session:
        mine = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
        pids = session.execute(text(mine)).scalars().all()
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


def _acts(town: Town) -> dict[str, Callable[[], Any]]:
    tempe, hub, root = (town.team[slug] for slug in ("tempe-police", "az-stamp", "root-desk"))
    duty = Duty(town.engine, town.settings, town.keys)
    sequencer = Sequencer(town.engine, town.settings)
    return {
        "The doctor": lambda: _doctor(town),
        "Tempe's board, every group": lambda: _board(town, tempe),
        "The board of the hub above 200 teams": lambda: _board(town, hub),
        "The root desk's board": lambda: _board(town, root),
        "Records whose time is over, a page": lambda: _records(town),
        "Handoffs of one referral": lambda: _handoffs(town),
        "A round of the clock": lambda: worker.sweep(duty),
        "A minute's upkeep": lambda: [keep(duty) for keep in worker.UPKEEP],
        "The sequencer's round, nothing new": lambda: sequencer.round(clock.now()),
        "The signs for Prometheus": lambda: _signs(town),
    }


def _doctor(town: Town) -> None:
    with database.transaction(town.engine) as session:
        heartbeat.beat(session, "clock", clock.now())
    for fault in faults(town.engine, town.settings):
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


def _grown(url: str, count: int) -> Town:
    """The town of a database that was grown before, or that is grown now."""
    settings = Settings.from_mapping({"SECRET_KEY": "a benchmark's key, known to everybody who reads it"})
    settings = replace(settings, database_url=url, ledger_key=checkpoint.new_key(settings.deployment))
    engine = database.make_engine(url)
    database.migrate(engine)
    if _size(engine) >= count:
        return Town(engine, settings, HeldKeys(), _slugs(engine))
    town = builders.found(engine, settings)
    growing.grow(town, count)
    return town


def _size(engine: Engine) -> int:
    with database.reading(engine) as session:
        return int(session.execute(select(func.count()).select_from(referrals)).scalar_one())


def _slugs(engine: Engine) -> dict[str, str]:
    with database.reading(engine) as session:
        return {row.slug: row.id for row in session.execute(select(teams.c.slug, teams.c.id))}


def _tell(url: str, count: int) -> None:
    town = _grown(url, count)
    print(f"{_size(town.engine):,} referrals, {town.engine.dialect.name}")
    for took in measured(town):
        print(
            f"| {took.what} | {took.seconds:.2f} s | processor {took.cpu + took.server:.2f} s |", flush=True
        )
        if took.slowest > _SLOW:
            print(f"    {took.slowest:.2f} s: {took.statement[:400]}")


def main() -> None:
    """Builds, measures and prints."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else MILLION
    if url := os.environ.get("ON"):
        _tell(url, count)
        return
    with servers.postgresql() as url:
        _tell(url, count)


if __name__ == "__main__":
    main()
