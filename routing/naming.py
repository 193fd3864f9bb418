"""Areas as people say them on pages: with the town that a school stands in, and the state's letters."""

from __future__ import annotations

from routing import gazetteer
from routing.areas import layer_of
from routing.boundaries import Boundaries

# Their own names are many people's: without a town nobody knows which is meant.
_WITH_TOWN = {"school", "campus", "zip"}


def named(area: str, boundaries: Boundaries) -> str:
    """`Tempe, AZ`, `Lincoln High School (Mesa), AZ`, `Arizona`."""
    name, state = boundaries.name(area), gazetteer.load().states.get(boundaries.state_of(area))
    if layer_of(area) in _WITH_TOWN:
        towns = [above for above, _ in boundaries.parents(area) if layer_of(above) == "place"]
        name += f" ({boundaries.name(towns[0])})" if towns else ""
    return f"{name}, {state.letters}" if state and layer_of(area) != "state" else name
