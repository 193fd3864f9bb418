"""A decision told in sentences."""

from __future__ import annotations

from typing import Any

import pytest

from directory.reach import Silence
from referrals.facts import Relation, Urgency
from routing import explanation
from routing.decision import Decision
from tests.routing.cases import ARIZONA, BOUNDARIES, MARICOPA, MESA, TEMPE, ask, lead, named, point, rule_set

NAMES = {"tempe": "Tempe Police", "mesa": "Mesa Police", "maricopa": "Maricopa County", "hub": "AZ-STAMP"}
RULES = rule_set(lead("tempe", TEMPE), lead("mesa", MESA), lead("maricopa", MARICOPA), lead("hub", ARIZONA))
LINCOLNS = named("school:demo-lincoln-mesa", Relation.INCIDENT, "school:demo-lincoln-tucson")


def told(decision: Decision) -> tuple[str, ...]:
    return explanation.sentences(decision, BOUNDARIES, NAMES)


def test_who_leads_is_told_with_the_reason() -> None:
    assert told(ask(RULES, named(TEMPE)))[0] == (
        "Tempe Police leads because the place named is Tempe (where it happened), "
        "and a city outranks its county."
    )


def test_a_team_is_not_said_to_outrank_itself() -> None:
    rules = rule_set(lead("tempe", TEMPE), lead("tempe", MARICOPA, id="county"), lead("hub", ARIZONA))
    assert told(ask(rules, named(TEMPE)))[0].endswith(", and a city outranks its state.")


def test_who_lost_is_told_with_the_criterion() -> None:
    assert "Maricopa County (Maricopa County) could lead too, but a city outranks its county." in told(
        ask(RULES, named(TEMPE))
    )


def test_a_tie_is_told_with_its_owner_and_the_line() -> None:
    first, second, *_, last = told(ask(RULES, point(33.40, -111.8904, 60)))
    assert first == "Mesa Police and Tempe Police are equally right, so nobody is chosen."
    assert second == "AZ-STAMP owns it until that is settled."
    assert (
        last == "The point is 37 m from a line: it matters whether it lies in Mesa, in Tempe or in neither."
    )


def test_each_of_several_that_fit_says_why() -> None:
    lines = told(ask(RULES, point(33.40, -111.8904, 60)))
    for team, place in (("Mesa Police", "Mesa"), ("Tempe Police", "Tempe")):
        assert f"{team} could lead because the place may be {place} (where it happened)." in lines


def test_where_everybody_is_out_of_reach_it_is_not_said_that_nobody_answers_for_it() -> None:
    out = told(ask(RULES, named(TEMPE), unreachable=["tempe", "maricopa", "hub"]))
    gap = told(ask(rule_set(lead("tempe", TEMPE)), named(MESA)))
    assert out[0] == "No team that answers for this place can take it now."
    assert gap[0] == "No team answers for this place."


def test_of_those_that_would_lead_elsewhere_one_would() -> None:
    rules = rule_set(lead("hub", "state:51"), lead("county", "county:51059"), lead("city", "county:51600"))
    assert (
        "but it would be city or county if another place is meant" in told(ask(rules, named("zip:22030")))[0]
    )


def test_several_helpers_are_several() -> None:
    helpers = [{**lead(team, TEMPE), "role": "support"} for team in ("care", "school")]
    assert "care and school are asked to support." in told(ask(rule_set(*helpers), named(TEMPE)))


def test_an_exclusion_is_told_once() -> None:
    rules = rule_set(lead("tempe", TEMPE), {**lead("tempe", TEMPE, id="not"), "role": "exclude"})
    lines = told(ask(rules, named(TEMPE)))
    assert lines.count("Tempe Police (Tempe) is not to be asked for this: a rule says so.") == 1


def test_who_leads_is_not_told_not_to_be_asked() -> None:
    rules = rule_set(lead("tempe", TEMPE), lead("tempe", TEMPE, id="other", relations=["target"]))
    assert not [
        line for line in told(ask(rules, named(TEMPE))) if line.startswith("Tempe Police (Tempe) was")
    ]


def test_who_could_lead_too_is_not_told_not_to_be_asked() -> None:
    county = lead("maricopa", MARICOPA), lead("maricopa", MARICOPA, id="other", relations=["target"])
    lines = told(ask(rule_set(lead("tempe", TEMPE), *county), named(TEMPE)))
    assert [line for line in lines if line.startswith("Maricopa County")] == [
        "Maricopa County (Maricopa County) could lead too, but a city outranks its county."
    ]


