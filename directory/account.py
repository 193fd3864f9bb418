"""Signing in and out, and typing the password again: the same pages at both doors."""

from __future__ import annotations

import re
from datetime import datetime

import limits
from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask import session as browser_session
from flask_babel import gettext
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from werkzeug.wrappers import Response

from directory import guards, sign_in
from directory.guards import guard
from directory.permissions import PUBLIC
from directory.sign_in_form import ProveForm, SignInForm, kept_through
from foundation import clock, database, web
from ledger import entries
from ledger.entries import DEPLOYMENT, Actor

account = Blueprint("account", __name__)

# 50 wrong tries from one network in 15 minutes: an office behind one address mistypes, a guesser is stopped. Counted
# in this process's memory, so that no address is stored.
_WRONG_TRIES = limits.parse("50 per 15 minutes")
# A path of this door in plain ASCII. Browsers drop tabs and read backslashes as slashes, so neither may be in it.
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]*")


@account.record_once
def _count_tries(state: object) -> None:
    app = state.app  # type: ignore[attr-defined]  # a BlueprintSetupState
    app.extensions["sign_in_tries"] = MovingWindowRateLimiter(MemoryStorage())
    # Where somebody goes who asked for no page; the portal says otherwise for the public door.
    app.extensions.setdefault("after_sign_in", "home")


@account.get("/sign-in", endpoint="sign_in")
@guard(PUBLIC)
def sign_in_page() -> str:
    """The sign-in page."""
    form = SignInForm(next=request.args.get("next", ""))
    return render_template("sign_in.html", form=form, kept=[])


@account.post("/sign-in")
@guard(PUBLIC)
def send_sign_in() -> Response | tuple[str, int]:
    """Checks all three and starts a session, or shows one sentence for every reason."""
    form, kept = SignInForm(), kept_through(request.form)
    _slow_down()
    token = None
    if form.validate():
        token = _try(form, clock.now())
        if token is None:
            form.code.errors = [
                gettext(
                    "These three do not fit together, or the code was used already. After five wrong tries, wait "
                    "15 minutes."
                )
            ]
    if token is None:
        return render_template("sign_in.html", form=form, kept=kept), 400
    return _signed_in(token, _local(form.next.data), kept)


@account.post("/sign-out")
@guard("account.leave")
def sign_out() -> Response:
    """Ends the session for good, not only in this browser."""
    with database.transaction(web.engine()) as session:
        sign_in.end_session(session, guards.signed_in().token_digest, clock.now())
    browser_session.clear()
    flash(gettext("You are signed out."))
    response: Response = redirect(url_for("account.sign_in"))
    _set_cookie(response, "", max_age=0)
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
    form, who = ProveForm(), guards.signed_in()
    if form.validate():
        if _prove(who, form.password.data or "", clock.now()):
            flash(gettext("Thank you. You can open content for the next minutes."))
            return redirect(_local(form.next.data))
        form.password.errors = [
            gettext("That is not your password. After five wrong tries, wait 15 minutes.")
        ]
    return render_template("prove.html", form=form), 400


def _slow_down() -> None:
    if not current_app.extensions["sign_in_tries"].test(_WRONG_TRIES, request.remote_addr or ""):
        abort(429)


def _try(form: SignInForm, now: datetime) -> str | None:
    """The token of a new session, or None; both are in the ledger."""
    with database.reading(web.engine()) as session:
        who = sign_in.claim(session, form.email.data or "")
    right = who.fits(form.password.data or "")
    door = current_app.extensions["door"]
    with database.transaction(web.engine()) as session:
        member_id = sign_in.check(session, who, right_password=right, code=form.code.data or "", now=now)
        entries.append(
            session,
            DEPLOYMENT,
            kind="signed_in" if member_id else "sign_in_refused",
            at=now,
            actor=Actor(member_id=member_id, part=door),
            facts={"door": door},
        )
        if member_id:
            sign_in.end_session_of(session, request.cookies.get(guards.cookie_name(door), ""), now)
            return sign_in.open_session(session, member_id, door, now)
    current_app.extensions["sign_in_tries"].hit(_WRONG_TRIES, request.remote_addr or "")
    return None


def _prove(who: sign_in.SignedIn, password: str, now: datetime) -> bool:
    with database.reading(web.engine()) as session:
        claim = sign_in.claim_again(session, who.member.id)
    right = claim.fits(password)
    with database.transaction(web.engine()) as session:
        proved = sign_in.prove_again(session, claim, right_password=right, now=now)
        if proved:
            sign_in.proved(session, who.token_digest, now)
    return proved


def _signed_in(token: str, address: str, kept: list[tuple[str, str]]) -> Response:
    """Goes on; where words were sent too late, by way of a page that sends them again."""
    response: Response
    if kept:
        response = current_app.make_response(render_template("go_on.html", address=address, kept=kept))
    else:
        response = redirect(address)
    _set_cookie(response, token)
    return response


def _set_cookie(response: Response, token: str, max_age: int | None = None) -> None:
    response.set_cookie(
        guards.cookie_name(current_app.extensions["door"]),
        token,
        max_age=max_age,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )


def _local(address: str | None) -> str:
    """An address of this door, or its start: a sign-in page must not send people elsewhere."""
    if address and _LOCAL.fullmatch(address):
        return address
    return url_for(current_app.extensions["after_sign_in"])
