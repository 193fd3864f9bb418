"""Signs of life: what is late, stuck, silent or out of reach, as numbers. For metrics, banners and the heartbeat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from directory import contacts, reach, teams
from foundation import clock, database, heartbeat, outbox
from foundation.metrics import Reading
from foundation.settings import Settings
from foundation.tables import outbox as owed
from notifications.states import NoticeState
from notifications.tables import notices
from referrals.duty import Duty
from referrals.tables import referrals
from routing import canary
from routing.states import OPEN
from routing.tables import handoffs

# Each part says that it lives every few seconds; the upkeep's calls may take a minute.
SILENT_AFTER = timedelta(seconds=60)
_SLOWER = {"clock upkeep": timedelta(minutes=5)}
# Nothing that is owed waits longer than this: the urgent, and the rest.
LATE_AFTER = {True: timedelta(seconds=60), False: timedelta(minutes=15)}
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Part:
    """A long-running part of the service."""

    name: str
    last: datetime | None
    silent: bool


def parts(session: Session, now: datetime) -> list[Part]:
    """Every part that ever said that it lives, the clock first and always."""
    beats = heartbeat.every(session)
    beats.pop(canary.PART, None)
    return [_part(name, beats.get(name), now) for name in dict.fromkeys(("clock", *sorted(beats)))]


def waiting_too_long(session: Session, now: datetime) -> dict[str, int]:
    """How many messages of the outbox are due for longer than their limit, by job."""
    found: dict[str, int] = {}
    for urgent, limit in LATE_AFTER.items():
        late = owed.c.urgent == urgent, owed.c.due_at < now - limit
        rows = session.execute(select(owed.c.job, func.count()).where(*late).group_by(owed.c.job))
        for job, count in rows:
            found[job] = found.get(job, 0) + count
    return found


def unreachable(session: Session) -> dict[str, str]:
    """Names of the teams that nobody could tell now by telephone, each with the reason's code."""
    silent = reach.unreachable(session, by_telephone=True)
    names = teams.names(session, silent)
    return {names[id]: why for id, why in sorted(silent.items(), key=lambda pair: names[pair[0]])}


def is_well(session: Session, settings: Settings, now: datetime) -> bool:
    """Whether everything moves: the parts live, nothing waits too long, a canary came through lately."""
    moves = not any(part.silent for part in parts(session, now)) and not waiting_too_long(session, now)
    return moves and not outbox.failing(session) and not canary.is_late(session, settings, now)


def call_outside(duty: Duty) -> int:
    """Calls HEARTBEAT_URL while all is well, so that whoever waits for the call notices silence; 1 if it was called."""
    if not duty.settings.heartbeat_url:
        return 0
    with database.reading(duty.engine) as session:
        well = is_well(session, duty.settings, clock.now())
    return int(well and heartbeat.call(duty.settings.heartbeat_url))


def readings(session: Session, settings: Settings, now: datetime) -> Iterator[Reading]:
    """All numbers, for Prometheus: counts and ages in seconds. Drills and canaries are in none but their own."""
    yield Reading("waypost_well", "Whether everything moves.", is_well(session, settings, now))
    for part, beat_at in heartbeat.every(session).items():
        seconds = (now - beat_at).total_seconds()
        yield Reading("waypost_heartbeat_age_seconds", "Since a part last lived.", seconds, {"part": part})
    for job, count in outbox.waiting(session).items():
        yield Reading("waypost_outbox_due", "Messages that are due.", count, {"job": job})
    yield Reading(
        "waypost_outbox_late", "Due for longer than the limit.", sum(waiting_too_long(session, now).values())
    )
    yield from _of_notices(session, now)
    yield from _of_referrals(session, now)
    yield Reading("waypost_teams_unreachable", "Teams that no telephone reaches.", len(unreachable(session)))
    yield Reading(
        "waypost_contacts_stale", "Contacts to be proved again.", contacts.stale_count(session, now)
    )


def _part(name: str, last: datetime | None, now: datetime) -> Part:
    return Part(name, last, last is None or now - last > _SLOWER.get(name, SILENT_AFTER))


def _of_notices(session: Session, now: datetime) -> Iterator[Reading]:
    real = notices.c.mark.is_(None), notices.c.created_at > now - _DAY
    counted = (
        select(notices.c.channel, notices.c.state, func.count())
        .where(*real)
        .group_by(notices.c.channel, notices.c.state)
    )
    for channel, state, count in session.execute(counted):
        labels = {"channel": channel, "state": NoticeState(state).value}
        yield Reading("waypost_notices_day", "Notices of the last day.", count, labels)


def _of_referrals(session: Session, now: datetime) -> Iterator[Reading]:
    # What is open has a due time, by a constraint, and is found by it among all that ever was.
    is_open = referrals.c.due_at.is_not(None), referrals.c.mark.is_(None)
    counted = (
        select(referrals.c.urgency, referrals.c.state, func.count())
        .where(*is_open)
        .group_by(referrals.c.urgency, referrals.c.state)
    )
    for urgency, state, count in session.execute(counted):
        labels = {"urgency": urgency, "state": state}
        yield Reading("waypost_referrals_open", "Referrals that are open.", count, labels)
    late = (
        select(func.count())
        .select_from(handoffs.join(referrals))
        .where(handoffs.c.state.in_(OPEN), handoffs.c.step > 0, referrals.c.mark.is_(None))
    )
    yield Reading(
        "waypost_offers_escalated", "Open offers past their first step.", session.execute(late).scalar_one()
    )
