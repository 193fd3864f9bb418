"""The stand-in on real sockets: waitress for the web, aiosmtpd for mail."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from waitress import wasyncore
from waitress.server import create_server

from notifications.standin.app import create_standin
from notifications.standin.post_office import post_office

HOST = "127.0.0.1"
ACCOUNT_SID = "AC00000000000000000000000000000000"
AUTH_TOKEN = "the stand-in believes this token"  # noqa: S105 - it opens nothing
# Slow answers and early callbacks each hold a thread.
_THREADS = 16


@dataclass(frozen=True)
class Running:
    """Where a stand-in that runs can be reached."""

    app: Flask
    base_url: str
    smtp_port: int


@contextmanager
def running(
    data_path: Path,
    desk_url: str,
    *,
    account_sid: str = ACCOUNT_SID,
    auth_token: str = AUTH_TOKEN,
    port: int = 0,
    smtp_port: int = 0,
    names: Mapping[str, str] | None = None,
    pace: float = 1.0,
) -> Iterator[Running]:
    """A stand-in on threads of this process until the block ends; port 0 takes any free one."""
    app = create_standin(data_path, desk_url, account_sid, auth_token, names=names, pace=pace)
    mail = post_office(app.extensions["store"], HOST, smtp_port)
    with ExitStack() as ending:
        ending.callback(mail.stop)
        mail.start()
        taken = ending.enter_context(_serving(app, port))
        # First of all: what would still wait answers nobody, and the folder may be gone soon.
        ending.callback(app.extensions["webhooks"].errands.end)
        yield Running(app, f"http://{HOST}:{taken}", mail.port)


@contextmanager
def _serving(app: Flask, port: int) -> Iterator[int]:
    # The library's type stubs know neither its map of sockets nor what wakes its loop.
    sockets: Any = {}
    web: Any = create_server(app, map=sockets, host=HOST, port=port, threads=_THREADS)
    thread = threading.Thread(target=web.run, daemon=True)
    thread.start()
    try:
        yield web.effective_port
    finally:
        # By the thread that serves: it would trip over sockets that somebody else closes. If it is awake, it
        # may have closed the trigger before this pulls it.
        with suppress(OSError):
            web.trigger.pull_trigger(lambda: wasyncore.close_all(sockets))
        thread.join(5)
        web.task_dispatcher.shutdown(timeout=1)
