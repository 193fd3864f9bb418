"""The mailbox at a mail provider, read by IMAP, to which undelivered mail comes back."""

from __future__ import annotations

import imaplib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from foundation.settings import Settings

# For each step of the conversation; and for all of it, since other upkeep waits.
_STEP_SECONDS, _ALL_SECONDS = 15.0, 60.0
# A report on a mail of ours is short; whatever somebody else appends to it is not read.
_MOST_BYTES = 500_000
_MOST_MAILS = 50


class MailboxFault(Exception):
    """The server refused a step; its words are not repeated, since they may hold somebody's."""


def read(settings: Settings, take: Callable[[bytes], bool]) -> int:
    """Gives each unread mail to `take`; returns how many.

    What it takes is deleted there, the rest is marked as read. A mail that was taken and not yet deleted when the
    connection broke comes again. Raises MailboxFault, and OSError where the server is not reached.
    """
    count, ends = 0, time.monotonic() + _ALL_SECONDS
    with _signed_in(settings) as box:
        for number in _unread(box)[:_MOST_MAILS]:
            if time.monotonic() > ends:
                break
            taken = take(_body(box, number))
            _said(box.uid("STORE", number, "+FLAGS", r"(\Deleted \Seen)" if taken else r"(\Seen)"))
            count += 1
        _said(box.expunge())
    return count


@contextmanager
def _signed_in(settings: Settings) -> Iterator[imaplib.IMAP4]:
    checked = ssl.create_default_context()
    host, port = settings.mail_bounce_imap_host, settings.mail_bounce_imap_port
    if settings.mail_bounce_imap_security == "tls":
        box: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, port, ssl_context=checked, timeout=_STEP_SECONDS)
    else:
        box = imaplib.IMAP4(host, port, timeout=_STEP_SECONDS)
    try:
        try:
            if settings.mail_bounce_imap_security == "starttls":
                box.starttls(ssl_context=checked)
            box.login(settings.mail_bounce_imap_user, settings.mail_bounce_imap_password)
            _said(box.select(settings.mail_bounce_imap_folder))
            yield box
        except imaplib.IMAP4.error as fault:
            raise MailboxFault(type(fault).__name__) from None
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            box.logout()


def _unread(box: imaplib.IMAP4) -> list[str]:
    (found,) = _said(box.uid("SEARCH", "UNSEEN"))
    return found.decode().split() if isinstance(found, bytes) else []


def _body(box: imaplib.IMAP4, number: str) -> bytes:
    """The mail, or its beginning; it stays unread."""
    answer = _said(box.uid("FETCH", number, f"(BODY.PEEK[]<0.{_MOST_BYTES}>)"))
    return next((part[1] for part in answer if isinstance(part, tuple)), b"")


def _said(answered: tuple[str, list[Any]]) -> list[Any]:
    status, answer = answered
    if status != "OK":
        raise MailboxFault(status)
    return answer
