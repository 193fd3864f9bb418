"""Opening: the one way by which words are read. Each opening is in the ledger, or it does not happen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import entries
from ledger.entries import Actor
from referrals import content, grants, moves, sealing
from referrals.content import Told
from referrals.grants import Keys
from referrals.sealing import Place
from referrals.tables import sealed_parts


@dataclass(frozen=True)
class OpenedPart:
    """One part in clear, with the SHA-256 of the sealed document as 64 hexadecimal characters."""

    part: str
    told: list[tuple[Told, str]]
    sha256: str


def open_content(
    session: Session,
    keys: Keys,
    referral_id: str,
    *,
    team_id: str,
    parts: Iterable[str],
    actor: Actor,
    now: datetime,
) -> list[OpenedPart]:
    """Opens those of the parts that the team was granted, and records who opened which.

    Parts that nobody filled in, or that were not disclosed to the team, are simply absent.
    """
    moves.lock(session, referral_id)
    wanted = grants.granted_parts(session, referral_id, team_id) & set(parts)
    rows = session.execute(
        select(sealed_parts.c.part, sealed_parts.c.blob)
        .where(sealed_parts.c.referral_id == referral_id, sealed_parts.c.part.in_(wanted))
        .order_by(sealed_parts.c.part)
    ).all()
    opened = [_open(session, keys, referral_id, team_id, row.part, row.blob) for row in rows]
    entries.append(
        session,
        referral_id,
        kind="content_opened",
        at=now,
        actor=actor,
        facts={"parts": sorted(wanted)},
    )
    return opened


def _open(session: Session, keys: Keys, referral_id: str, team_id: str, part: str, blob: bytes) -> OpenedPart:
    key = grants.part_key(session, keys, referral_id, part, team_id=team_id)
    document = sealing.unseal(key, Place(keys.deployment, referral_id, part), blob)
    return OpenedPart(part, content.told_in(document), hashlib.sha256(document).hexdigest())
