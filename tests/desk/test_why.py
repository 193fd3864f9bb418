"""Why here? Sentences first, then the small map, then every rule; names for ids, and never a word of the tip."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup

from directory import members
from foundation import clock, database
from routing import demonstration, snapshots
from tests.builders import WORDS, later
from tests.desk.sitting import Desk
from tests.routing.acts import run_jobs


def _why(desk: Desk, **more: object) -> BeautifulSoup:
    return desk.seat("Ines").look(f"/referrals/{desk.tip(**more)}/why")  # type: ignore[arg-type]


def test_sentences_come_first_then_the_map_then_the_table(desk: Desk) -> None:
    page = _why(desk)
    order = [page.select_one(part) for part in (".lead", "svg.map", "table")]
    assert all(order)
    source = str(page)
    assert source.index('class="lead"') < source.index('class="map map--small"') < source.index("<table")


def test_the_map_and_the_table_count_alike(desk: Desk) -> None:
    page = _why(desk)
    rows = {row.select("td")[1].get_text(" ", strip=True) for row in page.select("tbody tr")}
    assert rows == {"1 Tempe, AZ", "2 Maricopa County, AZ", "3 Arizona"}
    legend = [item.get_text(" ", strip=True) for item in page.select("ol.map__legend li")]
    assert legend[0] == "1 Tempe, AZ : Tempe Police leads"
    assert {"1", "2"} <= {label.get_text() for label in page.select("svg.map text")}


def test_every_rule_that_lost_says_why(desk: Desk) -> None:
    rows = [row.get_text(" ", strip=True) for row in _why(desk).select("tbody tr")]
    assert any(
        "Maricopa County team" in row and "Lost on layer : a more specific area" in row for row in rows
    )
    assert any("CARE 7" in row and "it is for other acts" in row for row in rows)


def test_a_team_that_was_passed_over_has_its_reason(desk: Desk) -> None:
    with database.transaction(desk.town.engine) as session:
        for name in ("Ines", "Tomas"):
            for contact in members.reachable_contacts(session, [desk.town.member_id(name)]):
                members.disable_contact(session, contact.id, reason="gone", now=clock.now())
    page = desk.seat("Mara").look(f"/referrals/{desk.tip()}/why")
    row = next(row for row in page.select("tbody tr") if "Tempe Police" in row.get_text())
    assert "Passed over : every contact there is switched off" in row.get_text(" ", strip=True)


def test_no_id_and_no_word_of_the_tip_stands_on_it(desk: Desk) -> None:
    text = _why(desk).get_text(" ", strip=True).replace("Fingerprint of this decision", "")
    assert WORDS not in text
    assert not re.search(r"(?:place|county|state):\w|\b[0-9a-f]{32}\b", text)


def test_after_a_change_of_the_rules_the_hub_has_it_decided_again(desk: Desk) -> None:
    reference, ada = desk.tip(), desk.seat("Ada")
    why = f"/referrals/{reference}/why"
    assert "Other rules are in force now" not in ada.look(why).get_text()
    with later(minutes=1):
        _publish_without(desk, "tempe-police")
        assert "Other rules are in force now" in ada.look(why).get_text()
        ada.send(why, to="/why")
        run_jobs(desk.town)
        page = ada.look(why)
    assert page.select(".lead")[0].get_text().startswith("Maricopa County team leads")
    assert "Ada Ruiz" in ada.look(f"/referrals/{reference}/timeline").get_text()


def test_who_does_not_route_and_what_a_team_works_on_have_nothing_to_press(desk: Desk) -> None:
    reference = desk.tip()
    why, ada = f"/referrals/{reference}/why", desk.seat("Ada")
    early = ada.look(why)
    assert not desk.seat("Ines").look(why).select(f'form[action="{why}"]')
    desk.seat("Ines").send(f"/referrals/{reference}", to="/acknowledge")
    assert not ada.look(why).select(f'form[action="{why}"]')
    told = ada.press(early, why, to="/why", status=409).get_text()
    assert "team works on this referral already" in told


def _publish_without(desk: Desk, rule: str) -> None:
    rules = demonstration.rules(desk.town.team)
    rules["rules"] = [entry for entry in rules["rules"] if entry["id"] != rule]
    with database.transaction(desk.town.engine) as session:
        snapshots.publish(session, areas=demonstration.areas(), rules=rules, source="test", now=clock.now())
