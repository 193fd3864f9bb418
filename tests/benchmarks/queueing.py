"""Notices in numbers: urgent ones past a heap of routine ones, a slow provider by workers, and the outbox's cost."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import redis
from sqlalchemy import Engine, delete, func, insert, select

import worker
from directory.tables import contacts
from foundation import clock, database, outbox, queue
from foundation.identifiers import new_id
from foundation.settings import Settings
from foundation.tables import outbox as owed
from notifications.notices import DELIVER
from notifications.tables import attempts, delivery_reports, notices
from referrals.duty import Duty
from referrals.grants import Keys
from referrals.keyring import FileKeyring
from run import House, Ports
from tests.servers import free_port, valkey

_ROOT = Path(__file__).parents[2]
_PROVIDER_SECONDS = 0.1
_URGENT_EACH_SECONDS = 0.25


class _Provider(BaseHTTPRequestHandler):
    """Takes every text after a tenth of a second, and reports on none. It keeps connections open, as Twilio does."""

    protocol_version = "HTTP/1.1"
    # An answer leaves in one piece.
    wbufsize = -1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(_PROVIDER_SECONDS)
        body = f'{{"sid": "SM{new_id()}", "status": "queued"}}'.encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def _provider() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Provider) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def _town(folder: Path, url: str) -> Iterator[_Town]:
    """A migrated database with the demonstration's people, a provider, and a Valkey."""
    with _provider() as provider, valkey() as redis_url:
        house = House(folder, Ports(*(free_port() for _ in range(4))))
        house.environment |= {"DATABASE_URL": url, "TWILIO_API_BASE": provider, "REDIS_URL": redis_url}
        house.prepare()
        engine = database.make_engine(url)
        yield _Town(engine, house.environment)
        engine.dispose()


@dataclass(frozen=True)
class _Town:
    """Where notices leave from, and the environment of its workers."""

    engine: Engine
    environment: dict[str, str]

    def forget(self) -> None:
        """No notice was ever written, and nothing is owed."""
        redis.Redis.from_url(self.environment["REDIS_URL"]).flushall()
        with database.transaction(self.engine) as session:
            for table in (delivery_reports, attempts, notices, owed):
                session.execute(delete(table))


@contextmanager
def _workers(environment: dict[str, str], *commands: tuple[str, ...]) -> Iterator[None]:
    running = [
        subprocess.Popen(
            [sys.executable, "worker.py", *command], cwd=_ROOT, env=environment, stderr=subprocess.DEVNULL
        )
        for command in commands
    ]
    try:
        yield
    finally:
        for worker in running:
            worker.terminate()
        for worker in running:
            worker.wait(30)


def _owe(engine: Engine, count: int, urgency: str) -> list[str]:
    """So many notices by text to one member, each owed to the delivery; their ids."""
    now = clock.now()
    with database.transaction(engine) as session:
        contact = session.execute(select(contacts).where(contacts.c.channel == "sms")).first()
        assert contact is not None
        team_id = session.execute(select(database.metadata.tables["teams"].c.id)).scalars().first()
        rows = [
            {
                "id": new_id(),
                "subject_id": "a benchmark",
                "reference": "R-7K3M-Q2",
                "urgency": urgency,
                "team_id": team_id,
                "member_id": contact.member_id,
                "contact_id": contact.id,
                "channel": "sms",
                "template": "offer",
                "language": "en",
                "time_zone": "America/Phoenix",
                "deadline_at": now + timedelta(hours=1),
                "state": "due",
                "created_at": now,
            }
            for _ in range(count)
        ]
        session.execute(insert(notices), rows)
        for row in rows:
            outbox.post(session, DELIVER, str(row["id"]), now=now, urgent=urgency != "routine")
    return [str(row["id"]) for row in rows]


def _waits(engine: Engine, urgency: str) -> list[float]:
    """Seconds from each notice to its first attempt, sorted."""
    query = (
        select(notices.c.created_at, func.min(attempts.c.started_at).label("first"))
        .join(attempts, attempts.c.notice_id == notices.c.id)
        .where(notices.c.urgency == urgency)
        .group_by(notices.c.id, notices.c.created_at)
    )
    with database.reading(engine) as session:
        return sorted((row.first - row.created_at).total_seconds() for row in session.execute(query))


