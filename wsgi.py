"""The web processes start here: `wsgi:intake` the public door, `wsgi:desk` the teams' door.

There is no application that is both: a process that faces the public is never given the keyring. Commands:
`flask --app wsgi …`.
"""

from __future__ import annotations

import logging
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask

from foundation import database, outbox
from foundation.queue import Bell
from foundation.settings import Settings, SettingsError


@cache
def settings() -> Settings:
    """The settings of this process, from its environment. Wrong ones stop the start, all named at once."""
    try:
        return Settings.from_mapping(os.environ)
    except SettingsError as fault:
        sys.exit("Waypost cannot start:\n  " + "\n  ".join(fault.faults))


def make_intake() -> Flask:
    """The public door: public keys only, whatever the environment holds."""
    from intake.app import create_app

    _log()
    engine = outbox.with_bell(database.make_engine(settings().database_url), Bell(settings()))
    return create_app(settings(), engine)


def make_desk() -> Flask:
    """The teams' door: with the keyring."""
    from desk.app import create_app
    from referrals.grants import Keys
    from referrals.keyring import FileKeyring

    _log()
    engine = outbox.with_bell(database.make_engine(settings().database_url), Bell(settings()))
    ring = FileKeyring.unlock(Path(settings().keyring_file), settings().keyring_passphrase)
    return create_app(settings(), engine, Keys(ring, settings().deployment))


def create_app() -> Flask:
    """What `flask --app wsgi` runs commands on: settings and database, no pages, no keys."""
    from desk.commands import register_commands

    _log()
    app = Flask("waypost")
    app.extensions["settings"] = settings()
    app.extensions["engine"] = database.make_engine(settings().database_url)
    register_commands(app)
    return app


def _log() -> None:
    # Nothing below a warning: an access log would keep addresses.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")


def __getattr__(name: str) -> Any:
    """`wsgi:intake` and `wsgi:desk`, made when a server asks for them: one process, one door."""
    doors = {"intake": make_intake, "desk": make_desk}
    if name not in doors:
        raise AttributeError(name)
    globals()[name] = door = doors[name]()
    return door
