"""The outbox: what is owed is done, also after a kill, and each message by one process at a time."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from foundation import clock, database, outbox
from foundation.tables import outbox as messages
from tests.builders import later


def post(engine: Engine, *subjects: str, urgent: bool = True, due_at: datetime | None = None) -> None:
    with database.transaction(engine) as session:
        for subject in subjects:
            outbox.post(session, "a.job", subject, now=clock.now(), urgent=urgent, due_at=due_at)


def done_by(engine: Engine, *, urgent: bool = True, most: int = 100) -> list[str]:
    """The subjects that one drain does."""
    done: list[str] = []
    outbox.drain(engine, lambda _, subject: done.append(subject), urgent=urgent, most=most)
    return done


def test_what_was_posted_is_done_in_order_and_gone(engine: Engine) -> None:
    post(engine, "a", "b", "c")
    assert done_by(engine) == ["a", "b", "c"]
    assert done_by(engine) == []


def test_what_was_just_posted_is_due(engine: Engine) -> None:
    for number in range(20):
        post(engine, str(number))
        assert done_by(engine) == [str(number)]


def test_urgent_and_routine_do_not_mix(engine: Engine) -> None:
    post(engine, "slow", urgent=False)
    post(engine, "fast", urgent=True)
    assert done_by(engine, urgent=True) == ["fast"]
    assert done_by(engine, urgent=False) == ["slow"]


def test_where_nothing_is_due_nothing_was_done(engine: Engine) -> None:
    assert outbox.drain(engine, lambda *_: None, urgent=True) == 0


def test_what_is_not_due_waits(engine: Engine) -> None:
    post(engine, "a", due_at=clock.now() + timedelta(minutes=5))
    assert done_by(engine) == []
    with later(minutes=6):
        assert done_by(engine) == ["a"]


def test_a_drain_does_no_more_than_it_is_asked(engine: Engine) -> None:
    post(engine, "a", "b", "c")
    assert done_by(engine, most=2) == ["a", "b"]


def test_a_job_that_asks_to_come_again_comes_then(engine: Engine) -> None:
    post(engine, "a")
    then = clock.now() + timedelta(minutes=10)
    assert outbox.drain(engine, lambda *_: then, urgent=True) == 1
    assert done_by(engine) == []
    with later(minutes=11):
        assert done_by(engine) == ["a"]


def fail(job: str, subject_id: str) -> None:
    raise ValueError("".join(("he will bring a ", "kni", "fe")))


def test_a_job_that_raises_comes_again_after_a_growing_pause(engine: Engine) -> None:
    post(engine, "a")
    pauses: list[float] = []
    for _ in range(3):
        with later(hours=len(pauses)):
            outbox.drain(engine, fail, urgent=True, most=1)
            with database.reading(engine) as session:
                row = session.execute(select(messages)).one()
                pauses.append((row.due_at - database.now(session)).total_seconds())
    assert row.tries == 3
    assert row.fault == "ValueError"
    assert 0 < pauses[0] <= 2 < pauses[2] <= 8


def test_the_words_of_a_failure_are_in_no_log(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    post(engine, "a")
    with caplog.at_level(logging.DEBUG, logger="foundation"):
        outbox.drain(engine, fail, urgent=True, most=1)
    assert "ValueError" in caplog.text
    assert "knife" not in caplog.text


def test_a_failing_job_does_not_stop_the_next(engine: Engine) -> None:
    post(engine, "bad", "good")
    done: list[str] = []

    def run(job: str, subject: str) -> None:
        if subject == "bad":
            raise ValueError
        done.append(subject)

    outbox.drain(engine, run, urgent=True, most=5)
    assert done == ["good"]


def test_a_claimed_message_is_nobody_elses_until_its_lease_ends(engine: Engine) -> None:
    post(engine, "a")
    with database.transaction(engine) as session:
        assert outbox.claim(session, urgent=True)
    assert done_by(engine) == []
    with later(seconds=outbox.LEASE.total_seconds() + 1):
        assert done_by(engine) == ["a"]


def test_who_lost_the_lease_settles_nothing(engine: Engine) -> None:
    post(engine, "a")

    def outlive(job: str, subject: str) -> None:
        with later(seconds=61), database.transaction(engine) as session:
            assert outbox.claim(session, urgent=True)

    outbox.drain(engine, outlive, urgent=True, most=1)
    with database.reading(engine) as session:
        assert session.execute(select(messages.c.tries)).scalar_one() == 2


def drain_and_die(url: str) -> None:
    """In a process of its own: takes a message and is killed in the middle of the job."""
    outbox.drain(database.make_engine(url), lambda *_: os.kill(os.getpid(), signal.SIGKILL), urgent=True)


def test_a_killed_process_loses_nothing(engine: Engine, database_url: str) -> None:
    post(engine, "a")
    killed = multiprocessing.get_context("spawn").Process(target=drain_and_die, args=(database_url,))
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    assert done_by(engine) == []
    with later(seconds=61):
        assert done_by(engine) == ["a"]


def test_many_drains_at_once_do_each_message_once(engine: Engine) -> None:
    post(engine, *(str(number) for number in range(40)))
    done: list[str] = []
    run: Callable[..., None] = lambda _, subject: done.append(subject)  # noqa: E731
    threads = [
        threading.Thread(target=outbox.drain, args=(engine, run), kwargs={"urgent": True}) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done, key=int) == [str(number) for number in range(40)]


def test_what_waits_is_counted_by_job(engine: Engine) -> None:
    post(engine, "a", "b")
    post(engine, "c", due_at=clock.now() + timedelta(hours=1))
    with database.reading(engine) as session:
        assert outbox.waiting(session) == {"a.job": 2}
