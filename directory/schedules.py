"""Keeping the schedules of teams: rotations, exchanges, and the ladder that is called when nobody has the duty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from directory import members, teams
from directory.on_call import Exchange, Rotation, Schedule, ScheduleFault, Turn
from directory.tables import exchanges, ladder_steps, memberships, schedules
from foundation import database
from foundation.identifiers import new_id

# A plan is looked at so far ahead before it is taken: every turn of the usual rotations comes up.
LOOK_AHEAD = timedelta(days=56)


@dataclass(frozen=True)
class Plan:
    """A team's schedule, and whether its own fallback knowingly stands in where nobody has the duty."""

    schedule: Schedule
    fallback_covers: bool


@dataclass(frozen=True)
class MyTurn:
    """A turn of one member in one team."""

    team_id: str
    team: str
    turn: Turn


def plan(session: Session, team_id: str, now: datetime) -> Plan:
    """The team's plan, without exchanges that are over and members who left. Raises NoResultFound for no team."""
    row = session.execute(select(schedules).where(schedules.c.team_id == team_id)).one_or_none()
    seated = set(members.ladder(session, team_id))
    later = select(exchanges).where(exchanges.c.team_id == team_id, exchanges.c.ends_at > now)
    schedule = Schedule(
        zone=teams.team(session, team_id).time_zone,
        fallback=tuple(members.ladder(session, team_id)),
        rotations=tuple(Rotation.from_json(stored) for stored in (row.rotations if row else ())),
        exchanges=tuple(
            Exchange(entry.member_id, entry.begins_at, entry.ends_at, entry.instead_of)
            for entry in session.execute(later.order_by(exchanges.c.begins_at, exchanges.c.id))
            if entry.member_id in seated
        ),
    )
    return Plan(schedule, fallback_covers=bool(row.fallback_covers) if row else True)


def ladder(session: Session, team_id: str, now: datetime) -> list[str]:
    """Member ids in the order in which they are called at that moment: who has the duty, then everybody else."""
    called = plan(session, team_id, now).schedule
    # Who left the team may still stand in a rotation; a turn of theirs falls to the fallback.
    seated = set(called.fallback)
    return [member for member in called.at(now) if member in seated]


def set_rotations(
    session: Session,
    team_id: str,
    rotations: Sequence[Rotation],
    *,
    fallback_covers: bool,
    by: str | None,
    now: datetime,
) -> None:
    """Replaces a team's rotations. Raises ScheduleFault, which names the person or the hole that is in the way."""
    faults = list(_faults(session, team_id, rotations, fallback_covers, now))
    if faults:
        raise ScheduleFault(" ".join(faults))
    values = {
        "rotations": [rotation.as_json() for rotation in rotations],
        "fallback_covers": fallback_covers,
        "changed_at": now,
        "changed_by": by,
    }
    if not database.changed(session, update(schedules).where(schedules.c.team_id == team_id).values(values)):
        session.execute(insert(schedules).values(team_id=team_id, **values))


def set_fallback(session: Session, team_id: str, member_ids: Sequence[str]) -> None:
    """Sets the order in which a team's members are called when nobody has the duty. Raises ScheduleFault for an empty
    one and for people who have no seat in the team; who is left out is called last."""
    seats = set(
        session.execute(select(memberships.c.member_id).where(memberships.c.team_id == team_id)).scalars()
    )
    if not member_ids:
        raise ScheduleFault("The fallback must name somebody: it is who is called when nobody else is.")
    if set(member_ids) - seats:
        raise ScheduleFault("Somebody in the fallback has no seat in this team.")
    before = session.execute(
        select(ladder_steps.c.member_id)
        .where(ladder_steps.c.team_id == team_id)
        .order_by(ladder_steps.c.step)
    ).scalars()
    order = list(dict.fromkeys((*member_ids, *before)))
    session.execute(delete(ladder_steps).where(ladder_steps.c.team_id == team_id))
    session.execute(
        insert(ladder_steps),
        [{"team_id": team_id, "step": step, "member_id": member} for step, member in enumerate(order)],
    )


