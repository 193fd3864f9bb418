"""Published rules and areas: stored by content, swapped as a whole."""

from __future__ import annotations

import gc
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, Table, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from foundation import clock, database
from referrals.facts import Facts, Urgency
from routing import snapshots
from routing.areas import AreaFault
from routing.boundary_sets import SetFault, load_set
from routing.decision import decide
from routing.demonstration import areas
from routing.rules import RuleFault, RuleSet
from routing.tables import area_versions, boundary_sets, publications, rule_sets
from tests.routing.cases import TEMPE, lead, named, rule_set

NOW = datetime(2026, 3, 4, 17, tzinfo=UTC)
RULES = rule_set(lead("tempe", TEMPE)).as_json()
OTHER_RULES = rule_set(lead("police", TEMPE)).as_json()


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "_current", None)


def publish(session: Session, rules: dict[str, object] = RULES, at: datetime = NOW) -> snapshots.Snapshot:
    return snapshots.publish(session, areas=areas(), rules=rules, source="test", now=at)


def test_what_is_published_is_in_force(session: Session) -> None:
    published = publish(session)
    assert snapshots.current(session, clock.now()).digest == published.digest


def test_rules_that_are_read_have_the_digest_that_they_had_when_they_were_written(session: Session) -> None:
    published = publish(session)
    loaded = snapshots.load(session, published.rules_id, published.areas_id)
    assert loaded.rules.digest == replace(loaded.rules).digest == RuleSet.from_json(RULES).digest


def test_rules_under_the_name_of_others_are_refused(session: Session) -> None:
    published = publish(session)
    body = session.execute(select(rule_sets.c.body)).scalar_one()
    other = {"id": "0" * 64, "body": body.replace("tempe", "mesa"), "source": "test", "created_at": NOW}
    session.execute(insert(rule_sets).values(other))
    with pytest.raises(snapshots.SnapshotFault, match="are others"):
        snapshots.load(session, "0" * 64, published.areas_id)


def test_areas_under_the_name_of_others_are_refused(session: Session) -> None:
    publish(session)
    packed = session.execute(select(boundary_sets.c.packed)).scalars().first()
    session.execute(
        insert(boundary_sets).values(id="0" * 64, packed=packed, note="", created_at=NOW, based_on=None)
    )
    with pytest.raises(SetFault, match="is another"):
        load_set(session, "0" * 64)


def test_what_is_in_force_is_loaded_once(session: Session) -> None:
    publish(session)
    assert snapshots.current(session, clock.now()) is snapshots.current(session, clock.now())


