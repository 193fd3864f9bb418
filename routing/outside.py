"""Recipients outside the directory: who was called, on which number, and the call back that confirms it.

After the confirmation the agency acts, and the team that called keeps the record and asks how it went: a referral
has a custodian here as long as it is open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from ledger import entries
from ledger.entries import Actor
from referrals import moves
from referrals.facts import Urgency
from referrals.grants import Keys
from referrals.states import Move, State
from routing import ending, offers, register, timetable
from routing.offers import Offer
from routing.states import Act, Decline, Kind
from routing.tables import outside_recipients

# The ledger's word for it, by the way in which the agency said so.
_CONFIRMED = {"phone": "confirmed_by_call", "link": "confirmed_by_link"}
_WORKS = (State.HELD.value, State.AT_DESK.value)


@dataclass(frozen=True)
class Recipient:
    """Somebody who was called at work: the agency, the person, their number, and when."""

    agency: str
    person: str
    telephone: str
    called_at: datetime


def hand_out(
    session: Session, keys: Keys, proposal: Offer, recipient: Recipient, *, actor: Actor, now: datetime
) -> str:
    """Writes down that somebody outside was told, and what; returns the handoff's id. Custody stays, a clock runs.

    `proposal` is of kind external. The ledger gets a commitment to the recipient, never the name or number.
    """
    assert proposal.kind is Kind.EXTERNAL
    key = moves.lock(session, proposal.referral_id).commitment_key
    bound = "\n".join((recipient.agency, recipient.person, recipient.telephone)).encode()
    sealed = (("recipient", entries.commitment(key, bound)), ("called_at", recipient.called_at.isoformat()))
    id = offers.offer(
        session,
        keys,
        replace(proposal, outside=recipient.agency, extra=(*proposal.extra, *sealed)),
        actor=actor,
        now=now,
    )
    session.execute(
        insert(outside_recipients).values(
            handoff_id=id,
            agency=recipient.agency,
            person=recipient.person,
            telephone=recipient.telephone,
            called_at=recipient.called_at,
        )
    )
    return id


def confirm(
    session: Session, handoff_id: str, with_whom: str, *, actor: Actor, now: datetime, via: str = "phone"
) -> None:
    """The agency was called back and confirmed that it has it, or its person said so by a one-time link. Its custodian
    here asks how it went, with a clock.

    Raises AlreadyAnswered.
    """
    found = register.handoff(session, handoff_id)
    referral = moves.lock(session, found.referral_id)
    row = register.answer(session, handoff_id, Act.ACKNOWLEDGE, actor, via, now)
    session.execute(
        update(outside_recipients)
        .where(outside_recipients.c.handoff_id == handoff_id)
        .values(confirmed_with=with_whom, confirmed_at=now)
    )
    spoke = entries.commitment(referral.commitment_key, with_whom.encode())
    register.write(session, row, _CONFIRMED[via], actor, now, spoke_with=spoke)
    if referral.state in _WORKS:
        urgency = Urgency(referral.urgency)
        moves.move(
            session,
            referral.id,
            Move.WORK,
            now=now,
            actor=actor,
            due_at=timetable.of(session, referral.custodian_team_id).due(now, urgency, "next_action"),
            due_reason="outside",
        )


def refuse(session: Session, handoff_id: str, *, actor: Actor, now: datetime, via: str = "phone") -> None:
    """The agency says that it will not take it: its custodian chooses again. Raises AlreadyAnswered."""
    ending.decline(session, handoff_id, reason=Decline.OTHER, actor=actor, via=via, now=now)
