"""A place learned later: it is routed again with it, and offers that it made wrong are withdrawn."""

from __future__ import annotations

from foundation import clock, database
from referrals.facts import Evidence, Facts, PlaceKind, Relation, Urgency
from routing import placement
from tests.builders import Town
from tests.routing.acts import EITHER, MESA, NOWHERE, TEMPE, Case, faults, forward, run_jobs, tip


def learn(case: Case, who: str, *evidence: Evidence) -> None:
    with database.transaction(case.town.engine) as session:
        placement.learn_place(session, case.id, evidence, actor=case.town.actor(who), now=clock.now())
    run_jobs(case.town)


def test_a_place_that_was_unknown_is_found_and_offered(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED, NOWHERE)
    learn(case, "Rita", TEMPE)
    assert case.offers() == {"tempe-police": "offered"}
    assert faults(town) == []


def test_what_the_place_rules_out_is_withdrawn(town: Town) -> None:
    case = tip(town, Urgency.IMMINENT, EITHER)
    learn(case, "Ada", MESA)
    assert case.offers() == {"tempe-police": "recalled", "mesa-police": "offered"}
    assert case.parts_of("tempe-police") == frozenset()
    assert "Ines" in case.told("withdrawn")


def test_a_hub_that_took_it_learns_the_place_and_routing_asks_the_team(town: Town) -> None:
    case = forward(town, Urgency.ELEVATED, NOWHERE)
    case.acknowledge("Rita", "root-desk")
    learn(case, "Rita", TEMPE)
    assert (case.holder, case.row().state) == ("root-desk", "held")
    assert case.offers()["tempe-police"] == "offered"
    case.acknowledge("Ines", "tempe-police")
    assert case.holder == "tempe-police"
    assert faults(town) == []


def test_what_is_certain_stays_beside_what_is_learned(town: Town) -> None:
    reporter = Evidence(PlaceKind.STATE, Relation.REPORTER, ("state:04",))
    case = tip(town, Urgency.ELEVATED, NOWHERE, reporter)
    learn(case, "Rita", TEMPE)
    assert set(Facts.from_json(case.row().facts).evidence) == {reporter, TEMPE}


def test_the_ledger_knows_that_a_place_was_learned_and_not_which(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED, NOWHERE)
    learn(case, "Rita", TEMPE)
    assert "place_learned" in case.kinds()
    with database.reading(town.engine) as session:
        from sqlalchemy import select

        from ledger.tables import ledger_entries

        assert "0473000" not in "".join(session.execute(select(ledger_entries.c.body)).scalars())
