"""The subject moved: for some time both teams work, the new one as custodian, until the clock ends the old one's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert
from sqlalchemy.orm import Session

from directory import teams
from foundation.identifiers import new_id
from ledger.entries import Actor
from referrals import grants, moves
from routing import register, telling
from routing.states import Act, HandoffState, Kind, Reason
from routing.tables import handoffs


def begin(session: Session, row: Row[Any], now: datetime) -> str:
    """The team that made this acknowledged transfer is consulted until its last day; returns the consult's id."""
    names = teams.names(session, [row.from_team_id, row.to_team_id])
    id = new_id()
    session.execute(
        insert(handoffs).values(
            id=id,
            referral_id=row.referral_id,
            kind=Kind.CONSULT.value,
            state=HandoffState.ACKNOWLEDGED.value,
            urgency=row.urgency,
            from_team_id=row.to_team_id,
            to_team_id=row.from_team_id,
            reason=Reason.SUBJECT_MOVED.value,
            basis=row.basis,
            parts=sorted(grants.granted_parts(session, row.referral_id, row.from_team_id)),
            offered_at=now,
            answered_at=now,
            ends_at=row.overlap_until,
            as_then={
                "from_team": names[row.to_team_id],
                "to_team": names[row.from_team_id],
                "from_member": None,
                "ladder": [],
            },
        )
    )
    until = row.overlap_until.isoformat()
    consult = register.handoff(session, id)
    register.write(session, consult, "overlap_began", Actor(part="routing"), now, until=until)
    return id


def finish(session: Session, handoff_id: str, now: datetime) -> None:
    """The day has come: the old team's part is done and what it could open is closed to it; both are told."""
    clock = Actor(part="clock")
    row = register.end(session, handoff_id, Act.COMPLETE, clock, now)
    grants.drop_team(session, row.referral_id, row.to_team_id)
    register.write(session, row, "overlap_ended", clock, now)
    referral = moves.referral(session, row.referral_id)
    telling.tell_custodian(session, referral, row.to_team_id, "withdrawn", now)
