"""Why a tip was sent where it was, in one sentence for its reporter. No team and no person is named."""

from __future__ import annotations

from flask import current_app
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from referrals.tables import referrals
from routing import explanation, handoffs, jobs, naming
from routing.boundaries import Boundaries
from routing.decision import Decision
from routing.states import Kind

_HELD_BY = select(referrals.c.id, referrals.c.custodian_team_id)


def why_there(session: Session, lookup: str) -> str:
    """Why the tip that a receipt names is where it is; "" where routing did not choose the team that has it now or
    is asked for it: a person did, or nothing is certain yet."""
    tip = session.execute(_HELD_BY.where(referrals.c.receipt_lookup == lookup)).one_or_none()
    decided = jobs.latest(session, tip.id) if tip else None
    decision = Decision.from_json(decided.explanation) if decided else None
    area = explanation.led_by(decision) if decision else ""
    if not tip or not decision or not area:
        return ""
    if decision.leads[0] not in {tip.custodian_team_id, *_asked(session, tip.id)}:
        return ""
    boundaries: Boundaries = current_app.extensions["known_places"]()
    return str(
        gettext(
            "It was sent to the team for %(area)s, because the place you named is there.",
            area=naming.named(area, boundaries),
        )
    )


def _asked(session: Session, referral_id: str) -> set[str]:
    return {offer.to_team_id for offer in handoffs.open_offers(session, referral_id, Kind.TRANSFER)}
