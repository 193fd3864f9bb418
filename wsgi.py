"""The web processes start here: `wsgi:intake` the public door, `wsgi:desk` the teams' door.

There is no application that is both: a process that faces the public is never given the keyring. Commands:
`flask --app wsgi …`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from flask import Flask

from foundation import database, outbox
from foundation.queue import Bell
from foundation.settings import Settings, SettingsError

# What `make run` wrote down of the house that it started.
_DEMONSTRATION = Path(__file__).parent / "var" / "settings.json"


@cache
def settings() -> Settings:
    """The settings of this process, from its environment. Wrong ones stop the start, all named at once."""
    return _settings(os.environ)


def _settings(given: Mapping[str, str]) -> Settings:
    try:
        return Settings.from_mapping(given)
    except SettingsError as fault:
        _stop("\n  ".join(fault.faults))


def _stop(why: str) -> NoReturn:
    sys.stderr.write(f"Waypost cannot start:\n  {why}\n")
    # gunicorn starts a worker that ended with 1 again for ever; at 3 it stops.
    sys.exit(3)


def _settings_for_commands() -> Settings:
    """The environment's; where it names none at all, those of the demonstration that `make run` started here."""
    named = {field.name.upper() for field in fields(Settings)}
    if any(name.removesuffix("_FILE") in named or name in named for name in os.environ):
        return settings()
    return _settings(json.loads(_DEMONSTRATION.read_text())) if _DEMONSTRATION.exists() else settings()


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
    from referrals.keyring import NoKeyring, keyring_of

    _log()
    engine = outbox.with_bell(database.make_engine(settings().database_url), Bell(settings()))
    try:
        ring = keyring_of(settings())
    except NoKeyring as fault:
        _stop(str(fault))
    return create_app(settings(), engine, Keys(ring, settings().deployment))


def create_app() -> Flask:
    """What `flask --app wsgi` runs commands on: settings and database, no pages, no keys."""
    from desk.commands import register_commands

    _log()
    app = Flask("waypost")
    chosen = _settings_for_commands()
    app.extensions["settings"] = chosen
    app.extensions["engine"] = database.make_engine(chosen.database_url)
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
