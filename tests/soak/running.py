"""One soak: faults at random for a while, tips all the time, then peace, then the count."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from foundation import database
from tests import builders, hashing, servers
from tests.builders import Town
from tests.soak.counting import Count, count, is_quiet
from tests.soak.town import Postmaster, SoakHouse, give_telephones

_WORKERS = ("queue-urgent", "queue-urgent-2", "queue-routine", "clock")


def soak(folder: Path, *, seconds: float, tips: int, pause: float, seed: int) -> Count:
    """Files so many tips within so many seconds of faults, one each `pause` or so; returns what became of all, once
    peace has come."""
    with servers.postgresql(durable=True) as url:
        house, postmaster = SoakHouse(folder, url), Postmaster(url)
        with hashing.as_in_operation():
            house.prepare()
        give_telephones(url)
        try:
            house.open()
            engine = database.make_engine(url)
            storm = Storm(seconds, tips, pause, random.Random(seed))
            receipts, faults = _storm(house, postmaster, engine, storm)
            waited = _await_peace(house, engine)
            found = count(engine, house.environment["TWILIO_API_BASE"], receipts, faults, waited)
            engine.dispose()
            return found
        finally:
            house.stop()
            postmaster.stop()


@dataclass(frozen=True)
class Storm:
    """How long, with how many tips, how often a fault comes, and the dice that choose it."""

    seconds: float
    tips: int
    pause: float
    dice: random.Random


def _storm(
    house: SoakHouse, postmaster: Postmaster, engine: Engine, storm: Storm
) -> tuple[list[str], Counter[str]]:
    """The receipts that were given, and how often which fault came."""
    town, receipts, faults = Town(engine, house.settings), list[str](), Counter[str]()
    acts: dict[str, Callable[[], None]] = {
        "SIGKILL of a worker": lambda: house.kill(storm.dice.choice(_WORKERS)),
        "FLUSHALL": house.flush,
        "broker killed": lambda: house.kill("valkey"),
        "database crashed": postmaster.crash,
    }
    begun, next_fault = time.monotonic(), 0.0
    # Each once in any case; processes and broker then fail more often than the database does.
    first = storm.dice.sample(tuple(acts), len(acts))
    while (passed := time.monotonic() - begun) < storm.seconds or first or len(receipts) < storm.tips:
        if len(receipts) < storm.tips * min(passed / storm.seconds, 1):
            _file(town, receipts, faults)
        if passed >= next_fault and (passed < storm.seconds or first):
            next_fault = passed + storm.pause * storm.dice.uniform(0.5, 1.5)
            name = first.pop() if first else storm.dice.choices(tuple(acts), (12, 3, 2, 1))[0]
            _try(acts[name])
            faults[name] += 1
        faults["starts by the supervisor"] += house.revive()
        time.sleep(0.02)
    return receipts, faults


def _file(town: Town, receipts: list[str], faults: Counter[str]) -> None:
    """A tip as the door files it: its receipt is shown once the commit has returned."""
    try:
        filed = builders.file_tip(town, form_key=f"the form of tip {random.random()}")
    except SQLAlchemyError:
        faults["tips refused without a receipt"] += 1
    else:
        receipts.append(filed.id)


def _try(act: Callable[[], None]) -> None:
    try:
        act()
    except (KeyError, OSError, ConnectionError):
        # It was down already.
        return
    except Exception as fault:
        if type(fault).__module__.partition(".")[0] != "redis":
            raise


def _await_peace(house: SoakHouse, engine: Engine, most: float = 90.0) -> float:
    """Lets everything come to its end; returns after how many seconds it had."""
    begun = time.monotonic()
    while not is_quiet(engine) and time.monotonic() - begun < most:
        house.revive()
        time.sleep(0.2)
    return time.monotonic() - begun
