"""Ways to reach a member: entered with consent, proved by a code sent over them, proved again twice a year."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from flask_babel import gettext
from sqlalchemy import Row, and_, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from directory import members, reach
from directory.addresses import ContactFault, normal_address
from directory.members import Channel
from directory.tables import contact_codes, contacts, memberships
from directory.tables import members as people
from foundation import database, outbox
from foundation.identifiers import new_id

# The room above sends the code; a test resolves the name.
SEND_CODE = "notifications.checking.send_code"
CODE_LIFE = timedelta(minutes=30)
_CODE_DIGITS = 6
# Ten guesses at a million codes; and five codes a day, so that nobody's telephone is flooded through us.
_TRIES = 10
_CODES_PER_DAY = 5
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
# Numbers change hands. Who has not proved a contact for so long is asked again, and then not written to any more.
PROVE_AGAIN_AFTER = timedelta(days=166)
PROVED_FOR = timedelta(days=180)

# What a member agrees to, by version. A version that somebody agreed to is never edited.
CONSENT = {
    "2026-11": "Waypost may send me notices about referrals here, at any hour when they are urgent. Message and data "
    "rates may apply. I can end text messages with STOP.",
    "2026-11-es": "Waypost puede enviarme aquí avisos sobre casos, a cualquier hora cuando son urgentes. Mi compañía "
    "puede cobrar por mensajes y datos. Puedo terminar los mensajes de texto con STOP.",
}
# The version that is asked for now, by the language of the page.
CONSENT_NOW = {"en": "2026-11", "es": "2026-11-es"}
# Why a contact is not used; what a provider said stands as it is.
REMOVED, STALE = "removed", "stale"


class Proof(StrEnum):
    """What became of a code that was typed."""

    PROVED = "proved"
    WRONG = "wrong"
    # No code is alive: too old, used, or too often wrong.
    OVER = "over"


def add(
    session: Session, member_id: str, channel: Channel, typed: str, *, consent: str, now: datetime
) -> str:
    """A member's new contact, still to be proved; returns its id. What was removed before comes back under its old id.

    `consent` is the version of the words that the member agreed to. Raises ContactFault.
    """
    address = normal_address(channel, typed)
    agreed = {"consented_at": now, "consent": consent}
    old = session.execute(
        select(contacts).where(
            contacts.c.member_id == member_id,
            contacts.c.channel == channel.value,
            contacts.c.address == address,
        )
    ).one_or_none()
    if old is None:
        id = new_id()
        session.execute(
            insert(contacts).values(
                id=id, member_id=member_id, channel=channel.value, address=address, **agreed
            )
        )
        return id
    if old.disabled_reason != REMOVED:
        raise ContactFault(gettext("You have this contact already."))
    session.execute(
        update(contacts)
        .where(contacts.c.id == old.id)
        .values(disabled_at=None, disabled_reason=None, verified_at=None, **agreed)
    )
    return str(old.id)


def ask_for_proof(session: Session, contact_id: str, now: datetime) -> None:
    """Sends a fresh code over the contact; the codes before it are dead. Raises ContactFault after too many a day."""
    today = select(func.count()).where(
        contact_codes.c.contact_id == contact_id, contact_codes.c.made_at > now - _DAY
    )
    if session.execute(today).scalar_one() >= _CODES_PER_DAY:
        raise ContactFault(gettext("Five codes were sent there today. Please try again tomorrow."))
    # What a provider gave up may have been mended; it is used again only once the code came back.
    mended = contacts.c.id == contact_id, contacts.c.disabled_at.is_not(None)
    session.execute(
        update(contacts).where(*mended).values(disabled_at=None, disabled_reason=None, verified_at=None)
    )
    session.execute(
        insert(contact_codes).values(
            id=(code_id := new_id()),
            contact_id=contact_id,
            code=f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}",
            made_at=now,
            until=now + CODE_LIFE,
        )
    )
    outbox.post(session, SEND_CODE, code_id, now=now, urgent=True)


def prove(session: Session, contact_id: str, typed: str, now: datetime) -> Proof:
    """Takes a typed code. Only the newest code counts, ten times, for half an hour, once."""
    newest = session.execute(
        select(contact_codes)
        .where(contact_codes.c.contact_id == contact_id)
        .order_by(contact_codes.c.made_at.desc(), contact_codes.c.id)
        .limit(1)
    ).one_or_none()
    if newest is None:
        return Proof.OVER
    alive = (
        contact_codes.c.id == newest.id,
        contact_codes.c.until > now,
        contact_codes.c.used_at.is_(None),
        contact_codes.c.tries < _TRIES,
    )
    tried = update(contact_codes).where(*alive).values(tries=contact_codes.c.tries + 1)
    if not database.changed(session, tried):
        return Proof.OVER
    digits = "".join(character for character in typed if character.isdecimal())
    if not hmac.compare_digest(digits.encode(), newest.code.encode()):
        return Proof.WRONG
    session.execute(update(contact_codes).where(contact_codes.c.id == newest.id).values(used_at=now))
    session.execute(update(contacts).where(contacts.c.id == contact_id).values(verified_at=now))
    return Proof.PROVED


def answered_from(session: Session, contact_id: str, now: datetime) -> None:
    """A code of a notice came back from this contact: that proves it as well as a code of its own."""
    mine = contacts.c.id == contact_id, contacts.c.verified_at.is_not(None)
    session.execute(update(contacts).where(*mine).values(verified_at=now))


def set_mail_key(session: Session, contact_id: str, key: str | None) -> None:
    """Has mail to that contact sealed to this key from now on, or not any more. Who calls has checked it."""
    session.execute(update(contacts).where(contacts.c.id == contact_id).values(mail_key=key))


def of_member(session: Session, member_id: str) -> list[Row[Any]]:
    """A member's contacts but those they removed, telephones first."""
    mine = select(contacts).where(
        contacts.c.member_id == member_id, contacts.c.disabled_reason.is_distinct_from(REMOVED)
    )
    return list(session.execute(mine.order_by(contacts.c.channel.desc(), contacts.c.address)))


