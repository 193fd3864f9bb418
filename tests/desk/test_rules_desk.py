"""The rules desk: from a draft to rules in force, through forms, by two people; and the gap report."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from foundation import clock, database
from referrals.duty import Duty
from referrals.facts import Urgency
from routing import dry_run, snapshots
from tests.builders import file_tip
from tests.desk.sitting import Desk, Seat


@pytest.fixture(autouse=True)
def few_zips(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole country and its lines take seconds each time, and nothing here depends on them."""
    monkeypatch.setattr("routing.gazetteer.Gazetteer.zip_codes", ("85281", "85201", "22030"))
    monkeypatch.setattr("routing.lineside.outlined", lambda boundaries: ())


@pytest.fixture
def ada(desk: Desk) -> Seat:
    """Ada, who runs Arizona's hub."""
    return desk.seat("Ada")


def _text(page: BeautifulSoup) -> str:
    return " ".join(page.get_text(" ").split())


def _begin(seat: Seat) -> str:
    """A new draft; returns its address."""
    seat.send("/rules/drafts", {"title": "Winter"})
    return str(seat.answer.request.path)


def _add(desk: Desk, seat: Seat, draft: str, status: int = 200, **more: str) -> BeautifulSoup:
    answers = {
        "area": "Tempe, AZ",
        "team": desk.town.team["mesa-police"],
        "mandate": "1",
        "reason": "As agreed.",
    }
    return seat.send(f"{draft}/rule", {**answers, **more}, status=status)


def _try(desk: Desk, seat: Seat, draft: str) -> BeautifulSoup:
    seat.send(draft, to="/dry-run")
    town = desk.town
    dry_run.try_draft(Duty(town.engine, town.settings, town.keys), draft.rpartition("/")[2])
    return seat.look(draft)


def _in_force(desk: Desk) -> int:
    with database.reading(desk.town.engine) as session:
        return len(snapshots.current(session, clock.now()).rules.rules)


def test_a_draft_goes_from_the_form_to_force_by_two_people(desk: Desk, ada: Seat) -> None:
    tip = file_tip(desk.town, urgency=Urgency.ELEVATED)
    before, draft = _in_force(desk), _begin(ada)
    page = _text(_add(desk, ada, draft))
    assert "Mesa Police leads in Tempe, AZ (by written agreement); until now Tempe Police did." in page
    tried = _text(_try(desk, ada, draft))
    assert "Mesa Police instead of Tempe Police." in tried
    assert "A second person has to approve it" in tried
    rob = desk.seat("Rob")
    rob.send(draft, to="/approve")
    rob.send(draft, to="/publish")
    assert _in_force(desk) == before + 1
    published = ada.look(draft)
    assert "Published" in _text(published)
    # Nothing moved by itself: the list leads to where a person has each decided again.
    assert published.find("a", href=lambda to: bool(to) and to.endswith(f"{tip.reference}/why")) is not None


def test_the_author_cannot_approve_by_pressing_anyway(desk: Desk, ada: Seat) -> None:
    draft = _begin(ada)
    _add(desk, ada, draft)
    page = _try(desk, ada, draft)
    page.append(BeautifulSoup(_approving(page, draft), "html.parser"))
    assert "A second person has to approve it" in _text(ada.press(page, draft, to="/approve", status=400))


def _approving(page: BeautifulSoup, draft: str) -> str:
    """A form as another member's page has it."""
    token = page.find("input", {"name": "csrf_token"})
    return f'<form method="post" action="{draft}/approve">{token}</form>'


def test_progress_is_shown_while_it_waits(desk: Desk, ada: Seat) -> None:
    draft = _begin(ada)
    _add(desk, ada, draft)
    assert "It waits for a worker." in _text(ada.send(draft, to="/dry-run"))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"area": "Nowhereville"}, "Nothing that we know is called so"),
        ({"area": "Springfield"}, "Several areas are called so"),
        ({"area": "county:02261"}, "county:02261 has ended; in its place: county:02063, county:02066"),
        ({"team": ""}, "Choose a team"),
        ({"reason": ""}, "Say why"),
        ({"valid_from": "2027-01-01", "valid_to": "2026-01-01"}, "It ends before it begins"),
        ({"begins": "17:00"}, "Give both hours"),
        ({"priority": "much"}, "Give a whole number"),
    ],
)
def test_a_fault_stands_at_its_field_and_what_was_typed_stays(
    desk: Desk, ada: Seat, wrong: dict[str, str], says: str
) -> None:
    draft = _begin(ada)
    page = _add(desk, ada, draft, 400, **wrong)
    assert says in _text(page)
    typed = page.find("input", {"name": "reason"})
    assert typed is not None
    assert typed.get("value", "") == wrong.get("reason", "As agreed.")
    assert "Nothing yet." in _text(ada.look(draft))


