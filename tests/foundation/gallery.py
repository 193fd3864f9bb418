"""Every part of the shared look on one page, for eyes and for axe: `python -m tests.foundation.gallery`."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, Response, render_template, render_template_string, request
from flask_babel import Babel
from jinja2 import StrictUndefined
from werkzeug.datastructures import MultiDict
from wtforms import (
    BooleanField,
    EmailField,
    FileField,
    Form,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired

from foundation import safe_html
from foundation.choosing import options
from foundation.web import HEADERS

FOUNDATION = Path(__file__).parents[2] / "foundation"
NOW = datetime(2026, 3, 4, 20, 13, 30, tzinfo=UTC)
ACTS = {
    "said": "Said they would hurt someone",
    "posted": "Posted or sent a threat",
    "weapon": "Has a weapon, or is looking for one",
    "watched": "Watched or followed a person or a place",
    "self": "Talked about ending their own life",
    "other": "Something else",
}
ACT_GROUPS = [
    ("Said or wrote", ["said", "posted"]),
    ("Got or looked for", ["weapon"]),
    ("Watched or planned", ["watched"]),
    ("Toward themselves", ["self"]),
]
TOLD = (
    'He said "loud on friday".\n<b>not bold</b> & a hidden sign: \u202edrowssap\u200b\n\nمرحبا, I am scared.'
)


class TipForm(Form):
    """A form with one field of each kind."""

    token = HiddenField(default="token")
    words = TextAreaField("What happened?", [InputRequired("Tell us what happened, even in a few words.")])
    acts = SelectMultipleField(
        "Did any of this happen?",
        choices=options(ACTS.items()),
        description="Tick all that fit.",
    )
    zip_code = StringField("ZIP code", description="Five digits. Leave it empty if you don't know.")
    state = SelectField("State", choices=options([("", "I don't know"), ("AZ", "Arizona")]))
    now = RadioField(
        "Is it happening now?",
        [InputRequired('Choose one. "I don\'t know" is an answer.')],
        choices=options([("yes", "Yes"), ("no", "No"), ("unknown", "I don't know")]),
    )
    picture = FileField("A picture or a screenshot", description="Up to 5 MB.")
    write_back = BooleanField("You may write back to me", description="Only in your mailbox here.")
    email = EmailField("Your e-mail address")
    password = PasswordField("Password")


def gallery() -> Flask:
    """An app that shows the look under the doors' own security headers: /, /faults, /desk, /error."""
    app = Flask(__name__, static_folder=FOUNDATION / "static", template_folder=str(FOUNDATION / "templates"))
    app.secret_key = secrets.token_hex()
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.filters["shown"] = safe_html.shown
    app.jinja_env.globals.update(
        languages={"en": "English", "es": "Español"},
        language_addresses=lambda: {"en": "/", "es": "/?language=es"},
        # Both doors' pages come from this one app, so nothing is kept from one to the next.
        same_for_all=lambda name, caller: caller(),
    )
    Babel(app, default_timezone="America/Phoenix")
    app.context_processor(lambda: {"language": "en", "door": "desk" if request.path == "/desk" else "intake"})
    app.add_url_rule("/", "form", form)
    app.add_url_rule("/faults", "faults", faults)
    app.add_url_rule("/start", "start", start)
    app.add_url_rule("/desk", "desk", desk)
    app.add_url_rule("/error", "error", error)
    app.after_request(_harden)
    return app


def form() -> str:
    """The form as it is first seen."""
    return _page("form.html", form=TipForm())


def faults() -> str:
    """The form after a fault, with what was typed."""
    typed = MultiDict(
        [("words", ""), ("acts", "posted"), ("acts", "other"), ("zip_code", "8528"), ("state", "AZ")]
    )
    tip = TipForm(typed)
    tip.validate()
    tip.zip_code.errors = ["A ZIP code has five digits."]
    tip.acts.errors = ["Choose from the list."]
    return _page("form.html", form=tip)


def start() -> str:
    """The parts of the public door beyond its form."""
    words = ["copper", "lantern", "meadow", "seven", "harbor", "violet", "anchor", "juniper"]
    return _page("start.html", words=words)


def desk() -> str:
    """The parts of the desk."""
    entries: list[dict[str, Any]] = [
        {"at": NOW - timedelta(hours=2), "sentence": "A tip came in through the public door."},
        {
            "at": NOW - timedelta(hours=1),
            "sentence": "Offered to Tempe Police.",
            "who": "Waypost",
            "note": "Because the school stands in Tempe.",
        },
        {"at": NOW, "sentence": "Acknowledged.", "who": "Ines, Tempe Police"},
    ]
    return _page("desk.html", told=TOLD, entries=entries, moment=NOW, later=timedelta)


def error() -> tuple[str, int]:
    """A fault that keeps the words."""
    sentence = "We cannot take this down right now, and nothing was sent. Your words are below."
    return render_template(
        "error.html", code=503, sentence=sentence, kept=["\nHe said it will be loud on friday."]
    ), 503


def _page(name: str, **values: Any) -> str:
    source = (Path(__file__).parent / "gallery" / name).read_text(encoding="utf-8")
    return render_template_string(source, groups=ACT_GROUPS, **values)


def _harden(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response


if __name__ == "__main__":
    gallery().run(port=8090)
