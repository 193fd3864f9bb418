"""Queries that prove the record's promises, each with a sentence for what it found."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, exists, or_, select, union
from sqlalchemy.orm import Session

from directory.tables import teams
from ledger.tables import ledger_heads
from referrals.casework import Disposition
from referrals.states import State
from referrals.tables import grants, referrals, sealed_parts

# So long after its end a record is looked at again at each visit; nothing of it changes any more by itself.
_LATELY = timedelta(days=2)


def faults(session: Session, now: datetime, *, whole: bool = False) -> list[str]:
    """A sentence for each referral that breaks a promise; empty where all hold.

    Looked at are those that are open or ended lately; `whole`: all that ever were.
    """
    return [
        f"{reference}: {sentence}"
        for broken, sentence in (
            (_without_custodian_or_due(), "it is open and has no custodian or no due time"),
            (_in_no_ledger(), "it is in no ledger"),
            (_without_grant(), "it has sealed words that no grant opens"),
        )
        for reference in session.execute(broken if whole else broken.where(_lately(now))).scalars()
    ]


def _lately(now: datetime) -> Any:
    """Two short searches: asked at once, they would read through everything. What is open has a due time."""
    being_open = select(referrals.c.id).where(referrals.c.due_at.is_not(None))
    ended = select(referrals.c.id).where(
        referrals.c.disposition.in_([ending.value for ending in Disposition]),
        referrals.c.closed_at > now - _LATELY,
    )
    return referrals.c.id.in_(union(being_open, ended))


def _without_custodian_or_due() -> Select[str]:
    custodian_exists = exists(select(teams.c.id).where(teams.c.id == referrals.c.custodian_team_id))
    return select(referrals.c.reference).where(
        referrals.c.state != State.CLOSED.value, or_(~custodian_exists, referrals.c.due_at.is_(None))
    )


def _in_no_ledger() -> Select[str]:
    known = exists(select(ledger_heads.c.stream).where(ledger_heads.c.stream == referrals.c.id))
    return select(referrals.c.reference).where(~known)


def _without_grant() -> Select[str]:
    sealed = exists(select(sealed_parts.c.part).where(sealed_parts.c.referral_id == referrals.c.id))
    opens = exists(select(grants.c.id).where(grants.c.referral_id == referrals.c.id))
    return select(referrals.c.reference).where(sealed, ~opens)
