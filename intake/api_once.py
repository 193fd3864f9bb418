"""Once for each Idempotency-Key of an office: asked again, the same answer and no second record."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from flask import request
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from directory import api_requests
from foundation import clock, database, web
from intake.problems import refuse
from referrals.receipts import submission_digest

# A string of RFC 8941, or the bare words that most clients send.
_KEY = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x5b\x5d-\x7e]{1,255})')
_NO_STORE = (DBAPIError, PoolTimeout)


def idempotency_key() -> str:
    """The request's. Ends the request where it names none that can be read."""
    shown = _KEY.fullmatch(request.headers.get("Idempotency-Key", "").strip())
    if shown is None:
        refuse(
            400,
            "Send an Idempotency-Key of 1 to 255 letters, digits and signs, such as a UUID: a new one for each new "
            "forward, the same one when you send the same again.",
        )
    return str(shown[1] or shown[2])


def digest(what: str, words: str) -> str:
    """A keyed digest: nothing of the words can be guessed from what is stored."""
    return submission_digest(f"api {what}\n{words}", web.settings().secret_key)


def once(office_id: str, key: str, content: str, make: Callable[[], str]) -> str:
    """The reference that `make` returns, called once for this key; `content` is the digest of all that was sent.

    Ends the request where the key came with other content, or where the same is being done right now.
    """
    name = digest("idempotency key", key)
    if before := _claim(office_id, name, content):
        return before
    try:
        reference = make()
    except BaseException:
        with suppress(*_NO_STORE), database.transaction(web.engine()) as session:
            api_requests.release(session, office_id, name, clock.now())
        raise
    # It is filed. If this cannot be written down now, the same content meets the same record all the same.
    with suppress(*_NO_STORE), database.transaction(web.engine()) as session:
        api_requests.settle(session, office_id, name, reference)
    return reference


def _claim(office_id: str, name: str, content: str) -> str | None:
    """The reference that was made before; None where this request is the one to make it."""
    try:
        with database.transaction(web.engine()) as session:
            api_requests.claim(session, office_id, name, content, clock.now())
        return None
    except IntegrityError:
        with database.transaction(web.engine()) as session:
            return _claimed_before(session, office_id, name, content)


def _claimed_before(session: Session, office_id: str, name: str, content: str) -> str | None:
    row = api_requests.claimed(session, office_id, name)
    if row and row.content_digest != content:
        refuse(422, "This Idempotency-Key came with another body before. Take a new one for another forward.")
    if row and row.reference:
        return str(row.reference)
    if not api_requests.take_over(session, office_id, name, clock.now()):
        wait = str(int(api_requests.LEASE.total_seconds()))
        refuse(
            409,
            "The same request is being done right now. Send it again in a minute to see what came of it.",
            headers={"Retry-After": wait},
        )
    return None
