"""The tip form: asking, checking, changing, sending, in either language."""

from __future__ import annotations

import html

import pytest
from sqlalchemy import Engine

from foundation.settings import Settings
from tests.intake.door import WORDS, Door, open_door, receipt_words
from tests.pages import lasting


@pytest.fixture
def door(engine: Engine, settings: Settings) -> Door:
    return open_door(engine, settings)


def test_the_start_offers_911_and_988_before_anything_else(door: Door) -> None:
    page = door.client.get("/").text
    assert page.index("tel:911") < page.index("tel:988") < page.index("/tip")


@pytest.mark.parametrize("address", ["/", "/tip", "/status"])
def test_every_page_has_both_telephones(door: Door, address: str) -> None:
    page = door.client.get(address).text
    assert "tel:911" in page
    assert "tel:988" in page


def test_words_alone_make_a_tip(door: Door) -> None:
    answer = door.send_tip()
    assert answer.status_code == 200
    assert len(receipt_words(answer.text)) == 8
    assert door.told() == {"what_happened": WORDS}


def test_all_answers_are_kept_and_only_codes_stay_in_the_open(door: Door) -> None:
    door.send_tip(
        behaviours=["weapon_seeking", "stalking"], other_act="He laughed", school="Lincoln High", place="Tempe",
        state="AZ", zip_code="85281", setting="school", subject="Max", target="Ms. Lee", when="Friday",
        how_known="I saw it", danger="yes", contact="rosa@tips.example",
    )  # fmt: skip
    told, facts = door.told(), door.row().facts
    assert told["place"] == "Lincoln High\nTempe\nAZ\n85281"
    assert told["contact"] == "rosa@tips.example"
    assert facts["behaviours"] == ["stalking", "weapon_seeking"]
    assert (facts["urgency"], facts["setting"]) == ("imminent", "school")
    assert "Lincoln" not in repr(facts)


def test_the_summary_shows_each_answer_and_stores_nothing(door: Door) -> None:
    page = door.send(step="check", what_happened=WORDS, behaviours=["stalking"], subject="Max").text
    assert "Is this right?" in page
    assert lasting(page).count("Max") == 2  # shown, and carried on
    assert "Followed someone" in page
    assert door.filed() == 0


def test_going_back_to_change_loses_nothing(door: Door) -> None:
    page = door.send(
        step="change", page="check", what_happened=WORDS, behaviours=["stalking"], danger="no"
    ).text
    assert WORDS in page
    assert page.count(" checked>") == 3  # the act, the danger, the kind of place


def test_the_other_language_keeps_every_word(door: Door) -> None:
    page = door.client.post(
        "/tip",
        data={"csrf_token": door.token, "form_key": door.key, "language": ["es", "en"], "page": "form",
              "what_happened": WORDS, "subject": "Max"},
    ).text  # fmt: skip
    assert '<html lang="es">' in page
    assert "¿Qué pasó?" in page
    assert WORDS in page
    assert "Max" in page


def test_the_browsers_language_is_the_pages(door: Door) -> None:
    page = door.client.get("/", headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}).text
    assert '<html lang="es">' in page


def test_a_chosen_language_stays_on_the_way(door: Door) -> None:
    assert "/tip?language=es" in door.client.get("/?language=es").text


def test_the_language_is_stored_with_the_tip(door: Door) -> None:
    door.send_tip(language="es")
    assert door.row().language == "es"


@pytest.mark.parametrize(
    "words",
    [
        "first line\r\nsecond line\r\n",
        "  spaces around  ",
        "<!-- bring the rifle --><script>alert(1)</script> & &amp;",
        "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd \u200b",
        "one\nunix\rmac\ttab",
        "\U0001f52a " + "x" * 100_000,
    ],
    ids=["lines", "spaces", "markup", "right to left", "line ends", "100 kB"],
)
def test_words_are_kept_character_for_character(door: Door, words: str) -> None:
    assert door.send_tip(what_happened=words).status_code == 200
    assert door.told()["what_happened"] == words


def test_markup_is_shown_as_text_on_the_way(door: Door) -> None:
    page = door.send(step="check", what_happened="<script>alert(1)</script>").text
    assert "<script>alert" not in page
    assert html.escape("<script>alert(1)</script>") in page


def test_the_root_desk_has_custody_from_the_first_moment(door: Door) -> None:
    door.send_tip()
    assert door.row().custodian_team_id == door.town.team["root-desk"]


def test_no_cookie_but_the_form_tokens(door: Door) -> None:
    door.send_tip()
    assert list(door.client._cookies or ()) == [("localhost", "/", "waypost_intake")]
