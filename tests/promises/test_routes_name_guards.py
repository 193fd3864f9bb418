"""Promise: every route of both doors names its guard, and the public ones are these and no others."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import Engine

from desk import app as desk
from directory.permissions import PERMISSIONS, PUBLIC
from foundation.settings import Settings
from intake import app as intake
from tests import builders

# What anybody may ask for without a session; a new one is a decision, made here.
OPEN = {
    "intake": {
        "home", "healthz", "readyz", "account.sign_in", "account.send_sign_in", "public.tip_page", "public.send_tip",
        "public.check_receipt", "public.status_page", "public.show_status",
        # By key instead of a session; tests/intake/test_api_keys.py walks its routes.
        "api.",
    },
    "desk": {
        "healthz", "readyz", "account.sign_in", "account.send_sign_in", "replies.", "callbacks.", "desk.calendar_feed",
        "desk.guest", "desk.send_guest", "desk.send_guest_answer", "desk.send_guest_decline", "desk.send_guest_read",
        "desk.send_guest_file",
        # The link in a mail: its secret part is what lets a reader in, and what is imminent it does not answer.
        "desk.answer_link", "desk.send_answer_link", "log.",
    },
}  # fmt: skip


@pytest.fixture(params=["intake", "desk"])
def app(request: pytest.FixtureRequest, engine: Engine, settings: Settings) -> Flask:
    town = builders.found(engine, settings)
    if request.param == "intake":
        return intake.create_app(town.settings, engine)
    return desk.create_app(town.settings, engine, town.keys)


def _actions(app: Flask) -> dict[str, str | None]:
    """The action of each endpoint, the file server of Flask left out."""
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules()} - {"static"}
    return {endpoint: getattr(app.view_functions[endpoint], "guard", None) for endpoint in endpoints}


def test_every_route_names_its_guard(app: Flask) -> None:
    unknown = {endpoint for endpoint, action in _actions(app).items() if action not in {*PERMISSIONS, PUBLIC}}
    assert unknown == set()


def test_the_open_routes_are_these(app: Flask) -> None:
    known = OPEN[app.extensions["door"]]
    found = {endpoint for endpoint, action in _actions(app).items() if action == PUBLIC}
    # A provider's webhooks are a blueprint of their own and check its signature.
    named = {
        endpoint
        for endpoint in found
        if not any(endpoint.startswith(each) for each in known if each[-1] == ".")
    }
    assert named == {each for each in known if each[-1] != "."}


def test_a_guard_of_a_referral_is_given_one(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        action = _actions(app).get(rule.endpoint) or ""
        if action.startswith("referral.") or action == "portal.see":
            assert "reference" in rule.arguments, rule.rule


def test_no_other_route_answers_a_stranger(app: Flask) -> None:
    stranger = app.test_client()
    for rule in app.url_map.iter_rules():
        if (
            rule.endpoint == "static"
            or _actions(app)[rule.endpoint] == PUBLIC
            or "GET" not in (rule.methods or ())
        ):
            continue
        address = rule.rule.replace("<reference>", "R-7K3M-Q2")
        answer = stranger.get(re.sub("<[^>]+>", "1", address))
        assert answer.status_code == 302, rule.rule
        assert answer.headers["Location"].startswith("/sign-in"), rule.rule
