"""Recipients without an account: link and code let the named person in, a few times, and nobody else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from sqlalchemy import select

from foundation import clock, database
from routing import handoffs
from routing.tables import guest_keys, guest_links
from tests.builders import WORDS, csrf_token, later
from tests.desk.sitting import Desk

SHERIFF = {
    "agency": "Gila County Sheriff", "person": "Dana Ruiz", "telephone": "(928) 555-0117",
    "basis": "law_enforcement", "parts": ["narrative"],
}  # fmt: skip


@dataclass
class Sheriff:
    """Somebody with an old telephone: no account, no cookie but the form's, no script."""

    desk: Desk
    reference: str
    handoff_id: str
    path: str
    code: str

    def __post_init__(self) -> None:
        self.client: FlaskClient = self.desk.app.test_client()

    def look(self) -> BeautifulSoup:
        return BeautifulSoup(self.client.get(self.path).get_data(as_text=True), "html.parser")

    def send(self, to: str = "", status: int = 200, **answers: str) -> str:
        token = csrf_token(self.client.get(self.path).get_data(as_text=True))
        fields = {"csrf_token": token, "code": self.code, **answers}
        answer = self.client.post(self.path + to, data=fields)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return " ".join(BeautifulSoup(answer.get_data(as_text=True), "html.parser").get_text().split())

    def state(self) -> str:
        with database.reading(self.desk.town.engine) as session:
            return str(handoffs.handoff(session, self.handoff_id).state)


@pytest.fixture
def sheriff(desk: Desk) -> Sheriff:
    """The person whom Ines called, with the link and the code that she made."""
    reference = desk.held()
    ines = desk.seat("Ines")
    ines.send(f"/referrals/{reference}/outside", SHERIFF)
    with database.reading(desk.town.engine) as session:
        row = next(
            row for row in handoffs.of_referral(session, desk.row(reference).id) if row.kind == "external"
        )
    link = f"/referrals/{reference}/outside/{row.id}/link"
    shown = [tag.get_text().strip() for tag in ines.send(link).find_all(class_="fingerprint")]
    return Sheriff(desk, reference, row.id, "/guest/" + shown[0].rpartition("/")[2], shown[1])


def _kinds(sheriff: Sheriff) -> list[str]:
    return [entry["kind"] for entry in sheriff.desk.recorded(sheriff.reference)]


def _link(sheriff: Sheriff) -> Any:
    with database.reading(sheriff.desk.town.engine) as session:
        return session.execute(select(guest_links)).one()


def test_the_named_person_previews_acknowledges_and_reads(sheriff: Sheriff) -> None:
    preview = sheriff.send()
    assert "Tempe Police asks Gila County Sheriff" in preview
    assert WORDS not in preview
    # Rosa filled in no other part, and it is read far from Greenwich.
    assert "With it go: what was told." in preview
    assert "MST" in preview
    assert "The time of Tempe Police: America/Phoenix." in preview
    taken = sheriff.send("/answer", is_me="y")
    assert "You acknowledged this" in taken
    assert sheriff.state() == "acknowledged"
    assert WORDS in sheriff.send("/read")
    told = sheriff.desk.seat("Ines").look(f"/referrals/{sheriff.reference}/timeline").get_text(" ")
    assert "Dana Ruiz of Gila County Sheriff said by the link that they have it." in told
    assert "Dana Ruiz of Gila County Sheriff opened what was told." in told
    kinds = _kinds(sheriff)
    assert kinds.index("handoff_link_entered") < kinds.index("handoff_confirmed_by_link")
    assert kinds[-1] == "content_opened"


def test_following_the_link_does_nothing_as_mail_scanners_do(sheriff: Sheriff) -> None:
    before = _kinds(sheriff)
    for _ in range(20):
        page = sheriff.look()
    assert "code" in page.get_text()
    assert "Dana Ruiz" not in page.get_text()
    assert _kinds(sheriff) == before
    assert _link(sheriff).tries_left == 5


def test_nothing_is_read_before_the_acknowledgement(sheriff: Sheriff) -> None:
    assert "Acknowledge it first" in sheriff.send("/read", status=404)


