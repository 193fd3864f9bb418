"""One running house for the journeys of this process; each journey files referrals of its own."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import make_url

from tests.journeys.house import RunningHouse, running_house
from tests.journeys.tempe import Cast


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """Everything that `make run` starts, on free ports; once on the embedded database, once on PostgreSQL."""
    url = ""
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgresql_url")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE house")
        url = make_url(server).set(database="house").render_as_string(hide_password=False)
    with running_house(tmp_path_factory.mktemp("house"), url) as running:
        yield running


@pytest.fixture(scope="session")
def cast(house: RunningHouse) -> Cast:
    """The people, each signed in once in the whole run."""
    return Cast(house)
