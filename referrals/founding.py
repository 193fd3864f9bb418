"""A new team with all that it needs before it can be offered anything: an organisation of its own, and its keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from directory import teams
from directory.teams import TeamKind
from referrals.keyring import Keyring
from referrals.team_keys import make_team_keys


@dataclass(frozen=True)
class NewTeam:
    """An organisation with one team. `parent_id` is the team that silence climbs to, `state` a FIPS code, `telephone`
    E.164; the organisation is of the team's kind where nothing else is said."""

    slug: str
    name: str
    kind: TeamKind
    parent_id: str | None
    time_zone: str
    state: str | None = None
    telephone: str | None = None
    organisation_kind: str | None = None


def found_team(session: Session, ring: Keyring, suite: str, team: NewTeam, now: datetime) -> str:
    """Adds the organisation, the team and its keys; returns the team's id. Raises IntegrityError."""
    organisation_id = teams.add_organisation(
        session,
        slug=team.slug,
        name=team.name,
        kind=team.organisation_kind or team.kind.value,
        state=team.state,
    )
    id = teams.add_team(
        session,
        slug=team.slug,
        name=team.name,
        organisation_id=organisation_id,
        kind=team.kind,
        parent_id=team.parent_id,
        time_zone=team.time_zone,
        telephone=team.telephone,
    )
    make_team_keys(session, ring, id, team.kind, suite, now)
    return id
