"""Which teams can be asked, each with whether it can be reached now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import g
from sqlalchemy.orm import Session

from directory import teams
from directory.teams import TeamKind
from foundation.choosing import options
from referrals.facts import Urgency
from routing import explanation, jobs
from routing.decision import Decision


def teams_to_ask(session: Session, without: Iterable[str | None]) -> list[tuple[str, str]]:
    """Ids and labels of all teams that work at a desk, by name; who could not be told of this referral, at its urgency,
    says why. Offices forward and are never asked."""
    silent, left_out = jobs.unreachable(session, Urgency(g.referral.urgency)), set(without)
    return [
        (
            team.id,
            f"{team.name} ({explanation.UNREACHABLE[silent[team.id]]})"
            if team.id in silent
            else str(team.name),
        )
        for team in teams.all_teams(session)
        if team.kind != TeamKind.OFFICE.value and team.id not in left_out
    ]


def grouped(session: Session, referral_id: str, without: Iterable[str | None]) -> list[Any]:
    """The same as choices in two groups: those that the newest decision looked at, best first, and all others."""
    labels = dict(teams_to_ask(session, without))
    first = [team for team in suggested(session, referral_id) if team in labels]
    others = [team for team in labels if team not in first]
    groups = {
        "Suggested for this place": [(team, labels[team]) for team in first],
        "All teams": [(team, labels[team]) for team in others],
    }
    found = [choice for title, group in groups.items() for choice in options(group, title)]
    return [*options([("", "Choose a team")], ""), *found]


def suggested(session: Session, referral_id: str) -> list[str]:
    """Teams that the newest decision names: leads, supports, the owner, then all that were considered."""
    row = jobs.latest(session, referral_id)
    if row is None:
        return []
    decision = Decision.from_json(row.explanation)
    considered = [entry.team for entry in decision.considered]
    return list(dict.fromkeys((*decision.leads, *decision.supports, decision.owner, *considered)))
