"""An agency's own system: it takes webhooks and checks them with the specification's own library."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


@dataclass
class Receiver:
    """Answers with the statuses in `answers`, then with 204; remembers what it verified and what it refused."""

    url: str = ""
    shared: str = ""
    answers: list[int] = field(default_factory=list)
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refused: int = 0

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """The status to answer with."""
        if self.answers:
            return self.answers.pop(0)
        try:
            Webhook(self.shared).verify(body, headers)
        except WebhookVerificationError:
            self.refused += 1
            return 400
        self.taken.append((headers["webhook-id"], json.loads(body)))
        return 204


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver on a real socket."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        one = Receiver(f"http://127.0.0.1:{server.server_port}/waypost")
        server.one = one  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield one
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.send_response(self.server.one.take(headers, body))  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""
