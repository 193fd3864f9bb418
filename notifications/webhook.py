"""Signed webhooks, in the form of the Standard Webhooks specification: an agency's own system is told by HTTPS.

`webhook-id` stays the same through every repetition, so that a receiver takes each event once; `webhook-timestamp`
lets it refuse what is old; `webhook-signature` is HMAC-SHA-256 over both and the body. docs/api.md shows how to check.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from standardwebhooks import Webhook

from foundation.settings import Settings
from notifications.outcomes import Action, Outcome, OutcomeState

# Together below the outbox's lease; a receiver that needs longer should answer first and work afterwards.
_CONNECT_SECONDS, _ANSWER_SECONDS = 5.0, 10.0
_GONE, _TOO_MANY, _NOT_YET = 410, 429, 408


class UrlFault(ValueError):
    """An address cannot be a webhook's; the message is a sentence for the field."""


def secret(settings: Settings, webhook_id: str) -> str:
    """The shared secret of one webhook, `whsec_…`: made from the deployment's own, so that none is stored."""
    derived = hmac.new(
        settings.secret_key.encode(), f"webhook {webhook_id}".encode(), hashlib.sha256
    ).digest()
    return "whsec_" + base64.b64encode(derived).decode()


def check_url(typed: str, settings: Settings) -> str:
    """The address as it is kept: HTTPS to a machine on the public internet. Raises UrlFault.

    A demonstration may also call this machine.
    """
    url = typed.strip()
    parts = urlsplit(url)
    if settings.demonstration and parts.hostname in {"127.0.0.1", "localhost"}:
        return url
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
        raise UrlFault("Write an address that begins with https://, without a name or password in it.")
    if not _is_public(parts.hostname, parts.port or 443):
        raise UrlFault("That address does not lead to a machine on the public internet.")
    return url


def send(
    settings: Settings, url: str, body: Mapping[str, Any], *, webhook_id: str, message_id: str, now: datetime
) -> Outcome:
    """Posts one event, once; never raises for anything that the receiver or the network does."""
    try:
        # Names move: where it leads is looked at each time, so that nobody points us at our own network later.
        check_url(url, settings)
    except UrlFault:
        return Outcome(OutcomeState.FAILED_PERMANENT, Action.NEXT_CONTACT, code="not_public")
    written = json.dumps(body, sort_keys=True)
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret(settings, webhook_id)).sign(message_id, now, written),
    }
    try:
        with requests.post(
            url,
            data=written.encode(),
            headers=headers,
            timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as answer:
            return _outcome(answer.status_code, answer.headers.get("retry-after", ""))
    except requests.Timeout:
        # Sent again under the same id, an event that did arrive is taken once.
        return Outcome(OutcomeState.FAILED_TRANSIENT, Action.RETRY, code="timed_out")
    except requests.RequestException:
        return Outcome(OutcomeState.FAILED_TRANSIENT, Action.RETRY, code="not_reached")


def _outcome(status: int, retry_after: str) -> Outcome:
    if 200 <= status < 300:
        return Outcome(OutcomeState.ACCEPTED)
    if status == _GONE:
        return Outcome(OutcomeState.FAILED_PERMANENT, Action.DISABLE_CONTACT, code=status)
    if status >= 500 or status in {_TOO_MANY, _NOT_YET}:
        wait = float(retry_after) if retry_after.isdecimal() else None
        return Outcome(OutcomeState.FAILED_TRANSIENT, Action.RETRY, code=status, retry_after_s=wait)
    return Outcome(OutcomeState.FAILED_PERMANENT, Action.NEXT_CONTACT, code=status)


def _is_public(host: str, port: int) -> bool:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(ipaddress.ip_address(entry[4][0]).is_global for entry in found)
