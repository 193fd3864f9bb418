"""Tips per second through the real form, beside a bare Flask-WTF form that commits one row."""

from __future__ import annotations

import secrets
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from flask import Flask, render_template_string
from flask_wtf import CSRFProtect, FlaskForm
from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, insert
from wtforms import TextAreaField
from wtforms.validators import InputRequired

from foundation import database
from foundation.settings import Settings
from intake.app import create_app
from tests import builders

_WORDS = "He wrote that he will bring a knife to school on Friday and named two people. " * 6
_WARM_UP, _ROUNDS, _IN_A_ROUND = 20, 9, 40


class _BareForm(FlaskForm):  # type: ignore[misc]
    words = TextAreaField(validators=[InputRequired()])


def tips_per_second(url: str, settings: Settings) -> dict[str, float]:
    """Medians of sealed tips and of bare rows per second on one database, measured in turn, and their cost ratio."""
    engine = database.make_engine(url)
    settings = replace(settings, database_url=url, tips_per_hour=10_000_000)
    builders.found(engine, settings)
    tip, bare = _tip_poster(settings, engine), _bare_poster(settings, engine)
    for post in (tip, bare):
        _seconds(post, _WARM_UP)
    pairs = [(_seconds(tip, _IN_A_ROUND), _seconds(bare, _IN_A_ROUND)) for _ in range(_ROUNDS)]
    engine.dispose()
    return {
        "tips": _IN_A_ROUND / statistics.median(pair[0] for pair in pairs),
        "bare": _IN_A_ROUND / statistics.median(pair[1] for pair in pairs),
        # Pair by pair, so that a machine that slows down slows both.
        "ratio": statistics.median(pair[0] / pair[1] for pair in pairs),
    }


def _seconds(post: Callable[[], None], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        post()
    return time.perf_counter() - start


def _tip_poster(settings: Settings, engine: Engine) -> Callable[[], None]:
    client = create_app(settings, engine).test_client()
    token = builders.csrf_token(client.get("/tip").get_data(as_text=True))

    def post() -> None:
        told = {
            "csrf_token": token,
            "form_key": secrets.token_urlsafe(24),
            "step": "send",
            "what_happened": _WORDS,
            "behaviours": ["threat_communicated", "target_identified"],
            "place": "Tempe",
            "state": "AZ",
            "danger": "no",
        }
        answer = client.post("/tip", data=told)
        assert answer.status_code == 200, answer.get_data(as_text=True)

    return post


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

    def post() -> None:
        answer = client.post("/", data={"csrf_token": token, "words": _WORDS})
        assert answer.get_data() == b"stored"

    return post
