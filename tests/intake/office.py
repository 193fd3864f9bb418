"""A member of a forwarding office at the portal, as a browser without JavaScript uses it."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cached_property
from typing import Any

from flask import Flask
from sqlalchemy import Engine, func, select
from werkzeug.test import TestResponse

from directory import sign_in
from directory.guards import cookie_name
from foundation import clock, database
from foundation.settings import Settings
from intake.app import create_app
from referrals import moves
from referrals.duty import Duty
from referrals.tables import referrals
from routing import handoffs, jobs
from routing.states import Kind
from tests import builders
from tests.builders import Town
from tests.intake.door import form_key

WORDS = "He said he will bring a knife to school on Friday."


class Office:
    """One signed-in member with a browser of their own."""

    def __init__(self, town: Town, first_name: str = "Frank", app: Flask | None = None) -> None:
        self.town, self.name = town, first_name
        self.app = app or create_app(town.settings, town.engine)
        self.client = self.app.test_client()
        self.enter()

    @cached_property
    def team_id(self) -> str:
        """The office."""
        return str(self.town.actor(self.name).team_id)

    def enter(self) -> None:
        """Signs in past the page, which test_sign_in.py tests."""
        member_id = self.town.member_id(self.name)
        with database.transaction(self.town.engine) as session:
            token = sign_in.open_session(session, member_id, "intake", clock.now())
        with self.app.app_context():
            self.client.set_cookie(cookie_name("intake"), token)

    def form(self) -> dict[str, Any]:
        """The hidden fields of a fresh form, and the least that must be answered."""
        page = self.client.get("/portal/forward").text
        return {
            "csrf_token": builders.csrf_token(page),
            "form_key": form_key(page),
            "office": self.team_id,
            "what_happened": WORDS,
            "urgency": "elevated",
            "handling": "H0",
        }

    def send(self, **answers: Any) -> TestResponse:
        """Sends a fresh form with these answers."""
        return self.client.post("/portal/forward", data=self.form() | answers)

    def forward(self, **answers: Any) -> str:
        """Forwards, and lets the worker route it; returns the reference."""
        answer = self.send(**({"place": "Tempe", "state": "AZ"} | answers))
        assert answer.status_code == 303, faults(answer)
        reference = answer.headers["Location"].rsplit("/", 1)[1]
        self.route(reference)
        return reference

    def route(self, reference: str) -> None:
        """The worker's turn."""
        jobs.route_referral(Duty(self.town.engine, self.town.settings, self.town.keys), self.id_of(reference))

    def id_of(self, reference: str) -> str:
        """The referral's id."""
        with database.reading(self.town.engine) as session:
            row = moves.by_reference(session, reference)
        assert row is not None
        return str(row.id)

    def acknowledge(self, reference: str, first_name: str) -> None:
        """A member of the team that is asked opens the offer and takes it, three minutes later."""
        with clock.moved(timedelta(minutes=3)), database.transaction(self.town.engine) as session:
            (offer,) = handoffs.open_offers(session, self.id_of(reference), Kind.TRANSFER)
            actor, now = self.town.actor(first_name), clock.now()
            handoffs.mark_opened(session, offer.id, actor, now)
            handoffs.acknowledge(session, self.town.keys, offer.id, actor=actor, via="desk", now=now)

    def take_receipt(self, reference: str, by: Office | None = None) -> TestResponse:
        """Presses the first button of a custody receipt on this office's page, as this office or as another."""
        page = self.client.get(f"/portal/forwards/{reference}").text
        found = re.search(rf'action="([^"]*{reference}/receipts/[^"]+)"', page)
        assert found, page
        client = (by or self).client
        token = builders.csrf_token(client.get("/portal/forward").text)
        return client.post(found[1], data={"csrf_token": token})

    def look(self, address: str) -> str:
        """The text of a page that must be there."""
        answer = self.client.get(address)
        assert answer.status_code == 200
        return text(answer)

    def filed(self) -> int:
        """How many referrals exist."""
        with database.reading(self.town.engine) as session:
            return session.execute(select(func.count()).select_from(referrals)).scalar_one()

    def row(self) -> Any:
        """The one referral's row."""
        with database.reading(self.town.engine) as session:
            return session.execute(select(referrals)).one()

    def row_of(self, reference: str) -> Any:
        """A referral's row."""
        with database.reading(self.town.engine) as session:
            return moves.by_reference(session, reference)


def open_office(engine: Engine, settings: Settings) -> Office:
    """Frank at the portal, with the demonstration directory behind it."""
    return Office(builders.found(engine, settings))


def text(answer: TestResponse) -> str:
    """What a page says, without its markup."""
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", "<main" + main).split())


def faults(answer: TestResponse) -> list[str]:
    """The sentences at the fields of a form page."""
    return re.findall(r'usa-error-message" id="([a-z_]+)-error"', answer.text)
