"""What goes along: parts that were chosen, on a ground that fits, with the originator's permission, and hashed."""

from __future__ import annotations

from typing import Any

import pytest

from foundation import clock, database
from ledger.verification import entries_of
from referrals import casework, moves
from referrals.facts import Urgency
from referrals.sealing import CannotOpen
from routing import disclosure, handoffs, permission
from routing.disclosure import NotDisclosable
from routing.handling import NeedsPermission
from routing.states import Basis, Kind, Reason
from tests.builders import Town, later
from tests.routing.acts import Case, faults, forward, run_jobs, sweep, tip


def held(town: Town) -> Case:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    return case


def handled(town: Town, code: str) -> Case:
    """DHS forwarded it under that handling code; Tempe acknowledged it."""
    case = forward(town, handling=code)
    case.acknowledge("Ines", "tempe-police")
    return case


def offered(case: Case) -> dict[str, Any]:
    """The newest ledger entry of an offer."""
    with database.reading(case.town.engine) as session:
        found = [entry for entry in entries_of(session, case.id) if entry["kind"] in ("offered", "asked")]
    return dict(found[-1]["facts"])


def ask(case: Case, slug: str) -> str:
    town = case.town
    with database.transaction(town.engine) as session:
        return permission.ask(
            session, town.keys, moves.referral(session, case.id), town.team[slug],
            actor=town.actor("Ines"), now=clock.now(),
        )  # fmt: skip


def answer(case: Case, asked: str, *, granted: bool) -> None:
    with database.transaction(case.town.engine) as session:
        permission.answer(session, asked, granted=granted, actor=case.town.actor("Nadia"), now=clock.now())


def test_the_ledger_holds_a_digest_of_what_goes_along_and_no_word(town: Town) -> None:
    case = held(town)
    case.hand_on("Ines", "mesa-police", Kind.CONSULT, ("narrative",))
    facts = offered(case)
    with database.reading(town.engine) as session:
        assert facts["disclosed"] == disclosure.digest(session, case.id, ["narrative"])
        assert facts["disclosed"] != disclosure.digest(session, case.id, ["narrative", "notes"])


def test_a_note_more_is_another_digest(town: Town) -> None:
    case = held(town)
    with database.reading(town.engine) as session:
        before = disclosure.digest(session, case.id, ["notes"])
    case.write("Ines", "One more.")
    with database.reading(town.engine) as session:
        assert disclosure.digest(session, case.id, ["notes"]) != before


def test_a_member_s_emergency_needs_the_threat_in_words(town: Town) -> None:
    case = held(town)
    with pytest.raises(NotDisclosable, match="threat said in words"):
        case.offer("Ines", case.propose("Ines", "mesa-police", basis=Basis.EMERGENCY))
    ground = case.write("Ines", "He has a knife.", kind="ground")
    case.offer("Ines", case.propose("Ines", "mesa-police", basis=Basis.EMERGENCY, ground_id=ground))
    assert case.offers()["mesa-police"] == "offered"


@pytest.mark.parametrize("part", ["education", "health"])
@pytest.mark.parametrize("basis", [Basis.AGREEMENT, Basis.LAW_ENFORCEMENT])
def test_a_tagged_record_goes_nowhere_without_its_ground(town: Town, part: str, basis: Basis) -> None:
    case = held(town)
    case.write("Ines", "Suspended in March.", part)
    with pytest.raises(NotDisclosable, match=part.capitalize()):
        case.offer("Ines", case.propose("Ines", "mesa-police", basis=basis, parts=("narrative", part)))


def test_what_is_left_behind_does_not_stop_the_rest(town: Town) -> None:
    case = held(town)
    case.write("Ines", "Suspended in March.", "education")
    case.offer("Ines", case.propose("Ines", "mesa-police", parts=("narrative",)))
    case.acknowledge("Olu", "mesa-police")
    assert case.parts_of("mesa-police") == {"narrative", "notes", "need", "health"}
    with pytest.raises(CannotOpen):
        case.write("Olu", "More of it.", "education")


def test_a_tagged_record_goes_along_with_consent(town: Town) -> None:
    case = held(town)
    case.write("Ines", "Suspended in March.", "education")
    proposal = case.propose("Ines", "mesa-police", basis=Basis.CONSENT, parts=("narrative", "education"))
    case.offer("Ines", proposal)
    case.acknowledge("Olu", "mesa-police")
    with database.reading(town.engine) as session:
        entries = casework.documented(session, town.keys, case.id, town.team["mesa-police"])
    assert [entry.words for entry in entries] == ["Suspended in March."]


