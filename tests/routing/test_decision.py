"""The worked cases of the routing page, each with its evidence in every order, and the rules between them."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import pytest

from referrals.facts import Evidence, Facts, PlaceKind, Relation, Setting, Urgency
from routing.areas import AreaFault
from routing.boundaries import Boundaries
from routing.decision import Change, ChangeKind, Decision, Status, decide
from routing.rules import RuleSet
from tests.routing.cases import (
    ARIZONA,
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


def test_a_written_agreement_passes_through_the_shield_too() -> None:
    agreed = lead("agreed", MARICOPA, mandate=1)
    assert ask(rule_set(TRIBE, COUNTY, STATE, agreed), IN_RESERVATION).leads == ("agreed",)


def test_near_its_line_an_exclusive_area_shuts_nobody_out() -> None:
    decision = ask(rule_set(TRIBE, COUNTY), point(33.44, -111.8002, 60))
    assert {team for team in decision.leads} == {"tribe", "maricopa"}
    assert "shielded" not in outcomes(decision)["maricopa"]


def test_who_owns_it_follows_from_the_state_that_is_certain_not_from_one_across_a_line() -> None:
    rules = RuleSet.from_json({"root_team": "root", "state_hubs": {"04": "hub", "32": "nevada"}, "rules": []})
    at_the_river = point(35.1, -114.64)
    assert ask(rules, at_the_river).owner == "root"
    assert ask(rules, at_the_river, named(ARIZONA)).owner == "hub"


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


def test_who_has_said_no_is_not_asked_again_but_those_above_are() -> None:
    decision = ask(rule_set(CITY, COUNTY, STATE), named(TEMPE), excluded={"tempe": "declined"})
    assert decision.leads == ("maricopa",)
    assert outcomes(decision)["tempe"] == "not asked again declined"
    assert outcomes(decision)["hub"] == "lost on layer"


@pytest.mark.parametrize("why", ["unreachable", "excluded"])
def test_who_is_passed_over_does_not_come_back_beyond_a_line(why: str) -> None:
    rules = rule_set(CITY, MESA_CITY, COUNTY)
    decision = ask(rules, named(TEMPE, Relation.INCIDENT, MESA), **{why: ["mesa"]})
    assert (decision.status, decision.leads) == (Status.CONFIRM_LOCATION, ("tempe", "maricopa"))


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


def test_a_rule_for_all_places_of_a_county_leaves_out_what_only_touches_it() -> None:
    inside, touching = (
        Boundaries.from_json(
            [{"id": "custom:valley", "name": "Valley", "parents": parents, "zips": {"85281": 1.0}}]
        )
        for parents in ({MARICOPA: 1.0}, {MARICOPA: 0.4, "county:04021": 0.6})
    )
    rules = rule_set(lead("valleys", MARICOPA, every="custom"))
    facts = Facts(
        Urgency.ELEVATED, (), evidence=(Evidence(PlaceKind.PLACE, Relation.INCIDENT, ("custom:valley",)),)
    )
    assert decide(facts, rules, inside, MORNING).leads == ("valleys",)
    assert decide(facts, rules, touching, MORNING).leads == ()


def test_a_coarse_maps_lost_city_is_found_by_name_and_by_zip_and_never_silently_by_a_point() -> None:
    rules = rule_set(lead("city", "county:51610"), lead("around", "county:51059"))
    assert ask(rules, named("county:51610")).leads == ("city",)
    near = ask(rules, point(38.8823, -77.1711))
    assert near.status is Status.AMBIGUOUS
    assert set(near.leads) == {"city", "around"}


def test_an_area_that_no_evidence_could_find_is_refused_before_any_rule_can_stand_on_it() -> None:
    with pytest.raises(AreaFault, match="neither an outline nor ZIPs"):
        Boundaries.from_json([{"id": "custom:nowhere", "name": "Nowhere", "parents": [MARICOPA]}])


def test_imminent_danger_asks_the_possible_leads_beside_the_tied_ones() -> None:
    rules = rule_set(lead("east", MARICOPA), lead("west", MARICOPA), lead("tempe", TEMPE))
    either = named(MARICOPA, Relation.INCIDENT, TEMPE)
    decision = ask(rules, either, urgency=Urgency.IMMINENT)
    assert (decision.status, decision.leads) == (Status.CONFIRM_LOCATION, ("tempe", "east", "west"))
    assert decision.offered_at_once == ("tempe", "east", "west")


def test_imminent_danger_where_one_of_two_places_has_nobody_asks_the_desk_too() -> None:
    either = named("place:0455000", Relation.INCIDENT, "place:usps-NY-PHOENIX")
    decision = ask(rule_set(STATE), either, urgency=Urgency.IMMINENT)
    assert (decision.leads, decision.offered_at_once) == (("hub",), ("hub", "root"))


def test_imminent_danger_in_an_unclear_place_asks_the_states_hub_and_the_root_desk() -> None:
    rules = RuleSet.from_json(
        {"root_team": "root", "state_hubs": {"51": "va"}, "rules": [lead("fairfax", "county:51059")]}
    )
    decision = ask(rules, named("zip:22030"), urgency=Urgency.IMMINENT)
    assert (decision.status, decision.offered_at_once) == (Status.LOCATION_NEEDED, ("va", "root"))


def test_a_team_with_several_roles_has_the_strongest_only() -> None:
    also = [{**lead("tempe", TEMPE, id=f"t-{role}"), "role": role} for role in ("support", "notify")]
    care = [{**lead("care", TEMPE, id=f"c-{role}"), "role": role} for role in ("support", "notify")]
    decision = ask(rule_set(CITY, *also, *care), named(TEMPE))
    assert (decision.leads, decision.supports, decision.notifies) == (("tempe",), ("care",), ())


def test_who_is_asked_at_once_to_lead_is_not_asked_to_support() -> None:
    support = {**lead("hub", ARIZONA, id="hub-supports"), "role": "support"}
    decision = ask(rule_set(support), named(ARIZONA), urgency=Urgency.IMMINENT)
    assert (decision.offered_at_once, decision.supports) == (("hub", "root"), ())


def test_support_and_notice_are_independent_of_who_leads() -> None:
    helps, told = ({**lead(role, ARIZONA), "role": role} for role in ("support", "notify"))
    decision = ask(rule_set(CITY, COUNTY, helps, told), named(TEMPE))
    assert (decision.supports, decision.notifies) == (("support",), ("notify",))


def test_an_exclusion_is_data_and_names_its_rule() -> None:
    shut_out = {
        **lead("tempe", MARICOPA, id="not-them", behaviours=["explosives_interest"]),
        "role": "exclude",
    }
    rules = rule_set(CITY, COUNTY, shut_out)
    decision = ask(rules, named(TEMPE), behaviours=("explosives_interest",))
    assert (decision.leads, outcomes(decision)["tempe"]) == (("maricopa",), "excluded by not-them")
    assert ask(rules, named(TEMPE)).leads == ("tempe",)


def test_near_a_line_nobody_is_left_out() -> None:
    shut_out = {**lead("tempe", TEMPE, id="not-them"), "role": "exclude"}
    decision = ask(rule_set(CITY, MESA_CITY, shut_out), point(33.40, -111.89 - 0.00043, 60))
    assert decision.leads == ("mesa", "tempe")
    assert outcomes(decision)["not-them"] == "not applied line"


def test_a_large_reservation_outranks_a_small_county() -> None:
    decision = ask(rule_set(lead("tribe", RESERVATION), COUNTY), IN_RESERVATION)
    assert (decision.leads, outcomes(decision)["maricopa"]) == (("tribe",), "lost on layer")


@pytest.mark.parametrize(
    ("stronger", "criterion"),
    [
        ({"mandate": 1}, "mandate"),
        ({"behaviours": ["explosives_interest"]}, "specificity"),
        ({"priority": 1}, "priority"),
    ],
)
def test_equal_places_are_told_apart_by_the_next_criterion(stronger: dict[str, Any], criterion: str) -> None:
    rules = rule_set(COUNTY, lead("stronger", MARICOPA, **stronger))
    decision = ask(rules, named(MARICOPA), behaviours=("explosives_interest",))
    assert (decision.leads, outcomes(decision)["maricopa"]) == (("stronger",), f"lost on {criterion}")


def test_a_kind_of_act_counts_more_than_an_urgency_and_hours_the_same() -> None:
    always = {"zone": "America/Phoenix", "begins": "00:00", "ends": "00:00"}
    act = lead("act", MARICOPA, behaviours=["explosives_interest"])
    soon, hours = lead("soon", MARICOPA, urgencies=["elevated"]), lead("hours", MARICOPA, hours=always)
    decision = ask(rule_set(act, soon, hours), named(MARICOPA), behaviours=("explosives_interest",))
    assert decision.leads == ("act",)
    assert ask(rule_set(soon, hours), named(MARICOPA)).leads == ("hours", "soon")


def test_the_kind_of_place_that_nobody_named_is_said_to_be_missing() -> None:
    rules = rule_set(CITY, lead("district", DISTRICT, settings=["school"]))
    unknown = ask(rules, named(TEMPE), named("zip:85281"))
    assert Change(ChangeKind.SETTING, settings=(Setting.SCHOOL,)) in unknown.what_would_change
    assert not ask(rules, named(TEMPE), named("zip:85281"), setting=Setting.HOME).what_would_change


def test_who_is_out_of_reach_only_where_the_kind_of_place_were_known_is_stored_too() -> None:
    """Else the decision made again would ask for an answer that changes nothing."""
    rules = rule_set(CITY, lead("district", DISTRICT, settings=["school"]))
    decision = ask(rules, named(TEMPE), named("zip:85281"), unreachable=["district"])
    assert (decision.what_would_change, dict(decision.unreachable)) == ((), {"district": "contact"})


def test_a_kind_of_place_that_could_not_take_the_lead_is_not_asked_for() -> None:
    rules = rule_set(CITY, lead("schools", ARIZONA, settings=["school"]))
    assert ask(rules, named(TEMPE)).what_would_change == ()


def test_a_hub_out_of_reach_does_not_own_it_and_the_decision_says_so() -> None:
    decision = ask(
        rule_set(CITY, MESA_CITY), named(TEMPE, Relation.TARGET, MESA), unreachable=["hub", "else"]
    )
    assert (decision.owner, dict(decision.unreachable)) == ("root", {"hub": "contact"})


def test_a_shield_of_who_is_out_of_reach_still_shuts_out_and_a_desk_has_it() -> None:
    decision = ask(rule_set(TRIBE, COUNTY, STATE), IN_RESERVATION, unreachable=["tribe"])
    assert (decision.status, decision.owner) == (Status.NO_COVERAGE, "hub")


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


@pytest.mark.parametrize(
    "change",
    [
        {"urgency": Urgency.ROUTINE},
        {"as_of": EVENING},
        {"excluded": ["mesa"]},
        {"excluded": {"mesa": "lapsed"}},
        {"unreachable": ["tempe"]},
        {"behaviours": ("explosives_interest",)},
        {"setting": Setting.SCHOOL},
        {"originator": "fbi"},
    ],
)
def test_the_digest_changes_with_whatever_was_decisive(change: dict[str, Any]) -> None:
    rules = rule_set(CITY, COUNTY)
    assert ask(rules, named(TEMPE), **change).digest != ask(rules, named(TEMPE)).digest


def test_the_digest_changes_with_the_rules_and_not_with_who_did_not_matter() -> None:
    first = ask(rule_set(CITY, COUNTY), named(TEMPE))
    assert ask(rule_set(CITY, {**COUNTY, "reason": "By its charter."}), named(TEMPE)).digest != first.digest
    assert ask(rule_set(CITY, COUNTY), named(TEMPE), unreachable=["nobody-asked"]).digest == first.digest


def test_each_member_of_a_decision_is_in_its_digest() -> None:
    decision = ask(rule_set(CITY, COUNTY), named(TEMPE))
    facts = replace(decision.facts, originator="fbi")
    others: dict[str, Any] = {"status": Status.AMBIGUOUS, "as_of": EVENING, "facts": facts}
    for member in fields(decision):
        usual = "x" if isinstance(getattr(decision, member.name), str) else ("x",)
        changed = replace(decision, **{member.name: others.get(member.name, usual)})
        assert changed.digest != decision.digest, member.name
