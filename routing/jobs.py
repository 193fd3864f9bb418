"""Routing a referral in the worker: decide, write down why, and offer it. Safe to run twice."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.orm import Session

from directory import reach, teams
from directory.teams import TeamKind
from foundation import clock, database, outbox
from foundation.identifiers import new_id
from ledger import entries
from ledger.entries import Actor
from referrals import moves
from referrals.duty import Duty
from referrals.facts import Facts, Urgency
from referrals.filing import ROUTE, Mark
from referrals.grants import Keys
from referrals.states import State
from routing import canary, drills, handoffs, outcomes, snapshots, telling
from routing.decision import Decision, decide
from routing.handoffs import Offer
from routing.snapshots import Snapshot
from routing.states import KINDS, OPEN, Basis, HandoffState, Kind, Reason
from routing.tables import decisions
from routing.tables import handoffs as handoff_rows

_ROUTING = Actor(part="routing")
_ROUTABLE = {State.FILED.value, State.OFFERED.value, State.AT_DESK.value}
_RE_ROUTES = {TeamKind.HUB.value, TeamKind.ROOT.value}
# In the place of what a decision was made from: the next one is made whatever was asked then.
_ASKED_AGAIN = ""
# Who said no, or nothing, is not asked again by a rule.
_SPENT = {HandoffState.DECLINED.value, HandoffState.LAPSED.value, HandoffState.RETURNED.value}


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


def decide_again(session: Session, referral_id: str, *, actor: Actor, now: datetime) -> None:
    """A person wants it decided by the rules of today, though nothing new is known of it. Routing does it at once."""
    row, before = moves.lock(session, referral_id), latest(session, referral_id)
    if before is not None:
        session.execute(update(decisions).where(decisions.c.id == before.id).values(inputs=_ASKED_AGAIN))
    entries.append(session, referral_id, kind="decision_asked", at=now, actor=actor, facts={})
    outbox.post(session, ROUTE, referral_id, now=now, urgent=row.urgency != Urgency.ROUTINE.value)


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
    snapshot = snapshots.current(session, now)
    facts, said_no = Facts.from_json(row.facts), spent(session, [row.id]).get(row.id, {})
    inputs = _inputs(facts, said_no)
    before = latest(session, row.id)
    if _asks_a_better_team(session, row.id):
        return
    if before is not None and (better := _better_team(session, row.id)):
        _offer_better(session, keys, row, better, before.id, now)
        return
    if before is not None and before.inputs == inputs and not _is_stranded(session, row):
        return
    decision = decide(
        facts,
        snapshot.rules,
        snapshot.boundaries,
        as_of=now,
        unreachable=unreachable(session, facts.urgency),
        excluded=said_no,
    )
    decision_id = _write_down(session, row.id, decision, snapshot, inputs, now)
    _ACTS[row.mark](outcomes.Case(session, keys, row, decision, decision_id, now))


_ACTS: dict[str | None, Callable[[outcomes.Case], None]] = {
    None: outcomes.act_on,
    Mark.CANARY.value: canary.act_on,
    Mark.DRILL.value: drills.act_on,
}


def _is_stranded(session: Session, row: Row[Any]) -> bool:
    """An office forwards and holds nothing: while it has custody, somebody is always asked."""
    is_office = teams.team(session, row.custodian_team_id).kind == TeamKind.OFFICE.value
    return is_office and not handoffs.open_offers(session, row.id, Kind.TRANSFER)


def _better_team(session: Session, referral_id: str) -> str | None:
    """The team that the last decliner named as the better one, unless it was asked already."""
    past = handoffs.of_referral(session, referral_id)
    asked = {offer.to_team_id for offer in past if offer.kind == Kind.TRANSFER.value}
    named = [offer.better_team_id for offer in past if offer.better_team_id]
    return named[-1] if named and named[-1] not in asked else None


def _asks_a_better_team(session: Session, referral_id: str) -> bool:
    """While a team that a person named is asked, no rule asks another."""
    asked = handoffs.open_offers(session, referral_id, Kind.TRANSFER)
    return any(offer.reason == Reason.BETTER_TEAM.value for offer in asked)


def _offer_better(
    session: Session, keys: Keys, row: Row[Any], team_id: str, decision_id: str, now: datetime
) -> None:
    proposal = Offer(
        referral_id=row.id,
        kind=Kind.TRANSFER,
        from_team=row.custodian_team_id,
        to_team=team_id,
        reason=Reason.BETTER_TEAM,
        basis=Basis.INTAKE_ROUTING,
        parts=KINDS[Kind.TRANSFER].parts,
        decision_id=decision_id,
    )
    handoffs.offer(session, keys, proposal, actor=_ROUTING, now=now)


def unreachable(session: Session, urgency: Urgency) -> dict[str, str]:
    """Why, by id, of the teams that nobody could tell of a referral of that urgency. Imminent waits for no mail."""
    return reach.unreachable(session, by_telephone=urgency is Urgency.IMMINENT)


def spent(session: Session, referral_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """By referral: teams that were offered it and said no, or nothing, each with what became of the newest offer."""
    # Who would not even be consulted about the subject is not asked to lead.
    to_lead = or_(
        handoff_rows.c.kind == Kind.TRANSFER.value, handoff_rows.c.reason == Reason.SUBJECT_PLACE.value
    )
    offered = (
        select(handoff_rows.c.referral_id, handoff_rows.c.to_team_id, handoff_rows.c.state)
        .where(handoff_rows.c.referral_id.in_(referral_ids), to_lead)
        .order_by(handoff_rows.c.offered_at, handoff_rows.c.id)
    )
    said_no: dict[str, dict[str, str]] = defaultdict(dict)
    for referral_id, team_id, state in session.execute(offered):
        if state in _SPENT:
            said_no[referral_id][team_id] = state
    return dict(said_no)


def _inputs(facts: Facts, said_no: Mapping[str, str]) -> str:
    """Equal for equal questions: then what was decided stands. The rules are no part of it: a publication alone moves
    nothing, whenever this job comes again."""
    asked: Any = {"facts": facts.as_json(), "spent": sorted(said_no)}
    return hashlib.sha256(rfc8785.dumps(asked)).hexdigest()


def _write_down(
    session: Session, referral_id: str, decision: Decision, snapshot: Snapshot, inputs: str, now: datetime
) -> str:
    id = new_id()
    session.execute(
        insert(decisions).values(
            id=id,
            referral_id=referral_id,
            made_at=now,
            status=decision.status.value,
            digest=decision.digest,
            inputs=inputs,
            rules_id=snapshot.rules_id,
            areas_id=snapshot.areas_id,
            explanation=decision.as_json(),
        )
    )
    entries.append(
        session,
        referral_id,
        kind="decided",
        at=now,
        actor=_ROUTING,
        facts={"made": id, "decision": decision.digest, "status": decision.status.value},
    )
    return id
