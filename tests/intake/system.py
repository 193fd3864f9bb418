"""An office's own system at the API: it shows a key, sends JSON, and keeps no cookie."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cache
from typing import Any

from flask import Flask
from openapi_core import Config, OpenAPI
from openapi_core.contrib.werkzeug import WerkzeugOpenAPIRequest, WerkzeugOpenAPIResponse
from sqlalchemy import func, select
from werkzeug.test import EnvironBuilder, TestResponse

from directory import api_keys
from directory.api_keys import Scope
from foundation import clock, database
from foundation.identifiers import new_id
from intake.app import create_app
from ledger.entries import Actor
from referrals.duty import Duty
from referrals.tables import referrals
from routing import jobs
from tests.builders import Town

WORDS = "He said he will bring a knife to school on Friday."
LEAST = {"what_happened": WORDS, "urgency": "elevated", "handling": "H0"}
TEMPE = LEAST | {"place": "Tempe", "state": "AZ"}
BASE = "http://127.0.0.1:8000"
REFERRALS = "/api/v1/referrals"


@cache
def contract(served: str) -> OpenAPI:
    """The API's own document as openapi-core reads it; an invalid one raises."""
    readers: dict[str, Callable[[bytes], Any]] = {"application/problem+json": json.loads}
    return OpenAPI.from_dict(json.loads(served), config=Config(extra_media_type_deserializers=readers))


class System:
    """FBI Phoenix's, in Frank's name, unless told otherwise."""

    def __init__(
        self,
        town: Town,
        first_name: str = "Frank",
        scopes: Iterable[Scope] = tuple(Scope),
        app: Flask | None = None,
    ) -> None:
        self.town = town
        self.app = app or create_app(town.settings, town.engine)
        self.contract = contract(self.app.test_client().get("/api/v1/openapi.json").text)
        who = town.actor(first_name)
        with database.transaction(town.engine) as session:
            self.key_id, self.key = api_keys.make(
                session,
                team_id=str(who.team_id),
                member_id=str(who.member_id),
                name="case system",
                scopes=set(scopes),
                lives=timedelta(days=30),
                actor=Actor(part="administrator"),
                now=clock.now(),
            )

    def ask(self, method: str, address: str, **more: Any) -> TestResponse:
        """A request of a client of which nothing is left; whatever is answered must be as the document says."""
        headers = {"Authorization": f"Bearer {self.key}"} | more.pop("headers", {})
        client = self.app.test_client()
        answer = client.open(address, BASE, method=method, headers=headers, **more)
        # Without its body, which was read.
        asked = EnvironBuilder(address, BASE, method=method).get_request()
        self.contract.validate_response(WerkzeugOpenAPIRequest(asked), WerkzeugOpenAPIResponse(answer))
        return answer

    def look(self, address: str) -> Any:
        """The JSON of something that must be there."""
        answer = self.ask("GET", address)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def send(self, told: Any = LEAST, key: str | None = None, **more: Any) -> TestResponse:
        """Sends a forward under that Idempotency-Key, a new one unless told otherwise."""
        return self.ask("POST", REFERRALS, json=told, headers={"Idempotency-Key": key or new_id()}, **more)

    def forward(self, **told: Any) -> str:
        """Forwards about Tempe, and lets the worker route it; returns the reference."""
        answer = self.send(TEMPE | told)
        assert answer.status_code == 201, answer.text
        reference: str = answer.get_json()["reference"]
        jobs.route_referral(Duty(self.town.engine, self.town.settings, self.town.keys), self.id_of(reference))
        return reference

    def id_of(self, reference: str) -> str:
        """The referral's id."""
        with database.reading(self.town.engine) as session:
            query = select(referrals.c.id).where(referrals.c.reference == reference)
            return str(session.execute(query).scalar_one())

    def filed(self) -> int:
        """How many referrals exist."""
        with database.reading(self.town.engine) as session:
            return session.execute(select(func.count()).select_from(referrals)).scalar_one()


def faults(answer: TestResponse) -> list[str]:
    """Where the body is wrong, as the problem details say."""
    assert answer.mimetype == "application/problem+json", answer.text
    return [error["pointer"] for error in answer.get_json().get("errors", [])]
