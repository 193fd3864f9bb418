"""The forms of signing in, and the words that wait behind them."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, PasswordField, StringField, SubmitField
from wtforms.validators import InputRequired, Length, Regexp

# Fields of a form that was sent too late travel through the sign-in page under this prefix.
_KEPT = "kept."
# These are of the moment; a new page has its own.
_OF_THE_MOMENT = re.compile("csrf|password")


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Address, password and second factor, asked at once so that a wrong one is not told apart."""

    email = StringField(
        lazy_gettext("E-mail address"),
        validators=[
            InputRequired(lazy_gettext("Write your e-mail address.")),
            Length(max=254, message=lazy_gettext("That is too long for an e-mail address.")),
            Regexp(r"[^\x00-\x1f\x7f]*$", message=lazy_gettext("Write your e-mail address.")),
        ],
    )
    password = PasswordField(
        lazy_gettext("Password"),
        validators=[InputRequired(lazy_gettext("Write your password.")), Length(max=1000)],
    )
    code = StringField(
        lazy_gettext("Six-digit code"),
        description=lazy_gettext("From your authenticator app. A recovery code works too."),
        validators=[
            InputRequired(lazy_gettext("Write the six digits that your authenticator app shows.")),
            Length(max=20, message=lazy_gettext("A code has six digits, a recovery code ten characters.")),
        ],
    )
    next = HiddenField()
    submit = SubmitField(lazy_gettext("Sign in"))


class ProveForm(FlaskForm):  # type: ignore[misc]
    """The password again, before content is opened."""

    password = PasswordField(
        lazy_gettext("Password"),
        validators=[InputRequired(lazy_gettext("Write your password.")), Length(max=1000)],
    )
    next = HiddenField()
    submit = SubmitField(lazy_gettext("Go on"))


def kept_fields(sent: MultiDict[str, Any]) -> list[tuple[str, str]]:
    """Names and words of a form that came after the session had ended, in their order; no passwords."""
    return [(name, words) for name, words in sent.items(multi=True) if not _OF_THE_MOMENT.search(name)]


def kept_through(sent: MultiDict[str, Any]) -> list[tuple[str, str]]:
    """The same fields as they come back with the sign-in form."""
    return [
        (name.removeprefix(_KEPT), words) for name, words in sent.items(multi=True) if name.startswith(_KEPT)
    ]
