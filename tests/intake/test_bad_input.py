"""Bad input and bad days: a clear page that keeps the words, and never a receipt that is not true."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from foundation.settings import Settings
from intake.app import create_app
from tests import builders
from tests.intake.door import WORDS, Door, form_key, open_door, receipt_words


@pytest.fixture
def door(engine: Engine, settings: Settings) -> Door:
    return open_door(engine, replace(settings, max_tip_bytes=200_000))


def _kept(answer: TestResponse, code: int, sentence: str, words: str = WORDS) -> None:
    """The page has that code, says the sentence, still holds the words and is no receipt."""
    assert answer.status_code == code
    assert html.escape(sentence, quote=False) in html.unescape(answer.text)
    assert words in html.unescape(answer.text)
    assert not receipt_words(answer.text)
    assert "tel:911" in answer.text


@pytest.mark.parametrize("words", ["", "   ", "\r\n\r\n"])
def test_nothing_told_is_asked_for_at_its_field(door: Door, words: str) -> None:
    answer = door.send_tip(what_happened=words, subject="Max")
    _kept(answer, 400, "Tell us what happened.", "Max")
    assert 'id="what_happened-error"' in answer.text


@pytest.mark.parametrize("field", ["what_happened", "subject", "school", "when", "contact", "state"])
def test_nul_is_refused_at_its_field_and_marked(door: Door, field: str) -> None:
    answer = door.send_tip(**{field: "before\0after"})
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    assert "\0" not in answer.text
    assert field == "state" or "before\ufffdafter" in answer.text
    assert door.filed() == 0


@pytest.mark.parametrize("bad", [b"%ED%A0%80", b"%ED%BF%BF", b"%FF%FE", b"%C3"])
def test_bytes_that_are_no_text_are_refused_and_the_rest_is_kept(door: Door, bad: bytes) -> None:
    answer = door.send_bytes(b"what_happened=He+said+" + bad + b"+it&subject=Max")
    assert answer.status_code == 400
    assert "that we cannot read" in answer.text
    assert "He said \ufffd" in answer.text
    assert "Max" in answer.text
    assert door.filed() == 0


def test_the_mark_itself_is_an_ordinary_character(door: Door) -> None:
    assert door.send_tip(what_happened="what \ufffd is").status_code == 200


def test_too_many_words_are_kept_and_it_is_said_by_how_much(door: Door) -> None:
    words = "x" * 200_123
    _kept(door.send_tip(what_happened=words), 400, "123 characters too long", words)


def test_a_body_too_large_to_read_is_told_to_go_back(door: Door) -> None:
    answer = door.send_tip(what_happened="x" * 900_000)
    _kept(answer, 413, "Try your browser’s Back button", "")


@pytest.mark.parametrize(
    ("answers", "field", "sentence"),
    [
        ({"zip_code": "8528"}, "zip_code", "five digits"),
        ({"zip_code": "00000"}, "zip_code", "We know no such ZIP code"),
        ({"zip_code": "85281", "state": "TX"}, "zip_code", "not in the state you chose"),
        ({"place": "Tempe, AZ", "state": "TX"}, "place", "not the one you chose"),
        ({"state": "Atlantis"}, "state", "Choose a state"),
    ],
)
def test_a_place_that_contradicts_itself_is_said_at_its_field(
    door: Door, answers: dict[str, str], field: str, sentence: str
) -> None:
    answer = door.send_tip(**answers)
    _kept(answer, 400, sentence)
    assert f'id="{field}-error"' in answer.text


def test_choices_that_no_form_has_count_as_not_made(door: Door) -> None:
    door.send_tip(behaviours=["stalking", "a religion"], setting="moon", danger="perhaps")
    assert door.row().facts["behaviours"] == ["stalking"]
    assert (door.row().facts["setting"], door.row().urgency) == ("unknown", "routine")


def test_a_date_to_come_is_no_fault(door: Door) -> None:
    assert door.send_tip(when="12/31/2099").status_code == 200


@pytest.mark.parametrize("page", ["form", "check"])
@pytest.mark.parametrize("token", ["", "forged"])
def test_without_the_form_token_the_page_comes_back_with_a_new_one(door: Door, token: str, page: str) -> None:
    answer = door.send_tip(csrf_token=token, page=page)
    _kept(answer, 400, "Your words are still here")
    door.token = builders.csrf_token(answer.text)
    assert receipt_words(door.send_tip().text)


def test_a_token_of_another_browser_is_refused(door: Door) -> None:
    stranger = Door(door.town, door.app)
    _kept(stranger.send_tip(csrf_token=door.token), 400, "Your words are still here")
    assert door.filed() == 0


def test_a_form_without_its_key_gets_a_new_one(door: Door) -> None:
    page = door.send(form_key="short", step="change", what_happened=WORDS).text
    assert len(form_key(page)) >= 22


def test_a_form_with_files_is_not_read(door: Door) -> None:
    answer = door.client.post("/tip", data={"what_happened": WORDS}, content_type="multipart/form-data")
    assert answer.status_code == 400


def test_a_lost_database_keeps_the_words_and_the_next_press_arrives(door: Door) -> None:
    lost = _every_statement_fails(door.town.engine)
    _kept(door.send_tip(page="check"), 503, "We cannot confirm that your tip arrived")
    event.remove(door.town.engine, "before_cursor_execute", lost)
    assert receipt_words(door.send_tip().text)
    assert door.filed() == 1


def test_a_commit_that_fails_shows_no_receipt(door: Door) -> None:
    def refuse(_connection: object) -> None:
        raise OperationalError("COMMIT", None, Exception("gone"))

    event.listen(door.town.engine, "commit", refuse)
    _kept(door.send_tip(), 503, "We cannot confirm that your tip arrived")
    event.remove(door.town.engine, "commit", refuse)
    assert door.filed() == 0


# SQLite alone can be given a disk that is full; what PostgreSQL raises then is a DBAPIError as well, and is tested
# above by a commit that fails.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_keeps_the_words(door: Door) -> None:
    store = door.town.engine
    with store.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    event.listen(
        store, "begin", lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    )
    _kept(door.send_tip(what_happened=WORDS * 2000), 503, "We cannot confirm that your tip arrived")
    assert door.filed() == 0


def test_a_lost_database_is_said_on_the_status_page_too(door: Door) -> None:
    lost = _every_statement_fails(door.town.engine)
    answer = door.send("/status", code_words="one two three")
    event.remove(door.town.engine, "before_cursor_execute", lost)
    assert answer.status_code == 503
    assert "one two three" in answer.text


def test_before_the_deployment_is_set_up_no_receipt_is_shown(engine: Engine, settings: Settings) -> None:
    bare = Door(builders.Town(engine, settings), create_app(settings, engine))
    _kept(bare.send_tip(), 503, "We cannot confirm that your tip arrived")


def test_too_many_tips_from_one_network_keep_the_words(engine: Engine, settings: Settings) -> None:
    door = open_door(engine, replace(settings, tips_per_hour=2))
    assert [door.send_tip(what_happened=f"{count}").status_code for count in range(2)] == [200, 200]
    _kept(door.send_tip(page="check"), 429, "Too many tries from your network")
    assert door.filed() == 2


def _every_statement_fails(engine: Engine) -> Callable[..., None]:
    def lose(*_: object) -> None:
        raise OperationalError("hidden", None, Exception("the server closed the connection"))

    event.listen(engine, "before_cursor_execute", lose)
    return lose
