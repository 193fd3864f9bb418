"""The bell: best effort, never slow, never an error."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis
from sqlalchemy import Engine

from foundation import clock, database, outbox, queue
from foundation.queue import Bell
from foundation.settings import Settings


@pytest.fixture
def frozen_url() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"


def commit(engine: Engine, bell: Bell) -> float:
    """How many seconds a transaction takes that posts both kinds."""
    started = time.monotonic()
    with database.transaction(outbox.with_bell(engine, bell)) as session:
        for urgent in (True, False):
            outbox.post(session, "job", "id", now=clock.now(), urgent=urgent)
    return time.monotonic() - started


def test_a_ring_asks_for_one_drain_and_tells_nothing_else(settings: Settings, redis_url: str) -> None:
    Bell(replace(settings, redis_url=redis_url))(True)
    connection = redis.Redis.from_url(redis_url)
    (job,) = queue.queue(connection, urgent=True).jobs
    assert (job.func_name, job.args, job.description) == (queue.DRAIN, [True], queue.DRAIN)
    assert queue.queue(connection, urgent=False).jobs == []


def test_without_a_server_nothing_rings_and_nothing_is_missed(settings: Settings) -> None:
    bell = Bell(settings)
    bell(True)
    assert bell.missed == 0


def test_a_missing_server_is_not_noticed(engine: Engine, settings: Settings) -> None:
    bell = Bell(replace(settings, redis_url="unix:///nowhere/redis.sock"))
    assert commit(engine, bell) < 1
    assert bell.missed == 1


def test_a_frozen_server_costs_one_commit_less_than_a_second(
    engine: Engine, settings: Settings, frozen_url: str
) -> None:
    bell = Bell(replace(settings, redis_url=frozen_url))
    assert commit(engine, bell) < 1
    assert max(commit(engine, bell) for _ in range(5)) < 0.3
    assert bell.missed == 1


def test_after_five_seconds_the_bell_tries_again(
    settings: Settings, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bell = Bell(replace(settings, redis_url="unix:///nowhere/redis.sock"))
    bell(True)
    started = time.monotonic()
    for seconds, missed in ((4.5, 1), (5.5, 2)):
        monkeypatch.setattr("foundation.queue.time.monotonic", lambda at=seconds: started + at)
        bell(True)
        assert bell.missed == missed
