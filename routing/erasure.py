"""Answering an erasure: the record goes, and with it what routing wrote down about its place and who was told outside.

What stays of a handoff is what the ledger says too: which teams, which members, when, on which ground.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from ledger.entries import Actor
from referrals import retention
from routing import register
from routing.states import Kind
from routing.tables import decisions, guest_keys, guest_links, handoffs, outside_recipients

# In the place of an agency's name.
_SOMEBODY = "an agency outside this service"


def answer(session: Session, referral_id: str, *, approved: bool, actor: Actor, now: datetime) -> None:
    """The second person's answer to an asked erasure. Raises NotNow; see `retention.answer`."""
    retention.answer(session, referral_id, approved=approved, actor=actor, now=now)
    if approved:
        _forget_why(session, referral_id)
        _forget_who_was_told(session, referral_id)


def forget_canary(session: Session, referral_id: str, *, actor: Actor, now: datetime) -> None:
    """Erases a canary that is over. Raises NotNow; see `retention.forget_canary`."""
    retention.forget_canary(session, referral_id, actor=actor, now=now)
    _forget_why(session, referral_id)


def _forget_why(session: Session, referral_id: str) -> None:
    """An explanation holds the place and the acts. Its digest stays, so that the ledger's entry still names it."""
    of_referral = decisions.c.referral_id == referral_id
    session.execute(update(decisions).where(of_referral).values(explanation={}, inputs=""))


def _forget_who_was_told(session: Session, referral_id: str) -> None:
    """Recipients outside the directory by name and number, and the links by which they read."""
    outside = [row for row in register.of_referral(session, referral_id) if row.kind == Kind.EXTERNAL.value]
    ids = [row.id for row in outside]
    links = select(guest_links.c.id).where(guest_links.c.handoff_id.in_(ids))
    session.execute(delete(guest_keys).where(guest_keys.c.link_id.in_(links)))
    session.execute(delete(guest_links).where(guest_links.c.handoff_id.in_(ids)))
    session.execute(delete(outside_recipients).where(outside_recipients.c.handoff_id.in_(ids)))
    for row in outside:
        unnamed = {**row.as_then, "to_team": _SOMEBODY}
        session.execute(update(handoffs).where(handoffs.c.id == row.id).values(as_then=unnamed))
