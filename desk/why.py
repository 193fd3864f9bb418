"""Why here: the newest decision in sentences, on a small map, and rule by rule."""

from __future__ import annotations

from typing import Any

from flask import g, render_template
from sqlalchemy import Row
from sqlalchemy.orm import Session

from desk import explained, places, words
from desk.answers import Page
from directory.guards import guard
from foundation import database, web
from referrals.facts import Facts
from routing import jobs, naming, snapshots
from routing.decision import Decision
from routing.states import Reason
from routing.weighing import Outcome


@guard("referral.read")
def why_page(reference: str) -> Page:
    """The explanation of this referral."""
    with database.reading(web.engine()) as session:
        boundaries = snapshots.current(session).boundaries
        row = jobs.latest(session, g.referral.id)
        told = explained.tell(session, Decision.from_json(row.explanation), boundaries) if row else None
        place = places.in_words(Facts.from_json(g.referral.facts), boundaries)
    return render_template("why.html", told=told, made_at=row.made_at if row else None, place=place)


def asked_because(session: Session, offer: Row[Any]) -> str:
    """Why a team was asked, in one sentence."""
    if offer.reason == Reason.ROUTED.value and (row := jobs.latest(session, offer.referral_id)):
        decision = Decision.from_json(row.explanation)
        boundaries = snapshots.current(session).boundaries
        leads = [entry for entry in decision.considered if entry.team == offer.to_team_id]
        if leads and leads[0].outcome in {Outcome.LEAD, Outcome.TIED}:
            return (
                f"You were asked because the place named lies in {naming.named(leads[0].area, boundaries)}."
            )
    because = words.ASKED_BECAUSE[Reason(offer.reason)].format(from_team=offer.as_then["from_team"])
    return f"You were asked because {because}."
