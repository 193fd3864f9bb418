"""What goes along with a handoff: which parts, on which ground, what forbids it, and the keys that follow."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import Row, exists, select
from sqlalchemy.orm import Session

from ledger import entries
from referrals import grants, moves
from referrals.grants import Keys
from referrals.sealing import PARTS
from referrals.tables import casework, sealed_parts
from routing import register
from routing.states import KINDS, TAKEN, Basis, HandoffState, Kind

# Part → the grounds on which a record of that origin may go on. Education: 20 U.S.C. 1232g(b)(1)(I), (J) and (b)(2),
# 34 CFR 99.30, 99.31(a)(9), 99.36. Health: 45 CFR 164.508, 164.512(e), 164.512(j).
ORIGINS: dict[str, frozenset[Basis]] = {
    "education": frozenset({Basis.CONSENT, Basis.EMERGENCY, Basis.COURT_ORDER}),
    "health": frozenset({Basis.CONSENT, Basis.EMERGENCY, Basis.COURT_ORDER}),
}
# An emergency is a ground only with the threat said in words.
NEEDS_WORDS = frozenset({Basis.EMERGENCY})
# Grants of a passed-on transfer stay: who held it took part. A returned one gives nothing.
_GIVES = frozenset(TAKEN) - {HandoffState.RETURNED}


class NotDisclosable(Exception):
    """What was chosen may not go along on that ground; the sentence says which part and why."""


def chosen_parts(
    session: Session, referral_id: str, kind: Kind, parts: Iterable[str], basis: Basis, from_team: str
) -> list[str]:
    """What a sender's choice comes to: what can be granted, what always goes along, and nothing without its ground.

    A tagged record that was chosen is refused; one that would only go along by default stays behind.
    """
    wanted = {*parts, *KINDS[kind].always}
    if KINDS[kind].moves_custody:
        # An empty one discloses nothing; whoever takes it over may have to write into it.
        wanted |= {part for part in ORIGINS if not is_filled(session, referral_id, part)}
    wanted &= grants.openable(session, referral_id, from_team)
    return [part for part in PARTS if part in wanted and not _blocked(session, referral_id, part, basis)]


def refuse_blocked(session: Session, referral_id: str, parts: Iterable[str], basis: Basis) -> None:
    """Raises NotDisclosable for a tagged record that a person chose without its ground."""
    blocked = [part for part in parts if _blocked(session, referral_id, part, basis)]
    if blocked:
        raise NotDisclosable(
            f"{blocked[0].capitalize()} records go along only with consent, in a health or safety emergency, or by "
            "court order"
        )


def is_filled(session: Session, referral_id: str, part: str) -> bool:
    """Whether anything is sealed under that part."""
    told = exists().where(sealed_parts.c.referral_id == referral_id, sealed_parts.c.part == part)
    written = exists().where(casework.c.referral_id == referral_id, casework.c.part == part)
    return bool(session.execute(select(told | written)).scalar_one())


def filled(session: Session, referral_id: str) -> frozenset[str]:
    """The parts under which anything is sealed."""
    told = select(sealed_parts.c.part).where(sealed_parts.c.referral_id == referral_id)
    written = select(casework.c.part).where(casework.c.referral_id == referral_id)
    return frozenset(session.execute(told.union(written)).scalars())


def digest(session: Session, referral_id: str, parts: Iterable[str]) -> str:
    """64 hexadecimal characters that bind exactly what goes along as it is now: the sealed bytes of each part.

    Keyed as all commitments are: erasing the record leaves a digest that says nothing.
    """
    chosen = list(parts)
    told = session.execute(
        select(sealed_parts.c.part, sealed_parts.c.blob).where(
            sealed_parts.c.referral_id == referral_id, sealed_parts.c.part.in_(chosen)
        )
    )
    written = session.execute(
        select(casework.c.part, casework.c.blob)
        .where(casework.c.referral_id == referral_id, casework.c.part.in_(chosen))
        .order_by(casework.c.at, casework.c.id)
    )
    found: dict[str, list[str]] = {part: [] for part in chosen}
    for row in (*told, *written):
        found[row.part].append(hashlib.sha256(row.blob).hexdigest())
    key = moves.referral(session, referral_id).commitment_key
    return entries.commitment(key, rfc8785.dumps(found))


def disclose(
    session: Session, keys: Keys, row: Row[Any], *, reason: str, made_by: str, now: datetime
) -> None:
    """Grants a handoff's parts to its receiver; outside the directory nobody has a key."""
    if row.to_team_id is None:
        return
    grants.give(
        session,
        keys,
        row.referral_id,
        row.parts,
        to_team=row.to_team_id,
        from_team=row.from_team_id,
        made_by=made_by,
        reason=reason,
        now=now,
        handoff_id=row.id,
    )


def take_back(session: Session, row: Row[Any]) -> None:
    """What this handoff granted goes, but for what another acknowledged handoff of the same team covers."""
    for other in register.of_referral(session, row.referral_id):
        if other.to_team_id == row.to_team_id and other.state in _GIVES and other.id != row.id:
            grants.inherit(session, row.id, other.id, other.parts)
    grants.withdraw(session, row.id)


def _blocked(session: Session, referral_id: str, part: str, basis: Basis) -> bool:
    allowed = ORIGINS.get(part)
    return allowed is not None and basis not in allowed and is_filled(session, referral_id, part)
