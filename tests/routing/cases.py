"""A small invented Arizona around the real one, and short ways to ask it."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any

from referrals.facts import Evidence, Facts, PlaceKind, Relation, Setting, Urgency
from routing.boundaries import Boundaries
from routing.decision import Decision, decide
from routing.demonstration import areas
from routing.rules import RuleSet

MARICOPA, TEMPE, MESA, ARIZONA = "county:04013", "place:0473000", "place:0446000", "state:04"
CAMPUS, DISTRICT, RESERVATION = "campus:demo-palo-verde", "district:test-tempe", "tribal:test-river"
# Ten in the morning in Phoenix, which knows no summer time.
MORNING = datetime(2026, 3, 4, 17, tzinfo=UTC)
EVENING = datetime(2026, 3, 5, 3, tzinfo=UTC)

_RING = [[-111.80, 33.40], [-111.70, 33.40], [-111.70, 33.48], [-111.80, 33.48], [-111.80, 33.40]]
BOUNDARIES = Boundaries.from_json(
    [
        *areas(),
        {"id": DISTRICT, "name": "Tempe Union", "state": "04", "parents": [MARICOPA], "zips": {"85281": 1.0}},
        {
            "id": RESERVATION,
            "name": "River Reservation",
            "state": "04",
            "parents": [MARICOPA],
            "geometry": {"type": "Polygon", "coordinates": [_RING]},
        },
    ]
)


def lead(team: str, area: str, **more: Any) -> dict[str, Any]:
    """A rule that lets `team` lead in `area`."""
    return {"id": more.pop("id", team), "team": team, "role": "lead", "area": area, **more}


def rule_set(*rules: dict[str, Any]) -> RuleSet:
    """The rules with a root desk, Arizona's hub, and a team elsewhere that must never turn up."""
    noise = lead("nevada", "state:32")
    return RuleSet.from_json({"root_team": "root", "state_hubs": {"04": "hub"}, "rules": [*rules, noise]})


def named(area: str, relation: Relation = Relation.INCIDENT, *others: str) -> Evidence:
    """Evidence that names an area, or one of several."""
    kinds = {"campus": "campus", "school": "school", "zip": "zip", "county": "county", "state": "state"}
    kind = PlaceKind(kinds.get(area.partition(":")[0], "place"))
    return Evidence(kind, relation, (area, *others))


def point(latitude: float, longitude: float, accuracy_m: float = 10.0) -> Evidence:
    """Evidence of a fix where it happened."""
    return Evidence(
        PlaceKind.POINT, Relation.INCIDENT, latitude=latitude, longitude=longitude, accuracy_m=accuracy_m
    )


# In every question: a place that nobody knows, and the reporter's own, which must decide nothing.
NOISE = (
    Evidence(PlaceKind.UNKNOWN, Relation.INCIDENT),
    Evidence(PlaceKind.STATE, Relation.REPORTER, ("state:32",)),
)


def ask(rules: RuleSet, *evidence: Evidence, **more: Any) -> Decision:
    """The decision, made once for every order of the evidence and the noise; all must have the same bytes."""
    as_of = more.pop("as_of", MORNING)
    teams = {name: more.pop(name, ()) for name in ("unreachable", "excluded")}
    about: dict[str, Any] = {"urgency": Urgency.ELEVATED, "setting": Setting.UNKNOWN, **more}
    made = [
        decide(Facts(evidence=order, **about), rules, BOUNDARIES, as_of, **teams)
        for order in itertools.permutations((*evidence, *NOISE))
    ]
    assert len({json.dumps(decision.as_json(), sort_keys=True) for decision in made}) == 1
    return made[0]


def outcomes(decision: Decision) -> dict[str, str]:
    """What became of each rule: `lost on layer`, `not applied behaviours`, …"""
    return {entry.rule: f"{entry.outcome.value} {entry.detail}".strip() for entry in decision.considered}
