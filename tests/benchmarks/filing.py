"""Tips per second through the real form, beside plain Flask-WTF forms that commit one row."""

from __future__ import annotations

import json
import secrets
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import Flask, abort, g, render_template, render_template_string
from flask.testing import FlaskClient
from flask_wtf import CSRFProtect, FlaskForm
from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, insert
from werkzeug.routing import Rule
from werkzeug.test import TestResponse
from wtforms import TextAreaField
from wtforms.validators import InputRequired

from directory.guards import guard
from directory.permissions import PUBLIC
from foundation import database
from foundation.settings import Settings
from intake.app import create_app
from intake.tip_form import TipForm
from tests import builders

_WORDS = "He wrote that he will bring a knife to school on Friday and named two people. " * 6
# Stands in the body for the key that each form has of its own.
_FORM_KEY = "a-key-of-this-form"
_WARM_UP, _ROUNDS, _IN_A_ROUND = 20, 9, 40


class _BareForm(FlaskForm):  # type: ignore[misc]
    """One question."""

    words = TextAreaField(validators=[InputRequired()])


@dataclass(frozen=True)
class Filing:
    """Medians per second on one database, and how many times as long a tip takes as each plain form.

    `bare` is one question, one row and a word in answer; `plain` asks the tip's own questions, stores them in one
    row in clear and answers with a page of the same door.
    """

    tips: float
    bare: float
    plain: float
    by_bare: float
    by_plain: float


def tips_per_second(url: str, settings: Settings) -> Filing:
    """Sealed, ledgered, queued tips beside the two plain forms, measured in turn on one database."""
    engine = database.make_engine(url)
    settings = replace(settings, database_url=url, tips_per_hour=10_000_000)
    builders.found(engine, settings)
    app = create_app(settings, engine)
    posts = (_tip_poster(app), _bare_poster(settings, engine), _plain_poster(app, engine))
    for post in posts:
        _seconds(post, _WARM_UP)
    rounds = [tuple(_seconds(post, _IN_A_ROUND) for post in posts) for _ in range(_ROUNDS)]
    engine.dispose()
    tips, bare, plain = (_IN_A_ROUND / statistics.median(column) for column in zip(*rounds, strict=True))
    # Round by round, so that a machine that slows down slows all.
    by_bare = statistics.median(tip / bare for tip, bare, _ in rounds)
    by_plain = statistics.median(tip / plain for tip, _, plain in rounds)
    return Filing(tips, bare, plain, by_bare, by_plain)


def _seconds(post: Callable[[], None], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        post()
    return time.perf_counter() - start


def _tip_poster(app: Flask) -> Callable[[], None]:
    return _poster(app, "/tip")


def _plain_poster(app: Flask, engine: Engine) -> Callable[[], None]:
    """The same questions and a page in answer, without place, seal, routing job, ledger or receipt."""
    rows = Table("plain_rows", MetaData(), Column("id", Integer, primary_key=True), Column("words", Text))
    rows.create(engine, checkfirst=True)

    @guard(PUBLIC)
    def page() -> str:
        form = TipForm(g.answers)
        if not form.validate():
            abort(400)
        with database.transaction(engine) as session:
            session.execute(insert(rows), {"words": json.dumps(form.data)})
        return render_template("saved.html")

    app.view_functions["public.send_plain"] = page
    app.url_map.add(Rule("/plain", endpoint="public.send_plain", methods=["POST"]))
    return _poster(app, "/plain")


def _poster(app: Flask, address: str) -> Callable[[], None]:
    client = app.test_client()
    told = {
        "csrf_token": builders.csrf_token(client.get("/tip").get_data(as_text=True)),
        "form_key": _FORM_KEY,
        "step": "send",
        "what_happened": _WORDS,
        "behaviours": ["threat_communicated", "target_identified"],
        "place": "Tempe",
        "state": "AZ",
        "danger": "no",
    }
    body = urlencode(told, doseq=True)

    def post() -> None:
        answer = _send(client, address, body.replace(_FORM_KEY, secrets.token_urlsafe(24)))
        assert answer.status_code == 200, answer.get_data(as_text=True)

    return post


def _send(client: FlaskClient, address: str, body: str) -> TestResponse:
    """The form as it comes from a browser: what it costs there to encode it is no part of either side."""
    return client.post(address, data=body.encode(), content_type="application/x-www-form-urlencoded")


def _bare_poster(settings: Settings, engine: Engine) -> Callable[[], None]:
    rows = Table("bare_rows", MetaData(), Column("id", Integer, primary_key=True), Column("words", Text))
    rows.create(engine, checkfirst=True)
    app = Flask("bare")
    app.secret_key = settings.secret_key
    CSRFProtect(app)

    @app.route("/", methods=["GET", "POST"])
    def page() -> str:
        form = _BareForm()
        if form.validate_on_submit():
            with database.transaction(engine) as session:
                session.execute(insert(rows).values(words=form.words.data))
            return "stored"
        return render_template_string("{{ form.csrf_token }}{{ form.words }}", form=form)

    client = app.test_client()
    token = builders.csrf_token(client.get("/").get_data(as_text=True))
    body = urlencode({"csrf_token": token, "words": _WORDS})

    def post() -> None:
        answer = _send(client, "/", body)
        assert answer.get_data() == b"stored"

    return post
