"""The public door: its blueprint, what its app needs, and how it reads what was sent."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, Flask, abort, g, request
from flask_babel import gettext
from sqlalchemy import Engine
from werkzeug.datastructures import MultiDict

from foundation import web
from foundation.reading import is_text
from foundation.settings import Settings
from intake.limits import Limits
from intake.place import KnownPlaces
from intake.recipient import RoutingKey

public = Blueprint("public", __name__)

# What a page's view returns: the page and its status.
Page = tuple[str, int]
_PAGES = {"home", "public.tip_page", "public.status_page"}


def install(app: Flask, engine: Engine, settings: Settings) -> None:
    """Gives the app what these pages need: the key to seal to, the map, the limits."""
    app.extensions["routing_key"] = RoutingKey(engine)
    app.extensions["known_places"] = KnownPlaces(engine)
    app.extensions["limits"] = Limits(settings)


@public.app_url_defaults
def _keep_language(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint in _PAGES and request and (asked := web.asked_language()):
        values.setdefault("language", asked)


@public.url_value_preprocessor
def _read_answers(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Reads the form once, before anything else does. No word of it is written to a file on the way."""
    if request.method != "POST":
        return
    if request.mimetype.startswith("multipart/"):
        if "uploads" not in g:
            # No other form of ours sends one.
            abort(400)
        # Each field was decoded by itself; what could not be read became LOST, which is a fault then.
        g.answers, g.unreadable = request.form, True
        return
    sent = request.get_data()
    g.answers = request.form
    g.unreadable = not is_text(sent)
    if g.unreadable:
        pairs = parse_qsl(sent.decode(errors="replace"), keep_blank_values=True, errors="replace")
        g.answers = MultiDict(pairs)


def too_many() -> str:
    """The sentence for a network that tried too often."""
    sentence: str = gettext(
        "Too many tries from your network in a short time. Your words are still here. Wait a little, then try again."
    )
    return sentence
