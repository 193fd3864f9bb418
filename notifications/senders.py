"""Our own standing with a provider: an account that is refused stops for all, and the administrators hear of it.

A number that refuses is a reader's matter; here is what no reader can help: a wrong token, a missing registration, a
code that nobody foresaw.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import cache

from markupsafe import Markup
from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from directory.tables import members
from foundation import clock, database, outbox
from foundation.identifiers import new_id
from foundation.settings import Settings
from notifications.mail import MailSender
from notifications.outcomes import Action, OutcomeState
from notifications.tables import sender_faults
from referrals.duty import Duty

PAGE = "notifications.senders.page"
# A stopped sender is tried with one notice after so long: what was mended works again without anybody's press.
_TRIED_AFTER = timedelta(minutes=5)
# The same fault is no news within it.
_PAGED_AGAIN_AFTER = timedelta(hours=4)
_COME_AGAIN = timedelta(minutes=2)

_WORDS: Mapping[str, str] = {
    Action.STOP_SENDER.value: "The account is refused. No notice leaves by {channel} until this is mended; the other"
    " channels carry them meanwhile.",
    Action.CONFIGURATION.value: "The account is set up wrongly for some of our notices by {channel}.",
    Action.SHORTEN.value: "A notice by {channel} was refused for its form; the shortest text was sent instead.",
    Action.ALARM.value: "The provider of {channel} gave a code that Waypost does not know. The next person was told.",
}

# Asked for every notice, so it is made once.
_LASTS = select(sender_faults.c.last_at).where(
    sender_faults.c.channel == bindparam("of_channel"), sender_faults.c.action == Action.STOP_SENDER.value
)


class Standing(Enum):
    """How a channel stands with its provider."""

    WORKS = auto()
    # Its account is refused: nothing is tried by it.
    STOPPED = auto()
    # It was refused a while ago, and this one notice is let through.
    ON_TRIAL = auto()


def refused(session: Session, channel: str, code: str, action: Action, now: datetime) -> None:
    """The provider refuses us, not a reader. New, or not heard of for hours: the administrators are told by mail."""
    this = sender_faults.c.channel == channel, sender_faults.c.code == code
    known = session.execute(select(sender_faults).where(*this)).one_or_none()
    if known is None:
        row = {"id": new_id(), "channel": channel, "code": code, "action": action.value}
        try:
            with session.begin_nested():
                session.execute(insert(sender_faults).values(**row, first_at=now, last_at=now, paged_at=now))
        except IntegrityError:
            # Another process had it first, and pages.
            return
        outbox.post(session, PAGE, row["id"], now=now, urgent=True)
        return
    again = known.paged_at < now - _PAGED_AGAIN_AFTER
    paged_at = now if again else known.paged_at
    session.execute(update(sender_faults).where(*this).values(last_at=now, paged_at=paged_at))
    if again:
        outbox.post(session, PAGE, known.id, now=now, urgent=True)


def standing(session: Session, channel: str, now: datetime) -> Standing:
    """How that channel stands. A stopped one lets one notice through after a while, to see whether it works."""
    lasts = session.execute(_LASTS, {"of_channel": channel}).scalars().all()
    if not lasts:
        return Standing.WORKS
    if max(lasts) > now - _TRIED_AFTER:
        return Standing.STOPPED
    session.execute(update(sender_faults).where(*_stops(channel)).values(last_at=now))
    return Standing.ON_TRIAL


def works(session: Session, channel: str) -> None:
    """The notice that was let through has left, so the account is not refused any more."""
    session.execute(delete(sender_faults).where(*_stops(channel)))


def page(duty: Duty, fault_id: str) -> datetime | None:
    """Mails a fault of ours to every administrator; comes again while their server puts it off."""
    with database.reading(duty.engine) as session:
        fault = session.execute(select(sender_faults).where(sender_faults.c.id == fault_id)).one_or_none()
        people = select(members.c.email).where(members.c.administrator, members.c.active)
        addresses = session.execute(people.order_by(members.c.email)).scalars().all()
    if fault is None or not duty.settings.smtp_host:
        return None
    subject = f"[Waypost] {fault.channel}: the provider refuses us, code {fault.code}"
    text = (
        f"{_WORDS[fault.action].format(channel=fault.channel)}\n\nCode {fault.code}, first seen"
        f" {fault.first_at:%Y-%m-%d %H:%M} UTC. What to do stands in docs/operating.md and at the desk:\n"
        f"{duty.settings.desk_url}\n"
    )
    html = str(Markup('<html lang="en"><body><p>{}</p></body></html>').format(text))
    mail = _mail(duty.settings)
    outcomes = [
        mail.send(to, subject, text, html, message_id=f"{fault.id}.{n}") for n, to in enumerate(addresses)
    ]
    later = any(outcome.state is OutcomeState.FAILED_TRANSIENT for outcome in outcomes)
    return clock.now() + _COME_AGAIN if later else None


def _stops(channel: str) -> tuple[ColumnElement[bool], ...]:
    return sender_faults.c.channel == channel, sender_faults.c.action == Action.STOP_SENDER.value


@cache
def _mail(settings: Settings) -> MailSender:
    return MailSender(settings)
