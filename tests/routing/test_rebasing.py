"""Drafts beside one another, and what their dry runs count: nothing is undone, approved or tried unseen."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from foundation import clock, database
from referrals.facts import Urgency
from routing import demonstration, drafts, dry_run, publishing, snapshots
from routing.drafts import Draft, DraftFault
from routing.redeciding import Piece, Redeciding, everybody
from tests.builders import Town, file_tip, later

TEMPE = "place:0473000"


@pytest.fixture(autouse=True)
def few_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole country takes seconds, and nothing here depends on it."""
    monkeypatch.setattr("routing.gazetteer.Gazetteer.zip_codes", ("85281",))
    monkeypatch.setattr("routing.lineside.outlined", lambda boundaries: ())


def begun(town: Town, areas_id: str = "") -> str:
    with database.transaction(town.engine) as session:
        return drafts.begin(session, title="Winter", by=town.actor("Ada"), now=clock.now(), areas_id=areas_id)


def read(town: Town, draft_id: str) -> Draft:
    with database.reading(town.engine) as session:
        return drafts.read(session, draft_id)


def put(town: Town, draft_id: str, **more: Any) -> None:
    rule = {"id": "mesa", "team": town.team["mesa-police"], "role": "lead", "area": TEMPE, **more}
    with database.transaction(town.engine) as session:
        found = drafts.read(session, draft_id)
        drafts.put_rule(session, found, rule, reason="As agreed.", by=town.actor("Ada"), now=clock.now())


def publish_elsewhere(town: Town, areas_id: str = "", **rule: Any) -> None:
    """Somebody else's draft comes into force."""
    with database.transaction(town.engine) as session:
        before = snapshots.current(session, clock.now())
        rules = before.rules.as_json()
        rules["rules"] += [rule] if rule else []
        rules_id = snapshots.store_rules(session, rules, "test", clock.now())
        snapshots.put_in_force(session, rules_id, areas_id or before.areas_id, clock.now())


def other_areas(session: Session, without: str) -> str:
    areas = [area for area in demonstration.areas() if area["id"] != without]
    return snapshots.store_areas(session, areas, "test", clock.now())


def test_the_same_change_made_twice_is_no_dispute(town: Town) -> None:
    draft_id = begun(town)
    put(town, draft_id)
    with later(minutes=1):
        publish_elsewhere(town, **dict(read(town, draft_id).changes["mesa"].rule or {}))
        with database.transaction(town.engine) as session:
            found = drafts.read(session, draft_id)
            assert drafts.rebase(session, found, by=town.actor("Ada"), now=clock.now()) == ()


def test_two_maps_at_once_are_refused_rather_than_one_lost(town: Town) -> None:
    with database.transaction(town.engine) as session:
        ours, theirs = (
            other_areas(session, without) for without in ("school:demo-ocotillo", "campus:demo-palo-verde")
        )
    draft_id = begun(town, ours)
    with later(minutes=1):
        publish_elsewhere(town, areas_id=theirs)
        with database.transaction(town.engine) as session:
            found = drafts.read(session, draft_id)
            with pytest.raises(DraftFault, match="Another map was published meanwhile"):
                drafts.rebase(session, found, by=town.actor("Ada"), now=clock.now())


def test_areas_alone_need_a_second_person_even_if_nothing_is_answered_otherwise(town: Town) -> None:
    areas = [area | {"vintage": "2026"} for area in demonstration.areas()]
    with database.transaction(town.engine) as session:
        ours = snapshots.store_areas(session, areas, "test", clock.now())
    draft_id = begun(town, ours)
    found = dry_run.run_here(town.engine, read(town, draft_id))
    assert not dry_run.changes_anything(found.result)
    with database.transaction(town.engine) as session, pytest.raises(DraftFault, match="second person"):
        publishing.publish(session, drafts.read(session, draft_id), by=town.actor("Ada"), now=clock.now())


def test_who_publishes_and_who_approved_stand_beside_what_is_in_force(town: Town) -> None:
    draft_id = begun(town)
    put(town, draft_id)
    dry_run.run_here(town.engine, read(town, draft_id))
    with later(minutes=1), database.transaction(town.engine) as session:
        publishing.approve(session, drafts.read(session, draft_id), by=town.actor("Rita"), now=clock.now())
        publishing.publish(session, drafts.read(session, draft_id), by=town.actor("Ada"), now=clock.now())
        row = snapshots.last_published(session)
    assert (row.published_by, row.approved_by) == (town.member_id("Ada"), town.member_id("Rita"))


def test_a_dry_run_is_about_what_it_tried_though_the_draft_changed_before_and_meanwhile(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft_id = begun(town)
    put(town, draft_id)
    with database.transaction(town.engine) as session:
        dry_run.ask(session, drafts.read(session, draft_id), clock.now())
        asked = dry_run.latest(session, draft_id)
    put(town, draft_id, priority=5)
    tried = read(town, draft_id)

    def meanwhile(*given: Any) -> Any:
        put(town, draft_id, priority=6)
        return everybody(*given)

    monkeypatch.setattr(dry_run, "everybody", meanwhile)
    assert asked is not None
    dry_run.run(town.engine, draft_id, asked.id)
    with database.reading(town.engine) as session:
        assert dry_run.finished(session, tried) is not None
        assert dry_run.finished(session, drafts.read(session, draft_id)) is None


def test_referrals_of_the_last_ninety_days_are_tried_and_older_ones_are_not(town: Town) -> None:
    file_tip(town, urgency=Urgency.ELEVATED)
    draft_id = begun(town)
    put(town, draft_id)
    asked = []
    for days in (89, 91):
        with later(days=days):
            asked.append(dry_run.run_here(town.engine, read(town, draft_id)).result["asked"])
    assert [counts.get("referrals", 0) for counts in asked] == [1, 0]


def test_a_dry_run_goes_on_where_its_worker_died_and_finds_the_same(
    town: Town, duty: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft_id, tried = begun(town), list[Piece]()
    put(town, draft_id)
    whole = dry_run.run_here(town.engine, read(town, draft_id))
    do = Redeciding.do

    def dying(work: Redeciding, piece: Piece) -> None:
        tried.append(piece)
        if len(tried) == 3:
            raise SystemExit
        do(work, piece)

    monkeypatch.setattr(Redeciding, "do", dying)
    monkeypatch.setattr(dry_run, "_KEEP_SECONDS", 0.0)
    with later(minutes=1):
        with database.transaction(town.engine) as session:
            dry_run.ask(session, drafts.read(session, draft_id), clock.now())
        with pytest.raises(SystemExit):
            dry_run.try_draft(duty, draft_id)
        # From now on each turn is over at once, as on a machine that is too slow.
        monkeypatch.setattr(dry_run, "_TURN_SECONDS", 0.0)
        turns = 1
        while dry_run.try_draft(duty, draft_id) is not None:
            turns += 1
        with database.reading(town.engine) as session:
            pieced = dry_run.latest(session, draft_id)
    assert pieced is not None
    assert pieced.id != whole.id
    assert pieced.result["differences"] == whole.result["differences"] != []
    assert pieced.result["asked"] == whole.result["asked"]
    # Only the piece at which it died was done again.
    assert tried[2] == tried[3]
    assert len(tried) == len({*tried}) + 1
    assert turns > 2
