"""The worker's processes: the clocks never wait for a provider, and each part says that it lives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import pytest
import sqlalchemy.exc

import worker
from foundation import clock, database, heartbeat, outbox, queue
from referrals.duty import Duty
from routing import clocks
from tests.waiting import PATIENCE_S, until

JOB = "notifications.delivery.deliver"


@pytest.fixture(autouse=True)
def working(duty: Duty, monkeypatch: pytest.MonkeyPatch) -> Duty:
    # A canary owes a delivery as well.
    duty = replace(duty, settings=replace(duty.settings, canary_minutes=0))
    monkeypatch.setattr(worker, "duty", lambda: duty)
    monkeypatch.setattr(worker, "_beaten", {})
    return duty


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """One entry for each round of the clocks."""
    taken: list[float] = []

    def sweep(_: Duty) -> int:
        taken.append(clock.now().timestamp())
        return 0

    monkeypatch.setattr(clocks, "sweep", sweep)
    return taken


def owe(duty: Duty, *subjects: str, urgent: bool) -> None:
    with database.transaction(duty.engine) as session:
        for subject in subjects:
            outbox.post(session, JOB, subject, now=clock.now(), urgent=urgent)


@contextmanager
def rounds(duty: Duty) -> Iterator[list[bool]]:
    """The clock process's loops while the block runs; afterwards whether they ended well."""
    stopping, ended = threading.Event(), []
    thread = threading.Thread(target=lambda: ended.append(worker.run_rounds(duty, stopping)))
    thread.start()
    yield ended
    stopping.set()
    thread.join(PATIENCE_S)


@pytest.mark.parametrize("urgent", [True, False])
def test_a_provider_that_never_answers_stops_no_clock_and_nothing_of_the_other_kind(
    working: Duty, steps: list[float], urgent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    answered = threading.Event()

    def call(_: Duty, subject: str) -> datetime | None:
        if subject == "slow":
            answered.wait(PATIENCE_S)
        done.append(subject)
        return None

    monkeypatch.setitem(worker.JOBS, JOB, call)
    owe(working, "slow", urgent=urgent)
    owe(working, "quick", urgent=not urgent)
    with rounds(working):
        until(lambda: done == ["quick"] and len(steps) > 3, lambda: (done, steps))
        answered.set()


@pytest.mark.parametrize(
    "fault", [sqlalchemy.exc.TimeoutError(), sqlalchemy.exc.OperationalError("", {}, Exception())]
)
def test_a_database_that_is_away_or_full_only_makes_the_clock_wait(
    working: Duty, fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults, taken = [fault], []

    def sweep(_: Duty) -> int:
        if faults:
            raise faults.pop()
        taken.append(1)
        return 0

    monkeypatch.setattr(clocks, "sweep", sweep)
    with rounds(working) as ended:
        until(lambda: bool(taken), lambda: taken)
    assert ended == [True]


def test_a_loop_that_breaks_ends_the_others_so_that_a_clean_process_follows(
    working: Duty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "sweep", lambda _: 1 // 0)
    assert worker.run_rounds(working, threading.Event()) is False


def test_an_upkeep_that_fails_stops_neither_the_others_nor_the_clocks(
    working: Duty, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Duty] = []

    def breaks(duty: Duty) -> int:
        raise PermissionError("the Maildir")

    def keeps(duty: Duty) -> int:
        kept.append(duty)
        return 0

    monkeypatch.setattr(worker, "UPKEEP", (breaks, keeps))
    monkeypatch.setattr(worker, "_UPKEEP_SECONDS", 0.05)
    stopping, ended = threading.Event(), list[bool]()
    thread = threading.Thread(target=lambda: ended.append(worker.run_rounds(working, stopping)))
    thread.start()
    until(lambda: len(kept) > 2)
    stopping.set()
    thread.join(PATIENCE_S)
    assert ended == [True]
    with database.reading(working.engine) as session:
        # Silence is how the status page learns of it.
        assert heartbeat.last(session, "clock upkeep") is None
        assert heartbeat.last(session, "clock") is not None


def test_a_clock_says_of_each_part_that_it_lives(working: Duty, steps: list[float]) -> None:
    with rounds(working):
        until(lambda: all(map(beaten(working), ("clock", "clock urgent", "clock routine"))), lambda: steps)


def test_an_idle_queue_says_that_it_lives(working: Duty, redis_url: str) -> None:
    connection = queue.connect(replace(working.settings, redis_url=redis_url), timeout=None)
    assert connection is not None
    worker._worker(connection, "routine").work(burst=True)
    assert beaten(working)("queue routine")


def test_a_ring_does_all_that_is_due_of_its_kind(working: Duty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(worker.JOBS, JOB, lambda _, subject: None)
    owe(working, "a", "b", "c", urgent=True)
    assert worker.drain(True) == 3
    assert beaten(working)("queue urgent")


def beaten(duty: Duty) -> Callable[[str], bool]:
    def has_beaten(part: str) -> bool:
        with database.reading(duty.engine) as session:
            return heartbeat.last(session, part) is not None

    return has_beaten
