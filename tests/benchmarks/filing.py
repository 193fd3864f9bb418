"""Tips per second through the real form, beside plain Flask-WTF forms that commit one row."""

from __future__ import annotations

import json
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from flask import Flask, abort, g, render_template, render_template_string
from flask_wtf import CSRFProtect, FlaskForm
from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, insert
from waitress.server import create_server
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.routing import Rule
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
_WARM_UP, _ROUNDS, _IN_A_ROUND, _CONNECTIONS = 40, 25, 40, 2


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
    """Sealed, ledgered, queued tips beside the two plain forms, in turn, through one Waitress in a process of its own
    as `make run` starts it."""
    engine = database.make_engine(url)
    builders.found(engine, replace(settings, database_url=url))
    engine.dispose()
    with _served(url) as port:
        posts = [_posts(port, *form) for form in _FORMS]
        for post in posts:
            _seconds(post, _WARM_UP)
        rounds = [tuple(_seconds(post, _IN_A_ROUND) for post in posts) for _ in range(_ROUNDS)]
    times = _IN_A_ROUND * _CONNECTIONS
    tips, bare, plain = (times / statistics.median(column) for column in zip(*rounds, strict=True))
    # Round by round, so that a machine that slows down slows all.
    by_bare = statistics.median(tip / bare for tip, bare, _ in rounds)
    by_plain = statistics.median(tip / plain for tip, _, plain in rounds)
    return Filing(tips, bare, plain, by_bare, by_plain)


def _seconds(posts: list[Callable[[], None]], times: int) -> float:
    """How long it takes until each connection posted so often."""

    def all_of(post: Callable[[], None]) -> None:
        for _ in range(times):
            post()

    with ThreadPoolExecutor(len(posts)) as connections:
        start = time.perf_counter()
        list(connections.map(all_of, posts))
        return time.perf_counter() - start


@contextmanager
def _served(url: str) -> Iterator[int]:
    command = (sys.executable, "-m", __name__, url)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


def _serve(url: str) -> None:
    """The public door with the two plain forms beside it, until it is killed; says its port first."""
    settings = Settings.from_mapping(
        {
            "SECRET_KEY": "a benchmark's key, known to everybody who reads it",
            "DATABASE_URL": url,
            "TIPS_PER_HOUR": "10000000",
        }
    )
    engine = database.make_engine(url)
    app = create_app(settings, engine)
    _add_plain(app, engine)
    doors = DispatcherMiddleware(app, {"/bare": _bare(settings, engine)})
    server = create_server(doors, host="127.0.0.1", port=0, threads=8)
    print(server.effective_port, flush=True)  # type: ignore[union-attr]  # the published types lack it
    server.run()


def _add_plain(app: Flask, engine: Engine) -> None:
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


def _bare(settings: Settings, engine: Engine) -> Flask:
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

    return app


_TOLD = {
    "form_key": _FORM_KEY,
    "step": "send",
    "what_happened": _WORDS,
    "behaviours": ["threat_communicated", "target_identified"],
    "place": "Tempe",
    "state": "AZ",
    "danger": "no",
}
# Where a form is got, where it is sent, and what is told there.
_FORMS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("/tip", "/tip", _TOLD),
    ("/bare/", "/bare/", {"words": _WORDS}),
    ("/tip", "/plain", _TOLD),
)


def _posts(port: int, form: str, address: str, told: dict[str, Any]) -> list[Callable[[], None]]:
    """One for each connection: sends the form as a browser does that keeps its connection and its cookie."""
    return [_poster(HTTPConnection("127.0.0.1", port), form, address, told) for _ in range(_CONNECTIONS)]


def _poster(connection: HTTPConnection, form: str, address: str, told: dict[str, Any]) -> Callable[[], None]:
    connection.request("GET", form)
    answer = connection.getresponse()
    cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
    token = builders.csrf_token(answer.read().decode())
    body = urlencode({"csrf_token": token, **told}, doseq=True)
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}

    def post() -> None:
        connection.request("POST", address, body.replace(_FORM_KEY, secrets.token_urlsafe(24)), headers)
        sent = connection.getresponse()
        page = sent.read()
        assert sent.status == 200, page

    return post


if __name__ == "__main__":
    _serve(sys.argv[1])
