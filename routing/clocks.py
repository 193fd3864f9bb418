"""The sweep of everything that is due: nobody answered, nobody acted, nobody routed. It only ever adds a step.

Clocks are rows with a due time, so a process that stood still for an hour delays and forgets nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Select, Table, select, true, update
from sqlalchemy.orm import Session

from directory import reach, teams
from directory.teams import TeamKind
from foundation import database, outbox
from ledger import entries
from ledger.entries import Actor
from referrals import moves
from referrals.duty import Duty
from referrals.facts import Urgency
from referrals.filing import ROUTE
from referrals.states import Move, State
from referrals.tables import referrals
from routing import calls, handoffs, overlap, recusals, telling, timetable
from routing.handoffs import AlreadyAnswered, Offer
from routing.states import KINDS, OPEN, Basis, Kind, Reason
from routing.steps import STEPS_OF
from routing.tables import calls as call_rows
from routing.tables import handoffs as handoff_rows
from routing.timetable import desk_due

log = logging.getLogger(__name__)

_CLOCK = Actor(part="clock")
# A step that failed comes again after this long.
_PUT_OFF = timedelta(minutes=5)
# However long nothing has happened, somebody is told at least this often.
_SELDOM = timedelta(hours=4)
# Entries of the clock's own: they are not what it waits for.
_NO_NEWS = (Move.REMIND.value, "handoff_escalated")


def sweep(duty: Duty, most: int = 200) -> int:
    """Takes every step that is due, each in a transaction of its own; returns how many were taken."""
    with database.reading(duty.engine) as session:
        now = database.now(session)
        found = [(due, _ids(session, due.query(now), most)) for due in _DUE]
    return sum(_took(duty, due, id) for due, ids in found for id in ids)


Step = Callable[[Session, Duty, str], None]


@dataclass(frozen=True)
class _Due:
    """One kind of clock: its column, which rows count, and the step that is taken."""

    column: Column[Any]
    counts: ColumnElement[bool]
    step: Step

    def query(self, now: datetime) -> Select[str]:
        """The ids of what is due, most overdue first."""
        table = self.column.table
        return select(table.c.id).where(self.counts, self.column <= now).order_by(self.column)


def _took(duty: Duty, due: _Due, id: str) -> bool:
    """Whether the step could be taken. One that fails is put off, so that it neither stops nor starves the others."""
    try:
        with database.transaction(duty.engine) as session:
            due.step(session, duty, id)
        return True
    except (AlreadyAnswered, moves.NotNow):
        # Somebody answered between our look and our step: that is what the clock waits for.
        return False
    except Exception as fault:
        log.error("a due step failed: %s", type(fault).__name__)
    table = due.column.table
    assert isinstance(table, Table)
    with database.transaction(duty.engine) as session:
        put_off = database.now(session) + _PUT_OFF
        session.execute(update(table).where(table.c.id == id).values({due.column.name: put_off}))
    return False


def _ids(session: Session, query: Select[str], most: int) -> list[str]:
    return list(session.execute(query.limit(most)).scalars())


def _remind_asked(session: Session, duty: Duty, handoff_id: str) -> None:
    """Half the time of an offer's first step is over."""
    now, row = database.now(session), handoffs.handoff(session, handoff_id)
    taken = database.changed(
        session,
        update(handoff_rows)
        .where(handoff_rows.c.id == row.id, handoff_rows.c.remind_at <= now, handoff_rows.c.state.in_(OPEN))
        .values(remind_at=None),
    )
    if taken == 1:
        telling.remind(session, row, now)


def _remind_holder(session: Session, duty: Duty, referral_id: str) -> None:
    """Half the custodian's time is over. Nothing changes but that it is told."""
    now, row = database.now(session), moves.lock(session, referral_id)
    if row.remind_at is None or row.remind_at > now or row.state == State.CLOSED.value:
        return
    moves.reminded(session, referral_id)
    telling.tell_custodian(session, row, row.custodian_team_id, "reminder", now)


def _end_overlap(session: Session, duty: Duty, handoff_id: str) -> None:
    overlap.finish(session, handoff_id, database.now(session))


def _call_again(session: Session, duty: Duty, call_id: str) -> None:
    calls.remind(session, call_id, database.now(session))


