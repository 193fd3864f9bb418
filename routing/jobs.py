"""Routing a referral in the worker: decide, write down why, and offer it. Safe to run twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from directory import members, teams
from directory.teams import TeamKind
from foundation import clock, database
from foundation.identifiers import new_id
from ledger.entries import Actor
from referrals import grants, moves
from referrals.duty import Duty
from referrals.facts import Facts, Urgency
from referrals.filing import Source
from referrals.grants import Keys
from referrals.sealing import PARTS
from referrals.states import Move, State
from routing import business_days, handoffs, snapshots, telling
from routing.decision import Decision, Status, decide
from routing.handoffs import Offer
from routing.states import DESK_WITHIN, KINDS, OPEN, Basis, HandoffState, Kind, Reason
from routing.tables import decisions

_ROUTING = Actor(part="routing")
_ROUTABLE = {State.FILED.value, State.OFFERED.value, State.AT_DESK.value}
_RE_ROUTES = {TeamKind.HUB.value, TeamKind.ROOT.value}
# Who said no, or nothing, is not asked again by a rule.
_SPENT = {HandoffState.DECLINED.value, HandoffState.LAPSED.value}


def route_referral(duty: Duty, referral_id: str) -> None:
    """Decides who answers for a referral and offers it to them, in one transaction."""
    now = clock.now()
    with database.transaction(duty.engine) as session:
        row = moves.lock(session, referral_id)
        if _is_routable(session, row):
            _route(session, duty.keys, row, now)


def next_contact(duty: Duty, handoff_id: str) -> None:
    """A message to somebody failed for good: the next on the team's ladder is told at once."""
    with database.transaction(duty.engine) as session:
        row = handoffs.handoff(session, handoff_id)
        if row.state in OPEN:
            telling.tell_next(session, row, clock.now())


def latest(session: Session, referral_id: str) -> Row[Any] | None:
    """The newest decision about a referral, or None."""
    return session.execute(
        select(decisions)
        .where(decisions.c.referral_id == referral_id)
        .order_by(decisions.c.made_at.desc(), decisions.c.id)
        .limit(1)
    ).one_or_none()


def _is_routable(session: Session, row: Row[Any]) -> bool:
    """Until a team works on it; and while a hub holds it, whose work is to find the team."""
    if row.state == State.HELD.value:
        return teams.team(session, row.custodian_team_id).kind in _RE_ROUTES
    return row.state in _ROUTABLE


def _route(session: Session, keys: Keys, row: Row[Any], now: datetime) -> None:
    snapshot = snapshots.current(session)
    facts, spent = Facts.from_json(row.facts), _spent(session, row.id)
    inputs = _inputs(facts, spent, f"{snapshot.rules_id} {snapshot.areas_id}")
    before = latest(session, row.id)
    if before is not None and before.inputs == inputs:
        return
    decision = decide(
        facts,
        snapshot.rules,
        snapshot.boundaries,
        as_of=now,
        unreachable=members.unreachable_teams(session),
        excluded=spent,
    )
    decision_id = _write_down(session, row.id, decision, inputs, now)
    holder = _designate(session, keys, row, decision, now)
    _ACT[decision.status](session, keys, row, decision, decision_id, holder, now)
    _offer_company(session, keys, row, decision, decision_id, holder, now)


def _spent(session: Session, referral_id: str) -> frozenset[str]:
    past = handoffs.of_referral(session, referral_id)
    return frozenset(
        offer.to_team_id for offer in past if offer.kind == Kind.TRANSFER.value and offer.state in _SPENT
    )


def _inputs(facts: Facts, spent: frozenset[str], snapshot: str) -> str:
    """Equal for equal questions: then what was decided stands."""
    asked: Any = {"facts": facts.as_json(), "spent": sorted(spent), "snapshot": snapshot}
    return hashlib.sha256(rfc8785.dumps(asked)).hexdigest()


def _write_down(session: Session, referral_id: str, decision: Decision, inputs: str, now: datetime) -> str:
    id = new_id()
    session.execute(
        insert(decisions).values(
            id=id,
            referral_id=referral_id,
            made_at=now,
            status=decision.status.value,
            digest=decision.digest,
            inputs=inputs,
            explanation=decision.as_json(),
        )
    )
    return id


def _designate(session: Session, keys: Keys, row: Row[Any], decision: Decision, now: datetime) -> str:
    """The custodian until somebody acknowledges: the office that forwarded it, or for a public tip the hub that
    answers for its place. A hub never offers to itself: then the desk above it holds the tip meanwhile."""
    if row.source == Source.FORWARD.value or row.state != State.FILED.value:
        return str(row.custodian_team_id)
    owner = decision.owner
    if owner in decision.leads:
        owner = teams.hub_above(session, owner).id
    grants.give(
        session,
        keys,
        row.id,
        PARTS,
        to_team=owner,
        from_team=owner,
        made_by="routing",
        reason="designated",
        now=now,
    )
    moves.move(
        session,
        row.id,
        Move.WAIT_AT_DESK,
        now=now,
        actor=_ROUTING,
        custodian=owner,
        due_at=_desk_due(session, row, owner, now),
        due_reason=decision.status.value,
        facts={"decision": decision.digest, "status": decision.status.value},
    )
    return owner


