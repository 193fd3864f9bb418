"""Changing the teams' keys and destroying the old ones, so that what was erased opens from no backup either.

A backup of the database holds an erased referral's words and grants still. They stay closed because the keys that
open those grants are gone: each team is given a new key, the grants of all that lives are sealed again to it, and a
week later the old private halves leave the keyring. Each step may be repeated after a crash.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, exists, func, select, update
from sqlalchemy.orm import Session

from directory.tables import team_keys, teams
from directory.teams import TeamKind
from foundation import clock, database
from ledger import entries
from ledger.entries import DEPLOYMENT, Actor
from referrals import sealing
from referrals import team_keys as making
from referrals.duty import Duty
from referrals.grants import Keys
from referrals.sealing import Place, Recipient
from referrals.tables import grants, referrals

# Keys are renewed once a day at most. An old one is kept for a week: whatever was being sealed to it when it retired
# has long been stored and is sealed again, and a backup from before still opens if the database is lost meanwhile.
RENEW_EVERY = timedelta(days=1)
DESTROY_AFTER = timedelta(days=7)
# Opening and sealing again takes a third of a millisecond each: a batch holds its transaction for a moment only.
BATCH = 500


def is_owed(session: Session, now: datetime) -> bool:
    """Whether something was erased since the newest keys were made, and they are a day old. No canary counts: what
    it says is no secret."""
    newest = session.execute(select(func.max(team_keys.c.created_at))).scalar()
    erased = session.execute(
        select(func.max(referrals.c.erased_at)).where(referrals.c.mark.is_(None))
    ).scalar()
    return bool(newest and erased and erased > newest and newest <= now - RENEW_EVERY)


def renew(session: Session, keys: Keys, suite: str, now: datetime) -> int:
    """Gives every team fresh keys and retires those before; returns how many teams. Nothing is sealed again yet."""
    old = session.execute(select(team_keys.c.id).where(team_keys.c.retired_at.is_(None))).scalars().all()
    rows = session.execute(select(teams.c.id, teams.c.kind)).all()
    for row in rows:
        making.make_team_keys(session, keys.ring, row.id, TeamKind(row.kind), suite, now)
    session.execute(update(team_keys).where(team_keys.c.id.in_(old)).values(retired_at=now))
    entries.append(
        session,
        DEPLOYMENT,
        kind="keys_renewed",
        at=now,
        actor=Actor(part="clock"),
        facts={"teams": len(rows)},
    )
    return len(rows)


def rewrap(session: Session, keys: Keys, most: int = BATCH) -> int:
    """Seals again up to `most` grants that name a retired key; returns how many."""
    # The few keys first: joined to all grants, they would be looked for in each.
    retired = [key.id for key in pending(session)]
    old = session.execute(
        select(grants).where(grants.c.team_key_id.in_(retired)).limit(most).with_for_update(skip_locked=True)
    ).all()
    current = {(row.team_id, row.purpose): row for row in session.execute(_current())}
    for row in old:
        place = Place(keys.deployment, row.referral_id, row.part)
        secret = sealing.open_grant(keys.ring.seed(row.team_key_id), place, row.blob)
        key = current[row.team_id, row.purpose]
        blob = sealing.grant(secret, place, Recipient(row.team_id, key.id, key.suite, key.public_key))
        session.execute(update(grants).where(grants.c.id == row.id).values(team_key_id=key.id, blob=blob))
    return len(old)


def destroy(session: Session, keys: Keys, now: datetime) -> list[str]:
    """Destroys the private halves of keys that retired a week ago and open nothing any more; returns their ids."""
    opens = exists(select(grants.c.id).where(grants.c.team_key_id == team_keys.c.id))
    done = session.execute(
        select(team_keys.c.id).where(
            team_keys.c.retired_at <= now - DESTROY_AFTER, team_keys.c.destroyed_at.is_(None), ~opens
        )
    ).scalars()
    gone = list(done)
    for key_id in gone:
        keys.ring.destroy(key_id)
    if gone:
        session.execute(update(team_keys).where(team_keys.c.id.in_(gone)).values(destroyed_at=now))
        entries.append(
            session,
            DEPLOYMENT,
            kind="keys_destroyed",
            at=now,
            actor=Actor(part="clock"),
            facts={"keys": sorted(gone)},
        )
    return gone


def keep_keys(duty: Duty) -> int:
    """One round of the clock: renews keys where an erasure owes it, seals again, destroys; returns how many steps."""
    now, steps = clock.now(), 0
    with database.transaction(duty.engine) as session:
        if is_owed(session, now):
            steps += renew(session, duty.keys, duty.settings.sealing_suite, now)
    while True:
        with database.transaction(duty.engine) as session:
            done = rewrap(session, duty.keys)
        if not done:
            break
        steps += done
    with database.transaction(duty.engine) as session:
        return steps + len(destroy(session, duty.keys, now))


def pending(session: Session) -> list[Row[Any]]:
    """Retired keys whose private half still exists, the longest retired first."""
    query = select(team_keys).where(team_keys.c.retired_at.is_not(None), team_keys.c.destroyed_at.is_(None))
    return list(session.execute(query.order_by(team_keys.c.retired_at)))


def _current() -> Any:
    return select(team_keys).where(team_keys.c.retired_at.is_(None)).order_by(team_keys.c.created_at)
