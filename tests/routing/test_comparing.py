"""A change of rules, each as a sentence."""

from __future__ import annotations

from typing import Any

from routing import comparing
from routing.snapshots import Snapshot
from tests.routing.cases import BOUNDARIES, MARICOPA, MORNING, TEMPE, lead, rule_set

NAMES = {"tempe": "Tempe Police", "county": "Maricopa County", "hub": "AZ-STAMP", "mesa": "Mesa Police"}
COUNTY, CITY = lead("county", MARICOPA), lead("tempe", TEMPE)


def _told(before: tuple[dict[str, Any], ...], after: tuple[dict[str, Any], ...]) -> list[str]:
    old, new = (Snapshot(rule_set(*rules), BOUNDARIES, "", "") for rules in (before, after))
    return [one.sentence for one in comparing.compare(old, new, NAMES, MORNING)]


def test_a_new_rule_says_from_when_and_who_led_until_then() -> None:
    later = {**CITY, "valid_from": "2026-12-01"}
    assert _told((COUNTY,), (COUNTY, later)) == [
        "From 1 December 2026 Tempe Police leads in Tempe, AZ; until now Maricopa County did."
    ]


def test_a_rule_where_nobody_led_says_so() -> None:
    assert _told((), (CITY,)) == ["Tempe Police leads in Tempe, AZ; until now nobody did."]


def test_an_ended_rule_says_who_leads_then() -> None:
    (sentence,) = _told((COUNTY, CITY), (COUNTY,))
    assert sentence == (
        "Tempe Police leads in Tempe, AZ no longer, from the moment this is in force; then Maricopa County does."
    )


def test_conditions_stand_in_the_sentence() -> None:
    rule = {**CITY, "urgencies": ["imminent"], "settings": ["school"], "mandate": 1}
    (sentence,) = _told((COUNTY,), (COUNTY, rule))
    assert "(only if imminent; only at: a school; by written agreement)" in sentence


def test_a_changed_rule_names_only_what_changed() -> None:
    (sentence,) = _told((CITY,), ({**CITY, "priority": 3},))
    assert sentence == "Tempe Police leads in Tempe, AZ, with this changed: priority: 3 (until now none)."


def test_another_team_for_the_same_rule_names_both() -> None:
    (sentence,) = _told((CITY,), ({**CITY, "team": "mesa"},))
    assert sentence == "Mesa Police leads in Tempe, AZ; until now: Tempe Police leads in Tempe, AZ."


def test_a_new_wording_of_the_reason_changes_nothing_else() -> None:
    (sentence,) = _told((CITY,), ({**CITY, "reason": "as agreed"},))
    assert sentence.startswith("Nothing but the words about it changes")


def test_hours_are_told_with_their_days_and_their_zone() -> None:
    night = {"zone": "America/Phoenix", "begins": "17:00", "ends": "08:00", "days": ["monday", "holiday"]}
    (sentence,) = _told((), ({**CITY, "hours": night},))
    assert "only 17:00 to 08:00 on Monday, Holiday, America/Phoenix" in sentence
