"""Organisations and teams: looking them up, and climbing the tree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from directory.tables import organisations, team_keys, teams
from foundation.identifiers import new_id


class TeamKind(StrEnum):
    """What a team is for. The root desk and the hubs re-route; offices only forward."""

    ROOT = "root"
    HUB = "hub"
    LOCAL = "local"
    SUPPORT = "support"
    OFFICE = "office"
    # Answers canaries. No list shows it, and no rule names it.
    ROBOT = "robot"


class KeyPurpose(StrEnum):
    """Who opens with a key: the worker to re-grant, or members at the desk to read."""

    ROUTING = "routing"
    READING = "reading"


def add_organisation(
    session: Session,
    *,
    slug: str,
    name: str,
    kind: str,
    parent_id: str | None = None,
    state: str | None = None,
) -> str:
    """A new organisation; returns its id."""
    id = new_id()
    session.execute(
        insert(organisations).values(id=id, slug=slug, name=name, kind=kind, parent_id=parent_id, state=state)
    )
    return id


def add_team(
    session: Session,
    *,
    slug: str,
    name: str,
    organisation_id: str,
    kind: TeamKind,
    parent_id: str | None,
    time_zone: str,
    telephone: str | None = None,
) -> str:
    """A new team; returns its id. `time_zone` is an IANA name, `parent_id` the team that silence climbs to."""
    id = new_id()
    session.execute(
        insert(teams).values(
            id=id,
            slug=slug,
            name=name,
            organisation_id=organisation_id,
            kind=kind.value,
            parent_id=parent_id,
            time_zone=time_zone,
            telephone=telephone,
        )
    )
    return id


def team(session: Session, team_id: str) -> Row[Any]:
    """The team's row. Raises NoResultFound."""
    return session.execute(select(teams).where(teams.c.id == team_id)).one()


def team_by_slug(session: Session, slug: str) -> Row[Any] | None:
    """The team of that slug, or None."""
    return session.execute(select(teams).where(teams.c.slug == slug)).one_or_none()


def root_desk(session: Session) -> Row[Any]:
    """The one team of last resort. Raises NoResultFound before `setup` made it."""
    return session.execute(select(teams).where(teams.c.kind == TeamKind.ROOT.value)).one()


def home(session: Session, team_ids: Sequence[str], *, administrator: bool = False) -> Row[Any]:
    """Of a member's seats the one whose clock they go by and at whose door they sign in: a team's before an office's,
    by name. The root desk for who has none, and for an administrator with offices alone, who signs in at the desk."""
    seats = select(teams).where(teams.c.id.in_(team_ids))
    if administrator:
        seats = seats.where(teams.c.kind != TeamKind.OFFICE.value)
    first = seats.order_by(teams.c.kind == TeamKind.OFFICE.value, teams.c.name).limit(1)
    return session.execute(first).one_or_none() or root_desk(session)


def names(session: Session, team_ids: Iterable[str]) -> dict[str, str]:
    """The names of some teams by id."""
    wanted = {id for id in team_ids if id}
    rows = session.execute(select(teams.c.id, teams.c.name).where(teams.c.id.in_(wanted)))
    return {id: name for id, name in rows}


def time_zones(session: Session) -> dict[str, str]:
    """IANA names of every team's zone by id."""
    return {id: zone for id, zone in session.execute(select(teams.c.id, teams.c.time_zone))}


def all_teams(session: Session) -> list[Row[Any]]:
    """Every team, by name, each with its `organisation` name. A deployment has hundreds, not millions."""
    query = select(teams, organisations.c.name.label("organisation")).join(organisations)
    query = query.where(teams.c.kind != TeamKind.ROBOT.value)
    return list(session.execute(query.order_by(teams.c.name)))


def ancestors(session: Session, team_id: str) -> list[Row[Any]]:
    """The teams above, nearest first, up to the root. A loop in the tree ends the climb."""
    above: list[Row[Any]] = []
    seen = {team_id}
    current = team(session, team_id)
    while current.parent_id and current.parent_id not in seen:
        seen.add(current.parent_id)
        current = team(session, current.parent_id)
        above.append(current)
    return above


def hub_above(session: Session, team_id: str) -> Row[Any]:
    """The nearest hub or root desk above a team; the root desk where there is none."""
    re_routes = {TeamKind.HUB.value, TeamKind.ROOT.value}
    return next((row for row in ancestors(session, team_id) if row.kind in re_routes), root_desk(session))


def add_public_key(
    session: Session,
    *,
    key_id: str,
    team_id: str,
    purpose: KeyPurpose,
    suite: str,
    public_key: bytes,
    now: datetime,
) -> None:
    """Publishes the public half of a team's key; the newest one that is not retired is used for sealing."""
    session.execute(
        insert(team_keys).values(
            id=key_id,
            team_id=team_id,
            purpose=purpose.value,
            suite=suite,
            public_key=public_key,
            created_at=now,
        )
    )


def public_key(session: Session, team_id: str, purpose: KeyPurpose) -> Row[Any]:
    """The newest key of a team for that purpose. Raises NoResultFound where the team has none."""
    return session.execute(
        select(team_keys)
        .where(
            team_keys.c.team_id == team_id,
            team_keys.c.purpose == purpose.value,
            team_keys.c.retired_at.is_(None),
        )
        .order_by(team_keys.c.created_at.desc())
        .limit(1)
    ).one()
