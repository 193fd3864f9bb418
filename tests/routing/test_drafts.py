"""Drafts of rules: changed by several, tried, approved by a second person, published once, never over one another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from foundation import clock, database
from ledger.tables import ledger_entries
from referrals import moves
from referrals.facts import Urgency
from routing import drafts, dry_run, publishing, snapshots, touched
from routing.drafts import Draft, DraftFault, DraftState
from routing.tables import dry_runs
from tests.builders import Town, file_tip

TEMPE = "place:0473000"


def _begun(town: Town, by: str = "Ada") -> str:
    with database.transaction(town.engine) as session:
        return drafts.begin(session, title="Winter", by=town.actor(by), now=clock.now())


def _read(town: Town, draft_id: str) -> Draft:
    with database.reading(town.engine) as session:
        return drafts.read(session, draft_id)


def _rule(town: Town, id: str = "mesa-in-tempe", **more: Any) -> dict[str, Any]:
    return {"id": id, "team": town.team["mesa-police"], "role": "lead", "area": TEMPE, "mandate": 1, **more}


def _put(town: Town, draft_id: str, by: str = "Ada", **more: Any) -> None:
    rule = _rule(town, **more)
    with database.transaction(town.engine) as session:
        found = drafts.read(session, draft_id)
        drafts.put_rule(session, found, rule, reason="As agreed.", by=town.actor(by), now=clock.now())


def _tried(town: Town, draft_id: str) -> dict[str, Any]:
    """A dry run that was done, without the country's ZIPs: those are tried elsewhere."""
    result: dict[str, Any] = dry_run.run_here(town.engine, _read(town, draft_id)).result
    return result


def _approve(town: Town, draft_id: str, by: str = "Rita") -> None:
    with database.transaction(town.engine) as session:
        publishing.approve(session, drafts.read(session, draft_id), by=town.actor(by), now=clock.now())


def _publish(town: Town, draft_id: str, **more: Any) -> None:
    with database.transaction(town.engine) as session:
        found = drafts.read(session, draft_id)
        publishing.publish(session, found, by=town.actor("Ada"), now=clock.now(), **more)


def _in_force(town: Town) -> set[str]:
    with database.reading(town.engine) as session:
        return {rule.id for rule in snapshots.current(session, clock.now()).rules.rules}


