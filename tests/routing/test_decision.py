"""The worked cases of the routing page, and what must hold for any referral."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referrals.facts import Evidence, Facts, PlaceKind, Relation, Setting, Urgency
from routing.decision import Decision, Status, decide
from routing.rules import RuleSet
from tests.routing.cases import (
    ARIZONA,
    BOUNDARIES,
    CAMPUS,
    DISTRICT,
    EVENING,
    MARICOPA,
    MESA,
    MORNING,
    RESERVATION,
    TEMPE,
    ask,
    lead,
    named,
    outcomes,
    point,
    rule_set,
)

CITY, COUNTY, STATE = lead("tempe", TEMPE), lead("maricopa", MARICOPA), lead("hub", ARIZONA)
MESA_CITY = lead("mesa", MESA)
ON_CAMPUS = point(33.4175, -111.935)
IN_RESERVATION = point(33.44, -111.75)


def test_on_the_campus_the_campus_leads_and_the_others_lose_on_layer() -> None:
    decision = ask(rule_set(lead("campus", CAMPUS), CITY, COUNTY, STATE), ON_CAMPUS, named(TEMPE))
    assert (decision.status, decision.leads) == (Status.ROUTED, ("campus",))
    assert {outcomes(decision)[rule] for rule in ("tempe", "maricopa", "hub")} == {"lost on layer"}


def test_a_district_that_asks_for_a_school_is_not_asked_without_one() -> None:
    rules = rule_set(lead("district", DISTRICT, settings=["school"]), CITY, COUNTY)
    decision = ask(rules, named(TEMPE), named("zip:85281"))
    assert decision.leads == ("tempe",)
    assert outcomes(decision)["district"] == "not applied setting"


def test_the_same_district_leads_when_a_school_is_threatened() -> None:
    rules = rule_set(lead("district", DISTRICT, settings=["school"]), CITY, COUNTY)
    decision = ask(rules, named(TEMPE), named("zip:85281"), setting=Setting.SCHOOL)
    assert decision.leads == ("district",)


TRIBE = lead("tribe", RESERVATION, shields=["county", "place", "state"])


def test_an_exclusive_area_shuts_out_the_layers_it_names() -> None:
    decision = ask(rule_set(TRIBE, COUNTY, STATE), IN_RESERVATION, named(MARICOPA))
    assert decision.leads == ("tribe",)
    assert outcomes(decision)["maricopa"] == outcomes(decision)["hub"] == f"shielded by {RESERVATION}"


def test_a_mandate_of_law_passes_through_the_shield_and_the_tribe_supports() -> None:
    federal = lead("federal", ARIZONA, mandate=2, behaviours=["explosives_interest"])
    support = {**lead("tribe", RESERVATION, id="tribe-supports"), "role": "support"}
    decision = ask(
        rule_set(TRIBE, COUNTY, STATE, federal, support), IN_RESERVATION, behaviours=("explosives_interest",)
    )
    assert (decision.leads, decision.supports) == (("federal",), ("tribe",))


def test_the_target_outranks_where_the_subject_lives() -> None:
    supports = {**lead("mesa", MESA, id="mesa-supports", relations=["subject"]), "role": "support"}
    evidence = (named(MESA, Relation.SUBJECT), named(MARICOPA, Relation.TARGET))
    assert ask(rule_set(MESA_CITY, COUNTY), *evidence).leads == ("maricopa",)
    assert ask(rule_set(MESA_CITY, COUNTY, supports), *evidence).supports == ("mesa",)


def test_two_equal_rules_are_a_tie_and_nobody_is_chosen() -> None:
    decision = ask(rule_set(lead("east", MARICOPA), lead("west", MARICOPA)), named(MARICOPA))
    assert (decision.status, decision.leads) == (Status.AMBIGUOUS, ("east", "west"))
    assert decision.owner == "hub"


@pytest.mark.parametrize(("as_of", "team"), [(MORNING, "maricopa"), (EVENING, "night")])
def test_the_night_desk_leads_at_night_only(as_of: datetime, team: str) -> None:
    hours = {"zone": "America/Phoenix", "begins": "17:00", "ends": "08:00"}
    decision = ask(rule_set(COUNTY, lead("night", MARICOPA, hours=hours)), named(MARICOPA), as_of=as_of)
    assert decision.leads == (team,)


def test_a_zip_that_two_counties_share_needs_the_city() -> None:
    rules = rule_set(lead("county", "county:51059"), lead("city", "county:51600"))
    decision = ask(rules, named("zip:22030"))
    assert (decision.status, decision.leads, decision.owner) == (Status.LOCATION_NEEDED, (), "root")
    assert decision.what_would_change[0].areas == ("county:51059", "county:51600")


def test_a_zip_that_lies_nearly_whole_in_one_county_goes_there() -> None:
    code, county, other = _zip_mostly_in_one_county()
    decision = ask(rule_set(lead("most", county), lead("rest", other)), named(f"zip:{code}"))
    assert (decision.status, decision.leads) == (Status.ROUTED, ("most",))
    assert outcomes(decision)["rest"] == "share below floor"


def _zip_mostly_in_one_county() -> tuple[str, str, str]:
    from routing import gazetteer

    known = gazetteer.load()
    entries = (known.zip(code) for code in known.zip_codes)
    found = next(e for e in entries if e and len(e.shares) == 2 and 0.96 < e.shares[0][1] < 0.98)
    return found.code, found.shares[0][0], found.shares[1][0]


def test_a_shared_zip_below_a_state_that_leads_asks_for_confirmation() -> None:
    decision = ask(rule_set(lead("virginia", "state:51"), lead("county", "county:51059")), named("zip:22030"))
    assert (decision.status, decision.leads) == (Status.CONFIRM_LOCATION, ("virginia", "county"))


def test_a_fix_near_the_line_between_two_cities_is_a_tie() -> None:
    # 0.00043 degrees of longitude are 40 m here.
    decision = ask(rule_set(CITY, MESA_CITY, COUNTY), point(33.40, -111.89 - 0.00043, 60))
    assert (decision.status, decision.leads) == (Status.AMBIGUOUS, ("mesa", "tempe"))


def test_a_fix_near_a_city_line_with_only_the_county_beyond_is_confirmed_first() -> None:
    decision = ask(rule_set(CITY, COUNTY), point(33.40, -111.89 - 0.00043, 60))
    assert (decision.status, decision.leads) == (Status.CONFIRM_LOCATION, ("tempe", "maricopa"))


def test_from_the_reporters_own_place_nobody_leads() -> None:
    decision = ask(rule_set(CITY, COUNTY, STATE), named(TEMPE, Relation.REPORTER))
    assert (decision.status, decision.leads, decision.owner) == (Status.LOCATION_NEEDED, (), "root")


def test_a_state_alone_goes_to_the_states_team() -> None:
    assert ask(rule_set(CITY, COUNTY, STATE), named(ARIZONA)).leads == ("hub",)


def test_a_state_without_anybody_is_the_root_desks() -> None:
    decision = ask(rule_set(STATE), named("state:56"), urgency=Urgency.IMMINENT)
    assert (decision.status, decision.owner) == (Status.NO_COVERAGE, "root")
    assert decision.offered_at_once == ("root",)


def test_a_county_without_a_team_climbs_to_the_state() -> None:
    assert ask(rule_set(COUNTY, STATE), named("county:04001")).leads == ("hub",)


def test_imminent_danger_asks_every_tied_school_at_once() -> None:
    schools = ("school:demo-lincoln-mesa", "school:demo-lincoln-tucson")
    rules = rule_set(lead("mesa-school", schools[0]), lead("tucson-school", schools[1]), STATE)
    decision = ask(rules, named(schools[0], Relation.INCIDENT, schools[1]), urgency=Urgency.IMMINENT)
    assert decision.status is Status.AMBIGUOUS
    assert decision.offered_at_once == ("mesa-school", "tucson-school")
    assert decision.owner == "hub"


def test_words_that_fit_one_covered_and_one_uncovered_place_choose_neither_silently() -> None:
    decision = ask(rule_set(STATE), named("place:0455000", Relation.INCIDENT, "place:usps-NY-PHOENIX"))
    assert (decision.status, decision.owner) == (Status.CONFIRM_LOCATION, "root")


def test_who_cannot_be_reached_is_passed_over_and_said_so() -> None:
    decision = ask(rule_set(CITY, COUNTY), named(TEMPE), unreachable=["tempe"])
    assert decision.leads == ("maricopa",)
    assert outcomes(decision)["tempe"] == "unreachable contact"


def test_who_has_said_no_is_not_asked_again() -> None:
    decision = ask(rule_set(CITY, COUNTY), named(TEMPE), excluded=["tempe"])
    assert decision.leads == ("maricopa",)


def test_a_hub_that_has_said_no_does_not_own_it() -> None:
    assert ask(rule_set(STATE), named(ARIZONA), excluded=["hub"]).owner == "root"


def test_what_an_office_forwards_by_agreement_goes_to_the_hub() -> None:
    agreement = lead("hub", ARIZONA, id="agreement", originators=["fbi"], mandate=1)
    rules = rule_set(CITY, COUNTY, STATE, agreement)
    assert ask(rules, named(TEMPE), originator="fbi").leads == ("hub",)
    assert ask(rules, named(TEMPE)).leads == ("tempe",)


def test_a_rule_for_all_places_of_a_county_meets_each_of_them() -> None:
    rules = rule_set(COUNTY, lead("cities", MARICOPA, every="place"))
    assert ask(rules, named(MESA)).leads == ("cities",)
    assert ask(rules, named(MARICOPA)).leads == ("maricopa",)


def test_a_rule_that_has_ended_does_not_apply() -> None:
    rules = rule_set(COUNTY, lead("tempe", TEMPE, valid_to="2026-03-04"))
    assert ask(rules, named(TEMPE)).leads == ("maricopa",)


def test_a_county_code_that_was_split_finds_what_took_its_place() -> None:
    rules = rule_set(lead("chugach", "county:02063"), lead("copper", "county:02066"))
    assert ask(rules, named("county:02261")).leads == ("chugach", "copper")


def test_a_decision_survives_its_json() -> None:
    decision = ask(rule_set(CITY, COUNTY), point(33.40, -111.8904, 60))
    again = Decision.from_json(json.loads(json.dumps(decision.as_json())))
    assert again == decision
    assert again.digest == decision.digest


@pytest.mark.parametrize("change", [{"urgency": Urgency.ROUTINE}, {"as_of": EVENING}, {"excluded": ["mesa"]}])
def test_the_digest_changes_with_whatever_was_decisive(change: dict[str, Any]) -> None:
    rules = rule_set(CITY, COUNTY)
    assert ask(rules, named(TEMPE), **change).digest != ask(rules, named(TEMPE)).digest


AREAS = [
    CAMPUS,
    TEMPE,
    MESA,
    MARICOPA,
    ARIZONA,
    "zip:22030",
    "zip:85281",
    "county:02261",
    "state:56",
    "rubbish",
    "",
]
TEAMS = ["a", "b", "c"]
EVIDENCE = st.builds(
    Evidence,
    kind=st.sampled_from(PlaceKind),
    relation=st.sampled_from(Relation),
    areas=st.lists(st.sampled_from(AREAS), max_size=3).map(tuple),
    latitude=st.none() | st.floats(-200, 200),
    longitude=st.none() | st.floats(-200, 200) | st.floats(-112, -111.5),
    accuracy_m=st.none() | st.floats(-10, 1e9),
)
RULES = st.lists(
    st.fixed_dictionaries(
        {
            "team": st.sampled_from(TEAMS),
            "role": st.sampled_from(["lead", "lead", "support", "notify", "exclude"]),
            "area": st.sampled_from([CAMPUS, TEMPE, MESA, MARICOPA, ARIZONA, "nation:us", "county:51059"]),
            "mandate": st.sampled_from([0, 0, 1]),
            "priority": st.integers(0, 1),
            "shields": st.sampled_from([[], [], ["county", "state"]]),
        }
    ),
    max_size=6,
).map(lambda rules: rule_set(*({**rule, "id": f"r{at}"} for at, rule in enumerate(rules))))
FACTS = st.builds(
    Facts,
    urgency=st.sampled_from(Urgency),
    setting=st.sampled_from(Setting),
    evidence=st.lists(EVIDENCE, max_size=3).map(tuple),
)


@settings(max_examples=150)
@given(FACTS, RULES, st.frozensets(st.sampled_from(TEAMS)))
def test_whatever_comes_ends_in_one_of_five_with_an_owner(
    facts: Facts, rules: RuleSet, unreachable: frozenset[str]
) -> None:
    decision = decide(facts, rules, BOUNDARIES, MORNING, unreachable)
    assert decision.status in Status
    assert decision.owner in {"hub", "root"}
    assert bool(decision.leads) == (decision.status not in {Status.LOCATION_NEEDED, Status.NO_COVERAGE})
    assert not unreachable & {*decision.leads, *decision.supports, *decision.notifies}
    if facts.urgency is Urgency.IMMINENT and decision.status is not Status.ROUTED:
        assert decision.offered_at_once


@settings(max_examples=60)
@given(FACTS, RULES, st.randoms())
def test_the_order_of_evidence_never_matters(facts: Facts, rules: RuleSet, random: Any) -> None:
    shuffled = list(facts.evidence)
    random.shuffle(shuffled)
    other = Facts(facts.urgency, setting=facts.setting, evidence=tuple(shuffled))
    first, second = (decide(asked, rules, BOUNDARIES, MORNING) for asked in (facts, other))
    assert first.digest == second.digest


@settings(max_examples=60)
@given(FACTS, RULES, st.sampled_from(TEAMS))
def test_an_exclusion_takes_its_team_out_and_brings_it_nowhere(
    facts: Facts, rules: RuleSet, team: str
) -> None:
    shut_out = {"id": "x", "team": team, "role": "exclude", "area": "nation:us"}
    kept = [rule for rule in rules.as_json()["rules"] if rule["id"] != "nevada"]
    before = decide(facts, rules, BOUNDARIES, MORNING)
    after = decide(facts, rule_set(*kept, shut_out), BOUNDARIES, MORNING)
    if outcomes(after).get("x", "").startswith("excluded by"):
        assert team not in {*after.leads, *after.supports, *after.notifies}
    assert team not in set(after.leads) - set(before.leads)
