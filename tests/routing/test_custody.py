"""Custody that is given up: back to the sender, up to the desk above, aside, or away with a team. Never ownerless."""

from __future__ import annotations

from datetime import timedelta

import pytest

from directory import members
from foundation import clock, database
from referrals import casework
from referrals.casework import Disposition
from referrals.facts import Urgency
from referrals.moves import NotNow
from referrals.sealing import PARTS
from routing import departures, handoffs, register
from routing.handoffs import AlreadyAnswered
from routing.states import Decline, Kind, Reason
from tests.builders import Town, later
from tests.routing.acts import NEVADA, Case, faults, forward, run_jobs, sweep, tip


def held_by_mesa(town: Town) -> Case:
    """Tempe had it and handed it on to Mesa."""
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    case.hand_on("Ines", "mesa-police")
    case.acknowledge("Olu", "mesa-police")
    return case


def test_what_is_given_back_is_its_senders_again_by_its_own_acknowledgement(town: Town) -> None:
    case = held_by_mesa(town)
    case.give_back("Olu", "mesa-police")
    assert (case.holder, case.row().state, case.row().due_reason) == ("tempe-police", "at_desk", "returned")
    assert case.offers() == {"tempe-police": "acknowledged", "mesa-police": "returned"}
    assert case.parts_of("mesa-police") == frozenset()
    assert "Ines" in case.told("task")
    assert faults(town) == []


def test_what_was_written_meanwhile_comes_back_too(town: Town) -> None:
    case = held_by_mesa(town)
    case.write("Olu", "Mother says the knife is gone.")
    case.give_back("Olu", "mesa-police")
    with database.reading(town.engine) as session:
        entries = casework.documented(session, town.keys, case.id, town.team["tempe-police"])
    assert [entry.words for entry in entries] == ["Mother says the knife is gone."]


def test_an_office_gets_nothing_back_and_the_desk_above_finds_another_team(town: Town) -> None:
    case = forward(town)
    case.acknowledge("Ines", "tempe-police")
    case.give_back("Ines", "tempe-police")
    assert (case.holder, case.row().state) == ("az-stamp", "at_desk")
    assert case.parts_of("az-stamp") == frozenset(PARTS)
    run_jobs(town)
    assert case.offers() == {"tempe-police": "returned", "maricopa-county": "offered"}
    assert faults(town) == []


def test_two_members_give_it_back_once(town: Town) -> None:
    case = held_by_mesa(town)
    case.give_back("Olu", "mesa-police")
    with pytest.raises(AlreadyAnswered):
        case.give_back("Olu", "mesa-police")


def test_a_closing_that_waits_does_not_outlive_the_custody(town: Town) -> None:
    case = held_by_mesa(town)
    with database.transaction(town.engine) as session:
        casework.propose_closing(
            session, town.keys, case.id, disposition=Disposition.MANAGED, reason="Done.",
            actor=town.actor("Olu"), due_at=clock.now(), now=clock.now(),
        )  # fmt: skip
    case.give_back("Olu", "mesa-police")
    with database.reading(town.engine) as session:
        assert casework.open_closing(session, case.id) is None
    assert faults(town) == []


