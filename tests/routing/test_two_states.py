"""Two programmes are concerned: the target's place leads, the subject's place is consulted, each on its own branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from foundation import clock, database
from referrals.facts import Evidence, PlaceKind, Relation, Urgency
from routing import consulting, demonstration, jobs, snapshots
from routing.decision import Decision
from routing.states import Kind
from tests.builders import Town, later
from tests.routing.acts import Case, faults, forward, run_jobs, sweep, tip
from tests.routing.cases import BOUNDARIES

ARIZONA = Evidence(PlaceKind.STATE, Relation.TARGET, ("state:04",))
LIVES_IN_NEVADA = Evidence(PlaceKind.STATE, Relation.SUBJECT, ("state:32",))
TEMPE = Evidence(PlaceKind.PLACE, Relation.TARGET, ("place:0473000",))
LIVES_IN_MESA = Evidence(PlaceKind.PLACE, Relation.SUBJECT, ("place:0446000",))


@pytest.mark.parametrize("source", [tip, forward])
def test_the_target_leads_and_the_subject_is_consulted(town: Town, source: Callable[..., Case]) -> None:
    case = source(town, Urgency.ELEVATED, ARIZONA, LIVES_IN_NEVADA)
    assert list(case.offers()) == ["az-stamp"]
    assert list(case.offers(Kind.CONSULT)) == ["nv-hub"]
    assert _said(case) == [
        "NV is consulted as well: by the place where the person is, Nevada, it would lead, and it belongs to another "
        "programme."
    ]
    case.acknowledge("Neva", "nv-hub", Kind.CONSULT)
    assert "narrative" in case.parts_of("nv-hub")
    case.acknowledge("Ada", "az-stamp")
    assert (case.holder, case.offers(Kind.CONSULT)) == ("az-stamp", {"nv-hub": "acknowledged"})
    assert faults(town) == []


def test_within_one_programme_the_subjects_place_needs_a_rule(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED, TEMPE, LIVES_IN_MESA)
    assert (case.offers(Kind.CONSULT), _said(case)) == ({}, [])


def test_the_subjects_place_alone_leads(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED, LIVES_IN_NEVADA)
    assert (list(case.offers()), case.offers(Kind.CONSULT)) == (["nv-hub"], {})


def test_a_silent_state_lapses_alone_and_its_desk_is_told(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED, ARIZONA, LIVES_IN_NEVADA)
    case.acknowledge("Ada", "az-stamp")
    for minutes in (15, 60, 240):
        with later(minutes=minutes, seconds=1):
            sweep(town)
    assert (case.offers(Kind.CONSULT), case.holder) == ({"nv-hub": "lapsed"}, "az-stamp")
    assert "Rita" in case.told()


def test_if_both_decline_the_desk_holds_and_nobody_is_asked_twice(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED, ARIZONA, LIVES_IN_NEVADA)
    case.decline("Neva", "nv-hub", Kind.CONSULT)
    case.decline("Ada", "az-stamp")
    run_jobs(town)
    assert (case.holder, case.row().state) == ("root-desk", "at_desk")
    assert (case.offers(), case.offers(Kind.CONSULT)) == ({"az-stamp": "declined"}, {"nv-hub": "declined"})


def test_a_mandate_there_does_not_leave_the_subjects_state_out(town: Town) -> None:
    _publish(town, team="az-stamp", area="state:04", role="lead", mandate=1)
    case = tip(town, Urgency.ELEVATED, ARIZONA, LIVES_IN_NEVADA)
    assert (list(case.offers()), list(case.offers(Kind.CONSULT))) == (["az-stamp"], ["nv-hub"])


def test_who_is_consulted_is_not_asked_to_support_as_well(town: Town) -> None:
    _publish(town, team="nv-hub", area="state:32", role="support")
    case = tip(town, Urgency.ELEVATED, ARIZONA, LIVES_IN_NEVADA)
    assert (list(case.offers(Kind.CONSULT)), case.offers(Kind.SUPPORT)) == (["nv-hub"], {})


def _publish(town: Town, team: str, **rule: Any) -> None:
    """One more rule comes into force."""
    rules = demonstration.rules(town.team)
    rules["rules"].append({"id": "more", "team": town.team[team], **rule})
    with database.transaction(town.engine) as session:
        snapshots.publish(session, areas=demonstration.areas(), rules=rules, source="test", now=clock.now())


def _said(case: Case) -> list[str]:
    with database.reading(case.town.engine) as session:
        row = jobs.latest(session, case.id)
        assert row is not None
        decision, names = Decision.from_json(row.explanation), {case.town.team["nv-hub"]: "NV"}
        return list(consulting.sentences(session, decision, BOUNDARIES, names))