def test_who_is_not_the_named_person_cannot_acknowledge(sheriff: Sheriff) -> None:
    assert "Say that you are the person" in sheriff.send("/answer", status=400)
    assert sheriff.state() in {"offered", "opened"}


def test_five_wrong_codes_end_the_link_and_the_sender_is_told(sheriff: Sheriff) -> None:
    right = sheriff.code
    sheriff.code = f"{(int(re.sub(r'[^0-9]', '', right)) + 1) % 10**8:08}"
    for _ in range(5):
        assert "That is not the code" in sheriff.send(status=400)
    sheriff.code = right
    assert "not in use any more" in sheriff.send(status=404)
    assert _kinds(sheriff).count("handoff_link_refused") == 5
    assert sheriff.state() in {"offered", "opened"}


def test_it_is_opened_five_times_and_not_more(sheriff: Sheriff) -> None:
    sheriff.send("/answer", is_me="y")
    for _ in range(5):
        assert WORDS in sheriff.send("/read")
    assert "opened 5 times" in sheriff.send("/read", status=404)


def test_a_link_dies_of_age_by_the_senders_hand_and_by_another_link(sheriff: Sheriff) -> None:
    with later(hours=73):
        assert "not in use" in sheriff.send(status=404)
    ines, link = (
        sheriff.desk.seat("Ines"),
        f"/referrals/{sheriff.reference}/outside/{sheriff.handoff_id}/link",
    )
    ines.send(link)
    assert "not in use" in sheriff.send(status=404)
    ines.send(link, to=f"{link}/end")
    with database.reading(sheriff.desk.town.engine) as session:
        assert all(session.execute(select(guest_links.c.ended_at)).scalars())


def test_a_recall_takes_the_link_with_it(sheriff: Sheriff) -> None:
    with database.transaction(sheriff.desk.town.engine) as session:
        handoffs.recall(session, sheriff.handoff_id, actor=sheriff.desk.town.actor("Ines"), now=clock.now())
    assert "taken back" in sheriff.send(status=404)


def test_a_no_tells_the_sender_and_ends_the_link(sheriff: Sheriff) -> None:
    assert "You declined" in sheriff.send("/decline")
    assert sheriff.state() == "declined"
    sheriff.send(status=404)


def test_no_name_number_or_secret_is_in_the_ledger_or_the_tables(sheriff: Sheriff) -> None:
    sheriff.send("/answer", is_me="y")
    sheriff.send("/read")
    told = str(sheriff.desk.recorded(sheriff.reference))
    token = sheriff.path.rpartition("/")[2]
    with database.reading(sheriff.desk.town.engine) as session:
        stored = str(session.execute(select(guest_links)).all()) + str(
            session.execute(select(guest_keys)).all()
        )
    digits = re.sub(r"[^0-9]", "", sheriff.code)
    for secret in ("Dana", "555-0117", token, digits):
        assert secret not in told
    for secret in (token, digits):
        assert secret not in stored


def test_only_the_team_that_holds_it_makes_a_link(sheriff: Sheriff) -> None:
    link = f"/referrals/{sheriff.reference}/outside/{sheriff.handoff_id}/link"
    sheriff.desk.seat("Olu").look(link, status=404)
    assert timedelta(hours=71) < _link(sheriff).expires_at - clock.now() < timedelta(hours=73)


def test_the_referrals_page_leads_to_the_link_while_nobody_outside_has_answered(sheriff: Sheriff) -> None:
    address = f"/referrals/{sheriff.reference}"
    link = f"{address}/outside/{sheriff.handoff_id}/link"
    page = sheriff.desk.seat("Ines").look(address)
    found = page.find("a", string="Give them a one-time link")
    assert found is not None
    assert found["href"] == link
    told = "Ines Vega told Dana Ruiz of Gila County Sheriff, outside this service."
    assert told in " ".join(page.get_text(" ").split())
    sheriff.send("/answer", is_me="y")
    assert sheriff.desk.seat("Ines").look(address).find("a", href=link) is None
