"""A house on PostgreSQL whose parts can be killed and started again, with a reader of many troubled telephones."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psycopg
import redis
from sqlalchemy import make_url, select

from directory import members
from directory.members import Channel
from directory.tables import members as people
from foundation import clock, database
from foundation.settings import Settings
from run import House, Part, Ports
from tests.servers import free_port

# How the telephones behave to which each tip is told; see notifications/standin/behaviours.py.
TELEPHONES = ("0001", "0002", "0003", "0004", "0008", "0009", "0013", "0017")
_WORKERS = {
    "queue-urgent": ("queue", "urgent"),
    "queue-urgent-2": ("queue", "urgent"),
    "queue-routine": ("queue", "routine"),
    "clock": ("clock",),
}


class SoakHouse(House):
    """`make run`'s parts without the public door, with hurried workers; two of them share the urgent queue."""

    def __init__(self, folder: Path, database_url: str) -> None:
        super().__init__(folder, Ports(*(free_port() for _ in range(4))))
        # Shorter than the stand-in's slowest answer, and well within the hurried lease.
        self.environment |= {"DATABASE_URL": database_url, "TWILIO_TIMEOUT_SECONDS": "1"}
        self.settings = Settings.from_mapping(self.environment)
        # What all together took to come up, on this machine as busy as it is.
        self._start_seconds = 0.0

    def parts(self) -> Sequence[Part]:
        """The kept parts as they are, the workers hurried."""
        kept = {part.name: part for part in super().parts()}
        clock_part = kept["clock"]
        hurried = (sys.executable, "-m", "tests.soak.hurried_worker")
        return (
            *(kept[name] for name in ("valkey", "standin", "desk")),
            *(replace(clock_part, name=name, command=(*hurried, *asked)) for name, asked in _WORKERS.items()),
        )

    def open(self) -> None:
        """Starts all and returns when every worker has beaten once."""
        for part in self.parts():
            self._launch(part)
        begun = time.monotonic()
        while not self._all_beat():
            assert time.monotonic() < begun + 60, f"not all parts came up; see {self.data / 'logs'}"
            time.sleep(0.1)
        self._start_seconds = time.monotonic() - begun

    def at_work(self) -> list[str]:
        """The workers that have had the time to come up. Who is killed before that has nothing half done."""
        now = time.monotonic()
        return [name for name in _WORKERS if now - self._running[name][2] > self._start_seconds]

    def _all_beat(self) -> bool:
        with psycopg.connect(plain(self.environment["DATABASE_URL"])) as server:
            beaten = {part for (part,) in server.execute("SELECT part FROM heartbeats")}
        return beaten >= {"queue urgent", "queue routine", "clock", "clock urgent"}

    def revive(self) -> int:
        """Starts again what has ended, as a supervisor does; returns how many."""
        dead = [part for part, process, _ in self._running.values() if process.poll() is not None]
        for part in dead:
            self._launch(part)
        return len(dead)

    def flush(self) -> None:
        """Everything in the broker is forgotten."""
        redis.Redis.from_url(self.environment["REDIS_URL"], socket_timeout=1).flushall()


class Postmaster:
    """The PostgreSQL of a soak, which can be cut off and started again from the same files."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._cluster = Path(str(make_url(url).query["host"])) / "cluster"
        self._started: subprocess.Popen[bytes] | None = None

    def crash(self) -> None:
        """Ends it as a crash does, without a checkpoint, and starts it again; returns when it answers."""
        command = shlex.split((self._cluster / "postmaster.opts").read_text())
        pid = int((self._cluster / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        self._await_end(pid)
        self._started = subprocess.Popen(
            command,
            # PostgreSQL refuses root; the files say whose it was.
            user=self._cluster.stat().st_uid if os.geteuid() == 0 else None,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._await_answer()

    def stop(self) -> None:
        """Ends what a crash has started."""
        if self._started:
            self._started.send_signal(signal.SIGINT)
            self._started.wait(30)

    def _await_end(self, pid: int) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self._started:
                self._started.poll()
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.02)
        raise AssertionError("PostgreSQL did not end")

    def _await_answer(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self._url, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "PostgreSQL did not come back"
                time.sleep(0.05)


def give_telephones(url: str) -> None:
    """Ines is told by a telephone of each kind."""
    engine = database.make_engine(url)
    with database.transaction(engine) as session:
        ines = session.execute(select(people.c.id).where(people.c.email.like("ines@%"))).scalar_one()
        for last in TELEPHONES:
            members.add_contact(session, ines, Channel.SMS, f"+1480556{last}", verified_at=clock.now())
    engine.dispose()


def plain(url: str) -> str:
    """As psycopg takes it."""
    return url.replace("postgresql+psycopg:", "postgresql:")
