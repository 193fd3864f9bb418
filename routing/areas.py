"""Areas: pieces of the map that a rule can be about. An id says its layer: `county:04013`,
`school:nces-…`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

import orjson

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
_MEMBERS = {
    "id", "name", "aliases", "state", "parents", "zips", "relations", "geometry", "precision_m",
    "valid_from", "valid_to", "source", "vintage", "licence", "notes",
}  # fmt: skip

Shares = tuple[tuple[str, float], ...]


class AreaFault(ValueError):
    """An area's description cannot be used; the message names the area and the reason."""


class Became(StrEnum):
    """How one area took the place of another. *Part of* is not here: it is `parents`, for as long as the
    version is valid."""

    SPLIT_INTO = "split_into"
    MERGED_FROM = "merged_from"
    RENAMED_TO = "renamed_to"


@dataclass(frozen=True)
class Link:
    """On the day `on`, the area became, or was made from, `area`."""

    became: Became
    area: str
    on: date


@dataclass(frozen=True)
class Area:
    """One version of an area that a site brings besides states, counties, ZIPs and postal places.

    It is legally in force from `valid_from` (None: since ever) until before `valid_to` (None: without end);
    when it was loaded is not part of it. `parents` are areas that hold it, with the share of it that lies in
    each (1.0: all of it); `zips` are ZIPs of which a share lies in it. `geometry` is a sound polygon as
    WKB in degrees, longitude first, or None; `notes` say what was repaired in it. `precision_m`: how far its
    line may be from the true one, in metres. `state` is a FIPS code, "" if none.
    """

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    state: str = ""
    parents: Shares = ()
    zips: Shares = ()
    links: tuple[Link, ...] = ()
    geometry: bytes | None = None
    precision_m: float = 50.0
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = ""
    vintage: str = ""
    licence: str = ""
    notes: tuple[str, ...] = ()

    @cached_property
    def layer(self) -> str:
        """The scheme of its id."""
        return layer_of(self.id)

    @cached_property
    def body(self) -> str:
        """All but the geometry, as one line of canonical JSON; what is empty is left out."""
        members = {
            "id": self.id,
            "name": self.name,
            "aliases": self.aliases,
            "state": self.state,
            "parents": dict(self.parents),
            "zips": dict(self.zips),
            "relations": [[link.became.value, link.area, link.on.isoformat()] for link in self.links],
            "precision_m": self.precision_m,
            "valid_from": self.valid_from and self.valid_from.isoformat(),
            "valid_to": self.valid_to and self.valid_to.isoformat(),
            "source": self.source,
            "vintage": self.vintage,
            "licence": self.licence,
            "notes": self.notes,
        }
        return json.dumps({key: value for key, value in members.items() if value}, sort_keys=True)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all its content: the name of this version."""
        shape = hashlib.sha256(self.geometry).hexdigest() if self.geometry else ""
        return hashlib.sha256(f"{shape}\n{self.body}".encode()).hexdigest()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Area:
        """An area from plain JSON, its outline checked and repaired. Raises AreaFault.

        `parents` and `zips` are objects {id or ZIP: share}; `parents` may be a plain list, which means
        wholly inside each. `relations` are [became, area, day]. `geometry` is GeoJSON or WKB.
        """
        area_id = str(stored.get("id", ""))
        _check(stored, area_id)
        area = cls._read(stored)
        if area.valid_from and area.valid_to and area.valid_to <= area.valid_from:
            raise AreaFault(f"{area_id}: it ends before it begins")
        if not stored.get("geometry"):
            return area
        # Only outlines need shapely; whoever only reads names goes without.
        from routing.outlined import sound_outline

        geometry, notes = sound_outline(area_id, stored["geometry"])
        return replace(area, geometry=geometry, notes=(*area.notes, *notes))

    @classmethod
    def from_body(cls, body: str | bytes, geometry: bytes | None) -> Area:
        """The area that has this `body`; nothing is checked, it was when it was stored."""
        # Read a hundred thousand times in one dry run.
        return cls._read(orjson.loads(body), geometry)

    @classmethod
    def _read(cls, stored: Mapping[str, Any], geometry: bytes | None = None) -> Area:
        area_id = str(stored["id"])
        return cls(
            id=area_id,
            name=str(stored["name"]),
            aliases=tuple(stored.get("aliases", ())),
            state=str(stored.get("state", "")),
            parents=_shares(stored.get("parents", {}), area_id),
            zips=_shares(stored.get("zips", {}), area_id),
            links=_links(stored.get("relations", ()), area_id),
            geometry=geometry,
            precision_m=float(stored.get("precision_m", 50.0)),
            valid_from=_day(stored.get("valid_from"), area_id),
            valid_to=_day(stored.get("valid_to"), area_id),
            notes=tuple(stored.get("notes", ())),
            source=str(stored.get("source", "")),
            vintage=str(stored.get("vintage", "")),
            licence=str(stored.get("licence", "")),
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


def _shares(given: Any, area_id: str) -> Shares:
    pairs = given.items() if isinstance(given, Mapping) else ((name, 1.0) for name in given)
    shares = tuple(sorted((str(name), float(share)) for name, share in pairs))
    if any(not 0 < share <= 1 for _, share in shares):
        raise AreaFault(f"{area_id}: a share must be more than 0 and at most 1")
    return shares


def _links(given: Iterable[Any], area_id: str) -> tuple[Link, ...]:
    try:
        return tuple(Link(Became(kind), str(area), date.fromisoformat(on)) for kind, area, on in given)
    except (ValueError, TypeError):
        kinds = ", ".join(Became)
        raise AreaFault(
            f"{area_id}: a relation is one of {kinds}, an area and a day like 2026-03-31"
        ) from None


def _day(given: Any, area_id: str) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except (ValueError, TypeError):
        raise AreaFault(f"{area_id}: a day is written like 2026-03-31") from None
