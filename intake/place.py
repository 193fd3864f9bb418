"""The map that the public door reads: the country's areas and the site's own schools and places."""

from __future__ import annotations

import time

from sqlalchemy import Engine

from foundation import clock, database
from routing import snapshots
from routing.boundaries import Boundaries
from routing.snapshots import SnapshotFault

# A newly published school is known at the door within a minute.
_FRESH_SECONDS = 60.0


class KnownPlaces:
    """The areas in force, kept for a minute; the bare country before a site has published anything."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._boundaries = Boundaries()
        self._until = 0.0

    def __call__(self) -> Boundaries:
        """What typed words about a place are looked up in."""
        if time.monotonic() > self._until:
            with database.reading(self._engine) as session:
                try:
                    self._boundaries = snapshots.current(session, clock.now()).boundaries
                except SnapshotFault:
                    # A tip is taken all the same; the desk reads where it is.
                    self._boundaries = Boundaries()
            self._until = time.monotonic() + _FRESH_SECONDS
        return self._boundaries
