"""What if? Any evidence in, the explanation out; nothing is kept, nothing typed is lost."""

from __future__ import annotations

from typing import Any

from bs4 import BeautifulSoup, Tag
from sqlalchemy import func, select

from foundation import database
from ledger.tables import ledger_entries
from routing.tables import decisions
from tests.desk.sitting import Desk

PAGE = "/what-if"


def _ask(desk: Desk, status: int = 200, **answers: Any) -> BeautifulSoup:
    return desk.seat("Ada").send(
        PAGE, {name.replace("__", "-"): value for name, value in answers.items()}, status=status
    )


def _words(page: Tag | None) -> str:
    assert page is not None
    return page.get_text(" ", strip=True)


def test_a_school_is_answered_in_sentences_on_a_map_and_in_a_table(desk: Desk) -> None:
    page = _ask(desk, piece_1__school="Saguaro Bend High School")
    assert "Saguaro Bend High School team leads because" in _words(page.select_one(".lead"))
    assert page.select_one("svg.map--small[role=img]")
    assert "Lost on layer : a more specific area goes first" in _words(page.table)


def test_a_point_near_a_line_says_how_near(desk: Desk) -> None:
    page = _ask(desk, piece_1__point="33.40, -111.8903", piece_1__accuracy="60", urgency="imminent")
    text = _words(page.select_one("#main"))
    assert "Because the danger is imminent, it is offered at once to" in text
    assert "The point is 28 m from a line" in text
    assert "28 m" in {label.get_text() for label in page.select("svg.map text")}


def test_several_places_are_weighed_together(desk: Desk) -> None:
    ada = desk.seat("Ada")
    page = ada.send(PAGE, {"piece_1-county": "Maricopa", "piece_1-state": "AZ", "step": "more"})
    page = ada.press(page, PAGE, {"piece_2-relation": "subject", "piece_2-place": "Mesa, AZ", "step": "ask"})
    assert _words(page.select_one(".lead")).startswith("Maricopa County team leads because")
    assert "Lost on relation" in _words(page.table)


def test_one_more_place_keeps_what_was_typed(desk: Desk) -> None:
    page = _ask(desk, piece_1__zip_code="85281", acts=["leakage"], step="more")
    assert [_words(title) for title in page.select(".what-if__title")] == [
        "First place",
        "Second place",
        "Circumstances",
    ]
    typed = page.select_one("#piece_1-zip_code")
    assert typed is not None
    assert typed["value"] == "85281"
    assert page.select_one("input[value=leakage][checked]")
    assert not page.select(".usa-error-message")


def test_an_office_is_answered_by_its_agreement(desk: Desk) -> None:
    page = _ask(desk, piece_1__place="Tempe, AZ", originator=desk.town.team["fbi-phoenix"])
    lead = _words(page.select_one(".lead"))
    assert lead.startswith("AZ-STAMP leads")
    assert "a written agreement" in lead


def test_acts_and_moment_count(desk: Desk) -> None:
    page = _ask(desk, piece_1__place="Tempe, AZ", acts=["suicidal_statement"], at="2026-03-04T20:00")
    text = _words(page.select_one("#main"))
    assert "CARE 7 is asked to support." in text
    assert "Mar 4, 2026, 8:00\u202fPM MST" in text


def test_bad_input_gets_its_sentence_at_the_field_and_nothing_is_lost(desk: Desk) -> None:
    typed = {
        "piece_1__zip_code": "8528x", "piece_1__point": "here", "piece_1__accuracy": "near", "at": "tonight",
        "piece_1__school": "Saguaro Bend",
    }  # fmt: skip
    page = _ask(desk, status=400, **typed)
    faults = {str(fault["id"]): _words(fault) for fault in page.select(".usa-error-message")}
    assert faults == {
        "piece_1-zip_code-error": "A ZIP code has five digits.",
        "piece_1-point-error": "Give two numbers, the latitude first, such as 33.42, -111.94.",
        "piece_1-accuracy-error": "Give whole metres, such as 60.",
        "at-error": "Give a day and a time, such as 2026-03-04 20:00.",
    }
    for name, value in typed.items():
        field = page.select_one(f"[name='{name.replace('__', '-')}']")
        assert field is not None
        assert field["value"] == value, name


def test_words_that_fit_nothing_are_said_at_their_field(desk: Desk) -> None:
    page = _ask(
        desk, status=400, piece_1__school="Hogwarts", piece_1__place="Tempe, AZ", piece_1__county="Narnia"
    )
    assert {str(fault["id"]) for fault in page.select(".usa-error-message")} == {
        "piece_1-school-error", "piece_1-county-error",
    }  # fmt: skip


def test_swapped_numbers_and_no_place_at_all_are_refused(desk: Desk) -> None:
    swapped = _ask(desk, status=400, piece_1__point="-111.94, 33.42")
    assert "The latitude comes first." in _words(swapped.select_one("#piece_1-point-error"))
    assert "one field is enough" in _words(_ask(desk, status=400).select_one("#piece_1-place-error"))


def test_nothing_is_stored_and_no_place_stands_in_an_address(desk: Desk) -> None:
    with database.reading(desk.town.engine) as session:
        before = [
            session.execute(select(func.count()).select_from(table)).scalar()
            for table in (decisions, ledger_entries)
        ]
    form = desk.seat("Ada").look(PAGE).select_one("form[action='/what-if']")
    assert form is not None
    assert form["method"] == "post"
    _ask(desk, piece_1__place="Tempe, AZ")
    assert desk.seat("Ada").answer.request.query_string == b""
    with database.reading(desk.town.engine) as session:
        after = [
            session.execute(select(func.count()).select_from(table)).scalar()
            for table in (decisions, ledger_entries)
        ]
    assert before == after
    # An address with places answers nothing.
    assert not desk.seat("Ada").look(f"{PAGE}?piece_1-place=Tempe").select("svg.map")


def test_asking_is_for_those_who_route(desk: Desk) -> None:
    ines = desk.seat("Ines")
    ines.look(PAGE, status=404)
    assert ines.client.post(PAGE, data={"piece_1-place": "Tempe"}).status_code in {400, 404}
    assert "What if?" not in _words(ines.look("/").nav)
    assert "What if?" in _words(desk.seat("Ada").look("/").nav)
