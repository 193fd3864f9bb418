"""Queries that prove the promises of custody and of the clocks."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session

from directory.tables import teams as team_rows
from directory.teams import TeamKind
from foundation import heartbeat
from foundation.tables import outbox
from referrals.filing import ROUTE
from referrals.states import State
from referrals.tables import grants, referrals
from routing.states import OPEN, HandoffState, Kind
from routing.tables import handoffs

# The clock looks twice a second; something due for a minute was overlooked.
_OVERLOOKED = timedelta(minutes=1)


def faults(session: Session, now: datetime) -> list[str]:
    """A sentence for each promise that is broken; empty where all hold."""
    return [
        *_custodians_without_handoff(session),
        *_doubled(
            session, Kind.TRANSFER, (HandoffState.ACKNOWLEDGED,), "two teams hold an acknowledged transfer"
        ),
        *_offers_without_clock(session),
        *_held_by_an_office(session),
        *_overlooked(session, now),
        *_grants_of_ended_offers(session),
        *_late_clock(session, now),
    ]


def _custodians_without_handoff(session: Session) -> list[str]:
    """Whoever holds a referral after a transfer is the team that acknowledged it."""
    held = handoffs.c.kind == Kind.TRANSFER.value, handoffs.c.state == HandoffState.ACKNOWLEDGED.value
    rows = session.execute(
        select(referrals.c.reference)
        .join(handoffs, and_(handoffs.c.referral_id == referrals.c.id, *held))
        .where(handoffs.c.to_team_id != referrals.c.custodian_team_id)
    )
    return [
        f"{reference}: its custodian is not the team that acknowledged it" for reference in rows.scalars()
    ]


def _doubled(session: Session, kind: Kind, states: tuple[HandoffState, ...], sentence: str) -> list[str]:
    rows = session.execute(
        select(referrals.c.reference)
        .join(handoffs, handoffs.c.referral_id == referrals.c.id)
        .where(handoffs.c.kind == kind.value, handoffs.c.state.in_(states))
        .group_by(referrals.c.reference)
        .having(func.count() > 1)
    )
    return [f"{reference}: {sentence}" for reference in rows.scalars()]


def _offers_without_clock(session: Session) -> list[str]:
    rows = session.execute(
        select(referrals.c.reference)
        .join(handoffs, handoffs.c.referral_id == referrals.c.id)
        .where(handoffs.c.state.in_(OPEN), handoffs.c.due_at.is_(None))
    )
    return [f"{reference}: an open offer has no due time" for reference in rows.scalars()]


def _held_by_an_office(session: Session) -> list[str]:
    """An office forwards and cannot work: while it has custody, some team must be asked to take it."""
    asked = exists(
        select(handoffs.c.id).where(
            handoffs.c.referral_id == referrals.c.id,
            handoffs.c.kind == Kind.TRANSFER.value,
            handoffs.c.state.in_(OPEN),
        )
    )
    routed_soon = exists(
        select(outbox.c.id).where(outbox.c.job == ROUTE, outbox.c.subject_id == referrals.c.id)
    )
    rows = session.execute(
        select(referrals.c.reference)
        .join(team_rows, team_rows.c.id == referrals.c.custodian_team_id)
        .where(team_rows.c.kind == TeamKind.OFFICE.value)
        .where(referrals.c.state.not_in((State.CLOSED.value, State.FILED.value)), ~asked, ~routed_soon)
    )
    return [f"{reference}: an office holds it and nobody is asked to take it" for reference in rows.scalars()]


def _overlooked(session: Session, now: datetime) -> list[str]:
    rows = session.execute(
        select(referrals.c.reference).where(
            referrals.c.state != State.CLOSED.value, referrals.c.due_at < now - _OVERLOOKED
        )
    )
    return [
        f"{reference}: it has been due for more than a minute and nobody was told"
        for reference in rows.scalars()
    ]


def _grants_of_ended_offers(session: Session) -> list[str]:
    ended = (HandoffState.DECLINED, HandoffState.LAPSED, HandoffState.RECALLED)
    rows = session.execute(
        select(referrals.c.reference)
        .join(grants, grants.c.referral_id == referrals.c.id)
        .join(handoffs, handoffs.c.id == grants.c.handoff_id)
        .where(handoffs.c.state.in_(ended))
        .distinct()
    )
    return [
        f"{reference}: a team can still open what it declined or was taken back"
        for reference in rows.scalars()
    ]


def _late_clock(session: Session, now: datetime) -> list[str]:
    last = heartbeat.last(session, "clock")
    if last is None:
        return ["the clock has never run"]
    if now - last > _OVERLOOKED:
        return [f"the clock last ran at {last:%Y-%m-%d %H:%M} UTC"]
    return []
