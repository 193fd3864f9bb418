"""Answering an erasure: the record goes, and with it what routing wrote down about its place."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger.entries import Actor
from referrals import retention
from routing.tables import decisions


def answer(session: Session, referral_id: str, *, approved: bool, actor: Actor, now: datetime) -> None:
    """The second person's answer to an asked erasure. Raises NotNow; see `retention.answer`.

    An explanation holds the place and the acts. Its digest stays, so that the ledger's entry still names it.
    """
    retention.answer(session, referral_id, approved=approved, actor=actor, now=now)
    if approved:
        of_referral = decisions.c.referral_id == referral_id
        session.execute(update(decisions).where(of_referral).values(explanation={}, inputs=""))
