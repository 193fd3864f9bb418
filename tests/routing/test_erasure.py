"""Erasing: only in time, never under a hold, by two people; and then neither the database nor an old backup tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from foundation import clock, database
from ledger.entries import Actor
from ledger.verification import entries_of, verify
from referrals import filing, grants, opening, retention, rotation
from referrals.casework import Disposition, propose_closing
from referrals.facts import Urgency
from referrals.moves import NotNow
from referrals.sealing import CannotOpen
from referrals.states import State
from referrals.tables import casework, sealed_parts
from referrals.tables import grants as grant_rows
from routing import erasure
from routing.tables import decisions
from tests.builders import WORDS, Town
from tests.routing import acts
from tests.routing.acts import Case

YEARS = timedelta(days=365 * 6)
NOTE = "The family was spoken with on Tuesday."


@pytest.fixture
def closed(town: Town) -> Case:
    """A routine referral that Tempe's team closed as unfounded, with a note."""
    case = acts.tip(town, urgency=Urgency.ROUTINE)
    case.acknowledge("Ines", "tempe-police")
    with database.transaction(town.engine) as session:
        propose_closing(
            session,
            town.keys,
            case.id,
            disposition=Disposition.UNFOUNDED,
            reason=NOTE,
            actor=town.actor("Ines"),
            due_at=clock.now(),
            now=clock.now(),
        )
    assert case.row().state == State.CLOSED
    return case


def _ask(case: Case, who: Actor, after: timedelta = YEARS) -> None:
    with database.transaction(case.town.engine) as session:
        retention.ask(session, case.id, actor=who, now=clock.now() + after)


def _answer(case: Case, who: Actor, *, approved: bool = True) -> None:
    with database.transaction(case.town.engine) as session:
        erasure.answer(session, case.id, approved=approved, actor=who, now=clock.now() + YEARS)


def _erase(case: Case) -> None:
    _ask(case, case.town.actor("Ines"))
    _answer(case, case.town.actor("Tomas"))


def test_a_record_is_due_when_the_time_of_its_class_is_over(closed: Case) -> None:
    day, kept = timedelta(days=1), retention.KEPT_FOR[Disposition.UNFOUNDED]
    with database.reading(closed.town.engine) as session:
        closed_at = closed.row().closed_at
        assert retention.due(session, closed_at + kept - day) == []
        (found,) = retention.due(session, closed_at + kept + day)
        assert (found.id, found.held, found.asked_by) == (closed.id, False, None)
        mine, theirs = closed.town.team["tempe-police"], closed.town.team["mesa-police"]
        assert len(retention.due(session, closed_at + YEARS, [mine])) == 1
        assert retention.due(session, closed_at + YEARS, [theirs]) == []
        assert retention.due(session, closed_at + YEARS, after=found.reference) == []


def test_every_disposition_has_its_time() -> None:
    assert set(retention.KEPT_FOR) == {disposition.value for disposition in Disposition}


def test_before_its_time_and_while_it_is_open_nothing_is_erased(town: Town, closed: Case) -> None:
    ines = town.actor("Ines")
    with pytest.raises(NotNow, match="not over"):
        _ask(closed, ines, after=timedelta(days=89))
    still_open = acts.tip(town, form="another form")
    with pytest.raises(NotNow, match="not over"):
        _ask(still_open, ines)


def test_a_hold_stops_the_asking_and_the_approval(town: Town, closed: Case) -> None:
    ines = town.actor("Ines")
    _ask(closed, ines)
    with database.transaction(town.engine) as session:
        hold = retention.place_hold(session, closed.id, actor=ines, now=clock.now())
        assert retention.due(session, clock.now() + YEARS)[0].held
    with pytest.raises(NotNow, match="hold"):
        _answer(closed, town.actor("Tomas"))
    with database.transaction(town.engine) as session:
        retention.lift_hold(session, closed.id, hold, actor=ines, now=clock.now())
        with pytest.raises(NotNow, match="any more"):
            retention.lift_hold(session, closed.id, hold, actor=ines, now=clock.now())
    _answer(closed, town.actor("Tomas"))
    assert closed.row().erased_at


def test_who_asked_cannot_answer_and_a_refusal_keeps_it(town: Town, closed: Case) -> None:
    ines = town.actor("Ines")
    _ask(closed, ines)
    with pytest.raises(NotNow, match="another"):
        _answer(closed, ines)
    _answer(closed, town.actor("Tomas"), approved=False)
    assert closed.row().erased_at is None
    with database.reading(town.engine) as session:
        assert grants.granted_parts(session, closed.id, town.team["tempe-police"])


