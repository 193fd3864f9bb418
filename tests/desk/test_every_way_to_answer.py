"""An offer is answered once: by link, text, pressed digit or at the desk, in every order, and by each of them twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient
from sqlalchemy import Engine, Row, insert, select

from foundation import clock, database
from foundation.identifiers import new_id
from foundation.settings import Settings
from notifications import links, ringing, sms
from notifications.standin.webhooks import signature
from notifications.tables import attempts, notices
from tests import builders
from tests.builders import Town
from tests.desk.sitting import Desk, Seat
from tests.routing.acts import Case, faults, tip

TOKEN, INES = "a" * 32, "+14805550130"
STATES = {"take": "acknowledged", "decline": "declined"}
# Does what it is told, by one way, on one offer.
Answer = Callable[[str], object]


@dataclass
class Doors:
    """A desk with Ines at it, her telephone and her mailbox."""

    town: Town
    desk: Desk
    ines: Seat

    def link(self, case: Case) -> Answer:
        """The page behind the mailed link, open in a browser that nobody signed in with."""
        client, notice = self.desk.app.test_client(), self.notice(case, "email")
        path = str(links.url(self.town.settings, notice)).removeprefix(self.town.settings.desk_url)
        token = _hidden(_page(client, path))
        return lambda act: client.post(path, data=token | {"act": act})

    def text(self, case: Case) -> Answer:
        """The code of the text message."""
        code, url = self.notice(case, "sms").code, sms.inbound_url(self.town.settings)
        verbs = {"take": "A", "decline": "D"}
        return lambda act: self._twilio(url, {"From": INES, "Body": f"{verbs[act]} {code}"})

    def digit(self, case: Case) -> Answer:
        """The telephone, picked up."""
        with database.transaction(self.town.engine) as session:
            ringing.call_as_well(session, self.notice(case, "sms"), clock.now())
        call, id = self.notice(case, "voice"), new_id()
        with database.transaction(self.town.engine) as session:
            session.execute(insert(attempts).values(id=id, notice_id=call.id, started_at=clock.now()))
        digits, url = {"take": "1", "decline": "2"}, sms.digit_url(self.town.settings, id)
        return lambda act: self._twilio(url, {"To": INES, "Digits": digits[act]})

    def page(self, case: Case) -> Answer:
        """The offer's page and that of declining it, both open."""
        client = self.ines.client
        page = _page(client, f"/referrals/{case.row().reference}")
        link = page.find("a", string="Decline")
        assert isinstance(link, Tag)
        declining = _page(client, str(link["href"]))
        forms = {
            "take": _form(page, "form[action$='/acknowledge']"),
            "decline": _form(declining, "form:has(input[name=reason])"),
        }
        return lambda act: client.post(
            str(forms[act].get("action") or link["href"]),
            data=_hidden(forms[act]) | {"reason": "not_our_area"},
        )

    def notice(self, case: Case, channel: str) -> Row[Any]:
        mine = (
            notices.c.subject_id == case.offer_to("tempe-police"),
            notices.c.member_id == self.town.member_id("Ines"),
            notices.c.channel == channel,
        )
        with database.reading(self.town.engine) as session:
            return session.execute(select(notices).where(*mine)).one()

    def _twilio(self, url: str, form: dict[str, str]) -> None:
        headers = {"X-Twilio-Signature": signature(TOKEN, url, form)}
        path = url.removeprefix(self.town.settings.desk_url)
        assert self.desk.app.test_client().post(path, data=form, headers=headers).status_code == 200


def _page(client: FlaskClient, path: str) -> BeautifulSoup:
    answer = client.get(path)
    assert answer.status_code == 200
    return BeautifulSoup(answer.get_data(as_text=True), "html.parser")


def _form(page: BeautifulSoup, which: str) -> Tag:
    form = page.select_one(which)
    assert form is not None
    return form


def _hidden(form: Tag) -> dict[str, str]:
    return {str(one["name"]): str(one["value"]) for one in form.select("input[type=hidden]")}


WAYS: dict[str, Callable[[Doors, Case], Answer]] = {
    "link": Doors.link,
    "sms": Doors.text,
    "voice": Doors.digit,
    "desk": Doors.page,
}


@pytest.fixture
def doors(engine: Engine, settings: Settings, database_url: str) -> Doors:
    town = builders.found(engine, replace(settings, database_url=database_url, twilio_auth_token=TOKEN))
    desk = Desk(town)
    return Doors(town, desk, desk.seat("Ines"))


# Which database it is does not matter to the order; races on both are tests/promises/test_races.py.
def test_whoever_answers_first_has_answered(doors: Doors) -> None:
    for number, (one, other) in enumerate(product(WAYS, WAYS)):
        # Each way first takes and declines, and so does each that comes second.
        act, then = (("take", "decline"), ("decline", "take"), ("take", "take"), ("decline", "decline"))[
            (number + number // len(WAYS)) % 4
        ]
        case = tip(doors.town, form=f"{one} {other}")
        first = WAYS[one](doors, case)
        second = first if one == other else WAYS[other](doors, case)
        first(act)
        second(then)
        row = case.handoff("tempe-police")
        found = (row.state, row.answered_via, row.answered_by)
        assert found == (STATES[act], one, doors.town.member_id("Ines")), (one, act, other, then)
        assert case.holder == ("tempe-police" if act == "take" else "az-stamp"), (one, act, other, then)
    assert faults(doors.town) == []
