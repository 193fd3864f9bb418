"""A town with a desk: the demonstration directory, a routed tip, and members who sit at the desk."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from foundation.settings import Settings
from tests import builders
from tests.builders import Town
from tests.desk.sitting import Desk


@pytest.fixture
def town(engine: Engine, settings: Settings, database_url: str) -> Town:
    """The demonstration directory in an empty database."""
    return builders.found(engine, replace(settings, database_url=database_url))


@pytest.fixture
def desk(town: Town) -> Desk:
    """The desk's door, with Tempe's, Mesa's and the hub's people around it."""
    return Desk(town)
