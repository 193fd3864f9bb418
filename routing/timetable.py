"""A team's clocks: the defaults of `routing.steps`, what the team's own row changes of them, and its hours."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from directory.hours import Hours
from directory.tables import teams
from foundation import database
from foundation.identifiers import new_id
from ledger import entries
from ledger.entries import DEPLOYMENT, Actor
from referrals.facts import Urgency
from routing import business_days
from routing.states import Kind
from routing.steps import DESK_WITHIN, FIRST_ACTION_WITHIN, NEXT_ACTION_WITHIN, STEPS_OF
from routing.tables import clock_changes, team_clocks

# Beside the kinds of handoffs: the clocks of whoever holds a referral.
CUSTODY = "custody"
_MINUTE = timedelta(minutes=1)
# A clock that runs out at once tells nobody anything, and one of more than a quarter is none.
_LEAST, _MOST = 1, 90 * 24 * 60
_WHY_MOST = 300

# Urgency → kind of a handoff, or `CUSTODY` → name of the clock → minutes.
Minutes = Mapping[str, Mapping[str, Mapping[str, int]]]


class ClockFault(ValueError):
    """Clocks that cannot be used; the sentence says which and why."""


def defaults() -> dict[str, dict[str, dict[str, int]]]:
    """All `Minutes`: `step_1`… of an offer of each kind; `desk`, `first_action` and `next_action` of custody."""
    return {
        urgency.value: {
            **{kind.value: _steps(kind, urgency) for kind in Kind},
            CUSTODY: {
                "desk": _minutes(DESK_WITHIN[urgency]),
                "first_action": _minutes(FIRST_ACTION_WITHIN[urgency]),
                "next_action": _minutes(NEXT_ACTION_WITHIN[urgency]),
            },
        }
        for urgency in Urgency
    }


@dataclass(frozen=True)
class Timetable:
    """The hours and the own minutes of one team.

    Routine time counts within its hours only; elevated time always, unless the team is one whose elevated time
    waits for its hours too. Imminent never waits for anybody's office hours.
    """

    hours: Hours
    minutes: Minutes
    elevated_waits: bool = False

    def within(self, urgency: Urgency, clock: str, of: str = CUSTODY) -> timedelta:
        """How long a clock of `defaults()` runs here. Raises KeyError for no such clock."""
        own = self.minutes.get(urgency.value, {}).get(of, {}).get(clock)
        return (own if own is not None else defaults()[urgency.value][of][clock]) * _MINUTE

    def due(self, start: datetime, urgency: Urgency, clock: str) -> datetime:
        """When that clock of custody runs out, in UTC."""
        return self.after(start, self.within(urgency, clock), urgency)

    def step_after(self, kind: Kind, urgency: Urgency, step: int) -> timedelta:
        """How long after the offer the step is taken."""
        return self.within(urgency, f"step_{step}", kind.value) if step else timedelta()

    def step_due(self, offered_at: datetime, kind: Kind, urgency: Urgency, step: int) -> datetime:
        """When that step of an offer is taken, in UTC."""
        return self.after(offered_at, self.step_after(kind, urgency, step), urgency)

    def after(self, start: datetime, amount: timedelta, urgency: Urgency) -> datetime:
        """So much later, in UTC; in the team's hours where this urgency waits for them."""
        waits = urgency is Urgency.ROUTINE or (urgency is Urgency.ELEVATED and self.elevated_waits)
        return business_days.due(start, amount, self.hours if waits else None)


def of(session: Session, team_id: str) -> Timetable:
    """The clocks of a team. Raises NoResultFound for no team."""
    own = team_clocks.c
    row = session.execute(
        select(teams.c.time_zone, own.hours, own.minutes, own.elevated_waits)
        .outerjoin(team_clocks, own.team_id == teams.c.id)
        .where(teams.c.id == team_id)
    ).one()
    hours = Hours.from_json(row.hours) if row.hours else business_days.working_week(row.time_zone)
    return Timetable(hours, row.minutes or {}, bool(row.elevated_waits))


