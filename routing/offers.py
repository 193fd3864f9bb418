"""Offering: a referral is put before a team, or before somebody outside the directory. Custody does not move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert
from sqlalchemy.orm import Session

from directory import members, schedules, teams
from foundation.identifiers import new_id
from ledger.entries import Actor
from referrals import moves
from referrals.facts import Urgency
from referrals.grants import Keys
from referrals.moves import NotNow
from referrals.states import Move, State
from routing import disclosure, handling, recusals, telling, timetable
from routing.disclosure import NotDisclosable
from routing.register import handoff, open_offers
from routing.states import KINDS, Basis, HandoffState, Kind, Reason
from routing.tables import handoffs

_STILL_UNHELD = (State.FILED, State.AT_DESK, State.OFFERED)


@dataclass(frozen=True)
class Offer:
    """What is offered, to whom and on which ground.

    `to_team` is None for a recipient outside the directory, whose agency `outside` names. `about` is the team that a
    permission is asked for. `ground_id` and `need_id` name sealed words: the threat behind an emergency, and what a
    supporter is asked for. `override_id` names those by which a member sets the originator's handling code aside in
    imminent danger; `conditions_met` says that they read its conditions (H3). `extra` are facts for the ledger: ids
    and codes only.
    """

    referral_id: str
    kind: Kind
    from_team: str
    to_team: str | None
    reason: Reason
    basis: Basis
    parts: tuple[str, ...]
    decision_id: str | None = None
    about: str = ""
    outside: str | None = None
    ground_id: str | None = None
    need_id: str | None = None
    override_id: str | None = None
    conditions_met: bool = False
    overlap_until: datetime | None = None
    extra: tuple[tuple[str, Any], ...] = ()


def offer(session: Session, keys: Keys, proposal: Offer, *, actor: Actor, now: datetime) -> str:
    """Offers a referral to a team and tells its people; returns the handoff's id. Custody does not move.

    The same open offer to the same team is made once: its id is returned again. Raises NotNow where the referral
    can't be offered (it is closed, a closing waits for approval, that team holds it or recused itself); and to a
    member NeedsPermission or NotDisclosable where the handling code or the ground forbids it. Routing itself asks no
    permission: it was given the referral to find the team.
    """
    referral = moves.lock(session, proposal.referral_id)
    if found := _refused_or_made(session, proposal, referral.custodian_team_id):
        return found
    if actor.member_id:
        _refuse_forbidden(session, referral, proposal)
    urgency = Urgency(referral.urgency)
    clocks = timetable.of(session, proposal.to_team or proposal.from_team)
    due_at = clocks.step_due(now, proposal.kind, urgency, 1)
    parts = disclosure.chosen_parts(
        session, referral.id, proposal.kind, proposal.parts, proposal.basis, proposal.from_team
    )
    id = _insert(session, proposal, urgency, parts, actor, due_at, now)
    _record(session, proposal, referral, id, parts, actor, due_at, now)
    if urgency is Urgency.IMMINENT and parts and proposal.to_team:
        # Imminent discloses at once: nobody waits for a press of a button to know what is coming.
        row = handoff(session, id)
        disclosure.disclose(session, keys, row, reason="imminent", made_by="routing", now=now)
    telling.tell_step(session, handoff(session, id), now)
    return id


def _refused_or_made(session: Session, proposal: Offer, holder: str) -> str | None:
    """The open offer that is the same, or None. Raises NotNow where this one cannot be made."""
    if proposal.kind is Kind.EXTERNAL:
        return None
    if proposal.kind is not Kind.REQUEST and proposal.to_team == holder:
        raise NotNow("this team holds the referral already")
    if proposal.to_team in recusals.teams(session, proposal.referral_id):
        raise NotNow("this team has a conflict of interest and must not be asked")
    for existing in open_offers(session, proposal.referral_id, proposal.kind):
        if existing.to_team_id == proposal.to_team and existing.about == proposal.about:
            return str(existing.id)
    return None


def _refuse_forbidden(session: Session, referral: Row[Any], proposal: Offer) -> None:
    if proposal.basis in disclosure.NEEDS_WORDS and not proposal.ground_id:
        raise NotDisclosable("An emergency is a ground only with the threat said in words")
    if not proposal.override_id:
        handling.refuse_forbidden(
            session,
            referral,
            proposal.kind,
            proposal.to_team or handling.OUTSIDE,
            proposal.basis,
            conditions_met=proposal.conditions_met,
        )
    disclosure.refuse_blocked(session, referral.id, proposal.parts, proposal.basis)


def _insert(
    session: Session,
    proposal: Offer,
    urgency: Urgency,
    parts: list[str],
    actor: Actor,
    due_at: datetime,
    now: datetime,
) -> str:
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
            about=proposal.about,
            reason=proposal.reason.value,
            basis=proposal.basis.value,
            parts=parts,
            ground_id=proposal.ground_id,
            need_id=proposal.need_id,
            decision_id=proposal.decision_id,
            offered_at=now,
            due_at=due_at,
            remind_at=timetable.half_way(now, due_at),
            overlap_until=proposal.overlap_until,
            as_then=_as_then(session, proposal, actor, now),
        )
    )
    return id


def _record(
    session: Session,
    proposal: Offer,
    referral: Any,
    id: str,
    parts: list[str],
    actor: Actor,
    due_at: datetime,
    now: datetime,
) -> None:
    # Only a transfer can end the waiting of a referral that nobody took, so only it sets what is due next.
    moves_custody = KINDS[proposal.kind].moves_custody
    waits = moves_custody and referral.state in _STILL_UNHELD
    moves.move(
        session,
        proposal.referral_id,
        Move.OFFER if moves_custody else Move.ASK,
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
            "disclosed": disclosure.digest(session, proposal.referral_id, parts),
            "decision": proposal.decision_id,
            **({"about": proposal.about} if proposal.about else {}),
            **({"override": proposal.override_id} if proposal.override_id else {}),
            **({"conditions_met": True} if proposal.conditions_met else {}),
            **dict(proposal.extra),
        },
    )


def _as_then(session: Session, proposal: Offer, actor: Actor, now: datetime) -> dict[str, Any]:
    to_team = proposal.to_team
    on_call: Sequence[str] = schedules.ladder(session, to_team, now) if to_team else ()
    people = members.names(session, [*on_call, *([actor.member_id] if actor.member_id else [])])
    names = teams.names(session, [proposal.from_team, proposal.to_team or "", proposal.about])
    return {
        "from_team": names.get(proposal.from_team),
        "to_team": names[proposal.to_team] if proposal.to_team else proposal.outside,
        "from_member": people.get(actor.member_id) if actor.member_id else None,
        "ladder": [people[id] for id in on_call if id in people],
        **({"about": names.get(proposal.about, "an agency outside this service")} if proposal.about else {}),
    }
