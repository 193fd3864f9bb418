"""Hours of a team, in its own time zone, with its own holidays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# A listed holiday is no weekday: it counts only where "holiday" stands among the days.
HOLIDAY = "holiday"


@dataclass(frozen=True)
class Hours:
    """From `begins` up to, not including, `ends` on each of `days`; where `ends` is not later than
    `begins`, into the next morning. Equal: all day and night. `zone` is an IANA name."""

    zone: str
    begins: time
    ends: time
    days: frozenset[str] = frozenset((*DAYS, HOLIDAY))
    holidays: frozenset[date] = frozenset()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Hours:
        """`{"zone": "America/Phoenix", "begins": "17:00", "ends": "08:00", "days": [...], "holidays":
        [...]}`. Raises ValueError."""
        days = frozenset(stored.get("days", (*DAYS, HOLIDAY)))
        if unknown := days - {*DAYS, HOLIDAY}:
            raise ValueError(f"unknown days {', '.join(sorted(unknown))}")
        try:
            ZoneInfo(stored["zone"])
        except ZoneInfoNotFoundError as fault:
            raise ValueError(f"unknown time zone {stored['zone']}") from fault
        return cls(
            zone=stored["zone"],
            begins=time.fromisoformat(stored["begins"]),
            ends=time.fromisoformat(stored["ends"]),
            days=days,
            holidays=frozenset(date.fromisoformat(day) for day in stored.get("holidays", ())),
        )

    def as_json(self) -> dict[str, Any]:
        """The inverse of `from_json`, sets sorted."""
        return {
            "zone": self.zone,
            "begins": self.begins.isoformat("minutes"),
            "ends": self.ends.isoformat("minutes"),
            "days": sorted(self.days),
            "holidays": sorted(day.isoformat() for day in self.holidays),
        }

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def hold(self, moment: datetime) -> bool:
        """Whether the aware `moment` lies within."""
        local = moment.astimezone(self._zone)
        today, at = local.date(), local.time()
        if self.begins < self.ends:
            return self._counts(today) and self.begins <= at < self.ends
        # The hours after midnight belong to the day on which they began.
        return (self._counts(today) and at >= self.begins) or (
            self._counts(today - timedelta(days=1)) and at < self.ends
        )

    def _counts(self, day: date) -> bool:
        return (HOLIDAY if day in self.holidays else DAYS[day.weekday()]) in self.days
