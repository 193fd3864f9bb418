"""The return address of a mail (VERP): each notice has one of its own, so that a bounce names it without a doubt.

`bounces+<notice><mac>@…`; the code behind the notice's id, which only we can make, keeps anybody else from declaring
a colleague unreachable.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import cache

from foundation.settings import Settings

_MAC_DIGITS = 12


def return_address(settings: Settings, notice_id: str) -> str:
    """The envelope's sender for one notice; empty where no address for bounces is set."""
    if not settings.mail_bounces:
        return ""
    name, _, domain = settings.mail_bounces.partition("@")
    return f"{name}+{notice_id}{_mac(settings.secret_key, notice_id)}@{domain}"


def notice_of(settings: Settings, written: str) -> str | None:
    """The notice whose return address stands in that text, or None."""
    name, _, domain = settings.mail_bounces.lower().partition("@")
    ours = rf"{re.escape(name)}\+([0-9a-f]{{32}})([0-9a-f]{{{_MAC_DIGITS}}})@{re.escape(domain)}"
    for notice_id, mac in re.findall(ours, written.lower()) if name else ():
        if hmac.compare_digest(mac, _mac(settings.secret_key, notice_id)):
            return str(notice_id)
    return None


def _mac(secret: str, notice_id: str) -> str:
    return hmac.new(_key(secret), notice_id.encode(), hashlib.sha256).hexdigest()[:_MAC_DIGITS]


@cache
def _key(secret: str) -> bytes:
    return hashlib.sha256(f"return address {secret}".encode()).digest()