def _urgent_past_routine(
    town: _Town, *, with_redis: bool, routine: int = 5_000, urgent: int = 60
) -> dict[str, float]:
    """p50 and p99 of the seconds that imminent notices wait while that many routine ones are queued."""
    town.forget()
    environment = town.environment | ({} if with_redis else {"REDIS_URL": "unix:///nowhere/valkey.sock"})
    engine = outbox.with_bell(town.engine, queue.Bell(Settings.from_mapping(environment)))
    _owe(engine, routine, "routine")
    parts = [("clock",), *([("queue", "urgent"), ("queue", "routine")] if with_redis else [])]
    with _workers(environment, *parts):
        _until(lambda: bool(_waits(engine, "routine")), 60)
        for _ in range(urgent):
            _owe(engine, 1, "imminent")
            time.sleep(_URGENT_EACH_SECONDS)
        _until(lambda: len(_waits(engine, "imminent")) == urgent, 60)
        waits, left = _waits(engine, "imminent"), routine - len(_waits(engine, "routine"))
    return {
        "p50": waits[len(waits) // 2],
        "p99": waits[min(int(len(waits) * 0.99), len(waits) - 1)],
        "left": left,
    }


def _seconds_for(town: _Town, *, workers: int, count: int = 1_000) -> float:
    """Seconds from the first attempt to the last outcome of so many notices, by so many queue processes."""
    town.forget()
    connection = queue.connect(Settings.from_mapping(town.environment))
    assert connection is not None
    _owe(town.engine, count, "imminent")
    # As the bell rings at each commit that owes something.
    for _ in range(count):
        queue.queue(connection, urgent=True).enqueue(queue.DRAIN, True, result_ttl=0)
    with _workers(town.environment, *[("queue", "urgent")] * workers):
        _until(lambda: _settled(town.engine)[0] == count, 300)
        _, first, last = _settled(town.engine)
    return (last - first).total_seconds()


def _cpu_ms(town: _Town, count: int = 200) -> float:
    """Milliseconds of a core that one notice costs the process which sends it."""
    town.forget()
    settings = Settings.from_mapping(town.environment)
    ring = FileKeyring.unlock(Path(settings.keyring_file), settings.keyring_passphrase)
    run = worker.perform(Duty(town.engine, settings, Keys(ring, settings.deployment)))
    # The first ones make connections and statements.
    _owe(town.engine, 20 + count, "imminent")
    outbox.drain(town.engine, run, urgent=True, most=20)
    begun = time.thread_time()
    assert outbox.drain(town.engine, run, urgent=True, most=count) == count
    return (time.thread_time() - begun) / count * 1e3


def _settled(engine: Engine) -> tuple[int, datetime, datetime]:
    query = select(
        func.count(attempts.c.settled_at),
        func.min(attempts.c.started_at),
        func.max(attempts.c.settled_at),
    )
    with database.reading(engine) as session:
        count, first, last = session.execute(query).one()
    return count, first, last


@dataclass(frozen=True)
class Cost:
    """CPU microseconds of this process for one notice: owed through the outbox with its bell, and a bare enqueue."""

    outbox: float
    bare: float


def _outbox_beside_bare(url: str, count: int = 400) -> Cost:
    """What the outbox adds to a transaction that is made anyway, beside RQ's enqueue alone; turn by turn."""
    engine = database.make_engine(url)
    with valkey() as redis_url:
        settings = Settings.from_mapping({"SECRET_KEY": "k" * 40, "REDIS_URL": redis_url})
        connection = queue.connect(settings)
        assert connection is not None
        bare_queue, ringing = (
            queue.queue(connection, urgent=True),
            outbox.with_bell(engine, queue.Bell(settings)),
        )
        owed = bare = 0.0
        for _ in range(count):
            begun = time.process_time()
            with database.transaction(ringing) as session:
                outbox.post(session, DELIVER, new_id(), now=clock.now(), urgent=True)
            middle = time.process_time()
            bare_queue.enqueue(queue.DRAIN, True, description=queue.DRAIN, result_ttl=0)
            owed, bare = owed + middle - begun, bare + time.process_time() - middle
    engine.dispose()
    return Cost(owed / count * 1e6, bare / count * 1e6)


def rows(folder: Path, url: str) -> list[tuple[str, ...]]:
    """Everything of this file, measured on that empty, migrated PostgreSQL."""
    with _town(folder / "town", url) as town:
        found = [
            *_rows_of_the_urgent(town),
            *_rows_of_a_thousand(town),
            ("One notice, the CPU of the process that sends it", f"{_cpu_ms(town):.1f} ms", "", ""),
        ]
    cost = _outbox_beside_bare(url)
    return [
        *found,
        (
            "One notice owed by outbox and bell in a transaction of its own, CPU",
            f"{cost.outbox:.0f} µs",
            f"a bare RQ enqueue: {cost.bare:.0f} µs",
            f"{cost.outbox / cost.bare:.2f} times the cost",
        ),
    ]


def _rows_of_the_urgent(town: _Town) -> Iterator[tuple[str, ...]]:
    for name, with_redis in (("Redis up", True), ("Redis gone", False)):
        waits = _urgent_past_routine(town, with_redis=with_redis)
        yield (
            f"An imminent notice, while 5,000 routine ones are queued at a provider of 100 ms, {name}",
            f"leaves after p50 {waits['p50']:.2f} s",
            f"p99 {waits['p99']:.2f} s",
            f"{waits['left']:,.0f} routine ones still queued at the end",
        )


def _rows_of_a_thousand(town: _Town) -> Iterator[tuple[str, ...]]:
    one = 0.0
    for workers in (1, 4, 8, 12):
        # One alone would take minutes: it is measured with fewer, and told for a thousand.
        count = 100 if workers == 1 else 1_000
        seconds = _seconds_for(town, workers=workers, count=count) * 1_000 / count
        one = one or seconds
        yield (
            f"1,000 notices through a provider of 100 ms, {workers} queue processes",
            f"{seconds:.1f} s",
            f"{1_000 / seconds:.0f}/s",
            f"{one / seconds:.1f} times one process",
        )


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the workers did not come to an end"
        time.sleep(0.2)
