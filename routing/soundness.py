"""Queries that prove the promises of custody and of the clocks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from directory.tables import teams as team_rows
from directory.teams import KeyPurpose, TeamKind
from foundation import heartbeat
from foundation.tables import outbox
from referrals.filing import ROUTE
from referrals.states import State
from referrals.tables import grants, referrals
from routing.departures import hanging
from routing.states import OPEN, HandoffState, Kind
from routing.tables import calls, handoffs, outside_recipients, recusals

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
        *_named(session, _clocks_that_run_on(), "an answered offer still has a clock"),
        *_named(session, _outside_without_recipient(), "it was handed outside, and nobody knows to whom"),
        *_named(session, _overdue_overlaps(now), "a team should have ended its part more than a minute ago"),
        *_named(session, _calls_forgotten(now), "a call that must be made is overdue and nobody was told"),
        *_named(
            session, _recused_take_part(), "a team with a conflict of interest holds, is asked or can open it"
        ),
        *(
            f"{left.reference}: nobody is left in a team that {_HANGS[left.holds]}"
            for left in hanging(session)
        ),
        *_held_by_an_office(session),
        *_overlooked(session, now),
        *_named(session, _opened_after_its_end(), "a team can still open what it declined or was taken back"),
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


_HANGS = {True: "holds it", False: "is asked"}


def _named(session: Session, broken: Any, sentence: str) -> list[str]:
    """The sentence for each referral whose id the query gives."""
    query = select(referrals.c.reference).where(referrals.c.id.in_(broken)).order_by(referrals.c.reference)
    return [f"{reference}: {sentence}" for reference in session.execute(query).scalars()]


def _clocks_that_run_on() -> Any:
    runs = or_(handoffs.c.due_at.is_not(None), handoffs.c.remind_at.is_not(None))
    return select(handoffs.c.referral_id).where(handoffs.c.state.not_in(OPEN), runs)


def _outside_without_recipient() -> Any:
    known = exists().where(outside_recipients.c.handoff_id == handoffs.c.id)
    return select(handoffs.c.referral_id).where(handoffs.c.to_team_id.is_(None), ~known)


def _overdue_overlaps(now: datetime) -> Any:
    return select(handoffs.c.referral_id).where(handoffs.c.ends_at < now - _OVERLOOKED)


def _calls_forgotten(now: datetime) -> Any:
    forgotten = or_(calls.c.due_at.is_(None), calls.c.due_at < now - _OVERLOOKED)
    return select(calls.c.referral_id).where(calls.c.done_at.is_(None), forgotten)


def _recused_take_part() -> Any:
    asked = exists().where(
        handoffs.c.referral_id == recusals.c.referral_id,
        handoffs.c.to_team_id == recusals.c.team_id,
        handoffs.c.state.in_(OPEN),
    )
    opens = exists().where(
        grants.c.referral_id == recusals.c.referral_id,
        grants.c.team_id == recusals.c.team_id,
        grants.c.purpose == KeyPurpose.READING.value,
    )
    holds = exists().where(
        referrals.c.id == recusals.c.referral_id,
        referrals.c.custodian_team_id == recusals.c.team_id,
        referrals.c.state != State.CLOSED.value,
    )
    return select(recusals.c.referral_id).where(or_(asked, opens, holds))


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


def _opened_after_its_end() -> Any:
    ended = (HandoffState.DECLINED, HandoffState.LAPSED, HandoffState.RECALLED, HandoffState.RETURNED)
    opens = exists().where(grants.c.handoff_id == handoffs.c.id)
    return select(handoffs.c.referral_id).where(handoffs.c.state.in_(ended), opens)


def _late_clock(session: Session, now: datetime) -> list[str]:
    last = heartbeat.last(session, "clock")
    if last is None:
        return ["the clock has never run"]
    if now - last > _OVERLOOKED:
        return [f"the clock last ran at {last:%Y-%m-%d %H:%M} UTC"]
    return []
