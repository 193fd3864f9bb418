"""Handoffs: offering, opening, acknowledging, declining, recalling. Custody moves here and nowhere else.

Each function is called inside a transaction of the edge and writes state, custody, grants, notices and ledger
together. Races are won by compare-and-set: one caller changes the row, the others get `AlreadyAnswered`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from directory import members, teams
from directory.teams import TeamKind
from foundation import database, outbox
from foundation.identifiers import new_id
from ledger import entries
from ledger.entries import Actor
from notifications import notices
from referrals import grants, moves
from referrals.facts import Urgency
from referrals.filing import ROUTE
from referrals.grants import Keys
from referrals.moves import NotNow
from referrals.sealing import PARTS
from referrals.states import Move, State
from routing import business_days, telling
from routing.business_days import desk_due
from routing.states import (
    FIRST_ACTION_WITHIN,
    KINDS,
    OPEN,
    STEPS,
    Basis,
    Decline,
    HandoffState,
    Kind,
    Reason,
    before,
)
from routing.tables import handoffs

_GIVES = (HandoffState.ACKNOWLEDGED, HandoffState.PASSED_ON, HandoffState.COMPLETED)
# Where a referral goes when nobody is asked any more.
_BACK = {State.OFFERED: Move.WAIT_AT_DESK, State.HELD: Move.REMIND}
_STILL_UNHELD = (State.FILED, State.AT_DESK, State.OFFERED)


class AlreadyAnswered(Exception):
    """Somebody was first, or the offer lapsed or was recalled; the sentence says who and when."""


@dataclass(frozen=True)
class Offer:
    """What is offered, to whom and on which ground."""

    referral_id: str
    kind: Kind
    from_team: str
    to_team: str
    reason: Reason
    basis: Basis
    parts: tuple[str, ...]
    decision_id: str | None = None


def handoff(session: Session, handoff_id: str) -> Row[Any]:
    """The handoff's row. Raises NoResultFound."""
    return session.execute(select(handoffs).where(handoffs.c.id == handoff_id)).one()


def of_referral(session: Session, referral_id: str) -> list[Row[Any]]:
    """All handoffs of a referral, oldest first."""
    query = select(handoffs).where(handoffs.c.referral_id == referral_id)
    return list(session.execute(query.order_by(handoffs.c.offered_at, handoffs.c.id)))


def open_offers(session: Session, referral_id: str, kind: Kind | None = None) -> list[Row[Any]]:
    """The offers of a referral that nobody answered yet."""
    query = select(handoffs).where(handoffs.c.referral_id == referral_id, handoffs.c.state.in_(OPEN))
    return list(session.execute(query.where(handoffs.c.kind == kind.value) if kind else query))


def offer(session: Session, keys: Keys, proposal: Offer, *, actor: Actor, now: datetime) -> str:
    """Offers a referral to a team and tells its people; returns the handoff's id. Custody does not move.

    The same open offer to the same team is made once: its id is returned again. Raises NotNow where the referral
    can't be offered (it is closed, a closing waits for approval, or that team holds it).
    """
    referral = moves.lock(session, proposal.referral_id)
    if proposal.to_team == referral.custodian_team_id:
        raise NotNow("this team holds the referral already")
    for existing in open_offers(session, proposal.referral_id, proposal.kind):
        if existing.to_team_id == proposal.to_team:
            return str(existing.id)
    urgency, receiver = Urgency(referral.urgency), teams.team(session, proposal.to_team)
    due_at = business_days.due(now, STEPS[urgency][1].after, urgency, receiver.time_zone)
    parts = _parts(session, proposal)
    id = new_id()
    session.execute(
        insert(handoffs).values(
            id=id,
            referral_id=proposal.referral_id,
            kind=proposal.kind.value,
            state=HandoffState.OFFERED.value,
            urgency=urgency.value,
            from_team_id=proposal.from_team,
            from_member_id=actor.member_id,
            to_team_id=proposal.to_team,
            reason=proposal.reason.value,
            basis=proposal.basis.value,
            parts=parts,
            decision_id=proposal.decision_id,
            offered_at=now,
            due_at=due_at,
            as_then=_as_then(session, proposal, actor),
        )
    )
    # Only a transfer can end the waiting of a referral that nobody took, so only it sets what is due next.
    waits = KINDS[proposal.kind].moves_custody and referral.state in _STILL_UNHELD
    moves.move(
        session,
        proposal.referral_id,
        Move.OFFER if KINDS[proposal.kind].moves_custody else Move.ASK,
        now=now,
        actor=actor,
        due_at=due_at if waits else referral.due_at,
        due_reason="answer" if waits else referral.due_reason,
        facts={
            "handoff": id,
            "kind": proposal.kind.value,
            "from_team": proposal.from_team,
            "to_team": proposal.to_team,
            "reason": proposal.reason.value,
            "basis": proposal.basis.value,
            "parts": parts,
            "decision": proposal.decision_id,
        },
    )
    if urgency is Urgency.IMMINENT and parts:
        # Imminent discloses at once: nobody waits for a press of a button to know what is coming.
        _disclose(session, keys, handoff(session, id), reason="imminent", made_by="routing", now=now)
    telling.tell_step(session, handoff(session, id), now)
    return id


