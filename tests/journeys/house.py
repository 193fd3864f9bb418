"""A whole house with real processes, and visitors who use its doors as a browser without JavaScript does."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import mechanicalsoup
import pyotp
import requests
from bs4 import BeautifulSoup
from sqlalchemy import Engine

from desk import demonstration
from desk.demonstration import PASSWORD
from foundation import database
from run import House, Ports
from tests import hashing
from tests.servers import free_port
from tests.waiting import PATIENCE_S

Found = TypeVar("Found")
Answers = Mapping[str, str | Sequence[str]]

_WAIT_SECONDS = float(PATIENCE_S)


@contextmanager
def running_house(folder: Path, database_url: str = "") -> Iterator[RunningHouse]:
    """Everything that `make run` starts, on free ports, with its data in `folder`; stopped at the end.

    `database_url`: another database than the SQLite file of `make run`.
    """
    house = House(folder, Ports(*(free_port() for _ in range(4))))
    if database_url:
        house.environment["DATABASE_URL"] = database_url
    with hashing.as_in_operation():
        house.prepare()
    try:
        house.start()
        yield RunningHouse(house)
    finally:
        house.stop()


class RunningHouse:
    """The addresses of a running house, its database, and what its telephones and mailboxes show."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.public, self.desk = house.environment["PUBLIC_URL"], house.environment["DESK_URL"]
        self.standin = house.environment["TWILIO_API_BASE"]
        self.database_url = house.environment["DATABASE_URL"]

    def engine(self) -> Engine:
        """The house's own database, for looking and for ageing rows."""
        return database.make_engine(self.database_url)

    def end(self, part: str) -> None:
        """Kills one part for good."""
        self.house.kill(part)

    def messages(self, number: str) -> list[dict[str, Any]]:
        """The text messages to a number, newest first, as its telephone shows them."""
        return self._shown("messages", number)

    def mail(self, address: str) -> list[dict[str, Any]]:
        """The mails to an address, newest first."""
        return self._shown("mail", address)

    def _shown(self, what: str, to: str) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.standin}/api/{what}", params={"to": to}, timeout=PATIENCE_S)
        answer.raise_for_status()
        shown: list[dict[str, Any]] = answer.json()
        return shown

    def message(self, number: str, holding: str = "", *, beyond: int = 0) -> str:
        """Waits for the newest text message to a number that holds those words; returns its text.

        `beyond`: so many such messages were there before, and a newer one is waited for (see `count`).
        """

        def newest() -> str | None:
            texts = self._texts(number, holding)
            return texts[0] if len(texts) > beyond else None

        return eventually(newest, f"no text message to {number} that holds {holding!r}")

    def count(self, number: str, holding: str) -> int:
        """How many text messages to a number hold those words by now."""
        return len(self._texts(number, holding))

    def _texts(self, number: str, holding: str) -> list[str]:
        return [message["body"] for message in self.messages(number) if holding in message["body"]]

    def reply(self, number: str, words: str) -> None:
        """Answers from that telephone, on its screen."""
        phone = Visitor(self)
        phone.open(f"{self.standin}/phones/{number}")
        phone.submit({"body": words}, form="form.write")


