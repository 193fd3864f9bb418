"""Making a team's keys: the seed goes into the keyring first, then the public half into the directory."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from directory import teams
from directory.teams import KeyPurpose, TeamKind
from foundation.identifiers import new_id
from referrals import sealing
from referrals.keyring import Keyring

_PURPOSES: dict[TeamKind, tuple[KeyPurpose, ...]] = {
    TeamKind.ROOT: (KeyPurpose.ROUTING, KeyPurpose.READING),
}


def make_team_keys(
    session: Session, ring: Keyring, team_id: str, kind: TeamKind, suite: str, now: datetime
) -> None:
    """A reading key for the team, and for the root desk also the routing key to which new referrals are sealed.

    A key that is in the ring but was never published harms nobody; the reverse would lose words. So the ring is
    first.
    """
    for purpose in _PURPOSES.get(kind, (KeyPurpose.READING,)):
        key_id, seed = new_id(), sealing.new_key()
        ring.add(key_id, seed)
        teams.add_public_key(
            session,
            key_id=key_id,
            team_id=team_id,
            purpose=purpose,
            suite=suite,
            public_key=sealing.public_half(suite, seed),
            now=now,
        )
