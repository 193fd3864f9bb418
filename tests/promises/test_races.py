"""Promise: of two who answer at once exactly one wins, and the other reads who did."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from foundation import clock, database
from foundation.identifiers import new_id
from referrals.facts import Urgency
from referrals.sealing import PARTS
from routing import handoffs
from routing.handoffs import AlreadyAnswered
from routing.states import Decline
from tests.builders import Town
from tests.routing.acts import EITHER, Case, faults, tip

ROUNDS = 4


def at_once(*acts: Callable[[], object]) -> list[BaseException]:
    """Runs them on threads of their own, from one moment on; returns what they raised."""
    raised: list[BaseException] = []
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        gate.wait()
        try:
            act()
        except BaseException as fault:
            raised.append(fault)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def taking(case: Case, who: str, slug: str) -> Callable[[], object]:
    """An acknowledgement, ready to go."""
    actor, offer, town = case.town.actor(who), case.offer_to(slug), case.town

    def take() -> None:
        with database.transaction(town.engine) as session:
            handoffs.acknowledge(session, town.keys, offer, actor=actor, via="desk", now=clock.now())

    return take


def declining(case: Case, who: str, slug: str) -> Callable[[], object]:
    actor, offer, town = case.town.actor(who), case.offer_to(slug), case.town

    def decline() -> None:
        with database.transaction(town.engine) as session:
            reason = Decline.OTHER
            handoffs.decline(session, offer, reason=reason, actor=actor, via="desk", now=clock.now())

    return decline


def test_two_members_take_one_offer(town: Town) -> None:
    for _ in range(ROUNDS):
        case = tip(town, form=new_id())
        (lost,) = at_once(taking(case, "Ines", "tempe-police"), taking(case, "Tomas", "tempe-police"))
        assert isinstance(lost, AlreadyAnswered)
        winner = case.handoff("tempe-police").answered_by
        name = "Ines Vega" if winner == town.member_id("Ines") else "Tomas Reed"
        assert str(lost).startswith(f"already acknowledged by {name} at ")
    assert faults(town) == []


def test_two_teams_take_two_offers_of_one_referral(town: Town) -> None:
    """They lock the same rows from two ends: no deadlock, one custodian."""
    for _ in range(ROUNDS):
        case = tip(town, Urgency.IMMINENT, EITHER, form=new_id())
        (lost,) = at_once(taking(case, "Ines", "tempe-police"), taking(case, "Olu", "mesa-police"))
        assert isinstance(lost, AlreadyAnswered)
        assert sorted(case.offers().values()) == ["acknowledged", "recalled"]
        assert case.offers()[case.holder] == "acknowledged"
    assert faults(town) == []


def test_one_takes_it_while_another_declines(town: Town) -> None:
    for _ in range(ROUNDS):
        case = tip(town, form=new_id())
        (lost,) = at_once(taking(case, "Ines", "tempe-police"), declining(case, "Tomas", "tempe-police"))
        assert isinstance(lost, AlreadyAnswered)
        taken = case.offers()["tempe-police"] == "acknowledged"
        assert (case.holder == "tempe-police") is taken
    assert faults(town) == []


def test_two_workers_route_one_referral(town: Town) -> None:
    for _ in range(ROUNDS):
        case = Case(town, file(town))
        assert at_once(case.route, case.route) == []
        assert case.kinds().count("offered") == 1


def test_two_members_offer_it_to_one_team(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    assert at_once(*[lambda: case.hand_on("Ines", "mesa-police", parts=PARTS)] * 2) == []
    assert case.kinds().count("offered") == 2


def file(town: Town) -> str:
    from tests import builders

    return builders.file_tip(town, form_key=new_id()).id


@pytest.mark.parametrize("who", ["Ines"])
def test_a_double_press_is_one_answer(town: Town, who: str) -> None:
    case = tip(town)
    (lost,) = at_once(taking(case, who, "tempe-police"), taking(case, who, "tempe-police"))
    assert isinstance(lost, AlreadyAnswered)
    assert case.kinds().count("handoff_acknowledged") == 1
