"""Members who sit at the desk and use it as a browser without JavaScript does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from desk.app import create_app
from directory import members, sign_in
from directory.guards import cookie_name
from foundation import clock, database
from ledger import verification
from referrals.duty import Duty
from referrals.facts import Urgency
from referrals.tables import referrals
from routing import jobs
from tests import builders
from tests.builders import Town
from tests.intake.office import Office


class Seat:
    """One signed-in member with a browser of their own."""

    def __init__(self, app: Flask, token: str, name: str) -> None:
        self.client: FlaskClient = app.test_client()
        with app.app_context():
            self.client.set_cookie(cookie_name("desk"), token)
        self.name = name
        self.answer: Any = None

    def look(self, address: str, status: int = 200) -> BeautifulSoup:
        """A page, which must come with that status."""
        return self._page(self.client.get(address, follow_redirects=True), status)

    def send(
        self,
        address: str,
        answers: Mapping[str, str | Sequence[str]] | None = None,
        *,
        to: str = "",
        status: int = 200,
    ) -> BeautifulSoup:
        """Fills in the form of the page at `address` (the one that leads to `to`) and sends it."""
        return self.press(self.look(address), address, answers, to=to, status=status)

    def press(
        self,
        page: BeautifulSoup,
        address: str,
        answers: Mapping[str, str | Sequence[str]] | None = None,
        *,
        to: str = "",
        status: int = 200,
    ) -> BeautifulSoup:
        """Sends a form of a page that was got earlier, perhaps for the second time."""
        form = _form(page, to or address)
        fields = MultiDict(_filled(form))
        for name, value in (answers or {}).items():
            fields.setlist(name, [value] if isinstance(value, str) else list(value))
        target = str(form.get("action") or address)
        return self._page(self.client.post(target, data=fields, follow_redirects=True), status)

    def _page(self, answer: Any, status: int) -> BeautifulSoup:
        self.answer = answer
        text = answer.get_data(as_text=True)
        assert answer.status_code == status, f"{answer.status_code} for {self.name}: {text[:3000]}"
        return BeautifulSoup(text, "html.parser")


class Desk:
    """The desk's door in one process, with the routing job at hand."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.seats: dict[str, Seat] = {}

    @cached_property
    def app(self) -> Flask:
        """The application, as `wsgi:desk` makes it."""
        app = create_app(self.town.settings, self.town.engine, self.town.keys)
        app.testing = True
        app.config["PROPAGATE_EXCEPTIONS"] = True
        return app

    def seat(self, first_name: str) -> Seat:
        """The member, signed in a moment ago."""
        if first_name not in self.seats:
            with database.transaction(self.town.engine) as session:
                member_id = self.town.member_id(first_name)
                token = sign_in.open_session(session, member_id, "desk", clock.now())
            self.seats[first_name] = Seat(self.app, token, first_name)
        return self.seats[first_name]

    def enter_again(self, *names: str) -> None:
        """Signs them in anew, when more time has passed than a session lasts."""
        for name in names:
            self.seats.pop(name, None)

    def tip(self, urgency: Urgency = Urgency.ELEVATED, **more: Any) -> str:
        """A tip of Rosa's about Tempe, routed; returns its reference."""
        filed = builders.file_tip(self.town, urgency=urgency, **more)
        self.route(filed.id)
        return filed.reference

    def route(self, referral_id: str) -> None:
        """Does what the worker is owed."""
        jobs.route_referral(Duty(self.town.engine, self.town.settings, self.town.keys), referral_id)

    def held(self, **more: Any) -> str:
        """A tip that Ines acknowledged for Tempe."""
        reference = self.tip(**more)
        self.seat("Ines").send(f"/referrals/{reference}", to="/acknowledge")
        return reference

    def forwarded(self, **answers: Any) -> str:
        """What Nadia forwarded about Tempe, routed: her office holds it, and Arizona's hub stands only above."""
        return Office(self.town, "Nadia").forward(**answers)

    def taken(self, **answers: Any) -> str:
        """The same, acknowledged by Ines."""
        reference = self.forwarded(**answers)
        self.seat("Ines").send(f"/referrals/{reference}", to="/acknowledge")
        return reference

    def ask(self, reference: str, kind: str, team: str, by: str = "Ines") -> None:
        """Hands on: the team of that slug is asked for that kind."""
        seat, address = self.seat(by), f"/referrals/{reference}/hand-on"
        page = seat.send(address, {"to_team": self.town.team[team], "kind": kind, "step": "what"})
        said = {"basis": "emergency", "threat": "He has a knife.", "need": "A talk. Ines, 0130."}
        seat.press(page, address, {**said, "step": "send"})

    def row(self, reference: str) -> Any:
        """The referral as it is stored."""
        with database.reading(self.town.engine) as session:
            return session.execute(select(referrals).where(referrals.c.reference == reference)).one()

    def recorded(self, reference: str) -> list[dict[str, Any]]:
        """The ledger's entries about a referral."""
        with database.reading(self.town.engine) as session:
            return verification.entries_of(session, self.row(reference).id)

    def seat_beside(self, first_name: str, team: str) -> None:
        """Gives a member a seat in one more team."""
        with database.transaction(self.town.engine) as session:
            members.join_team(
                session, self.town.member_id(first_name), self.town.team[team], discipline="detective"
            )


def _form(page: BeautifulSoup, to: str) -> Tag:
    forms = [
        form for form in page.find_all("form", method="post") if "/sign-out" not in str(form.get("action"))
    ]
    end = to.partition("?")[0]
    matching = [form for form in forms if str(form.get("action") or to).partition("?")[0].endswith(end)]
    assert matching, f"no form to {to} on the page: {page.get_text(' ', strip=True)[:800]}"
    return matching[0]


def _filled(form: Tag) -> list[tuple[str, str]]:
    pairs = []
    for field in form.find_all(["input", "textarea", "select"]):
        name, kind = field.get("name"), field.get("type")
        if not name or (kind in {"radio", "checkbox"} and not field.has_attr("checked")):
            continue
        if field.name == "select":
            chosen = field.find("option", selected=True) or field.find("option")
            pairs.append((str(name), str(chosen.get("value", "")) if chosen else ""))
        else:
            pairs.append(
                (
                    str(name),
                    str(
                        field.get("value") or (field.text.lstrip("\r\n") if field.name == "textarea" else "")
                    ),
                )
            )
    return pairs