def test_nothing_of_an_erased_record_is_left_but_its_tombstone(town: Town, closed: Case) -> None:
    _erase(closed)
    row = closed.row()
    with database.reading(town.engine) as session:
        assert (
            session.execute(select(grant_rows).where(grant_rows.c.referral_id == closed.id)).first() is None
        )
        assert (
            session.execute(select(sealed_parts).where(sealed_parts.c.referral_id == closed.id)).first()
            is None
        )
        blobs = session.execute(select(casework.c.blob).where(casework.c.referral_id == closed.id)).scalars()
        assert set(blobs) == {b""}
        told = session.execute(select(decisions.c.explanation).where(decisions.c.referral_id == closed.id))
        assert set(map(str, told.scalars())) == {"{}"}
        last = entries_of(session, closed.id)[-1]
        assert verify(session, closed.id).intact
    assert (row.commitment_key, row.receipt_lookup, row.facts["evidence"]) == (b"", None, [])
    assert (last["kind"], last["facts"]) == ("erased", {"class": "unfounded"})


def test_an_erased_record_cannot_be_asked_for_or_held_again(town: Town, closed: Case) -> None:
    _erase(closed)
    with pytest.raises(NotNow, match="already"):
        _ask(closed, town.actor("Ines"))
    with database.transaction(town.engine) as session, pytest.raises(NotNow, match="erased"):
        retention.place_hold(session, closed.id, actor=town.actor("Ines"), now=clock.now())


def _backup(case: Case) -> dict[Any, list[dict[str, Any]]]:
    with database.reading(case.town.engine) as session:
        return {
            table: [
                dict(row._mapping)
                for row in session.execute(select(table).where(table.c.referral_id == case.id))
            ]
            for table in (grant_rows, sealed_parts)
        }


def _restore(case: Case, backup: dict[Any, list[dict[str, Any]]]) -> None:
    with database.transaction(case.town.engine) as session:
        for table, values in backup.items():
            session.execute(delete(table).where(table.c.referral_id == case.id))
            session.execute(insert(table), values)


def _read(case: Case) -> bytes:
    with database.reading(case.town.engine) as session:
        return grants.part_key(
            session, case.town.keys, case.id, "narrative", team_id=case.town.team["tempe-police"]
        )


def _words(case: Case) -> str:
    """What Ines reads."""
    town, parts = case.town, ("narrative",)
    with database.transaction(town.engine) as session:
        (opened,) = opening.open_content(
            session,
            town.keys,
            case.id,
            team_id=town.team["tempe-police"],
            parts=parts,
            actor=town.actor("Ines"),
            now=clock.now(),
        )
    return " ".join(words for _, words in opened.told)


def _rotate(town: Town) -> None:
    now = clock.now()
    with database.transaction(town.engine) as session:
        rotation.renew(session, town.keys, town.settings.sealing_suite, now)
        while rotation.rewrap(session, town.keys, most=3):
            pass
    with database.transaction(town.engine) as session:
        assert rotation.destroy(session, town.keys, now + timedelta(days=6)) == []
        assert rotation.destroy(session, town.keys, now + timedelta(days=8))


def test_a_restored_backup_cannot_read_what_was_erased_and_the_living_can(town: Town, closed: Case) -> None:
    alive = acts.tip(town, form="another form")
    alive.acknowledge("Ines", "tempe-police")
    backup = _backup(closed)
    _erase(closed)
    _restore(closed, backup)
    # As long as the old keys live, a backup opens: that is why they must go.
    assert _read(closed)
    with database.transaction(town.engine) as session:
        for table in (grant_rows, sealed_parts):
            session.execute(delete(table).where(table.c.referral_id == closed.id))
    _rotate(town)
    _restore(closed, backup)
    with pytest.raises(CannotOpen, match="keyring"):
        _read(closed)
    assert _read(alive)
    assert WORDS in _words(alive)
    with database.reading(town.engine) as session:
        assert verify(session, closed.id).intact


def test_new_keys_are_owed_once_a_day_and_only_after_an_erasure(town: Town, closed: Case) -> None:
    with database.reading(town.engine) as session:
        assert not rotation.is_owed(session, clock.now() + YEARS)
    _erase(closed)
    erased_at = closed.row().erased_at
    with database.transaction(town.engine) as session:
        assert rotation.is_owed(session, erased_at)
        rotation.renew(session, town.keys, town.settings.sealing_suite, erased_at + timedelta(minutes=1))
        assert not rotation.is_owed(session, erased_at + timedelta(days=2))


def test_what_was_sealed_to_a_key_that_retired_meanwhile_opens_after_the_change(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction(town.engine) as session:
        before = filing.routing_recipient(session)
        rotation.renew(session, town.keys, town.settings.sealing_suite, clock.now())
        assert filing.routing_recipient(session).key_id != before.key_id
    # The form was sent before the change, and is stored after it.
    with monkeypatch.context() as slow:
        slow.setattr(filing, "routing_recipient", lambda session: before)
        late = acts.tip(town)
    _rotate(town)
    late.acknowledge("Ines", "tempe-police")
    assert WORDS in _words(late)
