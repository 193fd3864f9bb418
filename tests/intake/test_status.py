"""Where a tip stands, for who has the words, and for nobody else."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, update

from foundation import clock, database
from foundation.settings import Settings
from referrals.duty import Duty
from referrals.states import REPORTER_STATUS, State
from referrals.tables import referrals
from routing import jobs
from routing.tables import handoffs
from tests.intake.door import Door, open_door, receipt_words

_SHOWN = {
    "received": "Received",
    "being passed to a team": "Being passed to a team",
    "a team has it": "A team has it",
    "closed": "Closed",
}


@pytest.fixture
def door(engine: Engine, settings: Settings) -> Door:
    return open_door(engine, settings)


@pytest.mark.parametrize("state", State)
def test_each_state_is_one_of_four_steps(door: Door, state: State) -> None:
    words = receipt_words(door.send_tip().text)
    _put(door, state)
    page = door.send("/status", code_words=" ".join(words)).text
    assert f"<h1>{_SHOWN[REPORTER_STATUS[state]]}</h1>" in page


def test_case_spaces_and_separators_are_forgiven(door: Door) -> None:
    words = receipt_words(door.send_tip().text)
    typed = "  " + ",\r\n ".join(words).upper() + " "
    assert door.send("/status", code_words=typed).status_code == 200


@pytest.mark.parametrize("typed", ["one two", "stipend " * 8, "x" * 100_000, "\x00", "é ñ"])
def test_wrong_words_get_one_sentence(door: Door, typed: str) -> None:
    door.send_tip()
    answer = door.send("/status", code_words=typed)
    assert answer.status_code == 400
    assert "We know no receipt with these words" in answer.text


def test_no_words_are_asked_for_and_count_as_no_try(door: Door) -> None:
    words = receipt_words(door.send_tip().text)
    pages = [door.send("/status", code_words=" \r\n") for _ in range(6)]
    assert {page.status_code for page in pages} == {400}
    assert "Type your eight words." in pages[-1].text
    assert door.send("/status", code_words=" ".join(words)).status_code == 200


def test_after_five_wrong_tries_even_right_words_must_wait(door: Door) -> None:
    words = receipt_words(door.send_tip().text)
    codes = [door.send("/status", code_words="wrong words").status_code for _ in range(6)]
    assert codes == [400] * 5 + [429]
    assert door.send("/status", code_words=" ".join(words)).status_code == 429


def test_right_words_are_never_counted(door: Door) -> None:
    words = receipt_words(door.send_tip().text)
    assert {door.send("/status", code_words=" ".join(words)).status_code for _ in range(8)} == {200}


def test_no_name_of_anybody_is_shown(door: Door) -> None:
    words = receipt_words(door.send_tip().text)
    _put(door, State.HELD)
    page = door.send("/status", code_words=" ".join(words)).text
    assert not [name for name in ("Tempe", "Phoenix", "R-", "Ines") if name in page]


def test_words_in_the_address_are_not_read(door: Door) -> None:
    words = receipt_words(door.send_tip().text)
    page = door.client.get("/status", query_string={"code_words": " ".join(words)}).text
    assert "Where does my tip stand?" in page
    # One word alone, such as "data", may stand on any page.
    assert " ".join(words) not in page
    assert "+".join(words) not in page


def _put(door: Door, state: State) -> None:
    closed = {"due_at": None, "due_reason": None, "closed_at": clock.now()} if state is State.CLOSED else {}
    with database.transaction(door.town.engine) as session:
        session.execute(update(referrals).values(state=state.value, **closed))


def _routed(door: Door) -> None:
    jobs.route_referral(Duty(door.town.engine, door.town.settings, door.town.keys), door.row().id)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "It was sent to the team for Tempe, AZ, because the place you named is there."),
        ("es", "Se envió al equipo de Tempe, AZ, porque el lugar que nombraste está allí."),
    ],
)
def test_the_reporter_reads_why_it_went_there_and_no_teams_name(
    door: Door, language: str, sentence: str
) -> None:
    words = receipt_words(door.send_tip(place="Tempe, AZ").text)
    _routed(door)
    page = door.send("/status", code_words=" ".join(words), language=language).text
    assert sentence in page
    assert "Tempe Police" not in page


def test_where_no_team_was_chosen_by_rule_the_reporter_reads_no_reason(door: Door) -> None:
    words = receipt_words(door.send_tip().text)
    _routed(door)
    assert "because the place" not in door.send("/status", code_words=" ".join(words)).text


def test_once_a_person_hands_it_on_the_reason_of_routing_is_not_told_any_more(door: Door) -> None:
    words = receipt_words(door.send_tip(place="Tempe, AZ").text)
    _routed(door)
    with database.transaction(door.town.engine) as session:
        session.execute(update(handoffs).values(to_team_id=door.town.team["mesa-police"]))
    assert "because the place" not in door.send("/status", code_words=" ".join(words)).text
