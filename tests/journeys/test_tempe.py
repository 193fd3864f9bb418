"""Story S1, as far as this version goes: portal, hub, city by text message, school, closing, ledger."""

from __future__ import annotations

from tests.journeys import tempe
from tests.journeys.house import RunningHouse
from tests.journeys.tempe import Cast


def test_the_tempe_story_holds_and_its_ledger_verifies(house: RunningHouse, cast: Cast) -> None:
    reference = tempe.tell(house, cast)
    told = tempe.timeline(cast["Ines"], reference)
    assert "Custody moved from FBI Phoenix to AZ-STAMP" in told
    assert "acknowledged the transfer, by text message" in told
    assert "The ledger is intact" in tempe.verdict(house)