def test_a_consult_that_is_given_back_leaves_custody_and_takes_its_keys(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    case.hand_on("Ines", "mesa-police", Kind.CONSULT)
    case.acknowledge("Olu", "mesa-police", Kind.CONSULT)
    case.give_back("Olu", "mesa-police", Kind.CONSULT)
    assert (case.holder, case.parts_of("mesa-police")) == ("tempe-police", frozenset())
    assert case.row().due_reason == "returned"


def test_closing_completes_what_was_acknowledged_and_takes_back_the_rest(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    case.hand_on("Ines", "mesa-police", Kind.CONSULT)
    case.acknowledge("Olu", "mesa-police", Kind.CONSULT)
    case.hand_on("Ines", "az-stamp", Kind.INFORM)
    with database.transaction(town.engine) as session:
        handoffs.close(session, case.id, actor=town.actor("Ines"), now=clock.now())
    assert case.offers() == {"tempe-police": "completed"}
    assert case.offers(Kind.CONSULT) == {"mesa-police": "completed"}
    assert case.offers(Kind.INFORM) == {"az-stamp": "recalled"}


def test_a_request_moves_nothing_until_its_custodian_hands_on(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    case.offer("Olu", case.propose("Olu", "tempe-police", Kind.REQUEST, reason=Reason.REQUESTED))
    case.acknowledge("Ines", "tempe-police", Kind.REQUEST)
    assert case.holder == "tempe-police"
    case.hand_on("Ines", "mesa-police")
    case.acknowledge("Olu", "mesa-police")
    assert case.offers(Kind.REQUEST) == {"tempe-police": "completed"}
    assert faults(town) == []


def test_what_was_asked_of_the_custodian_before_ends_with_its_custody(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    case.offer("Ada", case.propose("Ada", "tempe-police", Kind.REQUEST, reason=Reason.REQUESTED))
    case.hand_on("Ines", "mesa-police")
    case.acknowledge("Olu", "mesa-police")
    assert case.offers(Kind.REQUEST) == {"tempe-police": "recalled"}


def test_a_team_with_a_conflict_gives_up_what_it_holds_and_is_never_asked_again(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    case.recuse_team("Ines")
    assert (case.holder, case.row().due_reason) == ("az-stamp", "recused")
    assert case.parts_of("tempe-police") == frozenset()
    with pytest.raises(NotNow, match="conflict of interest"):
        case.hand_on("Ada", "tempe-police")
    assert faults(town) == []


def test_a_decline_for_a_conflict_closes_the_referral_to_the_team(town: Town) -> None:
    case = tip(town, Urgency.IMMINENT)
    with database.transaction(town.engine) as session:
        handoffs.decline(
            session, case.offer_to("tempe-police"), reason=Decline.CONFLICT, actor=town.actor("Ines"),
            via="desk", now=clock.now(),
        )  # fmt: skip
    run_jobs(town)
    assert case.parts_of("tempe-police") == frozenset()
    assert "offered" in case.offers().values()
    assert faults(town) == []


def test_a_member_with_a_conflict_is_told_nothing_more_and_the_team_goes_on(town: Town) -> None:
    case = tip(town)
    assert case.recuse("Ines") is True
    with pytest.raises(NotNow):
        case.acknowledge("Ines", "tempe-police")
    with later(minutes=61):
        sweep(town)
        assert "Ines" not in case.told("escalated")
        case.acknowledge("Tomas", "tempe-police")
    assert case.holder == "tempe-police"


def test_the_last_impartial_member_takes_the_team_along(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    assert [case.recuse("Ines"), case.recuse("Tomas")] == [True, False]
    assert case.holder == "az-stamp"
    assert faults(town) == []


def leaves(town: Town, slug: str) -> None:
    with database.transaction(town.engine) as session:
        departures.team_leaves(session, town.keys, town.team[slug], actor=town.actor("Rita"), now=clock.now())


def test_what_a_team_held_goes_to_the_desk_above_when_it_leaves(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    leaves(town, "tempe-police")
    assert (case.holder, case.row().due_reason) == ("az-stamp", "departed")
    assert faults(town) == []


def test_what_a_team_was_asked_goes_to_the_next_above_when_it_leaves(town: Town) -> None:
    case = forward(town)
    leaves(town, "tempe-police")
    assert case.offers() == {"tempe-police": "recalled", "az-stamp": "offered"}
    assert faults(town) == []


def test_who_is_asked_after_a_member_left_is_the_next_on_the_ladder(town: Town) -> None:
    case = tip(town)
    with database.transaction(town.engine) as session:
        moved = departures.member_leaves(
            session, town.keys, town.member_id("Ines"), actor=town.actor("Rita"), now=clock.now()
        )
    assert (moved, case.offers()) == ([], {"tempe-police": "offered"})
    assert "Tomas" in case.told("offer")


def test_the_last_member_who_leaves_leaves_nothing_hanging(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    for name in ("Ines", "Tomas"):
        with database.transaction(town.engine) as session:
            departures.member_leaves(
                session, town.keys, town.member_id(name), actor=town.actor("Rita"), now=clock.now()
            )
    assert case.holder == "az-stamp"
    with database.reading(town.engine) as session:
        assert departures.hanging(session) == []


def test_what_hangs_is_found(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    with database.transaction(town.engine) as session:
        members.empty_ladder(session, town.team["tempe-police"])
        (left,) = departures.hanging(session)
    assert (left.reference, left.holds) == (case.row().reference, True)
    assert any("nobody is left in a team that holds it" in fault for fault in faults(town))


def moved_to_nevada(town: Town) -> Case:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    until = clock.now() + timedelta(days=14)
    proposal = case.propose("Ines", "nv-hub", reason=Reason.SUBJECT_MOVED, overlap_until=until)
    case.offer("Ines", proposal)
    case.acknowledge("Neva", "nv-hub")
    return case


def test_while_the_subject_moves_both_teams_work_and_one_holds_it(town: Town) -> None:
    case = moved_to_nevada(town)
    assert (case.holder, case.offers(Kind.CONSULT)) == ("nv-hub", {"tempe-police": "acknowledged"})
    assert "narrative" in case.parts_of("tempe-police")
    with later(days=13):
        sweep(town)
    assert case.offers(Kind.CONSULT) == {"tempe-police": "acknowledged"}


def test_the_clock_ends_the_old_team_s_part(town: Town) -> None:
    case = moved_to_nevada(town)
    with later(days=14, minutes=1):
        sweep(town)
    assert case.offers(Kind.CONSULT) == {"tempe-police": "completed"}
    assert (case.holder, case.parts_of("tempe-police")) == ("nv-hub", frozenset())
    with database.reading(town.engine) as session:
        from routing.standing import find_standing

        found = find_standing(session, case.row().reference)
    assert found is not None
    assert town.team["tempe-police"] not in found[1].joined


def test_a_move_that_is_given_back_ends_the_overlap(town: Town) -> None:
    case = moved_to_nevada(town)
    case.give_back("Neva", "nv-hub")
    assert (case.holder, case.offers(Kind.CONSULT)) == ("tempe-police", {"tempe-police": "completed"})
    assert "narrative" in case.parts_of("tempe-police")
    assert faults(town) == []


def test_two_states_where_one_declines_rest_on_the_other(town: Town) -> None:
    """The target's state holds it; the subject's state is consulted and says that it is not its area."""
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    case.hand_on("Ines", "nv-hub", Kind.CONSULT)
    case.decline("Neva", "nv-hub", Kind.CONSULT)
    assert (case.holder, case.row().due_reason) == ("tempe-police", "declined")
    assert "Ines" in case.told("task")


def test_where_both_states_decline_the_desk_holds_it(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED, NEVADA)
    assert (case.holder, case.offers()) == ("root-desk", {"nv-hub": "offered"})
    case.hand_on("Rita", "az-stamp", Kind.CONSULT)
    case.decline("Neva", "nv-hub")
    case.decline("Ada", "az-stamp", Kind.CONSULT)
    run_jobs(town)
    assert case.holder == "root-desk"
    assert case.due() > clock.now()
    assert faults(town) == []


def test_the_loser_reads_who_gave_it_back(town: Town) -> None:
    case = held_by_mesa(town)
    case.give_back("Olu", "mesa-police")
    with database.reading(town.engine) as session:
        assert "already returned by Olu Bako" in register.answered_sentence(
            session, case.offer_to("mesa-police")
        )
