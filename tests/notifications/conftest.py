"""A desk that listens to webhooks, and the stand-in beside it, both on real sockets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from foundation.settings import Settings
from notifications import standin
from notifications.standin import Running
from notifications.standin.servers import ACCOUNT_SID, AUTH_TOKEN
from tests.waiting import until


@dataclass(frozen=True)
class Heard:
    """One webhook as it came: its path, its form and its signature."""

    path: str
    form: dict[str, str]
    signature: str


@dataclass
class Desk:
    """Remembers what it was told, and answers a text with `answer`."""

    url: str
    answer: str = "<Response/>"
    # The next so many webhooks are answered with 503.
    deaf: int = 0
    heard: list[Heard] = field(default_factory=list)

    def statuses(self) -> list[str]:
        """The statuses reported so far, in their order."""
        return [one.form["MessageStatus"] for one in list(self.heard) if "MessageStatus" in one.form]

    def await_statuses(self, *expected: str) -> None:
        """Waits until just these were reported."""
        until(lambda: self.statuses() == list(expected), lambda: self.statuses())


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A desk with a real socket."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Listener) as server:
        remembers = Desk(f"http://127.0.0.1:{server.server_port}")
        server.desk = remembers  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield remembers
        server.shutdown()


@pytest.fixture
def phone(desk: Desk, tmp_path: Path) -> Iterator[Running]:
    """The stand-in, twenty times as fast."""
    with standin.running(tmp_path / "standin", desk.url, pace=0.05) as running:
        yield running


@pytest.fixture
def wired(settings: Settings, desk: Desk, phone: Running) -> Settings:
    """Settings whose Twilio and mail server are the stand-in."""
    return replace(
        settings,
        desk_url=desk.url,
        twilio_account_sid=ACCOUNT_SID,
        twilio_auth_token=AUTH_TOKEN,
        twilio_from="+15550100000",
        twilio_api_base=phone.base_url,
        twilio_timeout_seconds=5.0,
        smtp_host="127.0.0.1",
        smtp_port=phone.smtp_port,
        smtp_security="none",
        smtp_timeout_seconds=5.0,
    )


class _Listener(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        desk: Desk = self.server.desk  # type: ignore[attr-defined]
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if desk.deaf:
            desk.deaf -= 1
            self.send_response(503)
            self.end_headers()
            return
        signature = self.headers.get("X-Twilio-Signature", "")
        desk.heard.append(Heard(self.path, dict(parse_qsl(text, keep_blank_values=True)), signature))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(desk.answer.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""
