"""What routing may know of a referral: acts, urgency, setting and place. Never words, never who somebody is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Urgency(StrEnum):
    """The routing clock. Never mixed with a team's level of concern."""

    IMMINENT = "imminent"
    ELEVATED = "elevated"
    ROUTINE = "routine"


class Relation(StrEnum):
    """Whose place a piece of evidence names."""

    TARGET = "target"
    INCIDENT = "incident"
    SUBJECT = "subject"
    REPORTER = "reporter"


class PlaceKind(StrEnum):
    """How the place was named."""

    POINT = "point"
    SCHOOL = "school"
    CAMPUS = "campus"
    PLACE = "place"
    ZIP = "zip"
    COUNTY = "county"
    STATE = "state"
    UNKNOWN = "unknown"


class Setting(StrEnum):
    """The kind of place that is threatened, which some coverage rules ask for."""

    SCHOOL = "school"
    WORKPLACE = "workplace"
    HOME = "home"
    PUBLIC = "public"
    ONLINE = "online"
    UNKNOWN = "unknown"


@dataclass(frozen=True, order=True)
class Evidence:
    """One piece of evidence of place.

    `areas` holds ids of known areas (`school:nces-…`, `zip:85281`, `state:04`), several where the words fit
    several; typed words that fit none stay sealed and leave `unknown` with no area. A `point` has
    `latitude`, `longitude` in degrees (WGS 84) and `accuracy_m` in metres.
    """

    kind: PlaceKind
    relation: Relation
    areas: tuple[str, ...] = ()
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None

    def as_json(self) -> dict[str, Any]:
        """A JSON object without empty members."""
        full = {
            "kind": self.kind.value,
            "relation": self.relation.value,
            "areas": list(self.areas),
            "latitude": self.latitude,
            "longitude": self.longitude,
            "accuracy_m": self.accuracy_m,
        }
        return {name: value for name, value in full.items() if value not in (None, [])}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Evidence:
        """The inverse of `as_json`."""
        return cls(
            kind=PlaceKind(stored["kind"]),
            relation=Relation(stored["relation"]),
            areas=tuple(stored.get("areas", ())),
            latitude=stored.get("latitude"),
            longitude=stored.get("longitude"),
            accuracy_m=stored.get("accuracy_m"),
        )


@dataclass(frozen=True)
class Facts:
    """All that a routing decision may look at besides the evidence of place.

    `behaviours` are codes of `referrals.behaviours`; `originator` is the forwarding office's team id, and
    None for the public.
    """

    urgency: Urgency
    behaviours: tuple[str, ...] = ()
    setting: Setting = Setting.UNKNOWN
    originator: str | None = None
    evidence: tuple[Evidence, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """A JSON object, members sorted, so that equal facts give equal bytes."""
        return {
            "behaviours": sorted(self.behaviours),
            "evidence": [piece.as_json() for piece in self.evidence],
            "originator": self.originator,
            "setting": self.setting.value,
            "urgency": self.urgency.value,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Facts:
        """The inverse of `as_json`."""
        return cls(
            urgency=Urgency(stored["urgency"]),
            behaviours=tuple(stored["behaviours"]),
            setting=Setting(stored["setting"]),
            originator=stored["originator"],
            evidence=tuple(Evidence.from_json(piece) for piece in stored["evidence"]),
        )
