"""The compact tables: states, counties, ZIPs, places. Each function returns rows ready to be written."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Mapping
from typing import Any

from shapely import Point
from shapely.geometry.base import BaseGeometry

from routing.build.sources import Share

Row = list[str]

# The simplified atlas has lost Falls Church and squeezed Manassas Park into a sliver. In their stead stands a
# point, and a radius in metres that surely holds the city: whatever lies inside is near a line, never
# certain.
MISDRAWN: dict[str, tuple[float, float, int]] = {
    "51610": (38.8847, -77.1756, 3_000),
    "51685": (38.7710, -77.4430, 3_500),
}
# Quantised to 0.0036 by 0.00086 degrees and simplified: a line may be this far from the true one, in metres.
PRECISION_M = 1_100


def states(known: Iterable[Any]) -> list[Row]:
    """fips, postal letters, name, time zone of the capital. `known` are states of the package `us`."""
    rows = {
        state.fips: [state.fips, state.abbr, _plain(state.name), state.capital_tz or ""] for state in known
    }
    return sorted(rows.values())


# People and forms say it so; the package follows the postal list.
def _plain(name: str) -> str:
    return {"Virgin Islands": "U.S. Virgin Islands"}.get(name, name)


def counties(outlines: Iterable[tuple[str, str, BaseGeometry]], legal_names: Mapping[str, str]) -> list[Row]:
    """code, legal name, short name, how the outline is (good or misdrawn), precision in metres, WKB as
    hex."""
    rows = []
    for code, name, outline in outlines:
        drawn, precision = "good", PRECISION_M
        if code in MISDRAWN:
            latitude, longitude, precision = MISDRAWN[code]
            drawn, outline = "misdrawn", Point(longitude, latitude)
        if outline.is_empty:
            raise ValueError(f"county {code} has no outline: add it to MISDRAWN")
        # Connecticut's planning regions are the only ones too young for the list of legal names.
        legal = legal_names.get(code, f"{name} Planning Region")
        rows.append([code, legal, name, drawn, str(precision), outline.wkb_hex])
    return sorted(rows)


def zips(shares: Iterable[Share], listed: Iterable[Mapping[str, Any]]) -> list[Row]:
    """zip, postal letters of its state, preferred city, kind, shares as `county:share` joined by blanks."""
    kinds = {entry["zip_code"]: entry for entry in listed}
    rows: dict[str, Row] = {}
    by_zip: dict[str, list[Share]] = collections.defaultdict(list)
    for share in shares:
        by_zip[share.zip_code].append(share)
    for code, found in by_zip.items():
        found.sort(key=lambda share: (-share.share, share.county))
        written = " ".join(
            f"{share.county}:{share.share:g}" for share in found if _in_us(share) and share.share
        )
        kind = kinds[code]["zip_code_type"] if code in kinds else ""
        rows[code] = [code, found[0].state, found[0].city, kind, written]
    for code, entry in kinds.items():
        # Not in HUD's table: military, a firm's own, retired. Its state is known, its county is not.
        if entry["active"] and code not in rows:
            rows[code] = [code, entry["state"], entry["city"].upper(), entry["zip_code_type"], ""]
    return sorted(rows.values())


def _in_us(share: Share) -> bool:
    return not share.county.startswith("000")


def places(zip_rows: Iterable[Row], listed: Iterable[Mapping[str, Any]]) -> list[Row]:
    """postal letters, name, ZIPs that prefer the name, ZIPs that merely accept it."""
    spelt: dict[tuple[str, str], str] = {}
    accepted: dict[tuple[str, str], set[str]] = collections.defaultdict(set)
    for entry in listed:
        if not entry["active"] or entry["zip_code_type"] == "MILITARY":
            continue
        for city in (entry["city"], *entry["acceptable_cities"]):
            spelt.setdefault((entry["state"], city.upper()), city)
            accepted[entry["state"], city.upper()].add(entry["zip_code"])
    preferred: dict[tuple[str, str], set[str]] = collections.defaultdict(set)
    for code, state, city, kind, _ in zip_rows:
        if kind != "MILITARY" and city:
            preferred[state, city].add(code)
    rows = []
    for key in sorted(preferred.keys() | accepted.keys()):
        first, also = preferred.get(key, set()), accepted.get(key, set()) - preferred.get(key, set())
        rows.append([key[0], spelt.get(key, key[1].title()), " ".join(sorted(first)), " ".join(sorted(also))])
    return rows
