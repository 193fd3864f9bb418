"""Outlines as they are brought, made sound once: what is stored later needs no more repair."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import shapely

from routing.areas import AreaFault
from routing.importing.mending import mend


def sound_outline(area_id: str, given: Mapping[str, Any] | bytes) -> tuple[bytes, tuple[str, ...]]:
    """A polygon of GeoJSON or WKB as WKB that shapely can use, and sentences about what was repaired: rings
    that cross themselves, outlines across the 180th meridian. Raises AreaFault with the reason for what
    cannot be trusted: unclosed rings, nothing enclosed, a pole, swapped numbers."""
    mended = mend(_read(area_id, given))
    if mended.fault:
        raise AreaFault(f"{area_id}: {mended.fault}")
    if mended.shape.geom_type == "Point":
        raise AreaFault(f"{area_id}: the geometry must be a Polygon or a MultiPolygon")
    # The same bytes on every machine: the digest of the version depends on them.
    return shapely.to_wkb(mended.shape, byte_order=1, output_dimension=2), mended.notes


def _read(area_id: str, given: Mapping[str, Any] | bytes) -> Any:
    try:
        return (
            shapely.from_wkb(given) if isinstance(given, bytes) else shapely.from_geojson(json.dumps(given))
        )
    except (shapely.errors.ShapelyError, TypeError, ValueError) as fault:
        closed = "closed" not in str(fault)
        reason = (
            "the outline cannot be read"
            if closed
            else "a ring is not closed: its last point is not its first"
        )
        raise AreaFault(f"{area_id}: {reason}") from None
