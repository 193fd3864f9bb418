"""Who is on call: turns in the team's own time zone, exchanges, and a fallback that is never empty.

Pure: a schedule is a value, and the same moment always gives the same people. `directory.schedules` keeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from directory.hours import Hours

_DAY = timedelta(days=1)
# Clocks jump by whole or half hours: where they do, an hour that never was begins when they have jumped.
_HALF_HOURS = {time(hour, minute) for hour in range(24) for minute in (0, 30)}
# A year of turns is more than anybody plans.
_LONGEST_TURN_DAYS = 366


class ScheduleFault(ValueError):
    """A schedule cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Rotation:
    """Members (ids) who take turns of `turn_days` days, the first from the `handover` on the wall of day `starts` on.

    With `hours`, the turn is on duty only within them: a night desk, a weekend. Before `starts` nobody is.
    """

    name: str
    members: tuple[str, ...]
    starts: date
    handover: time = time(8)
    turn_days: int = 7
    hours: Hours | None = None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Rotation:
        """The inverse of `as_json`. Raises ScheduleFault."""
        try:
            rotation = cls(
                name=str(stored["name"]),
                members=tuple(stored["members"]),
                starts=date.fromisoformat(stored["starts"]),
                handover=time.fromisoformat(stored["handover"]),
                turn_days=int(stored["turn_days"]),
                hours=Hours.from_json(stored["hours"]) if stored.get("hours") else None,
            )
        except (KeyError, TypeError, ValueError) as fault:
            raise ScheduleFault(
                f"The rotation {stored.get('name', '')!r} cannot be read: {fault}."
            ) from fault
        if not rotation.members:
            raise ScheduleFault(f"The rotation {rotation.name!r} has nobody in it.")
        if not 1 <= rotation.turn_days <= _LONGEST_TURN_DAYS:
            raise ScheduleFault(
                f"A turn of the rotation {rotation.name!r} must last 1 to {_LONGEST_TURN_DAYS} days."
            )
        return rotation

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "name": self.name,
            "members": list(self.members),
            "starts": self.starts.isoformat(),
            "handover": self.handover.isoformat("minutes"),
            "turn_days": self.turn_days,
            "hours": self.hours.as_json() if self.hours else None,
        }

    def on_duty(self, local: datetime) -> str | None:
        """Whose turn it is at a moment on the team's wall clock; None outside the hours and before the start.

        Turns are counted in days of the calendar, so that a handover at eight is at eight in summer and in winter.
        """
        day = local.date() if local.time() >= self.handover else local.date() - _DAY
        turn = (day - self.starts).days // self.turn_days
        if turn < 0 or (self.hours is not None and not self.hours.hold(local)):
            return None
        return self.members[turn % len(self.members)]


@dataclass(frozen=True)
class Exchange:
    """A member takes over from `begins` up to, not including, `ends`; `instead_of` one person, or before everybody."""

    member: str
    begins: datetime
    ends: datetime
    instead_of: str | None = None

    def holds(self, moment: datetime) -> bool:
        """Whether it is in force at that moment."""
        return self.begins <= moment < self.ends


@dataclass(frozen=True)
class Turn:
    """From `begins` up to `ends` these members have the duty, the first to be called first; nobody: a hole."""

    begins: datetime
    ends: datetime
    members: tuple[str, ...]

    def local(self, zone: str) -> tuple[datetime, datetime]:
        """Both ends on the wall clock of an IANA zone."""
        return self.begins.astimezone(ZoneInfo(zone)), self.ends.astimezone(ZoneInfo(zone))


@dataclass(frozen=True)
class Schedule:
    """A team's plan. `zone` is an IANA name; `fallback` are those who are called, in order, after who has the duty."""

    zone: str
    fallback: tuple[str, ...]
    rotations: tuple[Rotation, ...] = ()
    exchanges: tuple[Exchange, ...] = ()

    def on_duty(self, moment: datetime) -> tuple[str, ...]:
        """Who has the duty at an aware moment, in the order in which they are called; the fallback is not on duty."""
        local = moment.astimezone(ZoneInfo(self.zone))
        turns = [member for rotation in self.rotations if (member := rotation.on_duty(local))]
        for exchange in self.exchanges:
            if exchange.holds(moment):
                if exchange.instead_of is None:
                    turns = [exchange.member, *turns]
                else:
                    turns = [exchange.member if member == exchange.instead_of else member for member in turns]
        return tuple(dict.fromkeys(turns))

    def at(self, moment: datetime) -> tuple[str, ...]:
        """Everybody in the order in which they are called at that moment: the duty, then the fallback."""
        return tuple(dict.fromkeys((*self.on_duty(moment), *self.fallback)))

    def turns(self, begins: datetime, ends: datetime) -> Iterator[Turn]:
        """Who has the duty from `begins` to `ends`, holes included; neighbours that are alike are one turn."""
        last: Turn | None = None
        for start, end in pairwise(self._edges(begins, ends)):
            members = self.on_duty(start)
            if last and last.members == members:
                last = Turn(last.begins, end, members)
                continue
            if last:
                yield last
            last = Turn(start, end, members)
        if last:
            yield last

    def holes(self, begins: datetime, ends: datetime, reachable: Collection[str]) -> list[Turn]:
        """When nobody who can be reached has the duty, each with those who have it all the same.

        A team without rotations calls its fallback always: its holes are those of the fallback.
        """
        if not self.rotations:
            whole = Turn(begins, ends, self.fallback)
            return [] if set(self.fallback) & set(reachable) else [whole]
        return [turn for turn in self.turns(begins, ends) if not set(turn.members) & set(reachable)]

    def _edges(self, begins: datetime, ends: datetime) -> list[datetime]:
        """Every moment in between at which the duty could change, the two ends included, in UTC."""
        zone = ZoneInfo(self.zone)
        edges = {begins.astimezone(UTC), ends.astimezone(UTC)}
        walls = {time(0)}
        for rotation in self.rotations:
            walls |= {
                rotation.handover,
                *((rotation.hours.begins, rotation.hours.ends) if rotation.hours else ()),
            }
        day = begins.astimezone(zone).date()
        while day <= ends.astimezone(zone).date():
            for wall in walls | (_HALF_HOURS if _changes_clocks(day, zone) else set()):
                # An hour that the clocks show twice begins twice.
                for fold in (0, 1):
                    edges.add(datetime.combine(day, wall, zone).replace(fold=fold).astimezone(UTC))
            day += _DAY
        edges |= {moment.astimezone(UTC) for entry in self.exchanges for moment in (entry.begins, entry.ends)}
        return sorted(moment for moment in edges if begins <= moment <= ends)


def _changes_clocks(day: date, zone: ZoneInfo) -> bool:
    midnights = (datetime.combine(midnight, time(0), zone) for midnight in (day, day + _DAY))
    return len({midnight.utcoffset() for midnight in midnights}) > 1
