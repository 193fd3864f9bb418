"""Who leads in each county is the decision's own answer, at that hour, for that urgency, kept for the next reader."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from referrals.facts import Evidence, Facts, PlaceKind, Relation, Urgency
from routing import gazetteer
from routing.coverage import Covered, Kept, Kind, Within, coverage, covered, within
from routing.decision import decide
from routing.snapshots import Snapshot
from tests.routing.cases import ARIZONA, BOUNDARIES, EVENING, MARICOPA, MESA, MORNING, TEMPE, lead, rule_set

PIMA, NIGHT = "county:04019", {"zone": "America/Phoenix", "begins": "17:00", "ends": "08:00"}


def _snapshot(*rules: dict[str, Any]) -> Snapshot:
    return Snapshot(rule_set(*rules), BOUNDARIES, "rules", "areas")


def _ask(
    *rules: dict[str, Any],
    urgency: Urgency = Urgency.ELEVATED,
    hour: datetime = MORNING,
    unreachable: Mapping[str, str] | None = None,
    area: str = MARICOPA,
) -> Covered:
    return covered(_snapshot(*rules), area, urgency, hour, unreachable or {})


def test_every_county_is_answered_as_a_tip_about_it_would_be() -> None:
    snapshot = _snapshot(
        lead("hub", ARIZONA),
        lead("county", MARICOPA),
        lead("one", PIMA),
        lead("other", PIMA),
        lead("urgent", "county:04003", urgencies=["imminent"]),
        lead("every", ARIZONA, every="county", hours=NIGHT, priority=1),
    )
    for urgency, hour in ((Urgency.ELEVATED, MORNING), (Urgency.IMMINENT, EVENING)):
        answer = coverage(snapshot, urgency, hour, {"county": "disabled"})
        assert answer.keys() == gazetteer.load().counties.keys()
        for area, one in answer.items():
            if area.startswith(("county:04", "county:32", "county:06")):
                facts = Facts(urgency, evidence=(Evidence(PlaceKind.COUNTY, Relation.TARGET, (area,)),))
                made = decide(facts, snapshot.rules, BOUNDARIES, hour, {"county": "disabled"})
                assert (one.leads, one.owner) == (made.leads, made.owner), area


def test_a_county_where_nobody_leads_is_a_gap_that_somebody_holds() -> None:
    gap = _ask(lead("county", MARICOPA), area=PIMA)
    assert (gap.kind, gap.leads, gap.owner) == (Kind.GAP, (), "hub")


def test_equal_teams_are_tied() -> None:
    tied = _ask(lead("one", MARICOPA), lead("other", MARICOPA))
    assert (tied.kind, set(tied.leads)) == (Kind.TIED, {"one", "other"})


def test_a_night_desk_leads_at_night_only() -> None:
    rules = (lead("day", MARICOPA), lead("night", MARICOPA, hours=NIGHT))
    assert _ask(*rules, hour=MORNING).leads == ("day",)
    assert _ask(*rules, hour=EVENING).leads == ("night",)


def test_who_cannot_be_reached_is_passed_over_with_the_reason() -> None:
    rules = (lead("county", MARICOPA), lead("state", ARIZONA))
    one = _ask(*rules, unreachable={"county": "opted_out", "elsewhere": "disabled"})
    assert (one.leads, one.passed_over) == (("state",), (("county", "opted_out"),))


def test_a_gap_by_silence_names_the_silent() -> None:
    one = _ask(lead("county", MARICOPA), unreachable={"county": "disabled"})
    assert (one.kind, one.passed_over) == (Kind.GAP, (("county", "disabled"),))


def test_who_would_not_have_led_anyway_is_not_passed_over() -> None:
    rules = (lead("county", MARICOPA), lead("state", ARIZONA))
    assert _ask(*rules, unreachable={"state": "disabled"}).passed_over == ()


def test_the_same_question_is_answered_once_and_another_anew() -> None:
    asked: dict[str, Any] = {
        "snapshot": _snapshot(lead("county", MARICOPA)), "urgency": Urgency.ELEVATED, "hour": MORNING,
        "unreachable": {},
    }  # fmt: skip
    first = coverage(**asked)
    assert coverage(**asked | {"hour": MORNING + timedelta(minutes=59)}) is first
    for other in (
        {"urgency": Urgency.IMMINENT},
        {"hour": MORNING + timedelta(hours=1)},
        {"unreachable": {"county": "disabled"}},
        {"snapshot": _snapshot(lead("another", MARICOPA))},
    ):
        assert coverage(**asked | other) is not first, other
    assert coverage(**asked) is first


def test_only_a_few_answers_are_kept() -> None:
    kept = Kept[str](most=2)
    for question in ("first", "second"):
        kept.keep(question, question.upper())
    assert kept.found("first") == "FIRST"
    kept.keep("third", "THIRD")
    assert [kept.found(question) for question in ("first", "second", "third")] == ["FIRST", None, "THIRD"]


def test_smaller_areas_with_a_team_of_their_own_are_found_in_their_county() -> None:
    rules = (
        lead("tempe", TEMPE),
        lead("mesa", MESA),
        lead("county", MARICOPA),
        lead("every", ARIZONA, every="place"),
    )
    inside = within(_snapshot(*rules))
    assert inside == {MARICOPA: (Within(MESA, "mesa"), Within(TEMPE, "tempe"))}