def test_an_area_of_several_of_one_name_is_chosen_below_the_field(desk: Desk, ada: Seat) -> None:
    draft = _begin(ada)
    page = _add(desk, ada, draft, 400, area="Springfield")
    chosen = page.select("input[name=area_id]")[0]["value"]
    ada.press(page, f"{draft}/rule", {"area_id": str(chosen)})
    assert "Springfield" in _text(ada.look(draft))


def test_an_existing_rule_is_found_changed_and_ended_with_a_reason(desk: Desk, ada: Seat) -> None:
    draft = _begin(ada)
    found = ada.look(
        f"/rules?draft={draft.rpartition('/')[2]}&area=tempe&team={desk.town.team['tempe-police']}"
    )
    link = found.find("a", href=lambda to: bool(to) and "rule=tempe-police" in to)
    assert link is not None
    rule = str(link["href"])
    ada.send(rule, {"priority": "2", "reason": "It goes first."}, to=rule)
    assert "with this changed: priority: 2 (until now none)" in _text(ada.look(draft))
    assert "Say why the rule ends" in _text(ada.send(rule, {"reason": ""}, to="/end", status=400))
    assert "leads in Tempe, AZ no longer" in _text(ada.send(rule, {"reason": "It is over."}, to="/end"))
    assert "Nothing yet." in _text(ada.send(draft, to="/take-back"))


def test_the_second_of_two_drafts_is_told_to_come_onto_the_first(desk: Desk, ada: Seat) -> None:
    first, second = _begin(ada), _begin(ada)
    for draft in (first, second):
        _add(desk, ada, draft)
    _try(desk, ada, first)
    rob = desk.seat("Rob")
    rob.send(first, to="/approve")
    rob.send(first, to="/publish")
    assert "Other rules were published meanwhile" in _text(ada.look(second))
    ada.send(second, to="/rebase")
    assert "Nothing of it is in force" in _text(ada.look(second))


def test_rules_are_published_for_a_later_moment_on_the_readers_clock(desk: Desk, ada: Seat) -> None:
    before, draft = _in_force(desk), _begin(ada)
    _add(desk, ada, draft)
    _try(desk, ada, draft)
    rob = desk.seat("Rob")
    rob.send(draft, to="/approve")
    past = rob.send(draft, {"at": "2020-01-01T08:00"}, to="/publish", status=400)
    assert "is past" in _text(past)
    soon = clock.now() + timedelta(days=3)
    rob.send(draft, {"at": f"{soon:%Y-%m-%dT%H:%M}"}, to="/publish")
    assert _in_force(desk) == before
    with clock.moved(timedelta(days=4)):
        assert _in_force(desk) == before + 1


def test_a_withdrawn_draft_takes_no_more_presses(desk: Desk, ada: Seat) -> None:
    draft = _begin(ada)
    page = ada.look(draft)
    ada.press(page, draft, to="/withdraw")
    assert "Withdrawn" in _text(ada.look(draft))
    ada.look(f"{draft}/rule", status=404)


def test_rules_of_the_list_are_sentences_and_filtered_by_state(desk: Desk, ada: Seat) -> None:
    text = _text(ada.look("/rules?state=49"))
    assert "Utah hub leads in Utah" in text
    assert "Tempe Police" not in text.partition("Show")[2]


def test_nobody_outside_the_hubs_sees_rules_drafts_or_gaps(desk: Desk) -> None:
    for address in ("/rules", "/rules/drafts", "/rules/gaps"):
        desk.seat("Ines").look(address, status=404)


def test_a_draft_that_never_was_is_not_there(ada: Seat) -> None:
    ada.look("/rules/drafts/" + "0" * 32, status=404)


def test_the_gap_report_says_shares_and_what_to_do(ada: Seat) -> None:
    text = _text(ada.look("/rules/gaps?state=04&urgency=imminent"))
    assert "Imminent, at every hour: none of addresses and none of land" in text
    assert "each ZIP counts as one" in text


def test_a_gap_report_of_a_moment_that_is_none_says_so_and_tells_of_now(ada: Seat) -> None:
    text = _text(ada.look("/rules/gaps?state=04&at=tomorrow"))
    assert "Give a day and a time" in text
    assert "As of" in text
