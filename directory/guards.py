"""Guards: every route names the action that it is, and nobody passes whom the table of permissions refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from directory import permissions, sign_in
from directory.permissions import PUBLIC, Standing
from directory.sign_in import SignedIn
from directory.sign_in_form import SignInForm, kept_fields
from foundation import clock, database, web
from foundation.identifiers import is_reference

View = TypeVar("View", bound=Callable[..., Any])
# Finds the referral that a route's arguments name: its row and how it stands to teams; None where there is none.
FindStanding = Callable[[Session, str], tuple[Any, Standing] | None]

# Goes along with the words of a form that came after the session had ended: its files do not.
FILES_LEFT_OUT = "files_left_out"
# A write for every page would make readers wait for each other.
_SEEN_EVERY = timedelta(minutes=1)


def guard(action: str) -> Callable[[View], View]:
    """Names the action of a route: one of PERMISSIONS, or `public`."""
    if action != PUBLIC and action not in permissions.PERMISSIONS:
        raise ValueError(f"no such action: {action}")

    def mark(view: View) -> View:
        view.guard = action  # type: ignore[attr-defined]
        return view

    return mark


def cookie_name(door: str) -> str:
    """The cookie of a signed-in member at a door. Over TLS its name makes browsers refuse one that another host of
    the same domain planted."""
    prefix = "__Host-" if current_app.config["SESSION_COOKIE_SECURE"] else ""
    return f"{prefix}waypost_{door}_member"


def install(app: Flask, find_standing: FindStanding) -> None:
    """Makes the app refuse every request that its route's guard does not let pass."""
    app.extensions["find_standing"] = find_standing
    # Before the form's token is asked for: whatever is wrong with a form, its member is known to the error page.
    app.before_request_funcs.setdefault(None, []).insert(0, _check)
    app.context_processor(lambda: {"signed_in": g.get("signed_in")})
    app.jinja_env.globals["demonstration"] = app.extensions["settings"].demonstration


def signed_in() -> SignedIn:
    """The member of this request; only behind a guard that asks for one."""
    found: SignedIn = g.signed_in
    return found


def freshly_proved() -> bool:
    """Whether the member typed the password a short while ago, as opening content asks."""
    age = clock.now() - signed_in().proved_at
    return age.total_seconds() < web.settings().reentry_minutes * 60


def _check() -> Response | tuple[str, int] | None:
    if request.endpoint == "static":
        return None
    if request.endpoint is None:
        # There is no such page, and the one that says so keeps a member's frame.
        _know(_resume())
        return None
    action = getattr(current_app.view_functions[request.endpoint], "guard", None)
    if action == PUBLIC:
        return None
    member = _resume()
    if member is None:
        return _ask_to_sign_in()
    _know(member)
    stands = standing()
    if action is None or not permissions.allowed(member.member, action, stands):
        # What is not yours does not exist: the same page as for a reference that was never given.
        abort(404)
    return None


def _know(member: SignedIn | None) -> None:
    if member:
        g.signed_in, g.language = member, member.member.language


def _ask_to_sign_in() -> Response | tuple[str, int]:
    """Sends to the sign-in page; but what was typed and sent meanwhile stays on the page and goes along."""
    here = request.full_path.rstrip("?")
    kept = kept_fields(request.form)
    if any(file.filename for file in request.files.values()):
        kept.append((FILES_LEFT_OUT, "yes"))
    if kept:
        form = SignInForm(formdata=None, next=here)
        return render_template("sign_in.html", form=form, kept=kept), 401
    return redirect(url_for("account.sign_in", next=here if request.method == "GET" else None))


def _resume() -> SignedIn | None:
    door, now = current_app.extensions["door"], clock.now()
    token = request.cookies.get(cookie_name(door))
    if not token:
        return None
    with database.reading(web.engine()) as session:
        found = sign_in.resume(session, token, door, web.settings(), now)
    if found and found.seen_at < now - _SEEN_EVERY:
        with database.transaction(web.engine()) as session:
            sign_in.seen(session, found.token_digest, now)
    return found


def standing() -> Standing | None:
    """How the referral that the route names stands to teams, with its row in `g.referral`; None where the route names
    none. One that is not there ends the request with 404."""
    reference = (request.view_args or {}).get("reference")
    if reference is None:
        return None
    found = None
    if is_reference(reference):
        with database.reading(web.engine()) as session:
            found = current_app.extensions["find_standing"](session, reference)
    if found is None:
        abort(404)
    g.referral, g.standing = found
    stands: Standing = found[1]
    return stands
