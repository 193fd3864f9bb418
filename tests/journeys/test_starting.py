"""Starting and forgetting the house by hand: one at a time on a folder, and every refusal says what to do."""

from __future__ import annotations

import fcntl
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from foundation import database
from run import Ports
from tests.servers import free_port
from tests.waiting import until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The data folder of a house that was stopped."""
    kept = tmp_path / "var"
    kept.mkdir()
    (kept / "waypost.db").write_text("words")
    return kept


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """As if a house ran on that folder."""
    with folder.with_name("var.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """What `python run.py` says to these words."""
    command = [sys.executable, "run.py", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("what", ["start", "reset"])
def test_a_folder_that_is_in_use_is_left_alone(folder: Path, what: str) -> None:
    with held(folder):
        said = run(what, "--data", str(folder), "--public-port", "18999")
    assert said.returncode == 1
    assert said.stderr == (
        "A Waypost already runs on this folder; stop it with Ctrl-C, or choose another --data.\n"
    )
    assert (folder / "waypost.db").read_text() == "words"


def test_data_of_another_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    engine = database.make_engine(f"sqlite:///{tmp_path / 'waypost.db'}")
    database.migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE teams DROP COLUMN telephone"))
    engine.dispose()
    said = run("--data", str(tmp_path), *(f"--{name}-port={free_port()}" for name in vars(Ports())))
    assert said.returncode == 1
    assert "was made by another version of Waypost and cannot be used. `make reset` forgets it" in said.stderr
    assert "Traceback" not in said.stderr


def test_a_stopped_house_is_forgotten_whoever_listens_on_its_ports(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        said = run("reset", "--data", str(folder), "--public-port", str(other.getsockname()[1]))
    assert (said.returncode, said.stderr) == (0, "")
    assert not folder.exists()


def test_a_taken_port_is_named_with_a_command_that_works(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        said = run("start", "--data", str(folder), "--public-port", port).stderr
    assert f"port {port}" in said
    command = said.rpartition("port: ")[2].split()
    assert subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60).returncode == 0


def test_what_it_keeps_is_nobody_elses(folder: Path) -> None:
    run("reset", "--data", str(folder))
    assert stat.S_IMODE(folder.with_name("var.lock").stat().st_mode) == 0o600


def is_deaf(pid: int) -> bool:
    """Whether a process still ignores Ctrl-C."""
    ignored = re.search(r"SigIgn:\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text())
    assert ignored
    return bool(int(ignored[1], 16) & 1 << signal.SIGINT - 1)


@pytest.mark.parametrize("seconds", [0, 0.4])
def test_ctrl_c_in_the_first_moments_is_no_fault(folder: Path, seconds: float) -> None:
    command = [sys.executable, "run.py", "start", "--data", str(folder)]
    for part in ("public", "desk", "standin", "smtp"):
        command += [f"--{part}-port", str(free_port())]
    # Before its first line Python itself would answer, however long a busy machine takes for it.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    starting = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    until(lambda: not is_deaf(starting.pid))
    time.sleep(seconds)
    starting.send_signal(signal.SIGINT)
    assert "Traceback" not in starting.communicate(timeout=60)[1]
