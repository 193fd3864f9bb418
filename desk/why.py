"""Why here: the newest decision in sentences, then every rule that was looked at and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import g, render_template
from sqlalchemy import Row
from sqlalchemy.orm import Session

from desk import places, words
from desk.answers import Page
from directory import teams
from directory.guards import guard
from foundation import database, web
from referrals.facts import Facts
from routing import explanation, jobs, naming, snapshots
from routing.boundaries import Boundaries
from routing.decision import Considered, Decision
from routing.states import Reason
from routing.weighing import Outcome


@dataclass(frozen=True)
class Looked:
    """One rule that was looked at."""

    team: str
    role: str
    area: str
    place: str
    sure: str
    became: str


@dataclass(frozen=True)
class Told:
    """A decision as the page tells it."""

    made_at: datetime
    sentences: tuple[str, ...]
    looked: list[Looked]
    digest: str


@guard("referral.read")
def why_page(reference: str) -> Page:
    """The explanation of this referral."""
    with database.reading(web.engine()) as session:
        told = _told(session, jobs.latest(session, g.referral.id))
        place = places.in_words(Facts.from_json(g.referral.facts), snapshots.current(session).boundaries)
    return render_template("why.html", told=told, place=place)


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


def _told(session: Session, row: Row[Any] | None) -> Told | None:
    if row is None:
        return None
    decision = Decision.from_json(row.explanation)
    boundaries = snapshots.current(session).boundaries
    names = {team.id: team.name for team in teams.all_teams(session)}
    return Told(
        made_at=row.made_at,
        sentences=explanation.sentences(decision, boundaries, names),
        looked=[_looked(entry, boundaries, names) for entry in decision.considered],
        digest=row.digest,
    )


def _looked(entry: Considered, boundaries: Boundaries, names: dict[str, str]) -> Looked:
    shared = "" if entry.share >= 1 else f", {entry.share:.0%} of it"
    return Looked(
        team=names.get(entry.team, entry.team),
        role=entry.role.value,
        area=naming.named(entry.area, boundaries),
        place=words.RELATIONS[entry.relation],
        sure=f"{_SURE[entry.confidence.value]}{shared}",
        became=_became(entry, boundaries),
    )


_SURE = {"asserted": "named", "inside": "point inside", "share": "by share", "border": "one of several"}
_BECAME: dict[Outcome, str] = {
    Outcome.LEAD: "leads",
    Outcome.TIED: "tied for the lead",
    Outcome.SUPPORT: "supports",
    Outcome.NOTIFY: "is told",
    Outcome.LOST: "lost on {detail}",
    Outcome.NOT_APPLIED: "does not apply here: {detail}",
    Outcome.SHIELDED: "shut out by {detail}",
    Outcome.EXCLUDED: "not asked again",
    Outcome.UNREACHABLE: "nobody there could be reached",
    Outcome.BELOW_FLOOR: "too small a share",
}


def _became(entry: Considered, boundaries: Boundaries) -> str:
    detail = boundaries.name(entry.detail) if entry.outcome is Outcome.SHIELDED else entry.detail
    return _BECAME[entry.outcome].format(detail=detail)
