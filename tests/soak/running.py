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
from tests.soak.counting import Count, count, is_quiet, progress
from tests.soak.town import Postmaster, SoakHouse, give_telephones

# Nothing came nearer its end for so long, on a machine however busy: it will not.
_STANDSTILL_SECONDS = 60.0


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
        "SIGKILL of a worker": lambda: house.kill(storm.dice.choice(house.at_work())),
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
            name = first[-1] if first else storm.dice.choices(tuple(acts), (12, 3, 2, 1))[0]
            if _try(acts[name]):
                faults[name] += 1
                first = [other for other in first if other != name]
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


def _try(act: Callable[[], None]) -> bool:
    """Whether there was anything to break."""
    try:
        act()
    except (LookupError, OSError):
        # It was down already, or nobody had come to work yet.
        return False
    except Exception as fault:
        if type(fault).__module__.partition(".")[0] != "redis":
            raise
        return False
    return True


def _await_peace(house: SoakHouse, engine: Engine) -> float:
    """Lets everything come to its end, for as long as it comes nearer; returns after how many seconds it had."""
    begun = moved = time.monotonic()
    seen = progress(engine)
    while not is_quiet(engine) and time.monotonic() - moved < _STANDSTILL_SECONDS:
        house.revive()
        time.sleep(0.2)
        if (now := progress(engine)) != seen:
            seen, moved = now, time.monotonic()
    return time.monotonic() - begun
