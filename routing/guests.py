"""Recipients without an account: a one-time link, a code over a second channel, a few openings, a short life.

Link and code together are the key of what is disclosed; only digests and sealed keys are stored, so that neither the
database nor whoever finds the link reads a word. Following a link does nothing: mail scanners do that.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from foundation import database
from foundation.blobs import Blobs
from foundation.identifiers import new_id
from ledger import entries
from ledger.entries import Actor
from referrals import attachments, grants, moves, opening, sealing
from referrals.grants import Keys
from referrals.opening import OpenedFile, OpenedPart
from referrals.sealing import CannotOpen, Place
from referrals.tables import sealed_parts
from routing import outside, register, telling
from routing.register import AlreadyAnswered
from routing.states import OPEN, HandoffState, Kind
from routing.tables import guest_keys, guest_links

LIFE = timedelta(hours=72)
_TRIES, _OPENS = 5, 5
_CODE_DIGITS = 8
# Notes are what a team writes for itself; whoever should read them gets an account.
PARTS = ("narrative", "subject", "reporter", "attachments")
_GUEST = Actor(part="guest link")


class NoEntry(Exception):
    """The link or the code does not let anybody in; the message is a sentence that tells nothing else."""


@dataclass(frozen=True)
class Invitation:
    """What the sender passes on, shown once: the link's secret by one channel, the code by another."""

    token: str
    code: str
    expires_at: datetime


@dataclass(frozen=True)
class Guest:
    """Somebody who came in with link and code: the link, its handoff, and who it is for."""

    link: Row[Any]
    handoff: Row[Any]
    recipient: Row[Any]


def invite(session: Session, keys: Keys, handoff_id: str, *, actor: Actor, now: datetime) -> Invitation:
    """A new link for an open handoff outside the directory; links before it end. Raises AlreadyAnswered."""
    row = register.handoff(session, handoff_id)
    referral = moves.lock(session, row.referral_id)
    if row.kind != Kind.EXTERNAL.value or row.state not in OPEN:
        raise AlreadyAnswered(register.answered_sentence(session, handoff_id))
    end(session, handoff_id, now)
    token, code = secrets.token_urlsafe(24), f"{secrets.randbelow(10**_CODE_DIGITS):0{_CODE_DIGITS}}"
    link_id, expires_at = new_id(), now + LIFE
    key = _key(link_id, token, code)
    session.execute(
        insert(guest_links).values(
            id=link_id,
            handoff_id=handoff_id,
            token_digest=_digest(token),
            proof=sealing.wrap(key, b"guest", link_id),
            made_by=actor.member_id,
            made_at=now,
            expires_at=expires_at,
            tries_left=_TRIES,
            opens_left=_OPENS,
        )
    )
    parts = [part for part in row.parts if part in PARTS]
    for part in parts:
        opened = grants.part_key(session, keys, referral.id, part, team_id=row.from_team_id, routing=True)
        blob = sealing.wrap(key, opened, f"{link_id} {part}")
        session.execute(insert(guest_keys).values(link_id=link_id, part=part, blob=blob))
    person = register.outside(session, handoff_id).person
    bound = entries.commitment(referral.commitment_key, person.encode())
    register.write(session, row, "link_made", actor, now, link=link_id, parts=parts, person=bound)
    return Invitation(token, code, expires_at)


def end(session: Session, handoff_id: str, now: datetime) -> int:
    """Ends every link of a handoff; returns how many were alive."""
    alive = update(guest_links).where(
        guest_links.c.handoff_id == handoff_id, guest_links.c.ended_at.is_(None)
    )
    return database.changed(session, alive.values(ended_at=now))


def alive(session: Session, handoff_id: str, now: datetime) -> Row[Any] | None:
    """The link of a handoff that still lets somebody in, or None."""
    rows = session.execute(select(guest_links).where(guest_links.c.handoff_id == handoff_id))
    return next((row for row in rows if _lives(row, now)), None)


def enter(session: Session, token: str, code: str, now: datetime) -> Guest | None:
    """Lets somebody in; None where the code is wrong, which counts. Raises NoEntry for a link that is no use.

    Commit in either case: a wrong try must stay counted.
    """
    found = session.execute(
        select(guest_links).where(guest_links.c.token_digest == _digest(token))
    ).one_or_none()
    if found is None or not _lives(found, now):
        raise NoEntry("This link is not in use any more. Ask whoever sent it for a new one")
    handoff = register.handoff(session, found.handoff_id)
    if handoff.state not in (*OPEN, HandoffState.ACKNOWLEDGED.value):
        raise NoEntry("This was taken back or answered. There is nothing left to do")
    moves.lock(session, handoff.referral_id)
    digits = "".join(character for character in code if character.isdecimal())
    try:
        sealing.unwrap(_key(found.id, token, digits), found.proof, found.id)
    except CannotOpen:
        _count_wrong(session, found, handoff, now)
        return None
    if found.entered_at is None:
        session.execute(update(guest_links).where(guest_links.c.id == found.id).values(entered_at=now))
        register.write(session, handoff, "link_entered", _GUEST, now, link=found.id)
    return Guest(found, handoff, register.outside(session, handoff.id))


