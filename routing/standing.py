"""How a referral stands to teams: what the permissions look at."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from directory.permissions import Standing
from referrals import casework, moves
from routing import handoffs
from routing.states import OPEN, HandoffState

_JOINED = {HandoffState.ACKNOWLEDGED, HandoffState.PASSED_ON, HandoffState.COMPLETED}


def find_standing(session: Session, reference: str) -> tuple[Row[Any], Standing] | None:
    """The referral of a reference and how it stands to teams, or None where there is none."""
    row = moves.by_reference(session, reference)
    if row is None:
        return None
    offers = handoffs.of_referral(session, row.id)
    closing = casework.open_closing(session, row.id)
    standing = Standing(
        holder=row.custodian_team_id,
        asked=frozenset(offer.to_team_id for offer in offers if offer.state in OPEN),
        joined=frozenset(offer.to_team_id for offer in offers if offer.state in _JOINED),
        asking=frozenset(offer.from_team_id for offer in offers if offer.state in OPEN),
        once=frozenset(team for offer in offers for team in (offer.from_team_id, offer.to_team_id)),
        originator_organisation=row.originator_organisation_id,
        closing_proposed_by=closing.proposed_by if closing else None,
    )
    return row, standing