def test_support_sees_the_need_and_not_what_was_told(town: Town) -> None:
    case = held(town)
    need = case.write("Ines", "A talk with the family. Ines, 0130.", "need", "need")
    case.offer("Ines", case.propose("Ines", "tempe-care-7", Kind.SUPPORT, need_id=need))
    case.acknowledge("Cora", "tempe-care-7", Kind.SUPPORT)
    assert case.parts_of("tempe-care-7") == {"need"}


@pytest.mark.parametrize("kind", [Kind.TRANSFER, Kind.CONSULT, Kind.SUPPORT, Kind.INFORM])
def test_h2_goes_to_nobody_without_permission(town: Town, kind: Kind) -> None:
    case = handled(town, "H2")
    with pytest.raises(NeedsPermission, match="H2"):
        case.offer("Ines", case.propose("Ines", "mesa-police", kind, parts=()))


def test_permission_is_for_the_team_that_was_named(town: Town) -> None:
    case = handled(town, "H2")
    answer(case, ask(case, "mesa-police"), granted=True)
    case.offer("Ines", case.propose("Ines", "mesa-police"))
    with pytest.raises(NeedsPermission):
        case.offer("Ines", case.propose("Ines", "maricopa-county"))
    assert faults(town) == []


def test_a_refused_permission_allows_nothing_and_tells_who_asked(town: Town) -> None:
    case = handled(town, "H2")
    answer(case, ask(case, "mesa-police"), granted=False)
    assert "Ines" in case.told("task")
    with pytest.raises(NeedsPermission):
        case.offer("Ines", case.propose("Ines", "mesa-police"))


def test_two_permissions_may_be_asked_for_at_once_and_each_only_once(town: Town) -> None:
    case = handled(town, "H2")
    first, second = ask(case, "mesa-police"), ask(case, "maricopa-county")
    assert first != second
    assert ask(case, "mesa-police") == first


def test_a_permission_that_nobody_answers_lapses_on_a_clock_of_its_own(town: Town) -> None:
    case = handled(town, "H2")
    ask(case, "mesa-police")
    for hours in (1.1, 4.1):
        with later(hours=hours):
            sweep(town)
            run_jobs(town)
    assert case.offers(Kind.PERMISSION) == {"dhs-nter": "lapsed"}
    assert case.holder == "tempe-police"
    assert "Ines" in case.told("task")


def test_imminent_danger_comes_before_permission_with_a_reason_on_record(town: Town) -> None:
    case = handled(town, "H2")
    why = case.write("Ines", "He is on his way.", kind="override")
    id = case.offer("Ines", case.propose("Ines", "mesa-police", override_id=why))
    with database.transaction(town.engine) as session:
        row = handoffs.handoff(session, id)
        permission.override(session, row, why, actor=town.actor("Ines"), now=clock.now())
    assert offered(case)["override"] == why
    assert case.kinds()[-1] == "handoff_handling_set_aside"
    with database.reading(town.engine) as session:
        from notifications import notices

        assert town.member_id("Nadia") in notices.told(session, id)


@pytest.mark.parametrize(
    ("basis", "allowed"),
    [(Basis.AGREEMENT, True), (Basis.LAW_ENFORCEMENT, False), (Basis.COURT_ORDER, False)],
)
def test_h1_forbids_only_what_makes_it_evidence(town: Town, basis: Basis, allowed: bool) -> None:
    case = handled(town, "H1")
    proposal = case.propose("Ines", "mesa-police", basis=basis)
    if allowed:
        assert case.offer("Ines", proposal)
    else:
        with pytest.raises(NeedsPermission):
            case.offer("Ines", proposal)


def test_h3_asks_the_sender_whether_the_stated_conditions_allow_it(town: Town) -> None:
    case = handled(town, "H3")
    with pytest.raises(NeedsPermission):
        case.offer("Ines", case.propose("Ines", "mesa-police"))
    case.offer("Ines", case.propose("Ines", "mesa-police", conditions_met=True))
    assert offered(case)["conditions_met"] is True


def test_routing_itself_finds_the_team_whatever_the_handling(town: Town) -> None:
    case = forward(town, Urgency.ELEVATED, handling="H2")
    assert case.offers() == {"tempe-police": "offered"}
    case.decline("Ines", "tempe-police")
    run_jobs(town)
    assert case.offers()["maricopa-county"] == "offered"


def test_an_imminent_consult_without_parts_discloses_nothing(town: Town) -> None:
    case = tip(town, Urgency.IMMINENT)
    case.acknowledge("Ines", "tempe-police")
    case.offer("Ines", case.propose("Ines", "mesa-police", Kind.INFORM, reason=Reason.HANDED_ON))
    assert case.parts_of("mesa-police") == frozenset()
