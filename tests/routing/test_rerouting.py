"""Deciding again: after a no, after a change of the rules, after a boundary complaint. Nothing moves by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from foundation import clock, database
from referrals.facts import Evidence, PlaceKind, Relation, Urgency
from routing import complaints, demonstration, explanation, handoffs, jobs, placement, snapshots, touched
from routing.decision import Decision, Status
from routing.snapshots import Snapshot
from routing.states import Decline, Kind
from tests.builders import Town, later
from tests.routing.acts import EITHER, MESA, NEVADA, TEMPE, Case, faults, run_jobs, tip

SAGUARO = Evidence(PlaceKind.SCHOOL, Relation.TARGET, ("school:demo-saguaro-bend",))


def latest(case: Case) -> Decision:
    with database.reading(case.town.engine) as session:
        row = jobs.latest(session, case.id)
    assert row is not None
    return Decision.from_json(row.explanation)


def publish(town: Town, without: str) -> tuple[Snapshot, Snapshot]:
    """The rules in force, and newer ones without one of them."""
    rules = demonstration.rules(town.team)
    rules["rules"] = [rule for rule in rules["rules"] if rule["id"] != without]
    with database.transaction(town.engine) as session:
        old = snapshots.current(session, clock.now())
        new = snapshots.publish(
            session, areas=demonstration.areas(), rules=rules, source="test", now=clock.now()
        )
    return old, new


def all_touched(town: Town, old: Snapshot, new: Snapshot) -> list[touched.Touched]:
    with database.reading(town.engine) as session:
        return list(touched.touched(session, old, new, clock.now()))


def test_after_not_our_area_the_team_above_is_asked_and_the_decision_says_why(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED)
    case.decline("Ines", "tempe-police")
    run_jobs(town)
    decision = latest(case)
    assert decision.leads == (town.team["maricopa-county"],)
    assert case.offers() == {"tempe-police": "declined", "maricopa-county": "offered"}
    with database.reading(town.engine) as session:
        boundaries = snapshots.current(session, clock.now()).boundaries
    told = explanation.sentences(decision, boundaries, {town.team["tempe-police"]: "Tempe Police"})
    assert "Tempe Police (Tempe) was not asked again: it declined." in told


def test_silence_is_told_apart_from_a_no(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED)
    with database.transaction(town.engine) as session:
        handoffs.lapse(session, case.offer_to("tempe-police"), clock.now())
    case.route()
    assert dict(latest(case).excluded) == {town.team["tempe-police"]: "lapsed"}


def test_not_our_area_is_a_complaint_with_the_area_that_brought_it_there(town: Town) -> None:
    case, other = tip(town, form="one"), tip(town, Urgency.ELEVATED, MESA, form="two")
    with database.transaction(town.engine) as session:
        handoffs.decline(
            session, case.offer_to("tempe-police"), reason=Decline.NOT_OUR_AREA, actor=town.actor("Ines"),
            via="desk", now=clock.now(), better_team=town.team["mesa-police"],
        )  # fmt: skip
        handoffs.decline(
            session, other.offer_to("mesa-police"), reason=Decline.NO_CAPACITY, actor=town.actor("Olu"),
            via="desk", now=clock.now(),
        )  # fmt: skip
    with database.reading(town.engine) as session:
        (found,) = complaints.complaints(session, clock.now() - timedelta(days=1))
        none = list(complaints.complaints(session, clock.now() + timedelta(days=1)))
    assert (found.team, found.better_team) == (town.team["tempe-police"], town.team["mesa-police"])
    assert (found.area, found.rule, found.referral_id) == ("place:0473000", "tempe-police", case.id)
    assert none == []


def test_complaints_are_read_over_the_end_of_a_page(town: Town, monkeypatch: Any) -> None:
    monkeypatch.setattr(complaints, "_PAGE", 2)
    for form in "abcde":
        tip(town, Urgency.ELEVATED, form=form).decline("Ines", "tempe-police")
    with database.reading(town.engine) as session:
        found = [
            entry.handoff_id for entry in complaints.complaints(session, clock.now() - timedelta(days=1))
        ]
    assert len(found) == len(set(found)) == 5


def test_a_school_learned_later_leads_and_what_it_rules_out_is_withdrawn(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED)
    with database.transaction(town.engine) as session:
        placement.learn_place(session, case.id, [SAGUARO], actor=town.actor("Ada"), now=clock.now())
    run_jobs(town)
    assert case.offers() == {"tempe-police": "recalled", "saguaro-bend-school": "offered"}
    assert faults(town) == []


def test_a_recalled_rule_moves_nothing_by_itself_and_its_referral_is_listed(town: Town) -> None:
    case, elsewhere = tip(town, form="one"), tip(town, Urgency.ELEVATED, MESA, form="two")
    with later(minutes=1):
        old, new = publish(town, without="tempe-police")
        run_jobs(town)
        (found,) = all_touched(town, old, new)
    assert (case.offers(), elsewhere.offers()) == ({"tempe-police": "offered"}, {"mesa-police": "offered"})
    assert (found.reference, found.before.leads) == (case.row().reference, (town.team["tempe-police"],))
    assert found.after.leads == (town.team["maricopa-county"],)


def test_once_a_person_wants_it_decided_again_the_rules_of_today_count(town: Town) -> None:
    case = tip(town)
    with later(minutes=1):
        publish(town, without="tempe-police")
        with database.transaction(town.engine) as session:
            jobs.decide_again(session, case.id, actor=town.actor("Ada"), now=clock.now())
        run_jobs(town)
        assert case.offers() == {"tempe-police": "recalled", "maricopa-county": "offered"}
        assert faults(town) == []


def test_what_the_change_does_not_touch_and_what_is_closed_is_not_listed(town: Town) -> None:
    for place in (NEVADA, MESA, EITHER):
        tip(town, Urgency.ELEVATED, place, form=str(place))
    old, new = publish(town, without="saguaro-bend-school")
    assert all_touched(town, old, new) == []
    assert all_touched(town, new, new) == []


def test_the_list_knows_who_has_said_no(town: Town) -> None:
    """Whoever declined would not be asked again under either set: its rule may go unnoticed."""
    case = tip(town)
    case.decline("Ines", "tempe-police")
    with later(minutes=1):
        run_jobs(town)
        old, new = publish(town, without="tempe-police")
        assert all_touched(town, old, new) == []


def test_the_list_is_read_over_the_end_of_a_page(town: Town, monkeypatch: Any) -> None:
    monkeypatch.setattr(touched, "_PAGE", 2)
    for form in "abcde":
        tip(town, Urgency.ROUTINE, TEMPE, form=form)
    with later(minutes=1):
        old, new = publish(town, without="tempe-police")
        found = all_touched(town, old, new)
    assert len({entry.reference for entry in found}) == 5
    assert {entry.after.status for entry in found} == {Status.ROUTED}


def test_a_team_with_mail_alone_is_not_asked_where_life_is_in_danger(town: Town) -> None:
    from sqlalchemy import delete

    from directory.tables import contacts

    with database.transaction(town.engine) as session:
        mine = contacts.c.member_id.in_([town.member_id("Ines"), town.member_id("Tomas")])
        session.execute(delete(contacts).where(mine, contacts.c.channel == "sms"))
    danger, worry = tip(town, Urgency.IMMINENT, form="one"), tip(town, Urgency.ELEVATED, form="two")
    assert latest(danger).leads == (town.team["maricopa-county"],)
    assert latest(worry).leads == (town.team["tempe-police"],)
    assert dict(latest(danger).unreachable) == {town.team["tempe-police"]: "no_telephone"}
    assert danger.offers(Kind.TRANSFER) == {"maricopa-county": "offered"}
