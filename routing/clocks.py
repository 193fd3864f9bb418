"""The sweep of everything that is due: nobody answered, nobody acted, nobody routed. It only ever adds a step.

Clocks are rows with a due time, so a process that stood still for an hour delays and forgets nothing.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, select, update
from sqlalchemy.orm import Session

from directory import members, teams
from foundation import database, outbox
from ledger import entries
from ledger.entries import Actor
from referrals import moves
from referrals.duty import Duty
from referrals.facts import Urgency
from referrals.filing import ROUTE
from referrals.states import Move, State
from referrals.tables import referrals
from routing import business_days, handoffs, telling
from routing.handoffs import AlreadyAnswered, Offer
from routing.states import DESK_WITHIN, KINDS, OPEN, STEPS, Basis, Kind, Reason
from routing.tables import handoffs as handoff_rows

log = logging.getLogger(__name__)

_CLOCK = Actor(part="clock")


def sweep(duty: Duty, most: int = 200) -> int:
    """Takes every step that is due, each in a transaction of its own; returns how many."""
    with database.reading(duty.engine) as session:
        now = database.now(session)
        offers, waiting = _due_offers(session, now, most), _due_referrals(session, now, most)
    for handoff_id in offers:
        _in_transaction(duty.engine, lambda session, id=handoff_id: _next_step(session, duty, id))
    for referral_id in waiting:
        _in_transaction(duty.engine, lambda session, id=referral_id: _remind(session, id))
    return len(offers) + len(waiting)


def _in_transaction(engine: Engine, step: Any) -> None:
    try:
        with database.transaction(engine) as session:
            step(session)
    except (AlreadyAnswered, moves.NotNow):
        # Somebody answered between our look and our step: that is what the clock waits for.
        return
    except Exception as fault:
        # One referral that cannot be stepped must not stop the clocks of all the others.
        log.error("a due step failed: %s", type(fault).__name__)


def _due_offers(session: Session, now: datetime, most: int) -> list[str]:
    query = select(handoff_rows.c.id).where(handoff_rows.c.state.in_(OPEN), handoff_rows.c.due_at <= now)
    return list(session.execute(query.order_by(handoff_rows.c.due_at).limit(most)).scalars())


def _due_referrals(session: Session, now: datetime, most: int) -> list[str]:
    query = select(referrals.c.id).where(referrals.c.state != State.CLOSED.value, referrals.c.due_at <= now)
    return list(session.execute(query.order_by(referrals.c.due_at).limit(most)).scalars())


def _next_step(session: Session, duty: Duty, handoff_id: str) -> None:
    now, row = database.now(session), handoffs.handoff(session, handoff_id)
    steps, step = STEPS[Urgency(row.urgency)], row.step + 1
    state = moves.lock(session, row.referral_id).state
    if row.state not in OPEN or row.due_at > now:
        return
    if state == State.CLOSED.value:
        handoffs.recall(session, row.id, actor=_CLOCK, now=now, why="closed")
        return
    receiver = teams.team(session, row.to_team_id)
    last = step == len(steps) - 1
    after = steps[step + 1].after if not last else steps[step].after * 2
    due_at = business_days.due(row.offered_at, after, Urgency(row.urgency), receiver.time_zone)
    taken = session.execute(
        update(handoff_rows)
        .where(handoff_rows.c.id == row.id, handoff_rows.c.step == row.step, handoff_rows.c.state.in_(OPEN))
        .values(step=step, due_at=due_at)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult
        return
    entries.append(
        session,
        row.referral_id,
        kind="handoff_escalated",
        at=now,
        actor=_CLOCK,
        facts={"handoff": row.id, "step": step, "to_team": row.to_team_id, "due": due_at.isoformat()},
    )
    if row.kind == Kind.TRANSFER.value and state == State.OFFERED.value:
        moves.set_due(session, row.referral_id, due_at)
    if last:
        # Before anybody is told: a lapse withdraws what was not sent yet.
        handoffs.lapse(session, row.id, now)
    telling.tell_step(session, handoffs.handoff(session, row.id), now)
    if last and row.kind == Kind.TRANSFER.value and row.reason != Reason.HANDED_ON.value:
        _climb(session, duty, row, now)


def _climb(session: Session, duty: Duty, row: Row[Any], now: datetime) -> None:
    """Nobody answered on the whole ladder: the next reachable team up the tree that was not asked yet."""
    referral = moves.referral(session, row.referral_id)
    up = _up_the_tree(session, row)
    if up == referral.custodian_team_id or referral.state == State.CLOSING.value:
        telling.tell_custodian(session, referral, referral.custodian_team_id, "task", now)
        return
    proposal = Offer(
        referral_id=row.referral_id,
        kind=Kind.TRANSFER,
        from_team=referral.custodian_team_id,
        to_team=up,
        reason=Reason.NO_ANSWER,
        basis=Basis.INTAKE_ROUTING,
        parts=KINDS[Kind.TRANSFER].parts,
        decision_id=row.decision_id,
    )
    handoffs.offer(session, duty.keys, proposal, actor=_CLOCK, now=now)


def _up_the_tree(session: Session, row: Row[Any]) -> str:
    """The nearest team above that can be reached and was not asked; at the end always the root desk, again."""
    passed_over = members.unreachable_teams(session) | {
        offer.to_team_id for offer in handoffs.of_referral(session, row.referral_id)
    }
    above = teams.ancestors(session, row.to_team_id)
    up: str = next((team.id for team in above if team.id not in passed_over), teams.root_desk(session).id)
    return up


def _remind(session: Session, referral_id: str) -> None:
    """Whoever holds it is late: they are told again, and the desk above them too. It never closes by itself."""
    now, row = database.now(session), moves.lock(session, referral_id)
    if row.state == State.CLOSED.value or row.due_at > now:
        return
    if row.state == State.FILED.value:
        outbox.post(session, ROUTE, row.id, now=now, urgent=row.urgency != Urgency.ROUTINE.value)
    holder = row.custodian_team_id
    moves.move(
        session,
        referral_id,
        Move.REMIND,
        now=now,
        actor=_CLOCK,
        due_at=_again(session, row, holder, now),
        due_reason=row.due_reason,
        facts={"late_since": row.due_at.isoformat()},
    )
    current = moves.referral(session, referral_id)
    telling.tell_custodian(session, current, holder, "reminder", now)
    above = teams.hub_above(session, holder)
    if above.id != holder:
        telling.tell_custodian(session, current, above.id, "task", now)


def _again(session: Session, row: Row[Any], team_id: str, now: datetime) -> datetime:
    urgency = Urgency(row.urgency)
    return business_days.due(now, DESK_WITHIN[urgency], urgency, teams.team(session, team_id).time_zone)
