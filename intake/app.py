"""The public door as an application. It is given public keys only."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import Engine

from directory import guards
from directory.account import account
from foundation import web
from foundation.settings import Settings
from intake import api, api_door, door, uploads, views
from intake.portal import portal
from referrals import filing
from routing.standing import find_standing


def create_app(settings: Settings, engine: Engine) -> Flask:
    """The tip form, the receipt, the status page, the agencies' portal and their API."""
    app = web.make_app("intake", "intake", settings, engine)
    app.extensions["missing"] = filing.missing
    guards.install(app, find_standing)
    door.install(app, engine, settings)
    uploads.install(app)
    for blueprint in (door.public, portal, account):
        app.register_blueprint(blueprint)
    api_door.install(app, api.routes)
    # Both doors call their first page `home`, so that shared pages can lead there.
    app.add_url_rule("/", "home", views.start)
    return app
