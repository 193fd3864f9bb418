"""The bell: best effort, never slow, never an error."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
import redis
from sqlalchemy import Engine

from foundation import clock, database, outbox, queue
from foundation.queue import Bell
from foundation.settings import Settings


@pytest.fixture
def frozen() -> Iterator[socket.socket]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        listening.setblocking(False)
        yield listening


def commit(engine: Engine, bell: Bell) -> None:
    """A transaction that posts both kinds."""
    with database.transaction(outbox.with_bell(engine, bell)) as session:
        for urgent in (True, False):
            outbox.post(session, "job", "id", now=clock.now(), urgent=urgent)


def visits(server: socket.socket) -> int:
    """How often somebody connected."""
    came = []
    with suppress(BlockingIOError):
        while True:
            came.append(server.accept()[0])
    for connection in came:
        connection.close()
    return len(came)


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
    commit(engine, bell)
    assert bell.missed == 1


def test_a_frozen_server_is_asked_by_one_commit_and_by_none_after_it(
    engine: Engine, settings: Settings, frozen: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_SILENCE_SECONDS", 600)
    bell = Bell(replace(settings, redis_url=f"redis://127.0.0.1:{frozen.getsockname()[1]}/0"))
    for _ in range(6):
        commit(engine, bell)
    assert (bell.missed, visits(frozen)) == (1, 1)


def test_what_a_frozen_server_costs_is_half_a_second(settings: Settings) -> None:
    connection = queue.connect(replace(settings, redis_url="redis://127.0.0.1:1/0"))
    assert connection is not None
    asked = connection.connection_pool.connection_kwargs
    assert (asked["socket_timeout"], asked["socket_connect_timeout"]) == (0.5, 0.5)
    assert asked["retry"]._retries == 0


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