class Visitor:
    """Somebody with a browser: opens pages, fills in forms, presses buttons. No JavaScript."""

    def __init__(self, house: RunningHouse) -> None:
        self.house = house
        self._browser = mechanicalsoup.StatefulBrowser(raise_on_404=False)
        self._page: requests.Response | None = None
        self.seen: list[str] = []

    @property
    def page(self) -> BeautifulSoup:
        """The page on which the visitor stands."""
        here: BeautifulSoup = self._browser.page
        return here

    @property
    def text(self) -> str:
        """Its visible words, spaces joined."""
        return " ".join(self.page.get_text(" ").split())

    @property
    def status(self) -> int:
        """The HTTP status of the page."""
        assert self._page is not None
        return int(self._page.status_code)

    @property
    def answer(self) -> str:
        """What came, page or file, as it came."""
        assert self._page is not None
        return str(self._page.text)

    @property
    def content(self) -> bytes:
        """What came, byte for byte."""
        assert self._page is not None
        return bytes(self._page.content)

    @property
    def address(self) -> str:
        """Where the visitor stands."""
        return str(self._browser.url)

    @property
    def heading(self) -> str:
        """The page's first heading."""
        found = self.page.select_one("h1")
        assert found is not None, self.text[:600]
        return str(found.get_text(" ", strip=True))

    def open(self, address: str) -> Visitor:
        """Goes to an address, absolute or on this door."""
        return self._stand_on(
            self._browser.open(address) if "://" in address else self._browser.open_relative(address)
        )

    def _stand_on(self, page: requests.Response) -> Visitor:
        self._page = page
        if self.page is not None:
            self.seen.append(self.text)
        return self

    def read(self, address: str) -> str:
        """What is at an address, page or file."""
        return self.open(address).answer

    def follow(self, words: str) -> Visitor:
        """Follows the first link that says so."""
        link = next((link for link in self._browser.links() if words in link.get_text(" ", strip=True)), None)
        assert link is not None, f"no link {words!r} on {self.address}: {self.text[:600]}"
        return self._stand_on(self._browser.follow_link(link))

    def submit(
        self, answers: Answers | None = None, *, button: str = "", form: str = "", file: Path | None = None
    ) -> Visitor:
        """Fills in the form that has the button of those words (or matches the CSS selector), chooses the file, and
        presses it."""
        chosen = self._form(button, form)
        self._browser.select_form(chosen)
        for name, value in (answers or {}).items():
            self._fill(name, value)
        if file:
            self._browser["files"] = file.open("rb")
        pressed = _button(chosen, button)
        if pressed is not None and pressed.get("name"):
            self._browser.form.choose_submit(pressed)
        target = pressed.get("formaction") if pressed is not None else None
        if target:
            chosen["action"] = target
        return self._stand_on(self._browser.submit_selected())

    def _form(self, button: str, form: str) -> Any:
        if form:
            return self.page.select_one(form)
        forms = self.page.find_all("form")
        found = next((entry for entry in forms if not button or _button(entry, button) is not None), None)
        assert found is not None, f"no button {button!r} on {self.address}: {self.text[:800]}"
        return found

    def _fill(self, name: str, value: str | Sequence[str]) -> None:
        fields = self._browser.form.form.select(f'[name="{name}"]')
        assert fields, f"no field {name!r} on {self.address}: {self.text[:600]}"
        kind = fields[0].get("type")
        if kind == "checkbox":
            chosen = {value} if isinstance(value, str) else set(value)
            for field in fields:
                field.attrs.pop("checked", None)
                if field.get("value") in chosen:
                    field["checked"] = ""
        else:
            self._browser[name] = value

    def sign_in(self, first_name: str, door: str) -> Visitor:
        """Signs a member of the demonstration in at a door's address."""
        persona = next(person for person in demonstration.cast() if person.name.split()[0] == first_name)
        self.open(f"{door}/sign-in")
        self.submit(
            {"email": persona.email, "password": PASSWORD, "code": pyotp.TOTP(persona.totp_secret).now()},
            button="Sign in",
        )
        assert self.status == 200, self.text[:600]
        assert "/sign-in" not in self.address, self.text[:600]
        return self

    def send_tip(self, **answers: str | Sequence[str]) -> str:
        """Sends a tip through both pages of the form; returns the eight words of its receipt."""
        self.open(f"{self.house.public}/tip")
        self.submit(answers, form="form#tip")
        self.submit(button="Send the tip")
        assert self.status == 200, self.text[:600]
        words = self.page.select_one(".receipt-words, .receipt__words, [data-receipt]")
        assert words is not None, self.text[:600]
        return " ".join(words.get_text(" ").split())


def _button(form: Any, words: str) -> Any:
    for button in form.select("button, input[type=submit]"):
        said = button.get_text(" ", strip=True) or button.get("value", "")
        if words and words in said:
            return button
    return None


def eventually(look: Callable[[], Found | None], complaint: str, seconds: float = _WAIT_SECONDS) -> Found:
    """What `look` finds, as soon as it finds something; fails with the complaint after a while."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(complaint)


def code_in(message: str) -> str:
    """The short code of a text message."""
    found = re.search(r"\bA ([0-9A-Z]{4})\b", message)
    assert found is not None, message
    return found[1]


def reference_in(words: str) -> str:
    """The first reference in some words."""
    found = re.search(r"R-[0-9A-Z]{4}-[0-9A-Z]{2}", words)
    assert found is not None, words[:400]
    return found[0]
