"""Coverage at the desk: the map, beside it the table, for those who mend gaps."""

from __future__ import annotations

import re
from datetime import timedelta

from bs4 import BeautifulSoup, Tag

from directory import members
from foundation import clock, database
from routing import demonstration, snapshots
from tests.desk.sitting import Desk

FILLED = re.compile(r"url\(#pattern-")


def _row(page: BeautifulSoup, name: str) -> Tag:
    return next(
        row for row in page.select("tbody tr") if row.th and row.th.get_text().strip().startswith(name)
    )


def _words(tag: Tag | None) -> str:
    assert tag is not None
    return tag.get_text(" ", strip=True)


def _silence(desk: Desk, name: str, channel: str = "") -> None:
    """Switches the member's contacts off, or those of one channel."""
    with database.transaction(desk.town.engine) as session:
        for contact in members.reachable_contacts(session, [desk.town.member_id(name)]):
            if channel in {"", contact.channel}:
                members.disable_contact(session, contact.id, reason="gone", now=clock.now())


def test_the_country_says_who_leads_and_where_nobody_does(desk: Desk) -> None:
    page = desk.seat("Ada").look("/coverage")
    assert "61 of 3,233 counties have one team that leads." in _words(page.select_one(".lead"))
    assert "In 3,172 no team leads." in _words(page)
    assert "15 of 15" in _words(_row(page, "Arizona"))
    assert "Nobody" in _words(_row(page, "Texas"))


def test_the_map_is_one_picture_that_says_where_its_facts_are(desk: Desk) -> None:
    picture = desk.seat("Ada").look("/coverage").select_one("svg.map")
    assert picture is not None
    named = str(picture["aria-labelledby"]).split()
    assert picture["role"] == "img"
    assert _words(picture.find(id=named[0])) == "Map of coverage by state"
    assert {text.get_text() for text in picture.select("text")} >= {"AZ", "TX", "DC", "PR"}


def test_gaps_have_a_pattern_of_their_own(desk: Desk) -> None:
    page = desk.seat("Ada").look("/coverage")
    used = {str(shape["fill"]) for shape in page.select("svg.map path[fill]")}
    assert used == {"url(#pattern-led)", "url(#pattern-gap)"}
    drawn = {f"url(#{pattern['id']})" for pattern in page.select("svg.map pattern")}
    assert used < drawn


def test_every_county_of_a_state_is_on_its_map_and_in_its_table(desk: Desk) -> None:
    page = desk.seat("Ada").look("/coverage/AZ")
    assert len(page.select("svg.map path[fill]")) == len(page.select("tbody tr")) == 15
    legend = {
        _words(item.select_one(".map__number")): _words(item) for item in page.select("ol.map__legend li")
    }
    number = _words(_row(page, "Maricopa County").select("td")[1])
    assert "Maricopa County team, 1 county" in legend[number]
    assert number in {text.get_text() for text in page.select("svg.map text")}


def test_a_state_that_nobody_covers_names_who_holds_its_tips(desk: Desk) -> None:
    words = _words(_row(desk.seat("Ada").look("/coverage/WY"), "Teton County"))
    assert "No team leads. National desk holds it." in words


def test_places_with_rules_of_their_own_stand_with_their_county(desk: Desk) -> None:
    _silence(desk, "Olu")
    words = _words(_row(desk.seat("Ada").look("/coverage/AZ"), "Maricopa County"))
    assert "Tempe, AZ: Tempe Police" in words
    assert "Mesa, AZ: Mesa Police, cannot be reached" in words


def test_a_team_that_cannot_be_reached_is_marked_on_the_map_and_in_words(desk: Desk) -> None:
    _silence(desk, "Petra")
    state, country = desk.seat("Ada").look("/coverage/AZ"), desk.seat("Ada").look("/coverage")
    assert "Passed over: Pima County team , every contact there is switched off" in _words(
        _row(state, "Pima")
    )
    assert "1×" in {text.get_text() for text in state.select("svg.map text")}
    assert "AZ×" in {text.get_text() for text in country.select("svg.map text")}
    assert "Passed over: Pima County team" in _words(_row(country, "Arizona"))


def test_who_has_no_telephone_is_passed_over_for_what_cannot_wait_only(desk: Desk) -> None:
    _silence(desk, "Petra", "sms")
    ada = desk.seat("Ada")
    for urgency, passed_over in (("imminent", True), ("elevated", False)):
        page = ada.look(f"/coverage/AZ?urgency={urgency}&day=2026-11-24&hour=10")
        assert ("Passed over" in _words(_row(page, "Pima"))) is passed_over


def test_the_hour_that_was_asked_is_the_hour_that_is_told(desk: Desk) -> None:
    page = desk.seat("Ada").look("/coverage?urgency=routine&day=2026-03-04&hour=20")
    assert "Wednesday, March 4, 2026 at 8:00\u202fPM MST" in page.get_text()
    chosen = page.select_one("#hour option[selected]")
    assert chosen is not None
    assert chosen.get_text() == "20:00"
    link = _row(page, "Arizona").a
    assert link is not None
    assert link["href"] == "/coverage/AZ?urgency=routine&day=2026-03-04&hour=20"


def test_a_publication_to_come_is_seen_from_its_hour_on(desk: Desk) -> None:
    now, team = clock.now(), desk.town.team
    rules = demonstration.rules(team)
    rules["rules"].append({"id": "wy", "team": team["utah-hub"], "role": "lead", "area": "state:56"})
    with database.transaction(desk.town.engine) as session:
        areas_id = snapshots.store_areas(session, demonstration.areas(), "test", now)
        rules_id = snapshots.store_rules(session, rules, "test", now)
        snapshots.put_in_force(session, rules_id, areas_id, now, now + timedelta(days=2))
    for days, leads in ((1, "0 of 23"), (4, "23 of 23")):
        day = (now + timedelta(days=days)).date()
        page = desk.seat("Ada").look(f"/coverage?urgency=elevated&day={day}&hour=12")
        assert leads in _words(_row(page, "Wyoming"))


def test_what_makes_no_sense_gets_its_sentence_and_keeps_what_was_typed(desk: Desk) -> None:
    page = desk.seat("Ada").look("/coverage?urgency=loud&day=4+March&hour=25")
    faults = [_words(fault) for fault in page.select(".usa-error-message")]
    assert faults == [
        "Choose an urgency from the list.",
        "Give a day as year, month and day, such as 2026-03-04.",
        "Choose an hour from the list.",
    ]
    day = page.select_one("#day")
    assert day is not None
    assert day["value"] == "4 March"
    assert page.select_one("svg.map")


def test_what_is_no_state_is_no_page(desk: Desk) -> None:
    for letters in ("XX", "az", "04"):
        desk.seat("Ada").look(f"/coverage/{letters}", status=404)


def test_coverage_is_for_those_who_mend_it(desk: Desk) -> None:
    ines, rita = desk.seat("Ines"), desk.seat("Rita")
    for address in ("/coverage", "/coverage/AZ"):
        ines.look(address, status=404)
        rita.look(address)
    assert "Coverage" in _words(rita.look("/").nav)
    assert "Coverage" not in _words(ines.look("/").nav)


def test_a_page_stays_light_and_carries_no_style_of_its_own(desk: Desk) -> None:
    for address, most in (("/coverage", 200_000), ("/coverage/TX", 200_000)):
        page = desk.seat("Ada").look(address)
        assert len(desk.seat("Ada").answer.data) < most
        assert not page.select("[style], style, svg script, svg a, svg [onclick]")
