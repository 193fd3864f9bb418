"""Keys of the API: with one an office's own system forwards, looks and answers, in the name of a member.

A key is shown once and stored as a digest. It ends when its time is over, when an administrator ends it, or when the
member who answers for it leaves the office. Making and ending one are entries of the ledger.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from directory import members as people
from directory.members import Member
from directory.tables import api_keys, members, memberships, teams
from directory.teams import TeamKind
from foundation import database
from foundation.identifiers import new_id
from ledger import entries
from ledger.entries import DEPLOYMENT, Actor

# So that those who look for secrets in the wrong places recognise one.
PREFIX = "waypost_key_"
# So long before its end those who keep it are told: an office's system does not stop by surprise.
SOON = timedelta(days=14)
# A write for every request would make readers wait for each other.
_USED_EVERY = timedelta(minutes=1)
# The seat with which a key ends.
_SEAT = (memberships.c.member_id == api_keys.c.member_id) & (memberships.c.team_id == api_keys.c.team_id)
_IS_SEATED = members.c.active & memberships.c.team_id.is_not(None)
_KEYS = (
    select(
        api_keys,
        teams.c.slug.label("office"),
        teams.c.name.label("office_name"),
        members.c.email,
        members.c.name.label("member"),
        _IS_SEATED.label("is_seated"),
    )
    .join(teams, teams.c.id == api_keys.c.team_id)
    .join(members, members.c.id == api_keys.c.member_id)
    .outerjoin(memberships, _SEAT)
)


class Scope(StrEnum):
    """What a key is good for."""

    FORWARD = "forward"
    READ = "read"
    # To say whether a forward may be passed on.
    PERMIT = "permit"


class NoSeat(ValueError):
    """The member has no seat in that team, or it is no office."""


@dataclass(frozen=True)
class ApiKey:
    """A key in force: whose it is, what it is good for, and the member who answers for it."""

    id: str
    team_id: str
    scopes: frozenset[Scope]
    member: Member
    expires_at: datetime
    used_at: datetime | None

    @property
    def actor(self) -> Actor:
        """Who did what was done with it."""
        return Actor(member_id=self.member.id, team_id=self.team_id)


def make(
    session: Session,
    *,
    team_id: str,
    member_id: str,
    name: str,
    scopes: Collection[Scope],
    lives: timedelta,
    actor: Actor,
    now: datetime,
    id: str | None = None,
) -> tuple[str, str]:
    """A new key of an office; returns its id, and the key itself, which nobody is shown again.

    Raises NoSeat where the member could not forward for that office by hand, and IntegrityError where a key of the
    given `id` was made before.
    """
    member = people.member(session, member_id)
    kind = session.execute(select(teams.c.kind).where(teams.c.id == team_id)).scalar_one()
    if team_id not in member.team_ids or kind != TeamKind.OFFICE.value:
        raise NoSeat("only a member of an office can answer for a key of it")
    id, key = id or new_id(), PREFIX + secrets.token_urlsafe(32)
    until, words = now + lives, " ".join(sorted(scopes))
    session.execute(
        insert(api_keys).values(
            id=id,
            team_id=team_id,
            member_id=member_id,
            name=name,
            digest=_digest(key),
            scopes=words,
            made_at=now,
            expires_at=until,
        )
    )
    facts = {"key": id, "team": team_id, "member": member_id, "scopes": words, "until": until.isoformat()}
    entries.append(session, DEPLOYMENT, kind="api_key_made", at=now, actor=actor, facts=facts)
    return id, key


def end(session: Session, key_id: str, *, actor: Actor, now: datetime) -> bool:
    """Nothing more is done with that key; whether it had not been ended before."""
    alive = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.ended_at.is_(None))
    if not database.changed(session, alive.values(ended_at=now)):
        return False
    entries.append(session, DEPLOYMENT, kind="api_key_ended", at=now, actor=actor, facts={"key": key_id})
    return True


def in_force(session: Session, key: str, now: datetime) -> ApiKey | None:
    """The key that was shown; None where it is unknown, over or ended, or where its member has no seat any more."""
    row = session.execute(
        select(api_keys)
        .join(members, members.c.id == api_keys.c.member_id)
        .join(memberships, _SEAT)
        .where(
            api_keys.c.digest == _digest(key),
            api_keys.c.ended_at.is_(None),
            api_keys.c.expires_at > now,
            members.c.active,
        )
    ).one_or_none()
    if row is None:
        return None
    scopes = frozenset(Scope(word) for word in row.scopes.split())
    return ApiKey(
        row.id, row.team_id, scopes, people.member(session, row.member_id), row.expires_at, row.used_at
    )


def is_stale(key: ApiKey, now: datetime) -> bool:
    """Whether its last use is to be written down again."""
    return key.used_at is None or key.used_at < now - _USED_EVERY


def used(session: Session, key_id: str, now: datetime) -> None:
    """It was used just now."""
    session.execute(update(api_keys).where(api_keys.c.id == key_id).values(used_at=now))


def all_keys(session: Session) -> list[Row[Any]]:
    """All of the deployment with their office's slug and name and their member's name and address, ended ones
    included, the newest first. `is_seated`: the member who answers for it is still in that office."""
    return list(session.execute(_KEYS.order_by(api_keys.c.made_at.desc(), api_keys.c.id)))


def standing(
    session: Session, now: datetime, *, team_ids: Collection[str] | None = None, soon: bool = False
) -> list[Row[Any]]:
    """Those in force as `all_keys` tells of them, the next to end first: of these offices only, unless None; with
    `soon` only those that end soon."""
    query = _KEYS.where(api_keys.c.ended_at.is_(None), api_keys.c.expires_at > now, _IS_SEATED)
    if team_ids is not None:
        query = query.where(api_keys.c.team_id.in_(team_ids))
    if soon:
        query = query.where(api_keys.c.expires_at <= now + SOON)
    return list(session.execute(query.order_by(api_keys.c.expires_at, api_keys.c.id)))


def seats(session: Session) -> list[Row[Any]]:
    """Who can answer for a key: `team_id`, `office`, `member_id` and `member` of each member of each office."""
    query = (
        select(
            teams.c.id.label("team_id"),
            teams.c.name.label("office"),
            members.c.id.label("member_id"),
            members.c.name.label("member"),
        )
        .join(memberships, memberships.c.team_id == teams.c.id)
        .join(members, members.c.id == memberships.c.member_id)
        .where(teams.c.kind == TeamKind.OFFICE.value, members.c.active)
    )
    return list(session.execute(query.order_by(teams.c.name, members.c.name)))


def _digest(key: str) -> str:
    # 256 random bits need no slow hash.
    return hashlib.sha256(key.encode()).hexdigest()
