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

from sqlalchemy import Engine, func, insert, select

from directory.tables import contacts
from foundation import clock, database, outbox, queue
from foundation.identifiers import new_id
from foundation.settings import Settings
from notifications.notices import DELIVER
from notifications.tables import attempts, notices
from run import House, Ports
from tests.servers import free_port, valkey

_ROOT = Path(__file__).parents[2]
_PROVIDER_SECONDS = 0.1
_URGENT_EACH_SECONDS = 0.5


class _Provider(BaseHTTPRequestHandler):
    """Takes every text after a tenth of a second, and reports on none."""

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
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def _town(folder: Path, url: str, provider: str, redis_url: str) -> Iterator[tuple[Engine, dict[str, str]]]:
    """A migrated database with the demonstration's people, and the environment of its workers."""
    house = House(folder, Ports(*(free_port() for _ in range(4))))
    house.environment |= {"DATABASE_URL": url, "TWILIO_API_BASE": provider, "REDIS_URL": redis_url}
    house.prepare()
    engine = database.make_engine(url)
    yield engine, house.environment
    engine.dispose()


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


def urgent_past_routine(
    folder: Path, url: str, *, with_redis: bool, routine: int = 5_000, urgent: int = 60
) -> dict[str, float]:
    """p50 and p99 of the seconds that imminent notices wait while that many routine ones are queued."""
    with _provider() as provider, valkey() as redis_url:
        reached = redis_url if with_redis else "unix:///nowhere/valkey.sock"
        with _town(folder, url, provider, reached) as (engine, environment):
            engine = outbox.with_bell(engine, queue.Bell(Settings.from_mapping(environment)))
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


def seconds_for(folder: Path, url: str, *, workers: int, count: int = 1_000) -> float:
    """Seconds from the first attempt to the last outcome of so many notices, by so many queue processes."""
    with (
        _provider() as provider,
        valkey() as redis_url,
        _town(folder, url, provider, redis_url) as (engine, env),
    ):
        connection = queue.connect(Settings.from_mapping(env))
        assert connection is not None
        _owe(engine, count, "imminent")
        # As the bell rings at each commit that owes something.
        for _ in range(count):
            queue.queue(connection, urgent=True).enqueue(queue.DRAIN, True, result_ttl=0)
        with _workers(env, *[("queue", "urgent")] * workers):
            _until(lambda: _settled(engine)[0] == count, 300)
            _, first, last = _settled(engine)
    return (last - first).total_seconds()


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


def outbox_beside_bare(url: str, count: int = 400) -> Cost:
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


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "the workers did not come to an end"
        time.sleep(0.2)
