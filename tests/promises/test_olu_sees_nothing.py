"""Promise: another team sees nothing of a referral, in no list, count, search or error."""

# ruff: noqa: F811 - the desk's fixtures are asked for by name
from __future__ import annotations

import re

from werkzeug.test import TestResponse

from tests.desk.conftest import desk, town  # noqa: F401 (fixtures)
from tests.desk.sitting import Desk
from tests.pages import lasting

NOBODYS = "R-0000-00"


def _addresses(seated: Desk) -> list[tuple[str, str]]:
    """Every address of the desk that names a referral, with each of its methods."""
    rules = [rule for rule in seated.app.url_map.iter_rules() if "reference" in rule.arguments]
    return [
        (method, rule.rule) for rule in rules for method in sorted((rule.methods or set()) & {"GET", "POST"})
    ]


def _filled(rule: str, reference: str) -> str:
    """The address for that reference; whatever else it names is of nobody."""
    return re.sub("<[^>]+>", "0" * 32, rule.replace("<reference>", reference))


def _without_address(answer: TestResponse) -> str:
    """The page without the address that was asked for."""
    return lasting(answer.get_data(as_text=True), answer.request.path.split("/")[2])


def test_no_board_lists_or_counts_it(desk: Desk) -> None:
    before = desk.seat("Olu").look("/").get_text()
    reference = desk.held()
    after = desk.seat("Olu").look("/").get_text()
    assert reference not in after
    assert "Nothing waits for you" in before
    assert "Nothing waits for you" in after


def test_the_search_answers_as_for_a_reference_that_was_never_given(desk: Desk) -> None:
    reference = desk.held()
    seat = desk.seat("Olu")
    pages = [
        seat.look(f"/find?reference={named}", status=404).select("main")[0] for named in (reference, NOBODYS)
    ]
    assert lasting(str(pages[0]), reference) == lasting(str(pages[1]), NOBODYS)


def test_every_address_answers_as_for_a_reference_that_was_never_given(desk: Desk) -> None:
    reference = desk.held()
    desk.app.config["WTF_CSRF_ENABLED"] = False
    client = desk.seat("Olu").client
    # A walk that finds few addresses has lost its way.
    assert len(_addresses(desk)) > 40
    for method, rule in _addresses(desk):
        answers = [client.open(_filled(rule, named), method=method) for named in (reference, NOBODYS)]
        assert {answer.status_code for answer in answers} == {404}, rule
        assert len({_without_address(answer) for answer in answers}) == 1, rule


def test_the_status_page_counts_nothing_of_others(desk: Desk) -> None:
    before = desk.seat("Olu").look("/status").select("main")[0].get_text(" ", strip=True)
    desk.held()
    assert desk.seat("Olu").look("/status").select("main")[0].get_text(" ", strip=True) == before


def test_a_colleague_in_the_same_team_sees_it(desk: Desk) -> None:
    reference = desk.held()
    assert reference in desk.seat("Tomas").look("/").get_text()
