"""Guards: a route without an action is nobody's, and what is not yours does not exist."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import Engine

from directory import guards
from directory.guards import guard
from foundation.settings import Settings
from tests.intake.office import Office, open_office


@pytest.fixture
def frank(engine: Engine, settings: Settings) -> Office:
    return open_office(engine, settings)


def _with_route(app: Flask, address: str, action: str | None) -> None:
    def view(**_: str) -> str:
        return "seen"

    app.add_url_rule(address, f"test{address}", guard(action)(view) if action else view)


@pytest.fixture
def routed(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Routes are added before the first request, as Flask wants it."""
    from intake import app as door

    whole = door.create_app

    def create_app(settings: Settings, engine: Engine) -> Flask:
        app = whole(settings, engine)
        _with_route(app, "/forgotten", None)
        _with_route(app, "/desk-only", "desk.enter")
        _with_route(app, "/own/<reference>", "portal.see")
        return app

    monkeypatch.setattr("tests.intake.office.create_app", create_app)
    return open_office(engine, settings)


def test_a_route_that_names_no_action_is_nobodys(routed: Office) -> None:
    assert routed.client.get("/forgotten").status_code == 404
    assert routed.app.test_client().get("/forgotten").status_code == 302


def test_an_action_of_others_does_not_exist(routed: Office) -> None:
    assert routed.client.get("/desk-only").status_code == 404


def test_a_referral_is_found_before_the_view_runs(routed: Office) -> None:
    reference = routed.forward()
    assert routed.client.get(f"/own/{reference}").text == "seen"
    assert routed.client.get("/own/R-0000-00").status_code == 404


def test_a_misspelt_action_stops_the_start() -> None:
    with pytest.raises(ValueError, match="no such action"):
        guard("portal.lst")


def test_a_forged_form_is_refused_before_anything_else(frank: Office) -> None:
    answer = frank.client.post("/portal/forward", data=frank.form() | {"csrf_token": "forged"})
    assert answer.status_code == 400
    assert "knife" in answer.text
    assert frank.filed() == 0


def test_a_made_up_cookie_is_no_session(frank: Office) -> None:
    with frank.app.app_context():
        frank.client.set_cookie(guards.cookie_name("intake"), "made up")
    assert frank.client.get("/portal").status_code == 302
