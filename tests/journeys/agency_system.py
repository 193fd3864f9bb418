"""An office's own system at a running house's API: one key, plain HTTP, no browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import requests

from directory import api_keys, members, teams
from directory.api_keys import Scope
from foundation import clock, database
from ledger.entries import Actor
from tests.journeys.house import RunningHouse, eventually


class AgencySystem:
    """FBI Phoenix's, with a key in Frank's name, as `directory api-key add` makes one."""

    def __init__(self, house: RunningHouse) -> None:
        self._address, engine = f"{house.public}/api/v1", house.engine()
        with database.transaction(engine) as session:
            frank = members.by_email(session, "frank@fbi-phoenix.example")
            office = teams.team_by_slug(session, "fbi-phoenix")
            assert frank
            assert office
            self._key = api_keys.make(
                session,
                team_id=office.id,
                member_id=frank.id,
                name="case system",
                scopes=list(Scope),
                lives=timedelta(days=1),
                actor=Actor(part="administrator"),
                now=clock.now(),
            )[1]
        engine.dispose()

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """A request below /api/v1, or to an address that was answered."""
        address = path if path.startswith("http") else self._address + path
        headers = {"Authorization": f"Bearer {self._key}"} | more.pop("headers", {})
        return requests.request(method, address, headers=headers, timeout=30, **more)

    def forward(self, told: dict[str, Any], key: str) -> dict[str, Any]:
        """Forwards under that Idempotency-Key; what was answered."""
        answer = self.ask("POST", "/referrals", json=told, headers={"Idempotency-Key": key})
        assert answer.status_code == 201, answer.text
        taken: dict[str, Any] = answer.json()
        return taken

    def see(self, reference: str) -> dict[str, Any]:
        """What the API says of a forward by now."""
        answer = self.ask("GET", f"/referrals/{reference}")
        assert answer.status_code == 200, answer.text
        seen: dict[str, Any] = answer.json()
        return seen

    def wait_for(self, reference: str, holder: str) -> dict[str, Any]:
        """Waits until that team has custody."""

        def held() -> dict[str, Any] | None:
            seen = self.see(reference)
            return seen if seen["custodian"]["team"] == holder else None

        return eventually(held, f"{holder} did not get custody of {reference}")

    def allow(self, reference: str, team: str) -> None:
        """Finds the question among those that wait, and allows it."""
        questions = self.ask("GET", "/permissions").json()["permissions"]
        (question,) = [each for each in questions if (each["reference"], each["about"]) == (reference, team)]
        answer = self.ask("POST", question["address"], json={"allowed": True})
        assert answer.status_code == 200, answer.text
