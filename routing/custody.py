"""Custody: who holds a referral. It moves when a transfer is acknowledged, and back or up when its holder gives it up.

No case is ever ownerless: who gives it up hands it to somebody who works at a desk, in the same transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from directory import reach, teams
from directory.teams import TeamKind
from ledger.entries import Actor
from referrals import casework, grants, moves
from referrals.facts import Urgency
from referrals.grants import Keys
from referrals.moves import NotNow
from referrals.states import Move
from routing import disclosure, ending, offers, overlap, recusals, register, telling, timetable
from routing.offers import Offer
from routing.register import AlreadyAnswered
from routing.states import KINDS, Act, Basis, Kind, Reason
from routing.timetable import desk_due

_ROUTING = Actor(part="routing")


def pass_on_the_one_before(session: Session, row: Row[Any], actor: Actor, now: datetime) -> None:
    """At most one transfer of a referral stands acknowledged at any moment."""
    before = register.held_transfer(session, row.referral_id)
    if before is not None and before.id != row.id:
        register.end(session, before.id, Act.HAND_ON, actor, now)


def take_over(session: Session, keys: Keys, row: Row[Any], actor: Actor, now: datetime) -> None:
    """A transfer was acknowledged: its receiver holds the referral. Raises AlreadyAnswered where another was first."""
    urgency = Urgency(row.urgency)
    try:
        moves.move(
            session,
            row.referral_id,
            Move.ACKNOWLEDGE,
            now=now,
            actor=actor,
            custodian=row.to_team_id,
            expected_custodian=row.from_team_id,
            due_at=timetable.of(session, row.to_team_id).due(now, urgency, "first_action"),
            due_reason="first_action",
            facts={"handoff": row.id, "from_team": row.from_team_id},
        )
    except NotNow as fault:
        raise AlreadyAnswered(str(fault)) from None
    for other in ending.withdraw_transfers(session, row.referral_id, "another team acknowledged", now):
        if urgency is Urgency.IMMINENT:
            # The first to acknowledge leads; the other possible leads become its support.
            _ask_support(session, keys, row, other.to_team_id, now)
    _settle(session, row.referral_id, row.to_team_id, now)


def begin_overlap(session: Session, row: Row[Any], now: datetime) -> None:
    """After the receiver's grants are made: the team that had it works on until the day that was agreed."""
    if row.overlap_until is not None and row.overlap_until > now:
        overlap.begin(session, row, now)


def give_back(session: Session, keys: Keys, handoff_id: str, *, actor: Actor, now: datetime) -> None:
    """The receiver gives an acknowledged handoff back to who asked; a transfer's custody goes back with it.

    Raises AlreadyAnswered where it does not stand any more, NotNow where nobody else could hold the referral.
    """
    found = register.handoff(session, handoff_id)
    moves.lock(session, found.referral_id)
    row = register.end(session, handoff_id, Act.GIVE_BACK, actor, now)
    register.write(session, row, "returned", actor, now)
    if KINDS[Kind(row.kind)].moves_custody:
        heir = _heir(session, row.referral_id, row.to_team_id, row.from_team_id)
        hand_over(session, keys, row.referral_id, heir, why="returned", actor=actor, now=now)
        disclosure.take_back(session, row)
        ending.owe_next_step(session, row, now)
        return
    disclosure.take_back(session, row)
    telling.tell_sender(session, row, "task", now)
    ending.back_to_desk(session, row, actor, "returned", now)


def give_up(session: Session, keys: Keys, referral_id: str, *, why: str, actor: Actor, now: datetime) -> str:
    """Its custodian can't keep it (it left, or has a conflict of interest): to who had it before it, else to the
    desk above. Returns the id of the team that holds it now. Raises NotNow where nobody else could."""
    referral, row = moves.lock(session, referral_id), register.held_transfer(session, referral_id)
    holder = referral.custodian_team_id
    heir = _heir(session, referral_id, holder, row.from_team_id if row and why != "departed" else None)
    if row is not None:
        row = register.end(session, row.id, Act.GIVE_BACK, actor, now)
        register.write(session, row, "returned", actor, now, why=why)
    hand_over(session, keys, referral_id, heir, why=why, actor=actor, now=now)
    grants.drop_team(session, referral_id, holder)
    return heir


def hand_over(
    session: Session, keys: Keys, referral_id: str, heir: str, *, why: str, actor: Actor, now: datetime
) -> None:
    """Puts a referral on another team's desk, with all that its custodian can open and may pass on."""
    referral = moves.lock(session, referral_id)
    holder = referral.custodian_team_id
    ending.withdraw_transfers(session, referral_id, why, now)
    casework.drop_closing(session, referral_id, actor=actor, now=now)
    basis = Basis.INTAKE_ROUTING
    parts = disclosure.chosen_parts(
        session, referral_id, Kind.TRANSFER, KINDS[Kind.TRANSFER].parts, basis, holder
    )
    grants.give(
        session,
        keys,
        referral_id,
        parts,
        to_team=heir,
        from_team=holder,
        made_by=str(actor.member_id or actor.part),
        reason=why,
        now=now,
    )
    moves.move(
        session,
        referral_id,
        Move.RETURN,
        now=now,
        actor=actor,
        custodian=heir,
        expected_custodian=holder,
        due_at=desk_due(session, heir, Urgency(referral.urgency), now),
        due_reason=why,
        facts={"from_team": holder, "to_team": heir},
    )
    register.resume(session, referral_id, heir)
    _settle(session, referral_id, heir, now)
    telling.tell_custodian(session, moves.referral(session, referral_id), heir, "task", now)


def _heir(session: Session, referral_id: str, holder: str, first: str | None) -> str:
    """Who had it before, if it works at a desk and may; else the nearest desk above that can be reached, else the
    root desk. Raises NotNow where that is the holder itself."""
    barred = recusals.teams(session, referral_id) | {holder}
    imminent = moves.referral(session, referral_id).urgency == Urgency.IMMINENT.value
    silent = reach.unreachable(session, by_telephone=imminent).keys()
    above = teams.ancestors(session, holder)
    known = [teams.team(session, first)] if first else []
    for team in (*known, *above):
        if team.id not in barred | silent and team.kind != TeamKind.OFFICE.value:
            return str(team.id)
    root = str(teams.root_desk(session).id)
    if root in barred:
        raise NotNow("nobody stands above this desk; hand it on to another team instead")
    return root


def _settle(session: Session, referral_id: str, holder: str, now: datetime) -> None:
    """What the new custodian was asked for beside custody is part of its own work now."""
    ending.settle_requests(session, referral_id, holder, now)
    for row in register.acknowledged(session, referral_id, Kind.CONSULT, Kind.SUPPORT):
        if row.to_team_id == holder:
            ending.complete(session, row.id, actor=_ROUTING, now=now)


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
    offers.offer(session, keys, proposal, actor=_ROUTING, now=now)
