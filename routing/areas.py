"""Areas: pieces of the map that a rule can be about. An id says its layer: `county:04013`,
`school:nces-…`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

# What is more specific is declared here, never guessed from size: a large reservation outranks a small
# county.
LAYER_RANKS: Mapping[str, int] = {
    "campus": 90,
    "school": 80,
    "district": 70,
    "tribal": 66,
    "military": 66,
    "custom": 64,
    "place": 60,
    "zip": 55,
    "county": 50,
    "state": 40,
    "nation": 10,
}
# Every point of the country lies in one of each; crossing a line of these leads into the neighbour, never
# into nothing.
COVERING_LAYERS = frozenset({"state", "county"})
# People name these, so they may be without outline and ZIPs.
NAMED_LAYERS = frozenset({"campus", "school", "zip", "county", "state", "nation"})
NATION = "nation:us"

_ID = re.compile(r"[a-z]+:[A-Za-z0-9][A-Za-z0-9._-]*")
_MEMBERS = {"id", "name", "aliases", "state", "parents", "zips", "geometry", "precision_m", "source"}

Shares = tuple[tuple[str, float], ...]


class AreaFault(ValueError):
    """An area's description cannot be used; the message names the area and the reason."""


@dataclass(frozen=True)
class Area:
    """One area that a site brings besides states, counties, ZIPs and postal places.

    `parents` are areas that hold it, with the share of it that lies in each (1.0: all of it); `zips` are
    ZIPs of which a share lies in it. `geometry` is GeoJSON (Polygon or MultiPolygon, longitude first) or
    None. `precision_m`: how far its line may be from the true one, in metres. `state` is a FIPS code, "" if
    none.
    """

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    state: str = ""
    parents: Shares = ()
    zips: Shares = ()
    geometry: str | None = None
    precision_m: float = 50.0
    source: str = ""

    @cached_property
    def layer(self) -> str:
        """The scheme of its id."""
        return layer_of(self.id)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Area:
        """An area from plain JSON. `parents` and `zips` are objects {id or ZIP: share}; `parents` may be a
        plain list, which means wholly inside each. Raises AreaFault."""
        area_id = str(stored.get("id", ""))
        _check(stored, area_id)
        geometry = stored.get("geometry")
        return cls(
            id=area_id,
            name=str(stored["name"]),
            aliases=tuple(stored.get("aliases", ())),
            state=str(stored.get("state", "")),
            parents=_shares(stored.get("parents", {}), area_id),
            zips=_shares(stored.get("zips", {}), area_id),
            geometry=json.dumps(geometry, sort_keys=True) if geometry else None,
            precision_m=float(stored.get("precision_m", 50.0)),
            source=str(stored.get("source", "")),
        )


def layer_of(area_id: str) -> str:
    """`county` of `county:04013`."""
    return area_id.partition(":")[0]


def code_of(area_id: str) -> str:
    """`04013` of `county:04013`."""
    return area_id.partition(":")[2]


def _check(stored: Mapping[str, Any], area_id: str) -> None:
    if not _ID.fullmatch(area_id) or layer_of(area_id) not in LAYER_RANKS:
        raise AreaFault(f"{area_id or 'an area without id'}: the id must be like place:0473000")
    if unknown := stored.keys() - _MEMBERS:
        raise AreaFault(f"{area_id}: unknown members {', '.join(sorted(unknown))}")
    if not stored.get("name"):
        raise AreaFault(f"{area_id}: the name is missing")
    geometry = stored.get("geometry")
    if geometry and geometry.get("type") not in {"Polygon", "MultiPolygon"}:
        raise AreaFault(f"{area_id}: the geometry must be a Polygon or a MultiPolygon")


def _shares(given: Any, area_id: str) -> Shares:
    pairs = given.items() if isinstance(given, Mapping) else ((name, 1.0) for name in given)
    shares = tuple(sorted((str(name), float(share)) for name, share in pairs))
    if any(not 0 < share <= 1 for _, share in shares):
        raise AreaFault(f"{area_id}: a share must be more than 0 and at most 1")
    return shares
