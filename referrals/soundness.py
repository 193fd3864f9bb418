"""Queries that prove the record's promises, each with a sentence for what it found."""

from __future__ import annotations

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.orm import Session

from directory.tables import teams
from ledger.tables import ledger_heads
from referrals.states import State
from referrals.tables import grants, referrals, sealed_parts


def faults(session: Session) -> list[str]:
    """A sentence for each referral that breaks a promise; empty where all hold."""
    return [
        *(
            f"{reference}: it is open and has no custodian or no due time"
            for reference in session.execute(_without_custodian_or_due()).scalars()
        ),
        *(
            f"{reference}: it is in no ledger"
            for reference in session.execute(
                select(referrals.c.reference).where(
                    ~exists(select(ledger_heads.c.stream).where(ledger_heads.c.stream == referrals.c.id))
                )
            ).scalars()
        ),
        *(
            f"{reference}: it has sealed words that no grant opens"
            for reference in session.execute(
                select(referrals.c.reference)
                .where(
                    exists(select(sealed_parts.c.part).where(sealed_parts.c.referral_id == referrals.c.id))
                )
                .where(~exists(select(grants.c.id).where(grants.c.referral_id == referrals.c.id)))
            ).scalars()
        ),
    ]


def _without_custodian_or_due() -> Select[str]:
    custodian_exists = exists(select(teams.c.id).where(teams.c.id == referrals.c.custodian_team_id))
    return select(referrals.c.reference).where(
        referrals.c.state != State.CLOSED.value, or_(~custodian_exists, referrals.c.due_at.is_(None))
    )
