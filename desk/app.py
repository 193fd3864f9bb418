"""The teams' door as an application. It is given the keyring."""

from __future__ import annotations

from functools import partial

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from desk.importing import send_import
from desk.log_pages import log
from desk.pages import desk
from desk.replies import replies
from directory import guards
from directory.account import account
from foundation import web
from foundation.settings import Settings
from notifications.callbacks import callbacks
from referrals import filing
from referrals.grants import Keys
from referrals.sealing import CannotOpen
from routing.standing import find_standing


def create_app(settings: Settings, engine: Engine, keys: Keys) -> Flask:
    """The board, the referral and what can be done with it, the status page, and the telephone's webhooks."""
    app = web.make_app("desk", "desk", settings, engine)
    app.extensions["keys"] = keys
    app.extensions["missing"] = partial(_missing, keys)
    guards.install(app, find_standing)
    for blueprint in (desk, account, replies, callbacks, log):
        app.register_blueprint(blueprint)
    for machine in (replies, callbacks):
        # A provider has no form token; its signature is checked instead.
        app.extensions["csrf"].exempt(machine)
    # It allows a large file before it reads the form, and then checks the form's token by itself.
    app.extensions["csrf"].exempt(send_import)
    return app


def _missing(keys: Keys, session: Session) -> str:
    """What keeps the desk from opening anything, in words; empty where nothing does."""
    if lacks := filing.missing(session):
        return lacks
    try:
        keys.ring.seed(filing.routing_recipient(session).key_id)
    except CannotOpen:
        return "the keyring is not this deployment's"
    return ""
