"""The public door as an application. It is given public keys only."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import Engine

from directory import guards
from directory.account import account
from foundation import web
from foundation.settings import Settings
from intake import views
from intake.portal import portal
from intake.views import public
from routing.standing import find_standing


def create_app(settings: Settings, engine: Engine) -> Flask:
    """The tip form, the receipt, the status page and the agencies' portal."""
    app = web.make_app("intake", "intake", settings, engine)
    guards.install(app, find_standing)
    views.install(app, engine, settings)
    for blueprint in (public, portal, account):
        app.register_blueprint(blueprint)
    return app
