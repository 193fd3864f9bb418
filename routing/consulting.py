"""Who is consulted beside the lead: the team where the person is, if another programme answers for the danger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy.orm import Session

from directory import teams
from directory.teams import TeamKind
from referrals.facts import Relation
from routing.boundaries import Boundaries
from routing.decision import Considered, Decision
from routing.rules import Role
from routing.weighing import Outcome


def consulted(session: Session, decision: Decision) -> tuple[str, ...]:
    """The team that would lead by the subject's place, had the target's not outweighed it; only where another
    programme answers there. Within one programme a neighbour helps if its rule says so."""
    # By the relation or by a mandate: either way the team where the danger is came first.
    won_elsewhere = any(
        entry.outcome in {Outcome.LEAD, Outcome.TIED} and entry.relation is not Relation.SUBJECT
        for entry in decision.considered
    )
    outweighed = [entry.team for entry in decision.considered if _is_outweighed(entry)][:1]
    if not (outweighed and won_elsewhere):
        return ()
    leading = {_programme(session, team) for team in (*decision.leads, *decision.offered_at_once)}
    return tuple(team for team in outweighed if _programme(session, team) not in leading)


def _is_outweighed(entry: Considered) -> bool:
    return entry.role is Role.LEAD and entry.relation is Relation.SUBJECT and entry.outcome is Outcome.LOST


def _programme(session: Session, team_id: str) -> str:
    """The hub that answers for a team: itself, or the nearest above it."""
    team = teams.team(session, team_id)
    re_routes = team.kind in (TeamKind.HUB.value, TeamKind.ROOT.value)
    return str(team.id if re_routes else teams.hub_above(session, team_id).id)


def sentences(
    session: Session, decision: Decision, boundaries: Boundaries, names: Mapping[str, str]
) -> Iterator[str]:
    """The same in words, for staff. It follows from the decision and is no part of it, nor of its digest."""
    for team in consulted(session, decision):
        area = next(
            entry.area for entry in decision.considered if entry.team == team and _is_outweighed(entry)
        )
        yield (
            f"{names.get(team, team)} is consulted as well: by the place where the person is, "
            f"{boundaries.name(area)}, it would lead, and it belongs to another programme."
        )