def _offer_lead(
    session: Session,
    keys: Keys,
    row: Row[Any],
    decision: Decision,
    decision_id: str,
    holder: str,
    now: datetime,
) -> None:
    lead = decision.leads[0]
    _withdraw_others(session, row.id, {lead}, now)
    if lead == holder:
        # The team that holds it already is the one: it works on it from its own desk.
        _ask_desk(session, keys, row, decision, decision_id, holder, now)
        return
    _offer(session, keys, row, Kind.TRANSFER, holder, lead, Reason.ROUTED, decision_id, now)


def _offer_all(
    session: Session,
    keys: Keys,
    row: Row[Any],
    decision: Decision,
    decision_id: str,
    holder: str,
    now: datetime,
) -> None:
    """No rule settled it. Imminent waits for nobody: all who might lead are asked at once. Else a desk decides."""
    asked = [team for team in decision.offered_at_once if team != holder]
    _withdraw_others(session, row.id, {*asked, decision.owner}, now)
    for team in asked:
        _offer(session, keys, row, Kind.TRANSFER, holder, team, Reason.UNCERTAIN_PLACE, decision_id, now)
    if not asked or decision.owner == holder:
        _ask_desk(session, keys, row, decision, decision_id, holder, now)


def _ask_desk(
    session: Session,
    keys: Keys,
    row: Row[Any],
    decision: Decision,
    decision_id: str,
    holder: str,
    now: datetime,
) -> None:
    """A desk has to look: the holder's own if it re-routes, else the owner's desk is offered the referral."""
    if teams.team(session, holder).kind == TeamKind.OFFICE.value:
        reason = Reason.NO_LOCAL_TEAM if decision.status is Status.NO_COVERAGE else Reason.UNCERTAIN_PLACE
        _offer(session, keys, row, Kind.TRANSFER, holder, decision.owner, reason, decision_id, now)
        return
    unheld = moves.referral(session, row.id).state != State.HELD.value
    if unheld and not handoffs.open_offers(session, row.id, Kind.TRANSFER):
        moves.move(
            session,
            row.id,
            Move.WAIT_AT_DESK,
            now=now,
            actor=_ROUTING,
            due_at=_desk_due(session, row, holder, now),
            due_reason=decision.status.value,
            facts={"decision": decision.digest, "status": decision.status.value},
        )
    telling.tell_custodian(session, moves.referral(session, row.id), holder, "task", now)


Act = Callable[[Session, Keys, Row[Any], Decision, str, str, datetime], None]
# Each of the five outcomes has an owner and a clock.
_ACT: dict[Status, Act] = {
    Status.ROUTED: _offer_lead,
    Status.AMBIGUOUS: _offer_all,
    Status.CONFIRM_LOCATION: _offer_all,
    Status.LOCATION_NEEDED: _offer_all,
    Status.NO_COVERAGE: _offer_all,
}


def _offer_company(
    session: Session,
    keys: Keys,
    row: Row[Any],
    decision: Decision,
    decision_id: str,
    holder: str,
    now: datetime,
) -> None:
    """Support and notify rules all apply, whoever leads; each team is asked once, and the holder never."""
    past = handoffs.of_referral(session, row.id)
    for kind, reason, company in (
        (Kind.SUPPORT, Reason.SUPPORT_RULE, decision.supports),
        (Kind.INFORM, Reason.NOTIFY_RULE, decision.notifies),
    ):
        asked = {holder, *(offer.to_team_id for offer in past if offer.kind == kind.value)}
        for team in (team for team in company if team not in asked):
            _offer(session, keys, row, kind, holder, team, reason, decision_id, now)


def _offer(
    session: Session,
    keys: Keys,
    row: Row[Any],
    kind: Kind,
    from_team: str,
    to_team: str,
    reason: Reason,
    decision_id: str,
    now: datetime,
) -> None:
    proposal = Offer(
        referral_id=row.id,
        kind=kind,
        from_team=from_team,
        to_team=to_team,
        reason=reason,
        basis=Basis.INTAKE_ROUTING,
        parts=KINDS[kind].parts,
        decision_id=decision_id,
    )
    handoffs.offer(session, keys, proposal, actor=_ROUTING, now=now)


def _withdraw_others(session: Session, referral_id: str, kept: set[str], now: datetime) -> None:
    """Open offers that a newer decision does not make any more: "withdrawn, not yours"."""
    for offer in handoffs.open_offers(session, referral_id, Kind.TRANSFER):
        if offer.to_team_id not in kept:
            handoffs.recall(session, offer.id, actor=_ROUTING, now=now, why="decided anew")


def _desk_due(session: Session, row: Row[Any], team_id: str, now: datetime) -> datetime:
    urgency = Urgency(row.urgency)
    return business_days.due(now, DESK_WITHIN[urgency], urgency, teams.team(session, team_id).time_zone)
