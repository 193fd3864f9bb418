"""The record: filed once, opened by grant only and never silently, closed by two."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import IntegrityError

from foundation import clock, database
from ledger.entries import Actor
from ledger.verification import entries_of
from referrals import casework, filing, opening
from referrals.casework import Disposition
from referrals.facts import Urgency
from referrals.moves import NotNow
from referrals.receipts import submission_digest
from referrals.sealing import PARTS, CannotOpen
from tests import builders
from tests.builders import WORDS, Town
from tests.routing.acts import Case, faults, tip


def opened(case: Case, slug: str, who: str = "Ines") -> dict[str, str]:
    """What a member of a team reads, by field."""
    actor = Actor(case.town.member_id(who), case.town.team[slug])
    with database.transaction(case.town.engine) as session:
        parts = opening.open_content(
            session, case.town.keys, case.id, team_id=case.town.team[slug], parts=PARTS, actor=actor, now=clock.now()
        )  # fmt: skip
    return {told.name: words for part in parts for told, words in part.told}


def held(town: Town, urgency: Urgency) -> Case:
    case = tip(town, urgency)
    case.acknowledge("Ines", "tempe-police")
    return case


def close(case: Case, who: str = "Ines") -> str:
    with database.transaction(case.town.engine) as session:
        return casework.propose_closing(
            session, case.town.keys, case.id, disposition=Disposition.MANAGED, reason="Help is there.",
            actor=case.town.actor(who), due_at=clock.now(), now=clock.now(),
        ).value  # fmt: skip


def answer(case: Case, who: str, approved: bool = True) -> str:
    with database.transaction(case.town.engine) as session:
        return casework.answer_closing(
            session,
            case.id,
            approved=approved,
            actor=case.town.actor(who),
            due_at=clock.now(),
            now=clock.now(),
        ).value


def test_the_same_form_twice_is_one_record(town: Town) -> None:
    first = builders.file_tip(town, form_key="one form")
    with pytest.raises(IntegrityError):
        builders.file_tip(town, form_key="one form")
    with database.reading(town.engine) as session:
        digest = submission_digest("one form", town.settings.secret_key)
        assert filing.filed_before(session, digest) == first
        assert filing.filed_before(session, submission_digest("another", town.settings.secret_key)) is None


def test_words_come_back_as_they_were_typed(town: Town) -> None:
    words = "  <b>He</b> said\r\n“Friday” \u202e\u200b 🙂 <!-- x -->\t"
    case = Case(town, builders.file_tip(town, words=words).id)
    case.route()
    case.acknowledge("Ines", "tempe-police")
    assert opened(case, "tempe-police")["what_happened"] == words


def test_who_was_not_granted_reads_nothing_and_the_look_is_recorded(town: Town) -> None:
    case = tip(town)
    assert opened(case, "tempe-police") == {}
    assert opened(case, "mesa-police", "Olu") == {}
    assert case.kinds()[-2:] == ["content_opened", "content_opened"]


def test_opening_is_recorded_with_name_and_parts(town: Town) -> None:
    case = held(town, Urgency.ELEVATED)
    assert opened(case, "tempe-police") == {"what_happened": WORDS}
    with database.reading(town.engine) as session:
        entry = entries_of(session, case.id)[-1]
    assert (entry["actor"]["member"], entry["facts"]) == (town.member_id("Ines"), {"parts": sorted(PARTS)})


def test_a_note_is_read_by_who_works_on_it_and_by_nobody_else(town: Town) -> None:
    case = held(town, Urgency.ELEVATED)
    with database.transaction(town.engine) as session:
        casework.record(
            session, town.keys, case.id, kind="note", action=None, words="Spoke with the school.",
            actor=town.actor("Ines"), now=clock.now(),
        )  # fmt: skip
    with database.reading(town.engine) as session:
        team = town.team
        (entry,) = casework.documented(session, town.keys, case.id, team["tempe-police"])
        assert entry.words == "Spoke with the school."
        with pytest.raises(CannotOpen):
            casework.documented(session, town.keys, case.id, team["mesa-police"])


def test_routine_is_closed_by_one(town: Town) -> None:
    case = held(town, Urgency.ROUTINE)
    assert close(case) == "closed"
    assert (case.row().due_at, case.row().disposition) == (None, "managed")
    assert faults(town) == []


def test_elevated_is_closed_by_two_different_members(town: Town) -> None:
    case = held(town, Urgency.ELEVATED)
    assert close(case) == "closing"
    with pytest.raises(NotNow):
        answer(case, "Ines")
    assert answer(case, "Tomas") == "closed"
    assert faults(town) == []


def test_a_refused_closing_goes_on_and_can_be_proposed_again(town: Town) -> None:
    case = held(town, Urgency.IMMINENT)
    close(case)
    assert answer(case, "Tomas", approved=False) == "held"
    with pytest.raises(NotNow):
        answer(case, "Tomas")
    assert close(case, "Tomas") == "closing"
    assert answer(case, "Ines") == "closed"


def test_what_is_closed_is_not_closed_again_and_leaves_no_note(town: Town) -> None:
    case = held(town, Urgency.ROUTINE)
    close(case)
    kinds = case.kinds()
    with pytest.raises(NotNow):
        close(case)
    assert case.kinds() == kinds
