"""The demonstration's own areas and rules. Schools, campus and all outlines here are invented; codes are
real."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_INVENTED = "invented for the demonstration"
# The line between Tempe and Mesa here: a meridian, as straight as no real city line is.
_TEMPE_MESA = -111.89
_TEMPE_ZIPS = {"85281": 0.97, "85282": 1.0, "85283": 1.0, "85284": 0.98, "85287": 1.0}
_MESA_ZIPS = {f"852{number:02}": 0.98 for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15)}


def _box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _area(area_id: str, name: str, parents: list[str], **more: Any) -> dict[str, Any]:
    return {"id": area_id, "name": name, "state": "04", "parents": parents, "source": _INVENTED, **more}


def areas() -> list[dict[str, Any]]:
    """Cities, a campus and schools of Arizona, as Boundaries.from_json takes them."""
    maricopa, pima, tempe, mesa = "county:04013", "county:04019", "place:0473000", "place:0446000"
    return [
        _area(
            tempe, "Tempe", [maricopa], zips=_TEMPE_ZIPS, geometry=_box(-111.98, 33.32, _TEMPE_MESA, 33.46)
        ),
        _area(mesa, "Mesa", [maricopa], zips=_MESA_ZIPS, geometry=_box(_TEMPE_MESA, 33.32, -111.58, 33.52)),
        _area("place:0455000", "Phoenix", [maricopa], geometry=_box(-112.33, 33.29, -111.98, 33.92)),
        _area("place:0477000", "Tucson", [pima], geometry=_box(-111.08, 32.06, -110.71, 32.32)),
        _area(
            "campus:demo-palo-verde",
            "Palo Verde College",
            [tempe],
            geometry=_box(-111.945, 33.41, -111.925, 33.425),
            precision_m=10,
        ),
        _area("school:demo-saguaro-bend", "Saguaro Bend High School", [tempe], aliases=["SBHS"]),
        _area("school:demo-lincoln-mesa", "Lincoln High School", [mesa]),
        _area("school:demo-lincoln-tucson", "Lincoln High School", ["place:0477000"]),
        # No team of its own: what happens here climbs to the county.
        _area("school:demo-ocotillo", "Ocotillo Elementary School", ["place:0455000"]),
    ]


def rules(teams: Mapping[str, str]) -> dict[str, Any]:
    """The rule set as RuleSet.from_json takes it. `teams` maps the demonstration's slugs to team ids;
    `teams["fbi-phoenix"]` must be what `Facts.originator` holds for its forwards."""
    led = [
        ("school:demo-saguaro-bend", "saguaro-bend-school"),
        ("school:demo-lincoln-mesa", "lincoln-high-mesa"),
        ("school:demo-lincoln-tucson", "lincoln-high-tucson"),
        ("place:0473000", "tempe-police"),
        ("place:0446000", "mesa-police"),
        ("county:04013", "maricopa-county"),
        ("county:04019", "pima-county"),
        ("state:04", "az-stamp"),
        ("state:32", "nv-hub"),
        ("state:49", "utah-hub"),
    ]
    return {
        "root_team": teams["root-desk"],
        "state_hubs": {"04": teams["az-stamp"], "32": teams["nv-hub"], "49": teams["utah-hub"]},
        "rules": [*(_lead(area, slug, teams) for area, slug in led), *_special(teams)],
    }


def _lead(area: str, slug: str, teams: Mapping[str, str]) -> dict[str, Any]:
    reason = "It answers for this area."
    return {"id": slug, "team": teams[slug], "role": "lead", "area": area, "author": "Ada", "reason": reason}


def _special(teams: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "id": "fbi-phoenix-to-az-stamp",
            "team": teams["az-stamp"],
            "role": "lead",
            "area": "state:04",
            "originators": [teams["fbi-phoenix"]],
            "mandate": 1,
            "author": "Ada",
            "reason": "By written agreement, what the FBI forwards in Arizona goes to the state's hub first.",
        },
        {
            "id": "tempe-care-7-self-harm",
            "team": teams["tempe-care-7"],
            "role": "support",
            "area": "place:0473000",
            "behaviours": ["last_acts", "suicidal_statement"],
            "author": "Ada",
            "reason": "Who may hurt themselves in Tempe is offered care.",
        },
    ]
