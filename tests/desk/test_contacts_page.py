"""My contacts at the desk: adding one, proving it, removing it, and nobody else's."""

from __future__ import annotations

import pysequoia
import pytest
from sqlalchemy import select

from directory import contacts
from directory.tables import contact_codes
from directory.tables import contacts as rows
from foundation import clock, database
from notifications import lookup, losses
from tests.desk.sitting import Desk

NUMBER = "(602) 555-0199"
ADDED = {"channel": "sms", "address": NUMBER, "agreed": "y"}


def _code(desk: Desk) -> str:
    with database.reading(desk.town.engine) as session:
        newest = select(contact_codes.c.code).order_by(contact_codes.c.made_at.desc()).limit(1)
        return str(session.execute(newest).scalar_one())


def test_a_number_is_added_proved_and_then_works(desk: Desk) -> None:
    ines = desk.seat("Ines")
    page = ines.send("/contacts", ADDED)
    assert "Not proved yet" in page.get_text()
    address = ines.answer.request.path
    assert "from now on" in ines.send(address, {"code": _code(desk)}).get_text()
    assert "+16025550199" in ines.look("/contacts").get_text()
    assert "Not proved yet" not in ines.look("/contacts").get_text()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"address": "call me"}, "not a telephone number"),
        ({"agreed": []}, "only where you agree"),
        ({"channel": []}, "Choose how"),
    ],
)
def test_a_fault_stands_at_its_field_and_keeps_what_was_typed(
    desk: Desk, wrong: dict[str, str | list[str]], says: str
) -> None:
    page = desk.seat("Ines").send("/contacts", {**ADDED, **wrong}, status=400)
    assert says in page.get_text()
    typed = page.find("input", {"name": "address"})
    assert typed is not None
    assert typed["value"] == wrong.get("address", NUMBER)


def test_a_wrong_code_says_so(desk: Desk) -> None:
    ines = desk.seat("Ines")
    ines.send("/contacts", ADDED)
    wrong = f"{(int(_code(desk)) + 1) % 1_000_000:06}"
    page = ines.send(ines.answer.request.path, {"code": wrong}, status=400)
    assert "That is not the code" in page.get_text()


def test_the_last_contact_of_a_team_stays(desk: Desk) -> None:
    olu = desk.seat("Olu")
    with database.reading(desk.town.engine) as session:
        first, last = contacts.of_member(session, desk.town.member_id("Olu"))
    assert (
        "Nothing is sent" in olu.send(f"/contacts/{first.id}", to=f"/contacts/{first.id}/remove").get_text()
    )
    page = olu.send(f"/contacts/{last.id}", to=f"/contacts/{last.id}/remove", status=400)
    assert "Add another contact first" in page.get_text()


def test_nobody_reads_proves_or_removes_another_members_contact(desk: Desk) -> None:
    with database.reading(desk.town.engine) as session:
        theirs = session.execute(
            select(rows.c.id).where(rows.c.member_id == desk.town.member_id("Tomas")).limit(1)
        ).scalar_one()
    desk.seat("Olu").look(f"/contacts/{theirs}", status=404)
    desk.seat("Ines").look(f"/contacts/{theirs}", status=404)


def test_mail_is_sealed_to_a_key_and_a_bad_one_is_refused_at_its_field(desk: Desk) -> None:
    with database.reading(desk.town.engine) as session:
        mine = contacts.of_member(session, desk.town.member_id("Ines"))
    mail = next(row for row in mine if row.channel == "email")
    ines, address = desk.seat("Ines"), f"/contacts/{mail.id}"
    page = ines.send(address, {"key": "my key"}, to=f"{address}/key", status=400)
    assert "neither a PGP public key" in page.get_text()
    key = str(pysequoia.Tsk.generate("Ines <ines@tempe.example>").extract_certificate())
    assert "sealed from now on" in ines.send(address, {"key": key}, to=f"{address}/key").get_text()
    with database.reading(desk.town.engine) as session:
        kept = contacts.one_of_member(session, desk.town.member_id("Ines"), mail.id)
    assert kept is not None
    assert kept.mail_key == key.strip()


def test_a_landline_is_said_to_take_no_texts_and_a_call_is_proposed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "is_landline", lambda settings, number: number == "+16025550199")
    ines = desk.seat("Ines")
    page = ines.send("/contacts", ADDED, status=400)
    assert "no text reaches it" in page.get_text()
    chosen, told = page.select_one("input[name=channel][checked]"), page.select_one("input[name=told_of]")
    assert (chosen and chosen["value"], told and told["value"]) == ("voice", "+16025550199")
    # Who knows better is taken at their word.
    assert "Not proved yet" in ines.send("/contacts", ADDED | {"told_of": "+16025550199"}).get_text()


def test_who_administers_reads_whose_contact_is_not_used_and_why_and_nobody_else_does(desk: Desk) -> None:
    with database.transaction(desk.town.engine) as session:
        first, second = contacts.of_member(session, desk.town.member_id("Ines"))
        losses.end(session, first.id, "provider said 21211", clock.now())
        contacts.remove(session, second.id, clock.now())
    said = desk.seat("Rita").look("/contacts/out-of-use").get_text()
    assert "Ines" in said
    assert said.count("nothing arrives there (provider said 21211)") == 1
    assert "Every contact" not in said
    assert first.address not in said
    desk.seat("Ines").look("/contacts/out-of-use", status=404)
