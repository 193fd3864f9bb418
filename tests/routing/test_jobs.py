"""Routing in the worker: each outcome has an owner and a clock, and a job may run twice."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from foundation import clock, database
from notifications.tables import notices
from referrals.facts import Evidence, PlaceKind, Relation, Urgency
from routing import jobs
from routing.states import Kind
from routing.tables import decisions
from tests.builders import Town
from tests.routing.acts import EITHER, NEVADA, NOWHERE, TEMPE, Case, faults, forward, tip

ARIZONA = Evidence(PlaceKind.STATE, Relation.TARGET, ("state:04",))
OHIO = Evidence(PlaceKind.STATE, Relation.TARGET, ("state:39",))


@pytest.mark.parametrize(
    ("place", "holder", "state", "asked"),
    [
        (TEMPE, "az-stamp", "offered", ["tempe-police"]),
        # A hub never offers to itself: the desk above holds it meanwhile.
        (NEVADA, "root-desk", "offered", ["nv-hub"]),
        (ARIZONA, "root-desk", "offered", ["az-stamp"]),
        (EITHER, "az-stamp", "at_desk", []),
        (OHIO, "root-desk", "at_desk", []),
        (NOWHERE, "root-desk", "at_desk", []),
    ],
)
def test_each_outcome_has_an_owner_and_a_clock(
    town: Town, place: Evidence, holder: str, state: str, asked: list[str]
) -> None:
    case = tip(town, Urgency.ELEVATED, place)
    assert (case.holder, case.row().state, list(case.offers())) == (holder, state, asked)
    assert case.due() > clock.now()
    assert case.told()
    assert faults(town) == []


@pytest.mark.parametrize(
    ("place", "asked"),
    [(NOWHERE, "root-desk"), (EITHER, "az-stamp"), (NEVADA, "nv-hub"), (OHIO, "root-desk")],
)
def test_a_forward_without_one_team_is_offered_to_a_desk(town: Town, place: Evidence, asked: str) -> None:
    case = forward(town, Urgency.ELEVATED, place)
    assert (case.holder, list(case.offers())) == ("dhs-nter", [asked])


def test_imminent_waits_for_nobody(town: Town) -> None:
    case = tip(town, Urgency.IMMINENT, EITHER)
    assert set(case.offers()) == {"tempe-police", "mesa-police"}
    assert {"Ines", "Tomas", "Olu", "Ada", "Amir"} <= case.told()


def test_routing_twice_does_nothing_more(town: Town) -> None:
    case = tip(town)
    with database.reading(town.engine) as session:
        before = session.execute(select(func.count()).select_from(notices)).scalar_one()
    kinds = case.kinds()
    case.route()
    with database.reading(town.engine) as session:
        assert session.execute(select(func.count()).select_from(decisions)).scalar_one() == 1
        assert session.execute(select(func.count()).select_from(notices)).scalar_one() == before
    assert case.kinds() == kinds


def test_what_a_team_works_on_is_not_routed_again(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    case.route()
    assert list(case.offers()) == ["tempe-police"]


def test_the_next_on_the_ladder_is_told_at_once_and_each_only_once(town: Town) -> None:
    """A number that always fails must not be texted in a ring."""
    case = tip(town)
    offer = case.offer_to("tempe-police")
    for _ in range(5):
        jobs.next_contact(case.duty, offer)
    query = select(notices.c.member_id, func.count()).where(notices.c.channel == "sms").group_by("member_id")
    with database.reading(town.engine) as session:
        counts: dict[str, int] = dict(session.execute(query).all())
    assert counts[town.member_id("Ines")] == counts[town.member_id("Tomas")] == 1
    assert counts[town.member_id("Ada")] == 1


def test_an_answered_offer_has_no_next_contact(town: Town) -> None:
    case = tip(town)
    offer = case.offer_to("tempe-police")
    case.acknowledge("Ines", "tempe-police")
    jobs.next_contact(case.duty, offer)
    assert "Tomas" not in case.told("offer")


def test_support_by_rule_is_asked_beside_the_lead(town: Town) -> None:
    from sqlalchemy import update

    from referrals.tables import referrals
    from tests.builders import file_tip

    case = Case(town, file_tip(town).id)
    facts = {**case.row().facts, "behaviours": ["suicidal_statement"]}
    with database.transaction(town.engine) as session:
        session.execute(update(referrals).where(referrals.c.id == case.id).values(facts=facts))
    case.route()
    assert case.offers(Kind.SUPPORT) == {"tempe-care-7": "offered"}
    assert case.parts_of("tempe-care-7") == frozenset()