def desk_due(session: Session, team_id: str, urgency: Urgency, now: datetime) -> datetime:
    """By when a team's desk has to act on what waits there."""
    return of(session, team_id).due(now, urgency, "desk")


def half_way(now: datetime, due_at: datetime) -> datetime:
    """When a clock that was just started reminds."""
    return now + (due_at - now) / 2


def change(
    session: Session,
    team_id: str,
    *,
    hours: Hours | None,
    minutes: Minutes,
    elevated_waits: bool = False,
    why: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Replaces a team's own clocks, and keeps who did it and why. Running clocks keep their times.

    What equals the default is not kept, so that a later default reaches the team. The deployment's ledger has the new
    clocks, and `why` as a commitment: a sentence of at most 300 characters. Raises ClockFault.
    """
    own, why = _own(minutes), why.strip()
    _check(Timetable(hours or business_days.working_week("UTC"), own), why)
    values: dict[str, Any] = {
        "hours": hours.as_json() if hours else {},
        "minutes": own,
        "elevated_waits": elevated_waits,
    }
    if not database.changed(
        session, update(team_clocks).where(team_clocks.c.team_id == team_id).values(**values)
    ):
        session.execute(insert(team_clocks).values(team_id=team_id, **values))
    made = _keep_why(session, team_id, why, actor, now)
    entries.append(
        session,
        DEPLOYMENT,
        kind="clocks_changed",
        at=now,
        actor=actor,
        facts={"of_team": team_id, **values, **made},
    )


def changes(session: Session, team_id: str, most: int = 5) -> list[Row[Any]]:
    """Who changed a team's clocks, when and why, the newest first: `at`, `by`, `why`."""
    change = clock_changes.c
    return list(
        session.execute(
            select(change.at, change.by, change.why)
            .where(change.team_id == team_id)
            .order_by(change.at.desc(), change.id)
            .limit(most)
        )
    )


def _keep_why(session: Session, team_id: str, why: str, actor: Actor, now: datetime) -> dict[str, str]:
    """Stores the sentence with the key of its commitment; returns what the ledger says of it."""
    id, key = new_id(), secrets.token_bytes(32)
    row = {"id": id, "team_id": team_id, "at": now, "by": actor.member_id, "why": why, "why_key": key}
    session.execute(insert(clock_changes).values(row))
    return {"change": id, "why": entries.commitment(key, why.encode())}


def _own(minutes: Minutes) -> dict[str, dict[str, dict[str, int]]]:
    known = defaults()
    own: dict[str, dict[str, dict[str, int]]] = {}
    for urgency, of, clock, amount in _each(minutes):
        default = known.get(urgency, {}).get(of, {}).get(clock)
        name = f"{clock} of {urgency} {of}"
        if default is None:
            raise ClockFault(f"There is no clock {name}.")
        if not _LEAST <= amount <= _MOST:
            raise ClockFault(f"The clock {name} must run {_LEAST} to {_MOST} minutes.")
        if amount != default:
            own.setdefault(urgency, {}).setdefault(of, {})[clock] = amount
    return own


def _each(minutes: Minutes) -> Iterator[tuple[str, str, str, int]]:
    for urgency, works in minutes.items():
        for of, clocks in works.items():
            for clock, amount in clocks.items():
                yield urgency, of, clock, amount


def _check(table: Timetable, why: str) -> None:
    if not table.hours.days:
        raise ClockFault("The team needs at least one day with hours.")
    if not 0 < len(why) <= _WHY_MOST:
        raise ClockFault(f"Say in a sentence of at most {_WHY_MOST} characters why you change the clocks.")
    for kind in Kind:
        for urgency in Urgency:
            steps = [table.within(urgency, clock, kind.value) for clock in _steps(kind, urgency)]
            if steps != sorted(set(steps)):
                raise ClockFault(
                    f"Each step of {urgency.value} {kind.value} must come later than the one before it."
                )


def _steps(kind: Kind, urgency: Urgency) -> dict[str, int]:
    steps = STEPS_OF[kind][urgency]
    return {f"step_{number}": _minutes(step.after) for number, step in enumerate(steps) if number}


def _minutes(amount: timedelta) -> int:
    return int(amount / _MINUTE)
