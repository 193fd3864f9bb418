"""However people decline, take back or stay silent: somebody who can act is always asked, and can take it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select, update

from directory.tables import contacts
from foundation import clock, database
from notifications.tables import notices
from referrals.facts import Urgency
from referrals.opening import open_content
from referrals.sealing import PARTS
from referrals.tables import referrals
from routing import handoffs
from routing.states import Decline, Kind
from tests.builders import Town, later
from tests.routing.acts import EITHER, MESA, NEVADA, NOWHERE, faults, forward, run_jobs, sweep, tip


def _notices(town: Town) -> int:
    with database.reading(town.engine) as session:
        return session.execute(select(func.count()).select_from(notices)).scalar_one()


def test_a_root_desk_that_declines_a_forward_twice_is_asked_again(town: Town) -> None:
    case = forward(town, Urgency.ELEVATED, NOWHERE)
    for _ in range(3):
        case.decline("Rita", "root-desk")
        run_jobs(town)
        assert case.offers()["root-desk"] == "offered"
        assert faults(town) == []


def test_a_hub_that_lets_a_tip_lie_is_passed_and_the_root_desk_asked_to_take_it(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED, EITHER)
    assert (case.holder, case.row().state) == ("az-stamp", "at_desk")
    with later(minutes=61):
        sweep(town)
        assert case.offers()["root-desk"] == "offered"
        case.acknowledge("Rita", "root-desk")
    assert case.holder == "root-desk"


def test_a_day_of_silence_asks_upwards_and_does_not_storm(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED)
    for hours in range(24):
        with later(hours=hours, minutes=1):
            sweep(town)
            run_jobs(town)
            assert faults(town) == []
    assert "root-desk" in case.offers()
    assert _notices(town) < 120


def test_a_custodian_who_does_nothing_hears_of_it_less_and_less_often(town: Town) -> None:
    case = tip(town, Urgency.IMMINENT)
    case.acknowledge("Ines", "tempe-police")
    for minutes in range(0, 24 * 60, 10):
        with later(minutes=minutes):
            sweep(town)
    assert 8 <= case.kinds().count("due_again") <= 16


def test_who_holds_only_some_parts_can_still_hand_it_on(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED, MESA)
    case.acknowledge("Olu", "mesa-police")
    case.hand_on("Olu", "nv-hub", parts=("narrative",))
    case.acknowledge("Neva", "nv-hub")
    case.hand_on("Neva", "utah-hub")
    case.acknowledge("Uma", "utah-hub")
    assert case.parts_of("utah-hub") & {"narrative", "subject", "reporter", "notes"} == {"narrative", "notes"}


def test_a_declined_hand_on_comes_back_to_its_sender_loudly(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED, NEVADA)
    case.acknowledge("Neva", "nv-hub")
    with later(minutes=1):
        case.hand_on("Neva", "utah-hub")
        case.decline("Uma", "utah-hub")
        assert "Neva" in case.told("task")
        assert case.row().due_reason == "declined"
        assert case.due() <= clock.now() + timedelta(hours=1)


def test_the_better_team_that_a_decliner_names_is_asked_next(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED)
    with database.transaction(town.engine) as session:
        handoffs.decline(
            session,
            case.offer_to("tempe-police"),
            reason=Decline.NOT_OUR_AREA,
            actor=town.actor("Ines"),
            via="desk",
            now=clock.now(),
            better_team=town.team["mesa-police"],
        )
    run_jobs(town)
    assert case.offers()["mesa-police"] == "offered"


def test_taking_a_transfer_back_leaves_what_a_consult_gave(town: Town) -> None:
    case = tip(town, Urgency.IMMINENT)
    case.acknowledge("Ines", "tempe-police")
    case.hand_on("Ines", "mesa-police")
    case.hand_on("Ines", "mesa-police", Kind.CONSULT, ("narrative", "notes"))
    case.acknowledge("Olu", "mesa-police", Kind.CONSULT)
    case.recall("Ines", "mesa-police")
    assert case.parts_of("mesa-police") == {"narrative", "notes"}


def test_nobody_is_told_the_same_twice_in_a_moment(town: Town) -> None:
    tip(town, Urgency.ELEVATED)
    with later(hours=5):
        for _ in range(6):
            sweep(town)
    with database.reading(town.engine) as session:
        same = (notices.c.contact_id, notices.c.template, notices.c.created_at)
        tasks = select(func.count()).where(notices.c.template == "task").group_by(*same)
        assert set(session.execute(tasks).scalars()) == {1}


def test_one_referral_that_cannot_be_stepped_is_put_off_and_the_clock_rests(town: Town) -> None:
    broken, sound = tip(town, form="one"), tip(town, form="two")
    with database.transaction(town.engine) as session:
        session.execute(update(contacts).values(channel="pigeon"))
        session.execute(update(referrals).where(referrals.c.id == broken.id).values(urgency="unheard of"))
    with later(minutes=16):
        sweep(town)
        assert sound.handoff("tempe-police").step == 1
    with later(minutes=16, seconds=1):
        assert sweep(town) == 0


def test_an_office_whose_offer_is_taken_back_is_not_left_alone(town: Town) -> None:
    case = forward(town, Urgency.ROUTINE, NOWHERE)
    run_jobs(town)
    case.recall("Nadia", "root-desk")
    run_jobs(town)
    assert case.offers()["root-desk"] == "offered"
    assert faults(town) == []


def test_opening_leaves_out_what_was_not_disclosed(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED, MESA)
    case.acknowledge("Olu", "mesa-police")
    case.hand_on("Olu", "nv-hub", parts=("subject",))
    case.acknowledge("Neva", "nv-hub")
    with database.transaction(town.engine) as session:
        opened = open_content(
            session,
            town.keys,
            case.id,
            team_id=town.team["nv-hub"],
            parts=PARTS,
            actor=town.actor("Neva"),
            now=clock.now(),
        )
    assert "narrative" not in {part.part for part in opened}
