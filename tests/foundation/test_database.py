"""The database: whole transactions, aware times, errors without parameters."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, func, insert, select
from sqlalchemy.exc import IntegrityError, StatementError

from foundation import clock, database, outbox
from foundation.tables import heartbeats
from foundation.tables import outbox as messages
from tests.builders import later

NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)


def test_a_failed_transaction_leaves_nothing(engine: Engine) -> None:
    with suppress(RuntimeError), database.transaction(engine) as session:
        session.execute(insert(heartbeats).values(part="clock", beat_at=NOON))
        raise RuntimeError
    with database.reading(engine) as session:
        assert session.execute(select(func.count()).select_from(heartbeats)).scalar_one() == 0


def test_a_time_comes_back_aware_in_utc_to_the_microsecond(engine: Engine) -> None:
    phoenix = timezone(timedelta(hours=-7))
    with database.transaction(engine) as session:
        session.execute(insert(heartbeats).values(part="clock", beat_at=NOON.astimezone(phoenix)))
    with database.reading(engine) as session:
        read = session.execute(select(heartbeats.c.beat_at)).scalar_one()
    assert read == NOON
    assert read.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(StatementError, match="without a zone"), database.transaction(engine) as session:
        session.execute(insert(heartbeats).values(part="clock", beat_at=NOON.replace(tzinfo=None)))


def test_an_error_does_not_repeat_what_was_written(engine: Engine) -> None:
    twice = [{"part": "clock", "beat_at": NOON}] * 2
    with pytest.raises(IntegrityError) as fault, database.transaction(engine) as session:
        session.execute(insert(heartbeats), twice)
    assert "SQL parameters hidden" in str(fault.value)
    assert "2026" not in str(fault.value)


def test_a_reader_does_not_wait_for_a_writer(engine: Engine) -> None:
    with database.transaction(engine) as writing:
        writing.execute(insert(heartbeats).values(part="clock", beat_at=NOON))
        with database.reading(engine) as session:
            assert session.execute(select(func.count()).select_from(heartbeats)).scalar_one() == 0


def test_writers_take_turns(engine: Engine) -> None:
    """A transaction that reads first and writes then must not fail because another did the same."""

    def post() -> None:
        for _ in range(10):
            with database.transaction(engine) as session:
                session.execute(select(func.count()).select_from(messages)).scalar_one()
                outbox.post(session, "job", "id", now=NOON)

    threads = [threading.Thread(target=post) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading(engine) as session:
        assert session.execute(select(func.count()).select_from(messages)).scalar_one() == 30


def test_the_database_clock_is_ours_and_moves_with_it(engine: Engine) -> None:
    with database.reading(engine) as session:
        assert clock.now() <= database.now(session) <= clock.now()
        with later(hours=3):
            assert clock.now() <= database.now(session) <= clock.now()


def test_the_bell_rings_after_the_commit_and_once_a_kind(engine: Engine) -> None:
    rung: list[tuple[bool, int]] = []

    def ring(urgent: bool) -> None:
        with database.reading(engine) as session:
            rung.append((urgent, session.execute(select(func.count()).select_from(messages)).scalar_one()))

    with database.transaction(outbox.with_bell(engine, ring)) as session:
        for urgent in (True, True, False):
            outbox.post(session, "job", "id", now=NOON, urgent=urgent)
    assert sorted(rung) == [(False, 3), (True, 3)]


def test_the_bell_stays_silent_where_nothing_was_committed(engine: Engine) -> None:
    rung: list[bool] = []
    with suppress(RuntimeError), database.transaction(outbox.with_bell(engine, rung.append)) as session:
        outbox.post(session, "job", "id", now=NOON)
        raise RuntimeError
    assert rung == []
