"""How a referral stands to teams: what the permissions look at."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from directory import teams
from directory.permissions import Standing
from referrals import casework, moves
from routing import handoffs, recusals
from routing.states import OPEN, HandoffState, Kind, Reason

# Who gave it back takes no part any more.
_ACKNOWLEDGED = {HandoffState.ACKNOWLEDGED, HandoffState.PASSED_ON, HandoffState.COMPLETED}
_WORK = {Kind.TRANSFER.value, Kind.CONSULT.value}


def find_standing(session: Session, reference: str) -> tuple[Row[Any], Standing] | None:
    """The referral of a reference and how it stands to teams, or None where there is none."""
    row = moves.by_reference(session, reference)
    if row is None or row.erased_at:
        # What was erased does not exist any more, for anybody.
        return None
    offers = handoffs.of_referral(session, row.id)
    closing = casework.open_closing(session, row.id)
    asked = frozenset(offer.to_team_id for offer in offers if offer.state in OPEN and offer.to_team_id)
    acknowledged = [offer for offer in offers if offer.state in _ACKNOWLEDGED and offer.to_team_id]
    joined = [offer for offer in acknowledged if offer.kind in _WORK]
    # Who handed a transfer on held it before, by an acknowledgement or by designation.
    held = {offer.from_team_id for offer in joined if offer.kind == Kind.TRANSFER.value}
    works = frozenset({offer.to_team_id for offer in joined} | held) - _ended(offers)
    standing = Standing(
        holder=row.custodian_team_id,
        asked=asked,
        joined=works,
        informed=frozenset(offer.to_team_id for offer in acknowledged if offer.kind not in _WORK),
        asking=frozenset(offer.from_team_id for offer in offers if offer.state in OPEN),
        once=frozenset(
            team for offer in offers for team in (offer.from_team_id, offer.to_team_id) if team is not None
        ),
        above=frozenset(teams.hub_above(session, team).id for team in asked | {row.custodian_team_id}),
        originator_organisation=row.originator_organisation_id,
        closing_proposed_by=closing.proposed_by if closing else None,
        recused=recusals.teams(session, row.id) | recusals.members(session, row.id),
    )
    return row, standing


def _ended(offers: list[Row[Any]]) -> set[str]:
    """Teams whose overlap is over, and that were not asked anew since."""
    over = {
        offer.to_team_id: offer.ended_at
        for offer in offers
        if offer.reason == Reason.SUBJECT_MOVED.value
        and offer.kind == Kind.CONSULT.value
        and offer.state == HandoffState.COMPLETED.value
    }
    again = {
        offer.to_team_id
        for offer in offers
        if offer.to_team_id in over
        and offer.state == HandoffState.ACKNOWLEDGED.value
        and offer.kind in _WORK
        and offer.answered_at > over[offer.to_team_id]
    }
    return set(over) - again