def exchange(session: Session, team_id: str, entry: Exchange, *, by: str | None, now: datetime) -> str:
    """Writes down that a member takes over for a while; returns the id. Raises ScheduleFault, also where nobody who can
    be reached would have the duty."""
    seated = set(members.ladder(session, team_id))
    if entry.member not in seated:
        raise ScheduleFault("Who takes over has no seat in this team.")
    if entry.ends <= entry.begins or entry.ends <= now:
        raise ScheduleFault("It must end after it begins, and not in the past.")
    kept = plan(session, team_id, now)
    tried = replace(kept.schedule, exchanges=(*kept.schedule.exchanges, entry))
    begins = max(entry.begins, now)
    found = _holes(session, tried, kept.fallback_covers, begins, entry.ends - begins)
    if holes_of_theirs := [hole for hole in found if entry.member in hole.members]:
        raise ScheduleFault(hole_in_words(session, holes_of_theirs[0], kept.schedule.zone))
    id = new_id()
    session.execute(
        insert(exchanges).values(
            id=id,
            team_id=team_id,
            member_id=entry.member,
            instead_of=entry.instead_of,
            begins_at=entry.begins,
            ends_at=entry.ends,
            made_at=now,
            made_by=by,
        )
    )
    return id


def undo_exchange(session: Session, team_id: str, exchange_id: str) -> bool:
    """Takes an exchange back; whether there was one."""
    mine = exchanges.c.team_id == team_id, exchanges.c.id == exchange_id
    return database.changed(session, delete(exchanges).where(*mine)) > 0


def coming_exchanges(session: Session, team_id: str, now: datetime) -> list[Row[Any]]:
    """Exchanges that are not over, the first to begin first."""
    query = select(exchanges).where(exchanges.c.team_id == team_id, exchanges.c.ends_at > now)
    return list(session.execute(query.order_by(exchanges.c.begins_at, exchanges.c.id)))


def turns_of(session: Session, member_id: str, begins: datetime, ends: datetime) -> list[MyTurn]:
    """A member's turns that touch that time, in all their teams, the first to begin first."""
    found = [
        MyTurn(team_id, teams.team(session, team_id).name, turn)
        for team_id in members.member(session, member_id).team_ids
        for turn in plan(session, team_id, begins).schedule.turns(begins, ends)
        if member_id in turn.members
    ]
    return sorted(found, key=lambda mine: (mine.turn.begins, mine.team))


def holes(session: Session, team_id: str, now: datetime, within: timedelta = LOOK_AHEAD) -> list[Turn]:
    """When in that time nobody who can be reached has the duty, and no fallback knowingly stands in."""
    kept = plan(session, team_id, now)
    return _holes(session, kept.schedule, kept.fallback_covers, now, within)


def _holes(
    session: Session, schedule: Schedule, fallback_covers: bool, now: datetime, within: timedelta
) -> list[Turn]:
    people = {member for rotation in schedule.rotations for member in rotation.members} | set(
        schedule.fallback
    )
    reachable = {contact.member_id for contact in members.reachable_contacts(session, sorted(people))}
    if fallback_covers and reachable & set(schedule.fallback):
        return []
    return schedule.holes(now, now + within, reachable)


def _faults(
    session: Session, team_id: str, rotations: Sequence[Rotation], fallback_covers: bool, now: datetime
) -> list[str]:
    kept = plan(session, team_id, now).schedule
    strangers = {member for rotation in rotations for member in rotation.members} - set(kept.fallback)
    if strangers:
        called = members.names(session, sorted(strangers))
        return [f"{called.get(member, 'Somebody')} has no seat in this team." for member in sorted(strangers)]
    tried = Schedule(kept.zone, kept.fallback, tuple(rotations), kept.exchanges)
    begins = now
    if rotations and not kept.rotations:
        # Until the first turn all stays as it was.
        zone = ZoneInfo(kept.zone)
        begins = max(now, min(datetime.combine(one.starts, one.handover, zone) for one in rotations))
    found = _holes(session, tried, fallback_covers, begins, LOOK_AHEAD)
    return [hole_in_words(session, found[0], kept.zone)] if found else []


def hole_in_words(session: Session, hole: Turn, zone: str) -> str:
    """One sentence, on the team's own clock."""
    begins, ends = hole.local(zone)
    span = f"from {begins:%A %d %B %Y %H:%M} to {ends:%A %d %B %Y %H:%M}"
    if not hole.members:
        return f"Nobody has the duty {span}."
    named = members.names(session, hole.members)
    return f"Nobody who has the duty {span} can be reached: {', '.join(named[id] for id in hole.members)}."