def _next_step(session: Session, duty: Duty, handoff_id: str) -> None:
    now, row = database.now(session), handoffs.handoff(session, handoff_id)
    kind, urgency, step = Kind(row.kind), Urgency(row.urgency), row.step + 1
    steps = STEPS_OF[kind][urgency]
    state = moves.lock(session, row.referral_id).state
    if row.state not in OPEN or row.due_at > now:
        return
    if state == State.CLOSED.value:
        handoffs.recall(session, row.id, actor=_CLOCK, now=now, why="closed")
        return
    clocks = timetable.of(session, row.to_team_id or row.from_team_id)
    last = step == len(steps) - 1
    due_at = (
        clocks.after(row.offered_at, clocks.step_after(kind, urgency, step) * 2, urgency)
        if last
        else clocks.step_due(row.offered_at, kind, urgency, step + 1)
    )
    taken = database.changed(
        session,
        update(handoff_rows)
        .where(handoff_rows.c.id == row.id, handoff_rows.c.step == row.step, handoff_rows.c.state.in_(OPEN))
        .values(step=step, due_at=due_at, remind_at=None),
    )
    if taken != 1:
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
    if steps[step].calls and kind is Kind.TRANSFER:
        calls.owe(session, row, now)
    if last:
        # Before anybody is told: a lapse withdraws what was not sent yet.
        handoffs.lapse(session, row.id, now)
    telling.tell_step(session, handoffs.handoff(session, row.id), now)
    if last and row.kind == Kind.TRANSFER.value and row.reason != Reason.HANDED_ON.value:
        _climb(session, duty, row, now)


def _climb(session: Session, duty: Duty, row: Row[Any], now: datetime) -> None:
    """Nobody answered on the whole ladder: the next reachable team up the tree that was not asked yet.

    At the top, or at the custodian itself, it is back at the custodian's desk, whose own clock goes on.
    """
    referral = moves.referral(session, row.referral_id)
    up = _up_the_tree(session, row)
    if up is None and _is_office(session, referral.custodian_team_id):
        # It forwards and cannot work on it: the last resort is asked again at once.
        up = teams.root_desk(session).id
    if up is None or up == referral.custodian_team_id or referral.state == State.CLOSING.value:
        telling.tell_custodian(session, referral, referral.custodian_team_id, "task", now)
        return
    _offer_up(session, duty, referral, up, row.decision_id, now)


def _up_the_tree(session: Session, row: Row[Any]) -> str | None:
    """The nearest team above that can be told in time and was not asked; None where all were."""
    by_telephone = row.urgency == Urgency.IMMINENT.value
    passed_over = (
        reach.unreachable(session, by_telephone=by_telephone).keys()
        | recusals.teams(session, row.referral_id)
        | {offer.to_team_id for offer in handoffs.of_referral(session, row.referral_id)}
    )
    above = teams.ancestors(session, row.to_team_id)
    return next((team.id for team in above if team.id not in passed_over), None)


def _offer_up(
    session: Session, duty: Duty, referral: Row[Any], up: str, decision_id: str | None, now: datetime
) -> None:
    proposal = Offer(
        referral_id=referral.id,
        kind=Kind.TRANSFER,
        from_team=referral.custodian_team_id,
        to_team=up,
        reason=Reason.NO_ANSWER,
        basis=Basis.INTAKE_ROUTING,
        parts=KINDS[Kind.TRANSFER].parts,
        decision_id=decision_id,
    )
    handoffs.offer(session, duty.keys, proposal, actor=_CLOCK, now=now)


def _remind(session: Session, duty: Duty, referral_id: str) -> None:
    """Whoever holds it is late: they are told again, less and less often, and the desk above them too.

    What waits at a desk is then offered to the desk above, as silence climbs. It never closes by itself.
    """
    now, row = database.now(session), moves.lock(session, referral_id)
    if row.state == State.CLOSED.value or row.due_at > now:
        return
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
    if _is_unrouted(session, row):
        outbox.post(session, ROUTE, row.id, now=now, urgent=row.urgency != Urgency.ROUTINE.value)
    elif row.state == State.AT_DESK.value and above.id != holder:
        _offer_up(session, duty, current, above.id, None, now)
    elif above.id != holder:
        telling.tell_custodian(session, current, above.id, "task", now)


def _is_unrouted(session: Session, row: Row[Any]) -> bool:
    """Not routed yet, or back at an office, which forwards and holds nothing: routing asks the desks again."""
    if row.state == State.FILED.value:
        return True
    return row.state == State.AT_DESK.value and _is_office(session, row.custodian_team_id)


def _is_office(session: Session, team_id: str) -> bool:
    return bool(teams.team(session, team_id).kind == TeamKind.OFFICE.value)


def _again(session: Session, row: Row[Any], team_id: str, now: datetime) -> datetime:
    """After as long again as nothing has happened, between the desk's own time and four hours."""
    soonest = desk_due(session, team_id, Urgency(row.urgency), now)
    last = entries.last_at(session, row.id, but_for=_NO_NEWS) or now
    return max(soonest, now + min(now - last, _SELDOM))


# Every clock there is. Each is a column of a row, so that nothing is kept in a process.
_DUE: tuple[_Due, ...] = (
    _Due(handoff_rows.c.due_at, handoff_rows.c.state.in_(OPEN), _next_step),
    _Due(referrals.c.due_at, referrals.c.state != State.CLOSED.value, _remind),
    _Due(handoff_rows.c.remind_at, handoff_rows.c.state.in_(OPEN), _remind_asked),
    _Due(referrals.c.remind_at, referrals.c.state != State.CLOSED.value, _remind_holder),
    _Due(handoff_rows.c.ends_at, true(), _end_overlap),
    _Due(call_rows.c.due_at, call_rows.c.done_at.is_(None), _call_again),
)
