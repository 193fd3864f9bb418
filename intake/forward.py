"""A forward: what a member of an agency typed at the portal, as one typed value. It lives for one request."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from enum import StrEnum

from referrals.facts import Evidence, Facts, PlaceKind, Relation, Setting, Urgency
from routing import places
from routing.boundaries import Boundaries
from routing.places import Resolution

# The form asks for one place and whose it is. The office's own place says nothing about who should act.
RELATIONS = (Relation.TARGET, Relation.INCIDENT, Relation.SUBJECT)
_POINT = re.compile(r"\s*(-?\d{1,2}(?:\.\d{1,15})?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d{1,15})?)\s*")
_LATITUDES = (-15.0, 72.0)
# Most of the country; Guam and the Northern Marianas; the last of the Aleutians.
_LONGITUDES = ((-180.0, -64.0), (144.0, 147.0), (172.0, 180.0))


class Handling(StrEnum):
    """What the originator allows to be done with it."""

    FREE = "H0"
    NOT_AS_EVIDENCE = "H1"
    NOT_PASSED_ON = "H2"
    AS_STATED = "H3"


@dataclass(frozen=True)
class Forward:
    """All answers as they were typed, character for character; "" where there is none.

    `point` are latitude and longitude in degrees (WGS 84), `accuracy_m` metres around it. `case_number` is the
    office's own and is stored in clear, so that the office finds its forward again.
    """

    what_happened: str
    urgency: Urgency
    handling: Handling
    behaviours: tuple[str, ...] = ()
    other_act: str = ""
    links: str = ""
    subject: str = ""
    target: str = ""
    school: str = ""
    place: str = ""
    county: str = ""
    state: str = ""
    zip_code: str = ""
    point: tuple[float, float] | None = None
    accuracy_m: float = 0.0
    relation: Relation = Relation.TARGET
    setting: Setting = Setting.UNKNOWN
    when: str = ""
    sources: str = ""
    conditions: str = ""
    contact: str = ""
    case_number: str = ""

    def told(self) -> dict[str, str]:
        """The words by name of `referrals.content.FIELDS`; all of them are sealed."""
        return {name: getattr(self, name) for name in _TOLD} | {"place": self._place_words()}

    def located(self, boundaries: Boundaries) -> Resolution:
        """The place as evidence of known areas, or the faults of its fields. Typed words stay behind."""
        named = places.resolve(
            boundaries,
            relation=self.relation,
            school=self.school,
            place=self.place,
            state=self.state,
            zip_code=self.zip_code,
            county=self.county,
        )
        return Resolution((*self._fix(), *named.evidence), named.faults)

    def facts(self, evidence: tuple[Evidence, ...], originator: str) -> Facts:
        """What routing may know of it. `originator` is the office as coverage rules name it."""
        return Facts(self.urgency, self.behaviours, self.setting, originator, evidence)

    def submission(self, form_key: str) -> str:
        """64 hexadecimal characters that name this content sent from this form: twice is one record, and other
        words from the same form (somebody went back and wrote more) are another."""
        content = json.dumps(asdict(self), ensure_ascii=True, sort_keys=True)
        return hashlib.sha256(f"{form_key}\n{content}".encode()).hexdigest()

    def _fix(self) -> tuple[Evidence, ...]:
        if self.point is None:
            return ()
        latitude, longitude = self.point
        fix = Evidence(PlaceKind.POINT, self.relation, (), latitude, longitude, self.accuracy_m)
        return (fix,)

    def _place_words(self) -> str:
        point = f"{self.point[0]}, {self.point[1]} (± {self.accuracy_m:g} m)" if self.point else ""
        named = (self.school, self.place, self.county, self.state, self.zip_code, point)
        return "\n".join(words for words in named if words)


_TOLD = (
    "what_happened", "other_act", "links", "subject", "target", "when", "sources", "conditions", "contact",
)  # fmt: skip


def point_of(words: str) -> tuple[float, float] | None:
    """Latitude and longitude as maps copy them, "33.4255, -111.9400"; None unless that is a point in the United
    States, its territories included: a forgotten minus would lie in China."""
    typed = _POINT.fullmatch(words)
    if typed is None:
        return None
    latitude, longitude = float(typed[1]), float(typed[2])
    here = any(west <= longitude <= east for west, east in _LONGITUDES)
    return (latitude, longitude) if here and _LATITUDES[0] <= latitude <= _LATITUDES[1] else None