def mark_opened(session: Session, handoff_id: str, actor: Actor, now: datetime) -> None:
    """A named person of the team looked. It silences "nobody has seen it" and stops no clock."""
    opened = _change(session, handoff_id, HandoffState.OPENED, opened_at=now, opened_by=actor.member_id)
    if opened:
        row = handoff(session, handoff_id)
        _record(session, row, "offer_opened", actor, now)


def acknowledge(
    session: Session, keys: Keys, handoff_id: str, *, actor: Actor, via: str, now: datetime
) -> Row[Any]:
    """A named member takes it; returns the handoff's row. `via` is `desk` or `sms`.

    For a transfer custody moves, other open transfers are withdrawn and the routing key's grant is dropped; for all
    kinds the agreed parts are granted. Raises AlreadyAnswered.
    """
    row = handoff(session, handoff_id)
    moves.lock(session, row.referral_id)
    if KINDS[Kind(row.kind)].moves_custody:
        # First, since at most one transfer of a referral is acknowledged at any moment; undone if we lose.
        _pass_on_the_one_before(session, row)
    _answer(session, handoff_id, HandoffState.ACKNOWLEDGED, actor, via, now)
    row = handoff(session, handoff_id)
    if KINDS[Kind(row.kind)].moves_custody:
        _move_custody(session, keys, row, actor, now)
    _disclose(session, keys, row, reason="acknowledged", made_by=str(actor.member_id), now=now)
    if KINDS[Kind(row.kind)].moves_custody:
        grants.drop_routing(session, row.referral_id)
    _record(session, row, "acknowledged", actor, now, via=via)
    notices.supersede(session, handoff_id)
    telling.tell_sender(session, row, "acknowledged", now)
    return row


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

    Raises AlreadyAnswered.
    """
    _answer(
        session,
        handoff_id,
        HandoffState.DECLINED,
        actor,
        via,
        now,
        decline_reason=reason.value,
        better_team_id=better_team,
    )
    row = handoff(session, handoff_id)
    _take_back(session, row)
    _record(session, row, "declined", actor, now, via=via, reason=reason.value, better_team=better_team)
    notices.supersede(session, handoff_id)
    telling.tell_sender(session, row, "task", now)
    _back_to_desk(session, row, actor, "declined", now)
    _owe_next_step(session, row, now)


def recall(session: Session, handoff_id: str, *, actor: Actor, now: datetime, why: str = "recalled") -> None:
    """The sender takes the offer back: grants go, the people who were told are told. Raises AlreadyAnswered."""
    _answer(session, handoff_id, HandoffState.RECALLED, actor, None, now)
    row = handoff(session, handoff_id)
    _take_back(session, row)
    _record(session, row, "recalled", actor, now, why=why)
    told = notices.told(session, handoff_id)
    notices.supersede(session, handoff_id)
    telling.tell_withdrawn(session, row, sorted(told), now)
    if actor.member_id:
        # Routing withdraws only to decide anew in the same breath.
        _back_to_desk(session, row, actor, "recalled", now)


def lapse(session: Session, handoff_id: str, now: datetime) -> None:
    """Written by the clock: nobody answered in time. What was granted in advance is taken back."""
    clock = Actor(part="clock")
    _answer(session, handoff_id, HandoffState.LAPSED, clock, None, now)
    row = handoff(session, handoff_id)
    _take_back(session, row)
    _record(session, row, "lapsed", clock, now)
    notices.supersede(session, handoff_id)
    telling.tell_sender(session, row, "task", now)
    _back_to_desk(session, row, clock, "no_answer", now)


def answered_sentence(session: Session, handoff_id: str) -> str:
    """Who answered an offer, and when, as the loser of a race reads it."""
    row = handoff(session, handoff_id)
    if row.answered_by is None:
        # Withdrawn because another team was first: that is who the loser wants to know.
        row = _held_transfer(session, row.referral_id) or row
    who = members.names(session, [row.answered_by]).get(row.answered_by, "the service")
    zone = ZoneInfo(teams.team(session, row.to_team_id).time_zone)
    when = row.answered_at.astimezone(zone).strftime("%H:%M") if row.answered_at else "an unknown time"
    return f"already {row.state.replace('_', ' ')} by {who} at {when}"


def _held_transfer(session: Session, referral_id: str) -> Row[Any] | None:
    return session.execute(
        select(handoffs).where(
            handoffs.c.referral_id == referral_id,
            handoffs.c.kind == Kind.TRANSFER.value,
            handoffs.c.state == HandoffState.ACKNOWLEDGED.value,
        )
    ).one_or_none()


def _answer(
    session: Session,
    handoff_id: str,
    state: HandoffState,
    actor: Actor,
    via: str | None,
    now: datetime,
    **columns: Any,
) -> None:
    won = _change(
        session,
        handoff_id,
        state,
        answered_at=now,
        answered_by=actor.member_id,
        answered_via=via,
        due_at=None,
        **columns,
    )
    if not won:
        raise AlreadyAnswered(answered_sentence(session, handoff_id))


def _change(session: Session, handoff_id: str, state: HandoffState, **columns: Any) -> bool:
    """The compare-and-set of all handoffs: true for the one caller who moved the row."""
    moves.lock(session, handoff(session, handoff_id).referral_id)
    changed = database.changed(
        session,
        update(handoffs)
        .where(handoffs.c.id == handoff_id, handoffs.c.state.in_(before(state)))
        .values(state=state.value, **columns),
    )
    return changed == 1


def _pass_on_the_one_before(session: Session, row: Row[Any]) -> None:
    session.execute(
        update(handoffs)
        .where(
            handoffs.c.referral_id == row.referral_id,
            handoffs.c.kind == Kind.TRANSFER.value,
            handoffs.c.state == HandoffState.ACKNOWLEDGED.value,
            handoffs.c.id != row.id,
        )
        .values(state=HandoffState.PASSED_ON.value)
    )


def _move_custody(session: Session, keys: Keys, row: Row[Any], actor: Actor, now: datetime) -> None:
    urgency = Urgency(row.urgency)
    receiver = teams.team(session, row.to_team_id)
    try:
        moves.move(
            session,
            row.referral_id,
            Move.ACKNOWLEDGE,
            now=now,
            actor=actor,
            custodian=row.to_team_id,
            expected_custodian=row.from_team_id,
            due_at=business_days.due(now, FIRST_ACTION_WITHIN[urgency], urgency, receiver.time_zone),
            due_reason="first_action",
            facts={"handoff": row.id, "from_team": row.from_team_id},
        )
    except NotNow as fault:
        raise AlreadyAnswered(str(fault)) from None
    for other in open_offers(session, row.referral_id, Kind.TRANSFER):
        recall(session, other.id, actor=Actor(part="routing"), now=now, why="another team acknowledged")
        if urgency is Urgency.IMMINENT:
            # The first to acknowledge leads; the other possible leads become its support.
            _ask_support(session, keys, row, other.to_team_id, now)


def _ask_support(session: Session, keys: Keys, row: Row[Any], team_id: str, now: datetime) -> None:
    proposal = Offer(
        referral_id=row.referral_id,
        kind=Kind.SUPPORT,
        from_team=row.to_team_id,
        to_team=team_id,
        reason=Reason.UNCERTAIN_PLACE,
        basis=Basis.EMERGENCY,
        parts=KINDS[Kind.SUPPORT].parts,
    )
    offer(session, keys, proposal, actor=Actor(part="routing"), now=now)


def _parts(session: Session, proposal: Offer) -> list[str]:
    """What goes along: what was chosen and can be granted; with a transfer always the notes, which the receiver
    needs to document."""
    chosen = {*proposal.parts, *(("notes",) if KINDS[proposal.kind].moves_custody else ())}
    chosen &= grants.openable(session, proposal.referral_id, proposal.from_team)
    return [part for part in PARTS if part in chosen]


def _take_back(session: Session, row: Row[Any]) -> None:
    """What this handoff granted goes, but for what another acknowledged handoff of the same team covers."""
    for other in of_referral(session, row.referral_id):
        if other.to_team_id == row.to_team_id and other.state in _GIVES and other.id != row.id:
            grants.inherit(session, row.id, other.id, other.parts)
    grants.withdraw(session, row.id)


def _disclose(
    session: Session, keys: Keys, row: Row[Any], *, reason: str, made_by: str, now: datetime
) -> None:
    grants.give(
        session,
        keys,
        row.referral_id,
        row.parts,
        to_team=row.to_team_id,
        from_team=row.from_team_id,
        made_by=made_by,
        reason=reason,
        now=now,
        handoff_id=row.id,
    )


def _back_to_desk(session: Session, row: Row[Any], actor: Actor, why: str, now: datetime) -> None:
    """Nobody is asked to take it any more: its custodian has to choose again, with a clock of its own."""
    referral = moves.referral(session, row.referral_id)
    step = _BACK.get(State(referral.state))
    asked_to_take = KINDS[Kind(row.kind)].moves_custody or row.kind == Kind.CONSULT.value
    if step is None or not asked_to_take or open_offers(session, referral.id, Kind.TRANSFER):
        return
    due_at = desk_due(session, referral.custodian_team_id, Urgency(referral.urgency), now)
    if referral.state == State.HELD.value:
        # Work that is due sooner stays due sooner.
        due_at = min(due_at, referral.due_at)
    moves.move(session, referral.id, step, now=now, actor=actor, due_at=due_at, due_reason=why)
    is_office = teams.team(session, referral.custodian_team_id).kind == TeamKind.OFFICE.value
    if why == "recalled" and is_office:
        # It forwards and cannot work on it, and no clock climbs from a recall: routing asks again.
        outbox.post(session, ROUTE, referral.id, now=now, urgent=referral.urgency != Urgency.ROUTINE.value)


def _owe_next_step(session: Session, row: Row[Any], now: datetime) -> None:
    """A transfer that routing offered is routed again without the team that said no."""
    if row.kind == Kind.TRANSFER.value and row.reason != Reason.HANDED_ON.value:
        outbox.post(session, ROUTE, row.referral_id, now=now, urgent=row.urgency != Urgency.ROUTINE.value)


def _record(session: Session, row: Row[Any], kind: str, actor: Actor, now: datetime, **facts: Any) -> None:
    entries.append(
        session,
        row.referral_id,
        kind=f"handoff_{kind}",
        at=now,
        actor=actor,
        facts={
            "handoff": row.id,
            "kind": row.kind,
            "from_team": row.from_team_id,
            "to_team": row.to_team_id,
            **facts,
        },
    )


def _as_then(session: Session, proposal: Offer, actor: Actor) -> dict[str, Any]:
    on_call: Sequence[str] = members.ladder(session, proposal.to_team)
    people = members.names(session, [*on_call, *([actor.member_id] if actor.member_id else [])])
    names = teams.names(session, [proposal.from_team, proposal.to_team])
    return {
        "from_team": names.get(proposal.from_team),
        "to_team": names.get(proposal.to_team),
        "from_member": people.get(actor.member_id) if actor.member_id else None,
        "ladder": [people[id] for id in on_call if id in people],
    }
