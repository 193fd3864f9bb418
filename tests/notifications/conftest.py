"""A desk that listens to webhooks, and the stand-in beside it, both on real sockets."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

from foundation.settings import Settings
from notifications import standin
from notifications.standin import Running
from notifications.standin.servers import ACCOUNT_SID, AUTH_TOKEN
from tests.waiting import until

_CONTRACTS = Path(__file__).parent.parent / "contracts"


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


@pytest.fixture(scope="session")
def contract() -> OpenAPI:
    """Twilio's published description. Addresses inside lists are relative, whatever it says of their format."""
    spec = json.loads((_CONTRACTS / "twilio_api_v2010.messages_calls.json").read_text())
    for what in ("Messages", "Calls"):
        listed = spec["paths"][f"/2010-04-01/Accounts/{{AccountSid}}/{what}.json"]["get"]["responses"]["200"]
        for listing in listed["content"]["application/json"]["schema"]["properties"].values():
            if listing.get("format") == "uri":
                del listing["format"]
    return OpenAPI.from_dict(spec)


@pytest.fixture(scope="session")
def lookup_contract() -> OpenAPI:
    """The same of Lookup."""
    spec = json.loads((_CONTRACTS / "twilio_lookups_v2.phone_numbers.json").read_text())
    return OpenAPI.from_dict(spec)


@pytest.fixture
def checked(
    contract: OpenAPI, lookup_contract: OpenAPI, phone: Running, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[tuple[str, int]]]:
    """Every exchange with the API, as (method, status); each request and each successful answer is validated.

    A breach fails the test at its end: raised in the middle, the sender would take it for a fault of the wire.
    """
    published = {
        "/2010-04-01/": ("https://api.twilio.com", contract),
        "/v2/": ("https://lookups.twilio.com", lookup_contract),
    }
    exchanges: list[tuple[str, int]] = []
    breaches: list[Exception] = []
    send = requests.Session.send

    def checking(session: requests.Session, request: requests.PreparedRequest, **named: Any) -> Any:
        path = str(request.url).removeprefix(phone.base_url)
        found = next((start for start in published if path.startswith(start)), None)
        if found is None:
            return send(session, request, **named)
        host, contract = published[found]
        original = request.copy()
        original.url = f"{host}{path}"
        asked = RequestsOpenAPIRequest(original)
        breaches.extend(contract.iter_request_errors(asked))
        answer = send(session, request, **named)
        exchanges.append((str(request.method), answer.status_code))
        if answer.ok:
            breaches.extend(contract.iter_response_errors(asked, RequestsOpenAPIResponse(answer)))
        return answer

    monkeypatch.setattr(requests.Session, "send", checking)
    yield exchanges
    assert breaches == []