def test_near_a_line_it_is_told_that_nobody_was_left_out() -> None:
    rules = rule_set(lead("tempe", TEMPE), {**lead("tempe", TEMPE, id="not"), "role": "exclude"})
    lines = told(ask(rules, point(33.40, -111.8904, 60)))
    assert "Tempe Police (Tempe) was not left out: near a line nobody is left out." in lines


def test_the_reporters_own_place_is_told_apart_from_a_place_that_a_rule_does_not_ask_for() -> None:
    rules = rule_set(lead("tempe", TEMPE), lead("mesa", MESA, relations=["target"]))
    lines = told(ask(rules, named(TEMPE), named(MESA, Relation.SUBJECT)))
    assert "nevada (Nevada) was not asked: where the reporter is decides nothing by itself." in lines
    assert (
        "Mesa Police (Mesa) was not asked: it asks for another place, not where the person lives or is."
        in lines
    )


def test_imminent_danger_is_told_with_everybody_who_is_asked() -> None:
    decision = ask(RULES, point(33.40, -111.8904, 60), urgency=Urgency.IMMINENT)
    assert any("offered at once to Mesa Police and Tempe Police" in sentence for sentence in told(decision))


@pytest.mark.parametrize(
    ("passed_over", "sentence"),
    [
        ({"unreachable": {"tempe": "no_telephone"}}, "nobody there has a telephone, and this cannot wait"),
        ({"unreachable": {"tempe": "unverified"}}, "no contact there is verified"),
        ({"unreachable": ["tempe"]}, "nobody there can be reached now"),
    ],
)
def test_who_is_passed_over_is_told_with_the_reason(passed_over: dict[str, Any], sentence: str) -> None:
    assert f"Tempe Police (Tempe) was passed over: {sentence}." in told(
        ask(RULES, named(TEMPE), **passed_over)
    )


def test_every_reason_for_silence_has_words() -> None:
    for why in Silence:
        (sentence,) = [
            line
            for line in told(ask(RULES, named(TEMPE), unreachable={"tempe": why.value}))
            if "passed" in line
        ]
        assert "nobody there can be reached now" not in sentence


@pytest.mark.parametrize(
    ("why", "words"),
    [("declined", "it declined"), ("lapsed", "it did not answer in time"), ("returned", "it gave it back")],
)
def test_who_is_not_asked_again_is_told_with_its_answer(why: str, words: str) -> None:
    decision = ask(RULES, named(TEMPE), excluded={"tempe": why})
    assert f"Tempe Police (Tempe) was not asked again: {words}." in told(decision)


def test_a_hub_that_cannot_be_reached_is_told_where_no_rule_speaks_of_it() -> None:
    rules = rule_set(lead("tempe", TEMPE), lead("mesa", MESA))
    either = named(TEMPE, Relation.INCIDENT, MESA)
    assert "AZ-STAMP was passed over: nobody there has a contact." in told(
        ask(rules, either, unreachable={"hub": "no_contact"})
    )


def test_the_kind_of_place_that_would_change_it_is_told() -> None:
    rules = rule_set(lead("tempe", TEMPE), lead("schools", TEMPE, settings=["school"]))
    assert told(ask(rules, named(TEMPE)))[-1] == (
        "Nobody said what kind of place it is; a school would change this."
    )


def test_a_shared_zip_asks_for_the_city() -> None:
    rules = rule_set(lead("county", "county:51059"), lead("city", "county:51600"))
    assert told(ask(rules, named("zip:22030")))[-1] == (
        "ZIP 22030 lies in several areas; it matters which one: Fairfax County or Fairfax city. "
        "Asking for the city settles it."
    )


def test_two_schools_of_one_name_are_told_apart() -> None:
    assert told(ask(RULES, LINCOLNS))[-1] == (
        "It matters which is meant: Lincoln High School in Mesa or Lincoln High School in Tucson."
    )


def test_a_decision_is_told_even_when_areas_are_gone() -> None:
    from routing.boundaries import Boundaries

    assert explanation.sentences(ask(RULES, LINCOLNS, named(TEMPE)), Boundaries())