def one_of_member(session: Session, member_id: str, contact_id: str) -> Row[Any] | None:
    """That contact, if it is the member's and not removed."""
    return next((row for row in of_member(session, member_id) if row.id == contact_id), None)


def out_of_use(session: Session) -> list[Row[Any]]:
    """The contacts of members who are here that ended against their owner's will, or by STOP, each with the owner's
    `name`; the newest first."""
    ended = and_(contacts.c.disabled_at.is_not(None), contacts.c.disabled_reason != REMOVED)
    since = func.coalesce(contacts.c.disabled_at, contacts.c.opted_out_at)
    query = (
        select(contacts, people.c.name, since.label("since"))
        .join(people, people.c.id == contacts.c.member_id)
        .where(people.c.active, or_(ended, contacts.c.opted_out_at.is_not(None)))
        .order_by(since.desc(), contacts.c.id)
    )
    return list(session.execute(query))


def remove(session: Session, contact_id: str, now: datetime) -> None:
    """The owner wants no more notices there. Raises ContactFault where a team would be left without anybody."""
    row = session.execute(select(contacts).where(contacts.c.id == contact_id)).one()
    before = _out_of_reach(session)
    session.execute(
        update(contacts).where(contacts.c.id == contact_id).values(disabled_at=now, disabled_reason=REMOVED)
    )
    mine = set(
        session.execute(
            select(memberships.c.team_id).where(memberships.c.member_id == row.member_id)
        ).scalars()
    )
    if (_out_of_reach(session) - before) & mine:
        raise ContactFault(
            gettext("Nobody of your team could be reached any more. Add another contact first.")
        )


def ask_again(session: Session, now: datetime) -> list[str]:
    """Sends a code to each contact whose proof will soon be too old, at most once in a week; returns their ids.

    The clock calls it.
    """
    lately = select(contact_codes.c.contact_id).where(contact_codes.c.made_at > now - _WEEK)
    old = session.execute(
        select(contacts.c.id).where(
            contacts.c.verified_at < now - PROVE_AGAIN_AFTER,
            *_usable(),
            contacts.c.id.not_in(lately),
        )
    ).scalars()
    asked = list(old)
    for contact_id in asked:
        ask_for_proof(session, contact_id, now)
    return asked


def expire(session: Session, now: datetime) -> list[str]:
    """Ends the use of contacts that nobody proved for half a year, though they were asked; returns their ids.

    A team's last way of being reached is kept, since an old number is better than none; the status page says so.
    """
    ended = []
    # A clock that stood still, or a service that is new here, asks first and waits a week.
    asked = exists().where(
        contact_codes.c.contact_id == contacts.c.id,
        contact_codes.c.made_at.between(contacts.c.verified_at, now - _WEEK),
    )
    too_old = select(contacts.c.id).where(contacts.c.verified_at < now - PROVED_FOR, *_usable(), asked)
    for contact_id in session.execute(too_old.order_by(contacts.c.verified_at)).scalars().all():
        before = _out_of_reach(session)
        members.disable_contact(session, contact_id, reason=STALE, now=now)
        if _out_of_reach(session) - before:
            kept = contacts.c.id == contact_id
            session.execute(update(contacts).where(kept).values(disabled_at=None, disabled_reason=None))
        else:
            ended.append(contact_id)
    return ended


def stale_count(session: Session, now: datetime) -> int:
    """How many contacts in use were proved so long ago that they are asked for a proof, or are past it."""
    old = select(func.count()).where(contacts.c.verified_at < now - PROVE_AGAIN_AFTER, *_usable())
    return int(session.execute(old).scalar_one())


def code_to_send(session: Session, code_id: str, now: datetime) -> Row[Any] | None:
    """The code, its contact and the contact's owner, or None where it is dead already."""
    query = select(contact_codes, contacts.c.member_id, contacts.c.channel).join(contacts)
    return session.execute(
        query.where(
            contact_codes.c.id == code_id, contact_codes.c.until > now, contact_codes.c.used_at.is_(None)
        )
    ).one_or_none()


def _out_of_reach(session: Session) -> frozenset[str]:
    return frozenset(reach.unreachable(session, by_telephone=False))


def _usable() -> tuple[Any, ...]:
    return contacts.c.opted_out_at.is_(None), contacts.c.disabled_at.is_(None)
