"""Handoffs: custody moves on acknowledgement only, each race has one winner, and grants follow."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import update

from foundation import clock, database
from ledger.entries import Actor
from referrals.facts import Urgency
from referrals.moves import NotNow
from referrals.sealing import PARTS
from routing import handoffs, register
from routing.handoffs import AlreadyAnswered
from routing.states import Act, Basis, Decline, HandoffState, Kind, Reason, follows
from routing.tables import handoffs as rows
from tests.builders import Town
from tests.routing.acts import EITHER, NOWHERE, faults, forward, run_jobs, sweep, tip

S = HandoffState


def act(town: Town, handoff_id: str, target: HandoffState) -> None:
    ines, now = town.actor("Ines"), clock.now()
    with database.transaction(town.engine) as session:
        match target:
            case S.OPENED:
                handoffs.mark_opened(session, handoff_id, ines, now)
            case S.ACKNOWLEDGED:
                handoffs.acknowledge(session, town.keys, handoff_id, actor=ines, via="desk", now=now)
            case S.DECLINED:
                reason = Decline.OTHER
                handoffs.decline(session, handoff_id, reason=reason, actor=ines, via="desk", now=now)
            case S.LAPSED:
                handoffs.lapse(session, handoff_id, now)
            case _:
                handoffs.recall(session, handoff_id, actor=Actor(part="test"), now=now)


def test_every_act_on_every_kind_in_every_state_follows_the_table(town: Town) -> None:
    offer = tip(town).offer_to("tempe-police")
    with database.transaction(town.engine) as session:
        for state, act, kind in itertools.product(S, Act, Kind):
            asked = update(rows).where(rows.c.id == offer).values(state=state.value, kind=kind.value)
            session.execute(asked)
            changed = register.change(session, offer, act)
            after = HandoffState(handoffs.handoff(session, offer).state)
            expected = follows(kind, state, act)
            assert (changed, after) == (expected is not None, expected or state), (state, act, kind)


def test_the_table_ends_every_offer_and_never_revives_one(town: Town) -> None:
    ended = {S.DECLINED, S.LAPSED, S.RECALLED, S.RETURNED, S.COMPLETED}
    for kind, state, act in itertools.product(Kind, S, Act):
        after = follows(kind, state, act)
        assert after is None or state not in ended
        assert after is not S.ACKNOWLEDGED or state in {S.OFFERED, S.OPENED, S.PASSED_ON}
    for kind, act in itertools.product(Kind, (Act.ACKNOWLEDGE, Act.DECLINE, Act.LAPSE, Act.RECALL)):
        assert follows(kind, S.OFFERED, act)


@pytest.mark.parametrize("second", [S.ACKNOWLEDGED, S.DECLINED, S.LAPSED, S.RECALLED])
def test_what_was_answered_stays_answered(town: Town, second: HandoffState) -> None:
    offer = tip(town).offer_to("tempe-police")
    act(town, offer, S.ACKNOWLEDGED)
    with pytest.raises(AlreadyAnswered, match=r"already acknowledged by Ines Vega at \d\d:\d\d"):
        act(town, offer, second)


def test_an_offer_moves_no_custody_and_an_acknowledgement_does(town: Town) -> None:
    case = tip(town)
    assert case.holder == "az-stamp"
    act(town, case.offer_to("tempe-police"), S.OPENED)
    assert case.holder == "az-stamp"
    case.acknowledge("Ines", "tempe-police")
    assert (case.holder, case.row().state, case.row().due_reason) == ("tempe-police", "held", "first_action")
    assert "custody_moved" in case.kinds()


def test_a_forward_stays_with_its_office_until_somebody_acknowledges(town: Town) -> None:
    case = forward(town)
    assert (case.holder, case.offers()) == ("dhs-nter", {"tempe-police": "offered"})
    case.acknowledge("Ines", "tempe-police")
    assert case.holder == "tempe-police"


def test_the_same_offer_is_made_once(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    assert case.hand_on("Ines", "mesa-police") == case.hand_on("Tomas", "mesa-police")


def test_a_team_is_not_offered_what_it_holds(town: Town) -> None:
    case = tip(town)
    with pytest.raises(NotNow):
        case.hand_on("Ada", "az-stamp")


def test_the_first_to_acknowledge_leads_and_the_others_support(town: Town) -> None:
    case = tip(town, Urgency.IMMINENT, EITHER)
    assert case.offers() == {"tempe-police": "offered", "mesa-police": "offered"}
    case.acknowledge("Ines", "tempe-police")
    assert case.offers() == {"tempe-police": "acknowledged", "mesa-police": "recalled"}
    assert case.offers(Kind.SUPPORT) == {"mesa-police": "offered"}
    assert "Olu" in case.told("withdrawn")
    with pytest.raises(AlreadyAnswered):
        case.acknowledge("Olu", "mesa-police")
    assert faults(town) == []


def test_a_decline_is_routed_again_without_who_declined(town: Town) -> None:
    case = tip(town)
    case.decline("Ines", "tempe-police")
    assert (case.row().state, case.row().due_reason) == ("at_desk", "declined")
    run_jobs(town)
    assert case.offers() == {"tempe-police": "declined", "maricopa-county": "offered"}
    assert faults(town) == []


def test_a_hand_on_that_is_declined_or_taken_back_waits_at_the_desk_again(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED, NOWHERE)
    assert (case.holder, case.row().state) == ("root-desk", "at_desk")
    for end, who in ((case.decline, "Ines"), (case.recall, "Rita")):
        case.hand_on("Rita", "tempe-police")
        assert case.row().state == "offered"
        end(who, "tempe-police")
        assert (case.holder, case.row().state) == ("root-desk", "at_desk")
        assert clock.now() < case.due()


@pytest.mark.parametrize("kind", [Kind.CONSULT, Kind.SUPPORT, Kind.INFORM])
def test_only_a_transfer_says_who_holds_it_and_what_is_due(town: Town, kind: Kind) -> None:
    case = tip(town, Urgency.ELEVATED, NOWHERE)
    before = case.row()
    case.hand_on("Rita", "mesa-police", kind, ())
    case.acknowledge("Olu", "mesa-police", kind)
    after = case.row()
    assert (after.state, after.custodian_team_id, after.due_at) == (
        before.state, before.custodian_team_id, before.due_at,
    )  # fmt: skip


def test_names_are_kept_as_they_were(town: Town) -> None:
    then = tip(town).handoff("tempe-police").as_then
    assert (then["from_team"], then["to_team"]) == ("AZ-STAMP", "Tempe Police")
    assert then["ladder"] == ["Ines Vega", "Tomas Reed"]


def test_before_an_acknowledgement_the_asked_team_opens_nothing(town: Town) -> None:
    case = tip(town)
    assert case.parts_of("tempe-police") == frozenset()
    case.acknowledge("Ines", "tempe-police")
    assert case.parts_of("tempe-police") == frozenset(PARTS)


def test_imminent_discloses_at_once_and_takes_back_with_the_offer(town: Town) -> None:
    case = tip(town, Urgency.IMMINENT, EITHER)
    assert case.parts_of("tempe-police") == case.parts_of("mesa-police") == frozenset(PARTS)
    case.decline("Olu", "mesa-police")
    assert case.parts_of("mesa-police") == frozenset()
    act(town, case.offer_to("tempe-police"), S.LAPSED)
    assert case.parts_of("tempe-police") == frozenset()
    assert faults(town) == []


def test_a_consult_opens_what_was_chosen_and_nothing_more(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    case.hand_on("Ines", "mesa-police", Kind.CONSULT, ("narrative",))
    case.acknowledge("Olu", "mesa-police", Kind.CONSULT)
    assert (case.holder, case.parts_of("mesa-police")) == ("tempe-police", frozenset({"narrative"}))


def test_the_routing_key_opens_until_the_acknowledgement_only(town: Town) -> None:
    from referrals import grants
    from referrals.sealing import CannotOpen

    case = tip(town)
    root = town.team["root-desk"]
    with database.reading(town.engine) as session:
        grants.part_key(session, town.keys, case.id, "narrative", team_id=root, routing=True)
    case.acknowledge("Ines", "tempe-police")
    with database.reading(town.engine) as session, pytest.raises(CannotOpen):
        grants.part_key(session, town.keys, case.id, "narrative", team_id=root, routing=True)


def test_a_transfer_takes_its_words_along(town: Town) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    case.hand_on("Ines", "mesa-police")
    case.acknowledge("Olu", "mesa-police")
    assert case.offers() == {"tempe-police": "passed_on", "mesa-police": "acknowledged"}
    assert case.parts_of("mesa-police") == frozenset(PARTS)
    assert faults(town) == []


def test_a_hand_on_that_nobody_answers_ends_and_its_desk_is_told(town: Town) -> None:
    from tests.builders import later

    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    case.hand_on("Ines", "mesa-police")
    for hours in (1, 2, 5):
        with later(hours=hours):
            sweep(town)
    assert (case.holder, case.offers()["mesa-police"]) == ("tempe-police", "lapsed")
    assert "Ada" in case.told("task")


def test_reasons_and_grounds_are_recorded(town: Town) -> None:
    case = tip(town)
    row = case.handoff("tempe-police")
    assert (row.reason, row.basis, row.decision_id is not None) == (Reason.ROUTED, Basis.INTAKE_ROUTING, True)
