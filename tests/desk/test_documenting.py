"""Notes, actions and places: sealed, kept through faults, and recorded once."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from foundation import database
from referrals.facts import Evidence, PlaceKind, Relation
from referrals.tables import casework
from tests.builders import later
from tests.desk.sitting import Desk

UNKNOWN = (Evidence(PlaceKind.UNKNOWN, Relation.TARGET),)
LINCOLN = (
    Evidence(PlaceKind.SCHOOL, Relation.TARGET, ("school:demo-lincoln-mesa", "school:demo-lincoln-tucson")),
)


def _recorded(desk: Desk) -> int:
    with database.reading(desk.town.engine) as session:
        return len(session.execute(select(casework.c.id)).all())


def test_a_note_is_read_by_a_colleague(desk: Desk) -> None:
    reference = desk.held()
    desk.seat("Ines").send(f"/referrals/{reference}/note", {"words": "The mother calls <back>."})
    page = desk.seat("Tomas").send(f"/referrals/{reference}", to="/open")
    assert "The mother calls <back>." in page.get_text()


def test_the_same_note_sent_twice_is_one_record(desk: Desk) -> None:
    address = f"/referrals/{desk.held()}/note"
    seat = desk.seat("Ines")
    page = seat.look(address)
    for _ in range(2):
        seat.press(page, address, {"words": "once"})
    assert _recorded(desk) == 1
    assert seat.answer.request.path.endswith(address.removesuffix("/note"))


@pytest.mark.parametrize("kind", ["note", "action"])
def test_more_words_from_the_same_form_are_another_record(desk: Desk, kind: str) -> None:
    reference = desk.held()
    seat, address = desk.seat("Ines"), f"/referrals/{reference}/{kind}"
    page = seat.look(address)
    for words in ("once", "once, and more"):
        seat.press(
            page, address, {"words": words, **({"action": "welfare_check"} if kind == "action" else {})}
        )
    told = seat.send(f"/referrals/{reference}", to="/open").get_text()
    assert "once, and more" in told
    assert _recorded(desk) == 2


def test_another_breach_of_the_database_is_not_called_recorded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/referrals/{desk.held()}/note"
    page = desk.seat("Ines").look(address)

    def fail(*_: object, **__: object) -> None:
        raise IntegrityError("INSERT", {}, Exception("another key"))

    monkeypatch.setattr("referrals.casework.record", fail)
    answer = desk.seat("Ines").press(page, address, {"words": "not lost"}, status=503)
    assert "recorded" not in answer.get_text()
    assert "not lost" in str(answer.textarea)


def test_an_empty_note_asks_for_words(desk: Desk) -> None:
    page = desk.seat("Ines").send(f"/referrals/{desk.held()}/note", {"words": ""}, status=400)
    assert "Write the note first." in page.get_text()


def test_what_was_typed_stays_through_a_fault(desk: Desk) -> None:
    page = desk.seat("Ines").send(f"/referrals/{desk.held()}/action", {"words": "long call"}, status=400)
    assert "Choose what you did." in page.get_text()
    assert page.find("textarea", string="long call") or "long call" in str(page.textarea)


def test_an_action_sets_the_next_due_time(desk: Desk) -> None:
    reference = desk.held()
    desk.seat("Ines").send(f"/referrals/{reference}/action", {"action": "welfare_check"})
    row = desk.row(reference)
    assert row.due_reason == "work"
    assert (
        "recorded an action: Made a welfare check"
        in desk.seat("Ines").look(f"/referrals/{reference}").get_text()
    )


def test_a_place_that_is_learned_leads_to_its_team(desk: Desk) -> None:
    reference = desk.tip(evidence=LINCOLN)
    desk.seat("Ada").send(f"/referrals/{reference}/place", {"school": "Lincoln High", "place": "Mesa"})
    with later(seconds=1):
        desk.route(desk.row(reference).id)
    assert reference in desk.seat("Leah").look("/").get_text()


def test_a_place_that_nobody_knows_is_asked_for_again(desk: Desk) -> None:
    reference = desk.tip(evidence=UNKNOWN)
    page = desk.seat("Rita").send(f"/referrals/{reference}/place", {"place": "Xyzzyville"}, status=400)
    assert "We do not know that place" in page.get_text()
    assert "Xyzzyville" in str(page.find("input", attrs={"name": "place"}))


def test_a_wrong_zip_is_told_at_its_field(desk: Desk) -> None:
    reference = desk.tip(evidence=UNKNOWN)
    answers: dict[str, str] = {"zip_code": "85281", "state": "NV"}
    page = desk.seat("Rita").send(f"/referrals/{reference}/place", {**answers}, status=400)
    fault = page.select_one("#zip_code-error")
    assert fault is not None
    assert "not in that state" in fault.get_text()