def acknowledge(session: Session, guest: Guest, now: datetime) -> None:
    """The named person takes it: that confirms the handoff as a call back would. Raises AlreadyAnswered."""
    outside.confirm(session, guest.handoff.id, guest.recipient.person, actor=_GUEST, now=now, via="link")


def decline(session: Session, guest: Guest, now: datetime) -> None:
    """The named person will not take it: who sent it chooses again. Raises AlreadyAnswered."""
    outside.refuse(session, guest.handoff.id, actor=_GUEST, now=now, via="link")
    end(session, guest.handoff.id, now)


def read(
    session: Session, deployment: str, guest: Guest, token: str, code: str, now: datetime
) -> list[OpenedPart]:
    """What was disclosed, after the acknowledgement, a few times; each is in the ledger. Raises NoEntry."""
    handoff = register.handoff(session, guest.handoff.id)
    if handoff.state != HandoffState.ACKNOWLEDGED.value:
        raise NoEntry("Acknowledge it first")
    once = update(guest_links).where(guest_links.c.id == guest.link.id, guest_links.c.opens_left > 0)
    if not database.changed(session, once.values(opens_left=guest_links.c.opens_left - 1)):
        raise NoEntry(f"It was opened {_OPENS} times, which is all. Ask whoever sent it")
    digits = "".join(character for character in code if character.isdecimal())
    key, link_id, referral_id = _key(guest.link.id, token, digits), guest.link.id, handoff.referral_id
    rows = session.execute(
        select(guest_keys.c.part, guest_keys.c.blob, sealed_parts.c.blob.label("words"))
        .join(
            sealed_parts,
            (sealed_parts.c.referral_id == referral_id) & (sealed_parts.c.part == guest_keys.c.part),
        )
        .where(guest_keys.c.link_id == link_id)
    ).all()
    opened = []
    for row in opening.in_order(rows):
        part_key = sealing.unwrap(key, row.blob, f"{link_id} {row.part}")
        document = sealing.unseal(part_key, Place(deployment, referral_id, row.part), row.words)
        opened.append(OpenedPart.of(row.part, document))
    entries.append(
        session,
        referral_id,
        kind="content_opened",
        at=now,
        actor=_GUEST,
        facts={"parts": [part.part for part in opened], "handoff": handoff.id, "link": link_id},
    )
    return opened


def take_file(
    session: Session,
    deployment: str,
    blobs: Blobs,
    guest: Guest,
    token: str,
    code: str,
    number: int,
    now: datetime,
) -> OpenedFile:
    """One of the files as it was sent, for who has read the list; it is in the ledger. Raises NoEntry."""
    handoff, link_id = register.handoff(session, guest.handoff.id), guest.link.id
    if handoff.state != HandoffState.ACKNOWLEDGED.value or guest.link.opens_left == _OPENS:
        raise NoEntry("Acknowledge it and read it first")
    row = session.execute(
        select(guest_keys.c.blob).where(
            guest_keys.c.link_id == link_id, guest_keys.c.part == attachments.PART
        )
    ).one_or_none()
    if row is None:
        raise NoEntry("No file was disclosed with this link")
    digits = "".join(character for character in code if character.isdecimal())
    part_key = sealing.unwrap(_key(link_id, token, digits), row.blob, f"{link_id} {attachments.PART}")
    return opening.open_file_with(
        session,
        part_key,
        deployment,
        blobs,
        handoff.referral_id,
        number,
        form="original",
        actor=_GUEST,
        now=now,
        handoff=handoff.id,
        link=link_id,
    )


def _lives(link: Row[Any], now: datetime) -> bool:
    return link.ended_at is None and link.expires_at > now and link.tries_left > 0


def _count_wrong(session: Session, link: Row[Any], handoff: Row[Any], now: datetime) -> None:
    tried = update(guest_links).where(guest_links.c.id == link.id, guest_links.c.tries_left > 0)
    session.execute(tried.values(tries_left=guest_links.c.tries_left - 1))
    register.write(session, handoff, "link_refused", _GUEST, now, link=link.id)
    if link.tries_left == 1:
        # Somebody guesses, or the code was passed on wrongly: the sender makes a new one.
        telling.tell_sender(session, handoff, "task", now)


def _key(link_id: str, token: str, code: str) -> bytes:
    # The link alone has 192 bits; the code keeps whoever finds the link from reading, and is guessed five times.
    return sealing.derive(f"{token} {code}".encode(), f"guest link {link_id}")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
