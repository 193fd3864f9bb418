"""One running house for the journeys of this process; each journey files referrals of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.house import RunningHouse, running_house
from tests.journeys.tempe import Cast


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """Everything that `make run` starts, on free ports."""
    with running_house(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture(scope="session")
def cast(house: RunningHouse) -> Cast:
    """The people, each signed in once in the whole run."""
    return Cast(house)
