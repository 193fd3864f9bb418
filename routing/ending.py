"""How an offer ends without an acknowledgement: declined, taken back, lapsed. The next step is owed at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from directory import teams
from directory.teams import TeamKind
from foundation import outbox
from ledger.entries import Actor
from notifications import notices
from referrals import grants, moves
from referrals.facts import Urgency
from referrals.filing import ROUTE
from referrals.states import Move, State
from routing import disclosure, recusals, register, telling
from routing.register import handoff, open_offers
from routing.states import Act, Decline, Kind, Reason
from routing.timetable import desk_due

# Where a referral goes when nobody is asked any more.
_BACK = {State.OFFERED: Move.WAIT_AT_DESK, State.HELD: Move.REMIND}
# Kinds after whose end the custodian has to choose again.
_COUNTED_ON = {Kind.TRANSFER.value, Kind.CONSULT.value, Kind.EXTERNAL.value}


def decline(
    session: Session,
    handoff_id: str,
    *,
    reason: Decline,
    actor: Actor,
    via: str,
    now: datetime,
    better_team: str | None = None,
) -> None:
    """A named member says no, with a reason. The next step is owed at once: nothing waits for the sender to notice.

    A conflict of interest recuses the team. Raises AlreadyAnswered.
    """
    columns = {"decline_reason": reason.value, "better_team_id": better_team}
    row = register.answer(session, handoff_id, Act.DECLINE, actor, via, now, **columns)
    disclosure.take_back(session, row)
    register.write(
        session, row, "declined", actor, now, via=via, reason=reason.value, better_team=better_team
    )
    notices.supersede(session, handoff_id)
    if reason is Decline.CONFLICT and row.to_team_id:
        recusals.note(session, row.referral_id, actor=actor, now=now, team_id=row.to_team_id)
        grants.drop_team(session, row.referral_id, row.to_team_id)
    telling.tell_sender(session, row, "task", now)
    back_to_desk(session, row, actor, "declined", now)
    owe_next_step(session, row, now)


def recall(session: Session, handoff_id: str, *, actor: Actor, now: datetime, why: str = "recalled") -> None:
    """The sender takes the offer back: grants go, the people who were told are told. Raises AlreadyAnswered."""
    row = register.answer(session, handoff_id, Act.RECALL, actor, None, now)
    disclosure.take_back(session, row)
    register.write(session, row, "recalled", actor, now, why=why)
    told = notices.told(session, handoff_id)
    notices.supersede(session, handoff_id)
    if row.to_team_id:
        telling.tell_withdrawn(session, row, sorted(told), now)
    if actor.member_id:
        # Routing withdraws only to decide anew in the same breath.
        back_to_desk(session, row, actor, "recalled", now)


def lapse(session: Session, handoff_id: str, now: datetime) -> None:
    """Written by the clock: nobody answered in time. What was granted in advance is taken back."""
    clock = Actor(part="clock")
    row = register.answer(session, handoff_id, Act.LAPSE, clock, None, now)
    disclosure.take_back(session, row)
    register.write(session, row, "lapsed", clock, now)
    notices.supersede(session, handoff_id)
    telling.tell_sender(session, row, "task", now)
    back_to_desk(session, row, clock, "no_answer", now)


def back_to_desk(session: Session, row: Row[Any], actor: Actor, why: str, now: datetime) -> None:
    """Nobody is asked to take it any more: its custodian has to choose again, with a clock of its own."""
    referral = moves.referral(session, row.referral_id)
    step = _BACK.get(State(referral.state))
    if step is None or row.kind not in _COUNTED_ON or open_offers(session, referral.id, Kind.TRANSFER):
        return
    due_at = desk_due(session, referral.custodian_team_id, Urgency(referral.urgency), now)
    if referral.state == State.HELD.value:
        # Work that is due sooner stays due sooner.
        due_at = min(due_at, referral.due_at)
    moves.move(session, referral.id, step, now=now, actor=actor, due_at=due_at, due_reason=why)
    is_office = teams.team(session, referral.custodian_team_id).kind == TeamKind.OFFICE.value
    if why == "recalled" and is_office:
        # It forwards and cannot work on it, and no clock climbs from a recall: routing asks again.
        _owe_route(session, row, now)


def owe_next_step(session: Session, row: Row[Any], now: datetime) -> None:
    """A transfer that routing offered is routed again without the team that said no."""
    if row.kind == Kind.TRANSFER.value and row.reason != Reason.HANDED_ON.value:
        _owe_route(session, row, now)


def close(session: Session, referral_id: str, *, actor: Actor, now: datetime) -> None:
    """The referral is closed: what nobody answered is taken back, what was acknowledged is completed."""
    for row in open_offers(session, referral_id):
        recall(session, row.id, actor=actor, now=now, why="closed")
    for row in register.acknowledged(session, referral_id):
        complete(session, row.id, actor=actor, now=now)


def complete(session: Session, handoff_id: str, *, actor: Actor, now: datetime) -> None:
    """What was asked is done. Who did it keeps what it was given. Raises AlreadyAnswered."""
    row = register.end(session, handoff_id, Act.COMPLETE, actor, now)
    register.write(session, row, "completed", actor, now)


def withdraw_transfers(session: Session, referral_id: str, why: str, now: datetime) -> list[Row[Any]]:
    """Takes back every open offer of custody; returns them as they were."""
    rows = open_offers(session, referral_id, Kind.TRANSFER)
    for row in rows:
        recall(session, row.id, actor=Actor(part="routing"), now=now, why=why)
    return rows


def settle_requests(session: Session, referral_id: str, holder: str, now: datetime) -> None:
    """Custody moved: the new custodian's own request is fulfilled, and what others asked of the old one is void."""
    routing = Actor(part="routing")
    for row in open_offers(session, referral_id, Kind.REQUEST):
        if row.from_team_id == holder:
            register.answer(session, row.id, Act.ACKNOWLEDGE, routing, None, now)
            continue
        recall(session, row.id, actor=routing, now=now, why="custody moved")
        telling.tell_sender(session, handoff(session, row.id), "withdrawn", now)
    for row in register.acknowledged(session, referral_id, Kind.REQUEST):
        if row.from_team_id == holder:
            complete(session, row.id, actor=routing, now=now)


def _owe_route(session: Session, row: Row[Any], now: datetime) -> None:
    outbox.post(session, ROUTE, row.referral_id, now=now, urgent=row.urgency != Urgency.ROUTINE.value)
