"""Story S1: portal, hub, permission, city by text message, school, support, closing, and a proof for outsiders."""

from __future__ import annotations

from tests.journeys import handing, tempe
from tests.journeys.house import RunningHouse
from tests.journeys.tempe import Cast


def test_the_tempe_story_holds_and_its_ledger_verifies(house: RunningHouse, cast: Cast) -> None:
    reference = tempe.tell(house, cast)
    told = handing.timeline(cast["Ines"], reference)
    assert "Custody moved from FBI Phoenix to AZ-STAMP" in told
    assert "acknowledged the transfer, by text message" in told
    said, file = tempe.proof(house, cast["Ines"], reference)
    assert said.startswith(f"PROVED: all {len(file['entries'])} entries")
    sentences = " ".join(entry["sentence"] for entry in file["entries"])
    for who, kind in (
        ("Ada Ruiz of AZ-STAMP", "transfer"),
        (f"Tomas Reed of {tempe.CITY}", "transfer"),
        (f"Sol Ibarra of {tempe.SCHOOL}", "consult"),
        (f"Cora Dean of {tempe.CARE}", "request for support"),
    ):
        assert f"{who} acknowledged the {kind}" in sentences
    assert "Cora Dean opened the need, and whom to contact." in sentences
    assert "Ada Ruiz asked FBI Phoenix whether it may go to Tempe Police." in sentences
    tempe.nobody_is_called_names(cast)
    assert "The ledger is intact" in tempe.verdict(house)
