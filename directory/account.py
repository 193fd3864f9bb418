"""Signing in and out, and typing the password again: the same pages at both doors."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, PasswordField, StringField, SubmitField
from wtforms.validators import InputRequired, Length

from directory import guards, sign_in
from directory.guards import guard
from directory.permissions import PUBLIC
from foundation import clock, database, web
from ledger import entries
from ledger.entries import DEPLOYMENT, Actor

account = Blueprint("account", __name__)


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Address, password and second factor, asked at once so that a wrong one is not told apart."""

    email = StringField(lazy_gettext("E-mail address"), validators=[InputRequired(), Length(max=254)])
    password = PasswordField(lazy_gettext("Password"), validators=[InputRequired(), Length(max=1000)])
    code = StringField(
        lazy_gettext("Six-digit code"),
        description=lazy_gettext("From your authenticator app. A recovery code works too."),
        validators=[InputRequired(), Length(max=20)],
    )
    next = HiddenField()
    submit = SubmitField(lazy_gettext("Sign in"))


class ProveForm(FlaskForm):  # type: ignore[misc]
    """The password again, before content is opened."""

    password = PasswordField(lazy_gettext("Password"), validators=[InputRequired(), Length(max=1000)])
    next = HiddenField()
    submit = SubmitField(lazy_gettext("Go on"))


@account.get("/sign-in", endpoint="sign_in")
@guard(PUBLIC)
def sign_in_page() -> str:
    """The sign-in page."""
    return render_template("sign_in.html", form=SignInForm(next=request.args.get("next", "")))


@account.post("/sign-in")
@guard(PUBLIC)
def send_sign_in() -> Response | tuple[str, int]:
    """Checks all three and starts a session, or shows one sentence for every reason."""
    form, now, door = SignInForm(), clock.now(), current_app.extensions["door"]
    token = None
    if form.validate():
        with database.transaction(web.engine()) as session:
            member_id = sign_in.check(
                session, email=form.email.data, password=form.password.data, code=form.code.data, now=now
            )
            entries.append(
                session,
                DEPLOYMENT,
                kind="signed_in" if member_id else "sign_in_refused",
                at=now,
                actor=Actor(member_id=member_id, part=door),
                facts={"door": door},
            )
            token = sign_in.open_session(session, member_id, door, now) if member_id else None
    if token is None:
        form.code.errors = [
            gettext(
                "These three do not fit together, or the code was used already. After five wrong tries, wait 15 minutes."
            )
        ]
        return render_template("sign_in.html", form=form), 400
    response: Response = redirect(_local(form.next.data))
    response.set_cookie(
        guards.cookie_name(door),
        token,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return response


@account.post("/sign-out")
@guard("account.leave")
def sign_out() -> Response:
    """Ends the session for good, not only in this browser."""
    with database.transaction(web.engine()) as session:
        sign_in.end_session(session, guards.signed_in().token_digest, clock.now())
    response: Response = redirect(url_for("account.sign_in"))
    response.delete_cookie(guards.cookie_name(current_app.extensions["door"]))
    return response


@account.get("/prove")
@guard("account.prove")
def prove_page() -> str:
    """Asks for the password again."""
    return render_template("prove.html", form=ProveForm(next=request.args.get("next", "")))


@account.post("/prove")
@guard("account.prove")
def send_prove() -> Response | tuple[str, int]:
    """Takes the password again and goes on to where the member was going."""
    form, now, who = ProveForm(), clock.now(), guards.signed_in()
    if form.validate():
        with database.transaction(web.engine()) as session:
            right = sign_in.prove_again(session, who.member.id, form.password.data, now)
            if right:
                sign_in.proved(session, who.token_digest, now)
        if right:
            flash(gettext("Thank you. You can open content for the next minutes."))
            return redirect(_local(form.next.data))
        form.password.errors = [gettext("That is not your password.")]
    return render_template("prove.html", form=form), 400


def _local(address: str | None) -> str:
    """An address of this door, or its start: a sign-in page must not send people elsewhere."""
    if address and address.startswith("/") and not address.startswith(("//", "/\\")):
        return address
    return url_for("home")
