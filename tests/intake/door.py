"""The public door as a reporter's browser uses it: it keeps what a page holds and sends it back as a form."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import Engine, func, select
from werkzeug.test import TestResponse

from foundation import database
from foundation.settings import Settings
from intake.app import create_app
from referrals import content, grants, sealing
from referrals.sealing import Place
from referrals.tables import referrals, sealed_parts
from tests import builders
from tests.builders import Town

WORDS = "He said he will bring a knife to school on Friday."


class Door:
    """One browser at the public door, with the form's token and key as the last page had them."""

    def __init__(self, town: Town, app: Flask | None = None) -> None:
        self.town = town
        self.app = app or create_app(town.settings, town.engine)
        self.client = self.app.test_client()
        page = self.client.get("/tip").text
        self.token, self.key = builders.csrf_token(page), form_key(page)

    def send(self, address: str = "/tip", **answers: Any) -> TestResponse:
        """Posts answers beside token and key."""
        kept = {"csrf_token": self.token, "form_key": self.key, "page": "form", "language": "en"}
        return self.client.post(address, data=kept | answers)

    def send_tip(self, **answers: Any) -> TestResponse:
        """Sends a tip whose words are WORDS unless told otherwise."""
        return self.send(**({"what_happened": WORDS, "step": "send"} | answers))

    def send_bytes(self, body: bytes) -> TestResponse:
        """Posts a body as it is, after token and key."""
        kept = urlencode({"csrf_token": self.token, "form_key": self.key, "language": "en", "step": "send"})
        return self.client.post(
            "/tip", data=kept.encode() + b"&" + body, content_type="application/x-www-form-urlencoded"
        )

    def filed(self) -> int:
        """How many referrals exist."""
        with database.reading(self.town.engine) as session:
            return session.execute(select(func.count()).select_from(referrals)).scalar_one()

    def row(self) -> Any:
        """The one referral's row."""
        with database.reading(self.town.engine) as session:
            return session.execute(select(referrals)).one()

    def told(self) -> dict[str, str]:
        """The one referral's words, opened with the root desk's routing key as the worker does."""
        with database.reading(self.town.engine) as session:
            told: dict[str, str] = {}
            for row in session.execute(select(sealed_parts)).all():
                key = grants.part_key(
                    session, self.town.keys, row.referral_id, row.part, team_id=None, routing=True
                )
                place = Place(self.town.keys.deployment, row.referral_id, row.part)
                document = sealing.unseal(key, place, row.blob)
                told |= {field.name: words for field, words in content.told_in(document)}
            return told


def open_door(engine: Engine, settings: Settings) -> Door:
    """A door with the demonstration directory behind it."""
    return Door(builders.found(engine, settings))


def form_key(page: str) -> str:
    """The key of the form on a page."""
    return _found(r'name="form_key"[^>]*value="([^"]+)"', page)


def receipt_words(page: str) -> list[str]:
    """The eight words of a receipt page; empty where the page is none."""
    block = re.search(r'class="receipt-words".*?</ol>', page, re.DOTALL)
    return re.findall(r"<li>([a-z-]+)</li>", block[0]) if block else []


def receipt_key(page: str) -> str:
    """What the two-words question of a receipt page carries."""
    return _found(r'name="receipt_key" value="([^"]+)"', page)


def asked_words(page: str) -> dict[str, str]:
    """The right answers to the two-words question."""
    words = receipt_words(page)
    numbers = re.findall(r'for="(code_first|code_second)">\D*(\d)<', page)
    return {name: words[int(number) - 1] for name, number in numbers}


def _found(pattern: str, page: str) -> str:
    match = re.search(pattern, page)
    assert match, "the page does not hold it"
    return match[1]