def test_where_decisions_are_made_a_snapshot_is_loaded_whole(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(session)
    monkeypatch.setattr(snapshots, "_warm", False)
    snapshots.keep_warm()
    loaded = snapshots.current(session, clock.now())
    assert gc.get_freeze_count() > 0
    gc.unfreeze()
    assert {"outlines", "digest"} <= vars(loaded.boundaries).keys()
    assert {"by_area", "digest"} <= vars(loaded.rules).keys()


def test_something_newer_takes_over_as_a_whole(session: Session) -> None:
    publish(session)
    before = snapshots.current(session, clock.now())
    publish(session, OTHER_RULES, NOW + timedelta(hours=1))
    after = snapshots.current(session, clock.now())
    assert [rule.team for rule in after.rules.rules if rule.area == TEMPE] == ["police"]
    assert [rule.team for rule in before.rules.rules if rule.area == TEMPE] == ["tempe"]


def test_an_earlier_set_can_be_put_in_force_again(session: Session) -> None:
    first = publish(session)
    publish(session, OTHER_RULES, NOW + timedelta(hours=1))
    snapshots.put_in_force(session, first.rules_id, first.areas_id, NOW + timedelta(hours=2))
    assert snapshots.current(session, clock.now()).digest == first.digest


def test_the_same_content_is_one_row(session: Session) -> None:
    publish(session)
    publish(session, at=NOW + timedelta(hours=1))
    for table in (rule_sets, boundary_sets):
        assert session.execute(select(func.count()).select_from(table)).scalar_one() == 1


def test_a_draft_changes_nothing(session: Session) -> None:
    publish(session)
    snapshots.store_rules(session, OTHER_RULES, "draft", NOW + timedelta(hours=1))
    assert snapshots.current(session, clock.now()).rules.digest == rule_set(lead("tempe", TEMPE)).digest


def test_an_old_snapshot_can_be_loaded_for_a_replay(session: Session) -> None:
    first = publish(session)
    publish(session, OTHER_RULES, NOW + timedelta(hours=1))
    assert snapshots.load(session, first.rules_id, first.areas_id).digest == first.digest


def test_rules_on_areas_that_are_not_there_are_refused(session: Session) -> None:
    with pytest.raises(RuleFault, match="place:0400000"):
        publish(session, rule_set(lead("lost", "place:0400000")).as_json())


def test_areas_that_nothing_could_find_are_refused(session: Session) -> None:
    with pytest.raises(AreaFault, match="5127200"):
        snapshots.store_areas(session, [{"id": "place:5127200", "name": "Falls Church"}], "test", NOW)


def test_before_anything_is_published_it_says_so(session: Session) -> None:
    with pytest.raises(snapshots.SnapshotFault, match="ever published"):
        snapshots.current(session, clock.now())


def test_what_takes_effect_later_waits(session: Session) -> None:
    first = publish(session)
    rules_id = snapshots.store_rules(session, OTHER_RULES, "test", NOW)
    monday = NOW + timedelta(days=5)
    snapshots.put_in_force(session, rules_id, first.areas_id, NOW, effective_at=monday)
    assert snapshots.current(session, monday - timedelta(seconds=1)).rules_id == first.rules_id
    assert snapshots.current(session, monday).rules_id == rules_id
    assert snapshots.last_published(session).rules_id == rules_id


def test_what_was_in_force_can_be_asked_of_any_moment(session: Session) -> None:
    first = publish(session)
    publish(session, OTHER_RULES, NOW + timedelta(hours=1))
    assert snapshots.in_force_at(session, NOW + timedelta(minutes=59)).rules_id == first.rules_id
    with pytest.raises(snapshots.SnapshotFault):
        snapshots.in_force_at(session, NOW - timedelta(seconds=1))


def test_what_was_published_afterwards_did_not_decide_before(session: Session) -> None:
    """However early it is said to hold: nobody could know of it."""
    first = publish(session)
    rules_id = snapshots.store_rules(session, OTHER_RULES, "test", NOW)
    late, backdated = NOW + timedelta(hours=2), NOW + timedelta(hours=1)
    snapshots.put_in_force(session, rules_id, first.areas_id, late, effective_at=backdated)
    assert snapshots.in_force_at(session, late - timedelta(seconds=1)).rules_id == first.rules_id
    assert snapshots.in_force_at(session, late).rules_id == rules_id


def test_new_rules_share_the_map_that_is_loaded(session: Session) -> None:
    publish(session)
    before = snapshots.current(session, clock.now()).boundaries
    publish(session, OTHER_RULES, NOW + timedelta(hours=1))
    assert snapshots.current(session, clock.now()).boundaries is before


def test_a_publication_during_a_decision_changes_nothing_in_it(session: Session) -> None:
    publish(session)
    held = snapshots.current(session, clock.now())
    publish(session, OTHER_RULES, NOW + timedelta(hours=1))
    facts = Facts(Urgency.ROUTINE, (), evidence=(named(TEMPE),))
    before, after = (
        decide(facts, one.rules, one.boundaries, NOW)
        for one in (held, snapshots.current(session, clock.now()))
    )
    assert [*before.leads, *after.leads] == ["tempe", "police"]
    assert (before.rule_set, before.boundary_set) == (held.rules.digest, held.boundaries.digest)


def test_two_workers_with_different_snapshots_decide_each_by_its_own(session: Session) -> None:
    """During a swap one worker still holds what the other has let go. Both decisions stand, and each replays."""
    slow = publish(session)
    fast = publish(session, OTHER_RULES, NOW + timedelta(hours=1))
    facts = Facts(Urgency.ROUTINE, (), evidence=(named(TEMPE),))
    for worker in (slow, fast):
        made = decide(facts, worker.rules, worker.boundaries, NOW)
        stored = snapshots.load(session, worker.rules_id, worker.areas_id)
        again = decide(facts, stored.rules, stored.boundaries, NOW)
        assert (made.digest, made.rule_set) == (again.digest, worker.rules.digest)


@pytest.mark.parametrize("table", [rule_sets, boundary_sets, area_versions, publications])
def test_the_database_itself_refuses_to_change_what_decisions_were_made_from(
    engine: Engine, table: Table
) -> None:
    with database.transaction(engine) as session:
        publish(session)
    first = next(iter(table.primary_key))
    for statement in (update(table).values({first.name: first}), delete(table)):
        with pytest.raises(DBAPIError, match="only ever added to"), engine.begin() as db:
            db.execute(statement)
