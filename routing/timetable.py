"""A team's clocks: the defaults of `routing.states`, what the team's own row changes of them, and its hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from directory.hours import Hours
from directory.tables import teams
from foundation import database
from ledger import entries
from ledger.entries import DEPLOYMENT, Actor
from referrals.facts import Urgency
from routing import business_days
from routing.states import (
    DESK_WITHIN,
    FIRST_ACTION_WITHIN,
    NEXT_ACTION_WITHIN,
    STEPS,
    STEPS_OF,
    Kind,
)
from routing.tables import team_clocks

_MINUTE = timedelta(minutes=1)
# A clock that runs out at once tells nobody anything, and one of more than a quarter is none.
_LEAST, _MOST = 1, 90 * 24 * 60
# What time counts only within the team's hours. Imminent never waits for anybody's office hours.
_IN_HOURS = frozenset({Urgency.ROUTINE})


class ClockFault(ValueError):
    """Clocks that cannot be used; the sentence says which and why."""


def defaults() -> dict[str, dict[str, int]]:
    """Minutes by urgency and name of the clock: `step_1`… of an offer, `desk`, `first_action`, `next_action`."""
    return {
        urgency.value: {
            **{
                f"step_{number}": _minutes(step.after) for number, step in enumerate(STEPS[urgency]) if number
            },
            "desk": _minutes(DESK_WITHIN[urgency]),
            "first_action": _minutes(FIRST_ACTION_WITHIN[urgency]),
            "next_action": _minutes(NEXT_ACTION_WITHIN[urgency]),
        }
        for urgency in Urgency
    }


@dataclass(frozen=True)
class Timetable:
    """The hours and the own minutes of one team."""

    hours: Hours
    minutes: Mapping[str, Mapping[str, int]]

    def within(self, urgency: Urgency, clock: str) -> timedelta:
        """How long a clock of `defaults()` runs here. Raises KeyError for no such clock."""
        own = self.minutes.get(urgency.value, {}).get(clock)
        return (own if own is not None else defaults()[urgency.value][clock]) * _MINUTE

    def due(self, start: datetime, urgency: Urgency, clock: str) -> datetime:
        """When that clock runs out, in UTC."""
        return self.after(start, self.within(urgency, clock), urgency)

    def step_after(self, kind: Kind, urgency: Urgency, step: int) -> timedelta:
        """How long after the offer the step is taken; a team's own minutes are for what is offered to teams."""
        if STEPS_OF[kind] is STEPS and step:
            return self.within(urgency, f"step_{step}")
        return STEPS_OF[kind][urgency][step].after

    def step_due(self, offered_at: datetime, kind: Kind, urgency: Urgency, step: int) -> datetime:
        """When that step of an offer is taken, in UTC."""
        return self.after(offered_at, self.step_after(kind, urgency, step), urgency)

    def after(self, start: datetime, amount: timedelta, urgency: Urgency) -> datetime:
        """So much later, in UTC; routine time counts in the team's hours only."""
        return business_days.due(start, amount, self.hours if urgency in _IN_HOURS else None)


def of(session: Session, team_id: str) -> Timetable:
    """The clocks of a team. Raises NoResultFound for no team."""
    row = session.execute(
        select(teams.c.time_zone, team_clocks.c.hours, team_clocks.c.minutes)
        .outerjoin(team_clocks, team_clocks.c.team_id == teams.c.id)
        .where(teams.c.id == team_id)
    ).one()
    hours = Hours.from_json(row.hours) if row.hours else business_days.working_week(row.time_zone)
    return Timetable(hours, row.minutes or {})


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
    minutes: Mapping[str, Mapping[str, int]],
    actor: Actor,
    now: datetime,
) -> None:
    """Replaces a team's own clocks; the change is in the deployment's ledger. Running clocks keep their times.

    What equals the default is not kept, so that a later default reaches the team. Raises ClockFault.
    """
    own = _own(minutes)
    _check(Timetable(hours or business_days.working_week("UTC"), own))
    values: dict[str, Any] = {"hours": hours.as_json() if hours else {}, "minutes": own}
    stored = values | {"changed_at": now, "changed_by": actor.member_id}
    if not database.changed(
        session, update(team_clocks).where(team_clocks.c.team_id == team_id).values(**stored)
    ):
        session.execute(insert(team_clocks).values(team_id=team_id, **stored))
    entries.append(
        session, DEPLOYMENT, kind="clocks_changed", at=now, actor=actor, facts={"of_team": team_id, **values}
    )


def _own(minutes: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    known = defaults()
    own: dict[str, dict[str, int]] = {}
    for urgency, clocks in minutes.items():
        for clock, amount in clocks.items():
            if clock not in known.get(urgency, {}):
                raise ClockFault(f"There is no clock {clock} of {urgency}.")
            if not _LEAST <= amount <= _MOST:
                raise ClockFault(f"The clock {clock} of {urgency} must run {_LEAST} to {_MOST} minutes.")
            if amount != known[urgency][clock]:
                own.setdefault(urgency, {})[clock] = amount
    return own


def _check(table: Timetable) -> None:
    if not table.hours.days:
        raise ClockFault("The team needs at least one day with hours.")
    for urgency in Urgency:
        steps = [table.within(urgency, f"step_{step}") for step in range(1, len(STEPS[urgency]))]
        if steps != sorted(set(steps)):
            raise ClockFault(f"Each step of {urgency.value} must come later than the one before it.")


def _minutes(amount: timedelta) -> int:
    return int(amount / _MINUTE)
