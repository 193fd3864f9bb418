"""Grants: giving a team the keys of some parts, and taking them away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.orm import Session

from directory import teams
from directory.teams import KeyPurpose
from foundation.identifiers import new_id
from referrals import sealing
from referrals.keyring import Keyring
from referrals.sealing import ALL, PARTS, CannotOpen, Place, Recipient
from referrals.tables import grants


@dataclass(frozen=True)
class Keys:
    """What opening needs: the ring, and the deployment's name that is bound into every blob."""

    ring: Keyring
    deployment: str


def part_key(
    session: Session, keys: Keys, referral_id: str, part: str, *, team_id: str | None, routing: bool = False
) -> bytes:
    """The key of one part, opened through a grant of that team, or with `routing` also through the routing grant.

    Raises CannotOpen where there is no such grant: nothing was disclosed.
    """
    by_team = (grants.c.team_id == team_id) & (grants.c.purpose == KeyPurpose.READING.value)
    by_routing = grants.c.purpose == KeyPurpose.ROUTING.value
    rows = session.execute(
        select(grants)
        .where(grants.c.referral_id == referral_id, grants.c.part.in_((part, ALL)))
        .where(or_(by_team, by_routing) if routing else by_team)
    ).all()
    if not rows:
        raise CannotOpen(f"no grant of the part {part}")
    row = rows[0]
    key = sealing.open_grant(
        keys.ring.seed(row.team_key_id), Place(keys.deployment, referral_id, row.part), row.blob
    )
    return sealing.part_key(key, part) if row.part == ALL else key


def give(
    session: Session,
    keys: Keys,
    referral_id: str,
    parts: Iterable[str],
    *,
    to_team: str,
    from_team: str,
    made_by: str,
    reason: str,
    now: datetime,
    handoff_id: str | None = None,
) -> None:
    """Grants the parts to a team, out of what `from_team` or routing can open. Parts it has already stay as they are.

    `made_by` is a member's id or the name of a part of the service.
    """
    held = select(grants.c.part).where(
        grants.c.referral_id == referral_id,
        grants.c.team_id == to_team,
        grants.c.purpose == KeyPurpose.READING.value,
    )
    wanted = [part for part in parts if part not in set(session.execute(held).scalars())]
    if not wanted:
        return
    key = teams.public_key(session, to_team, KeyPurpose.READING)
    recipient = Recipient(to_team, key.id, key.suite, key.public_key)
    opened = {
        part: part_key(session, keys, referral_id, part, team_id=from_team, routing=True) for part in wanted
    }
    rows = [
        {
            "id": new_id(),
            "referral_id": referral_id,
            "team_id": to_team,
            "part": part,
            "purpose": KeyPurpose.READING.value,
            "team_key_id": key.id,
            "blob": sealing.grant(secret, Place(keys.deployment, referral_id, part), recipient),
            "handoff_id": handoff_id,
            "made_at": now,
            "made_by": made_by,
            "reason": reason,
        }
        for part, secret in opened.items()
    ]
    session.execute(insert(grants), rows)


def drop_routing(session: Session, referral_id: str) -> None:
    """Takes the routing grant away: from now on only the teams' own keys open this referral."""
    session.execute(
        delete(grants).where(
            grants.c.referral_id == referral_id, grants.c.purpose == KeyPurpose.ROUTING.value
        )
    )


def openable(session: Session, referral_id: str, team_id: str) -> frozenset[str]:
    """The parts that can be granted on in that team's name: what it can open, and all while routing can."""
    routing = select(grants.c.id).where(
        grants.c.referral_id == referral_id, grants.c.purpose == KeyPurpose.ROUTING.value
    )
    if session.execute(routing.limit(1)).first() is not None:
        return frozenset(PARTS)
    return granted_parts(session, referral_id, team_id)


def inherit(session: Session, handoff_id: str, heir_id: str, parts: Iterable[str]) -> None:
    """What one handoff granted to a team rests on another handoff to the same team from now on."""
    session.execute(
        update(grants)
        .where(grants.c.handoff_id == handoff_id, grants.c.part.in_(list(parts)))
        .values(handoff_id=heir_id)
    )


def withdraw(session: Session, handoff_id: str) -> None:
    """Takes away what a handoff had granted."""
    session.execute(delete(grants).where(grants.c.handoff_id == handoff_id))


def drop_team(session: Session, referral_id: str, team_id: str) -> None:
    """Closes a referral to a team: nothing that it was ever given opens any more."""
    session.execute(
        delete(grants).where(
            grants.c.referral_id == referral_id,
            grants.c.team_id == team_id,
            grants.c.purpose == KeyPurpose.READING.value,
        )
    )


def granted_parts(session: Session, referral_id: str, team_id: str) -> frozenset[str]:
    """The parts that a team can open."""
    rows = session.execute(
        select(grants.c.part).where(
            grants.c.referral_id == referral_id,
            grants.c.team_id == team_id,
            grants.c.purpose == KeyPurpose.READING.value,
        )
    )
    return frozenset(rows.scalars())
