"""Acting on a decision: each of the five outcomes gets an owner, a clock and the offers that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from directory import teams
from directory.teams import TeamKind
from ledger.entries import Actor
from referrals import grants, moves
from referrals.facts import Urgency
from referrals.filing import Source
from referrals.grants import Keys
from referrals.sealing import PARTS
from referrals.states import Move, State
from routing import consulting, handoffs, telling
from routing.decision import Decision, Status
from routing.handoffs import Offer
from routing.states import KINDS, Basis, Kind, Reason
from routing.timetable import desk_due

_ROUTING = Actor(part="routing")


@dataclass(frozen=True)
class Case:
    """A referral as it was when the decision was made, and the decision, inside one open transaction."""

    session: Session
    keys: Keys
    referral: Row[Any]
    decision: Decision
    decision_id: str
    now: datetime

    def desk_due(self, team_id: str) -> datetime:
        """By when a desk must have acted on it."""
        return desk_due(self.session, team_id, Urgency(self.referral.urgency), self.now)

    def offer(self, kind: Kind, from_team: str, to_team: str, reason: Reason) -> None:
        """Offers it in routing's name."""
        proposal = Offer(
            referral_id=self.referral.id,
            kind=kind,
            from_team=from_team,
            to_team=to_team,
            reason=reason,
            basis=Basis.INTAKE_ROUTING,
            parts=KINDS[kind].parts,
            decision_id=self.decision_id,
        )
        handoffs.offer(self.session, self.keys, proposal, actor=_ROUTING, now=self.now)

    def wait_at_desk(self, team_id: str) -> None:
        """Puts it on that team's desk, in its custody, with the desk's clock."""
        moves.move(
            self.session,
            self.referral.id,
            Move.WAIT_AT_DESK,
            now=self.now,
            actor=_ROUTING,
            custodian=team_id,
            due_at=self.desk_due(team_id),
            due_reason=self.decision.status.value,
            facts={"decision": self.decision.digest, "status": self.decision.status.value},
        )


def act_on(case: Case) -> None:
    """Makes the decision happen: custodian, offers to who leads, supports or is told, withdrawals of the rest."""
    holder = _designate(case)
    _ACT[case.decision.status](case, holder)
    _offer_company(case, holder)


def _designate(case: Case) -> str:
    """The custodian until somebody acknowledges: the office that forwarded it, or for a public tip the hub that
    answers for its place. A hub never offers to itself: then the desk above it holds the tip meanwhile."""
    referral, owner = case.referral, case.decision.owner
    if referral.source == Source.FORWARD.value or referral.state != State.FILED.value:
        return str(referral.custodian_team_id)
    if owner in case.decision.leads:
        owner = teams.hub_above(case.session, owner).id
    grants.give(
        case.session,
        case.keys,
        referral.id,
        PARTS,
        to_team=owner,
        from_team=owner,
        made_by="routing",
        reason="designated",
        now=case.now,
    )
    case.wait_at_desk(owner)
    return owner


def _offer_lead(case: Case, holder: str) -> None:
    lead = case.decision.leads[0]
    _withdraw_others(case, {lead})
    if lead == holder:
        # The team that holds it already is the one: it works on it from its own desk.
        _ask_desk(case, holder)
    else:
        case.offer(Kind.TRANSFER, holder, lead, Reason.ROUTED)


def _offer_all(case: Case, holder: str) -> None:
    """No rule settled it. Imminent waits for nobody: all who might lead are asked at once. Else a desk decides."""
    asked = [team for team in case.decision.offered_at_once if team != holder]
    _withdraw_others(case, {*asked, case.decision.owner})
    for team in asked:
        case.offer(Kind.TRANSFER, holder, team, Reason.UNCERTAIN_PLACE)
    if not asked or case.decision.owner == holder:
        _ask_desk(case, holder)


def _ask_desk(case: Case, holder: str) -> None:
    """A desk has to look: the holder's own if it re-routes, else the owner's desk is offered the referral."""
    session, referral = case.session, case.referral
    if teams.team(session, holder).kind == TeamKind.OFFICE.value:
        no_team = case.decision.status is Status.NO_COVERAGE
        reason = Reason.NO_LOCAL_TEAM if no_team else Reason.UNCERTAIN_PLACE
        owner, said_no = case.decision.owner, dict(case.decision.excluded)
        # The last resort is asked again and again: an office forwards and cannot keep it.
        asked = teams.root_desk(session).id if owner in said_no else owner
        case.offer(Kind.TRANSFER, holder, asked, reason)
        return
    unheld = moves.referral(session, referral.id).state != State.HELD.value
    if unheld and not handoffs.open_offers(session, referral.id, Kind.TRANSFER):
        case.wait_at_desk(holder)
    telling.tell_custodian(session, moves.referral(session, referral.id), holder, "task", case.now)


_ACT: dict[Status, Callable[[Case, str], None]] = {
    Status.ROUTED: _offer_lead,
    Status.AMBIGUOUS: _offer_all,
    Status.CONFIRM_LOCATION: _offer_all,
    Status.LOCATION_NEEDED: _offer_all,
    Status.NO_COVERAGE: _offer_all,
}


def _offer_company(case: Case, holder: str) -> None:
    """The subject's place is consulted, and support and notify rules all apply, whoever leads; each team is asked
    once, and the holder never."""
    past = handoffs.of_referral(case.session, case.referral.id)
    # Who is consulted is not asked to support as well: a team has its strongest role only.
    strongest = {holder}
    for kind, reason, company in (
        (Kind.CONSULT, Reason.SUBJECT_PLACE, consulting.consulted(case.session, case.decision)),
        (Kind.SUPPORT, Reason.SUPPORT_RULE, case.decision.supports),
        (Kind.INFORM, Reason.NOTIFY_RULE, case.decision.notifies),
    ):
        asked = {*strongest, *(offer.to_team_id for offer in past if offer.kind == kind.value)}
        for team in (team for team in company if team not in asked):
            case.offer(kind, holder, team, reason)
        strongest.update(company)


def _withdraw_others(case: Case, kept: set[str]) -> None:
    """Open offers that a newer decision does not make any more: "withdrawn, not yours"."""
    for offer in handoffs.open_offers(case.session, case.referral.id, Kind.TRANSFER):
        if offer.to_team_id not in kept:
            handoffs.recall(case.session, offer.id, actor=_ROUTING, now=case.now, why="decided anew")