@pytest.fixture(autouse=True)
def few_zips(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole country and its lines take seconds each time, and nothing here depends on them."""
    monkeypatch.setattr("routing.gazetteer.Gazetteer.zip_codes", ("85281", "85201", "22030"))
    monkeypatch.setattr("routing.lineside.outlined", lambda boundaries: ())


def test_a_draft_comes_into_force_after_its_dry_run_and_a_second_persons_approval(town: Town) -> None:
    draft_id = _begun(town)
    _put(town, draft_id)
    result = _tried(town, draft_id)
    assert any(one["after"] == [town.team["mesa-police"]] for one in result["differences"])
    _approve(town, draft_id)
    _publish(town, draft_id)
    assert "mesa-in-tempe" in _in_force(town)
    assert _read(town, draft_id).state is DraftState.PUBLISHED


def test_who_had_a_hand_in_it_cannot_approve_it(town: Town) -> None:
    draft_id = _begun(town)
    _put(town, draft_id, by="Amir")
    _tried(town, draft_id)
    for author in ("Ada", "Amir"):
        with pytest.raises(DraftFault, match="second person"):
            _approve(town, draft_id, by=author)


def test_nothing_is_published_without_approval_or_without_a_dry_run(town: Town) -> None:
    draft_id = _begun(town)
    _put(town, draft_id)
    with pytest.raises(DraftFault, match="dry run"):
        _approve(town, draft_id)
    _tried(town, draft_id)
    with pytest.raises(DraftFault, match="second person"):
        _publish(town, draft_id)
    assert "mesa-in-tempe" not in _in_force(town)


def test_a_change_after_the_approval_needs_both_again(town: Town) -> None:
    draft_id = _begun(town)
    _put(town, draft_id)
    _tried(town, draft_id)
    _approve(town, draft_id)
    _put(town, draft_id, id="one-more", area="place:0477000")
    assert _read(town, draft_id).approved_by is None
    with pytest.raises(DraftFault, match="dry run"):
        _publish(town, draft_id)


def test_a_draft_that_changes_only_words_needs_no_second_person(town: Town) -> None:
    draft_id = _begun(town)
    with database.transaction(town.engine) as session:
        found = drafts.read(session, draft_id)
        rule = snapshots.current(session, clock.now()).rules.rules[0].as_json() | {"reason": "Said better."}
        drafts.put_rule(session, found, rule, reason="Clearer.", by=town.actor("Ada"), now=clock.now())
    assert _tried(town, draft_id)["differences"] == []
    _publish(town, draft_id)
    assert _read(town, draft_id).state is DraftState.PUBLISHED


def test_of_two_drafts_the_second_is_refused_and_can_be_rebased(town: Town) -> None:
    first, second = _begun(town), _begun(town)
    for draft_id, rule in ((first, "one"), (second, "two")):
        _put(town, draft_id, id=rule)
        _tried(town, draft_id)
    _approve(town, first)
    _publish(town, first)
    with pytest.raises(DraftFault, match="Other rules were published"):
        _approve(town, second)
    assert _rebased(town, second) == ()
    _tried(town, second)
    _approve(town, second)
    _publish(town, second)
    assert {"one", "two"} <= _in_force(town)


def _rebased(town: Town, draft_id: str) -> tuple[str, ...]:
    with database.transaction(town.engine) as session:
        found = drafts.read(session, draft_id)
        return drafts.rebase(session, found, by=town.actor("Ada"), now=clock.now())


def test_rules_that_both_drafts_change_are_named_and_must_be_settled(town: Town) -> None:
    first, second = _begun(town), _begun(town)
    _put(town, first, priority=1)
    _put(town, second, priority=2)
    _tried(town, first)
    _approve(town, first)
    _publish(town, first)
    assert _rebased(town, second) == ("mesa-in-tempe",)
    _tried(town, second)
    with pytest.raises(DraftFault, match="Settle first"):
        _approve(town, second)
    with database.transaction(town.engine) as session:
        found = drafts.read(session, second)
        drafts.settle(session, found, "mesa-in-tempe", ours=True, by=town.actor("Ada"), now=clock.now())
    _tried(town, second)
    _approve(town, second)
    _publish(town, second)
    with database.reading(town.engine) as session:
        (rule,) = (
            rule for rule in snapshots.current(session, clock.now()).rules.rules if rule.id == "mesa-in-tempe"
        )
    assert rule.priority == 2


def test_two_people_who_change_one_draft_at_once_do_not_lose_each_others_work(town: Town) -> None:
    draft_id = _begun(town)
    stale = _read(town, draft_id)
    _put(town, draft_id)
    with (
        pytest.raises(DraftFault, match="Somebody else changed"),
        database.transaction(town.engine) as session,
    ):
        drafts.end_rule(
            session, stale, "tempe-police", reason="Gone.", by=town.actor("Amir"), now=clock.now()
        )
    assert set(_read(town, draft_id).changes) == {"mesa-in-tempe"}


@pytest.mark.parametrize(
    ("wrong", "says", "field"),
    [
        ({"area": "county:02261"}, "has ended; in its place", "area"),
        ({"area": "place:nowhere"}, "is not known", "area"),
        ({"valid_from": "2027-01-01", "valid_to": "2026-01-01"}, "ends before it begins", "valid_to"),
        ({"behaviours": ["mood"]}, "Unknown behaviours", "behaviours"),
    ],
)
def test_a_rule_that_breaks_is_refused_with_the_field_and_the_draft_stays(
    town: Town, wrong: dict[str, Any], says: str, field: str
) -> None:
    draft_id = _begun(town)
    with pytest.raises(DraftFault, match=says) as refused:
        _put(town, draft_id, **wrong)
    assert refused.value.field == field
    assert not _read(town, draft_id).changes


def test_it_can_be_published_for_later_and_the_next_draft_starts_from_it(town: Town) -> None:
    draft_id, soon = _begun(town), clock.now() + timedelta(days=3)
    _put(town, draft_id)
    _tried(town, draft_id)
    _approve(town, draft_id)
    _publish(town, draft_id, effective_at=soon)
    assert "mesa-in-tempe" not in _in_force(town)
    with clock.moved(timedelta(days=4)):
        assert "mesa-in-tempe" in _in_force(town)
    following = _begun(town)
    with database.reading(town.engine) as session:
        before, _ = drafts.before_and_after(session, _read(town, following))
    assert "mesa-in-tempe" in {rule.id for rule in before.rules.rules}


def test_a_past_moment_is_refused(town: Town) -> None:
    draft_id = _begun(town)
    with pytest.raises(DraftFault, match="is past"):
        _publish(town, draft_id, effective_at=clock.now() - timedelta(minutes=1))


def test_a_withdrawn_draft_changes_no_more(town: Town) -> None:
    draft_id = _begun(town)
    with database.transaction(town.engine) as session:
        publishing.withdraw(session, drafts.read(session, draft_id), by=town.actor("Ada"), now=clock.now())
    with pytest.raises(DraftFault):
        _put(town, draft_id)


def test_every_step_is_in_the_ledger_without_a_word_of_a_rule(town: Town) -> None:
    draft_id = _begun(town)
    _put(town, draft_id, reason="A secret agreement")
    _tried(town, draft_id)
    _approve(town, draft_id)
    _publish(town, draft_id)
    with database.reading(town.engine) as session:
        query = select(ledger_entries.c.kind, ledger_entries.c.body).order_by(ledger_entries.c.sequence)
        bodies = session.execute(query).all()
    kinds = [row.kind for row in bodies if row.kind.startswith("draft_")]
    assert kinds == ["draft_begun", "draft_changed", "draft_approved", "draft_published"]
    assert not any(word in row.body for row in bodies for word in ("secret", "mesa-in-tempe", TEMPE))


def test_an_importers_rules_become_the_changes_of_a_draft(town: Town) -> None:
    with database.transaction(town.engine) as session:
        rules = snapshots.current(session, clock.now()).rules.as_json()
        kept = [rule for rule in rules["rules"] if rule["id"] != "tempe-police"]
        draft_id = drafts.draft(
            session, {**rules, "rules": [*kept, _rule(town)]}, title="From a file", reason="rules.csv",
            by=town.actor("Ada"), now=clock.now(),
        )  # fmt: skip
    changes = _read(town, draft_id).changes
    assert {name: bool(entry.rule) for name, entry in changes.items()} == {
        "tempe-police": False,
        "mesa-in-tempe": True,
    }


def test_the_worker_does_what_was_asked_for_once(town: Town, duty: Any) -> None:
    draft_id = _begun(town)
    _put(town, draft_id)
    with database.transaction(town.engine) as session:
        asked = {dry_run.ask(session, drafts.read(session, draft_id), clock.now()) for _ in range(2)}
    assert len(asked) == 1
    dry_run.try_draft(duty, draft_id)
    dry_run.try_draft(duty, draft_id)
    with database.reading(town.engine) as session:
        row = dry_run.latest(session, draft_id)
        assert row is not None
        assert row.finished_at is not None
        assert dry_run.finished(session, _read(town, draft_id)) == row


def test_open_referrals_that_would_go_elsewhere_are_listed_and_stay_where_they_are(town: Town) -> None:
    tip = file_tip(town, urgency=Urgency.ELEVATED)
    draft_id = _begun(town)
    _put(town, draft_id)
    result = _tried(town, draft_id)
    assert result["open"] == [tip.reference]
    assert _referral_state(town, tip.id) == "filed"


def test_open_referrals_are_asked_in_turns_like_the_rest(
    town: Town, duty: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tips = [file_tip(town, form_key=f"form {number}") for number in range(3)]
    draft_id = _begun(town)
    _put(town, draft_id)
    with database.transaction(town.engine) as session:
        dry_run.ask(session, drafts.read(session, draft_id), clock.now())
    monkeypatch.setattr(touched, "_PAGE", 1)
    monkeypatch.setattr(dry_run, "_TURN_SECONDS", 0.0)
    kept = []
    while dry_run.try_draft(duty, draft_id) is not None:
        with database.reading(town.engine) as session:
            kept.append(session.execute(select(dry_runs.c.so_far)).scalar_one()["opened"]["count"])
    assert kept[-3:] == [1, 2, 3]
    with database.reading(town.engine) as session:
        row = dry_run.finished(session, _read(town, draft_id))
    assert row is not None
    assert row.result["open"] == [tip.reference for tip in sorted(tips, key=lambda tip: tip.id)]


def _referral_state(town: Town, referral_id: str) -> str:
    with database.reading(town.engine) as session:
        return str(moves.referral(session, referral_id).state)


def test_drafts_are_listed_newest_first_page_by_page(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "PAGE", 2)
    begun = []
    for number in range(3):
        with clock.moved(timedelta(minutes=number)):
            begun.append(_begun(town))
    with database.reading(town.engine) as session:
        first = drafts.listed(session)
        rest = drafts.listed(session, after=first[-1].id)
    assert [one.id for one in (*first, *rest)] == begun[::-1]
