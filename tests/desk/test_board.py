"""The board shows what waits for my teams, most urgent and oldest first, and nothing else."""

from __future__ import annotations

from referrals.facts import Urgency
from tests.desk.sitting import Desk


def test_an_offer_waits_for_an_answer_with_place_act_and_time_left(desk: Desk) -> None:
    reference = desk.tip()
    row = desk.seat("Ines").look("/").select_one("[aria-labelledby=answer] .board__row")
    assert row is not None
    for words in (
        reference,
        "Elevated",
        "Tempe, AZ",
        "Said or wrote that they will hurt",
        "min left",
        "AZ-STAMP asks you",
    ):
        assert words in row.get_text(" ", strip=True)
