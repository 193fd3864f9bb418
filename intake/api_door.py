"""The API's door: a key instead of a signed-in member, no cookie, no form token, and problem details for each fault.

A key acts in the name of the member who answers for it, so the same table of permissions applies; its scopes narrow
that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from flask import Blueprint, Flask, Response, current_app, g, request

from directory import api_keys, guards, permissions
from directory.api_keys import ApiKey, Scope
from directory.guards import guard
from directory.permissions import PUBLIC
from foundation import clock, database, web
from intake import problems
from intake.limits import Limits
from intake.problems import NOT_YOURS, refuse

View = TypeVar("View", bound=Callable[..., Any])

api = Blueprint("api", __name__, url_prefix="/api/v1")

# Which scope of a key an action asks for.
SCOPES = {
    "portal.forward": Scope.FORWARD,
    "portal.list": Scope.READ,
    "portal.see": Scope.READ,
    "portal.permit": Scope.PERMIT,
}
# Each fault of a key says how to show one (RFC 6750).
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="waypost"'}


def by_key(action: str) -> Callable[[View], View]:
    """Names the action of a route for which a key is asked: one of SCOPES."""
    if action not in SCOPES:
        raise ValueError(f"no scope for {action}")

    def mark(view: View) -> View:
        vars(view).update(action=action)
        # The door's own guard looks for a cookie; here `_check` looks for a key.
        return guard(PUBLIC)(view)

    return mark


def for_everybody(view: View) -> View:
    """A route that asks for no key."""
    vars(view).update(action=None)
    return guard(PUBLIC)(view)


def install(app: Flask, routes: Blueprint) -> None:
    """Gives the app the API, its own kind of faults, and no form tokens there."""
    app.register_blueprint(routes)
    app.extensions["csrf"].exempt(routes)
    app.extensions["refusals"]["/api/"] = problems.of_fault


def key() -> ApiKey:
    """The key of this request; only in a route that asks for one."""
    found: ApiKey = g.api_key
    return found


def limits() -> Limits:
    """What was counted of each key and network."""
    found: Limits = current_app.extensions["limits"]
    return found


@api.before_request
def _check() -> None:
    """Nobody passes without a key that is good for what the route does; a route that says nothing lets nobody in."""
    # Machines are answered in English, whatever their client prefers.
    g.language = "en"
    action: str | None = vars(current_app.view_functions[request.endpoint or ""])["action"]
    if action is None:
        return
    g.api_key = shown = _shown_key()
    if wait := limits().wait_of_key(shown.id):
        too_many(wait)
    if SCOPES[action] not in shown.scopes:
        refuse(403, f"This key is not good for that: it lacks the scope {SCOPES[action]}.")
    if not permissions.allowed(shown.member, action, guards.standing()):
        refuse(404, NOT_YOURS)


@api.after_request
def _say_how_long(response: Response) -> Response:
    """On each answer until when the key is good, so that no office learns it from a forward that was refused."""
    if "api_key" in g:
        response.headers["Waypost-Key-Expires"] = f"{key().expires_at:%Y-%m-%d}"
    return response


def too_many(wait: int) -> NoReturn:
    """Ends the request of somebody who asks too often; `wait` is in seconds."""
    refuse(
        429,
        f"Too many requests. Wait {wait} seconds.",
        headers={"Retry-After": str(wait)},
    )


def _shown_key() -> ApiKey:
    now = clock.now()
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        refuse(401, "Show a key: Authorization: Bearer …", headers=_CHALLENGE)
    with database.reading(web.engine()) as session:
        found = api_keys.in_force(session, secret.strip(), now)
    if found is None:
        _no_such_key()
    if api_keys.is_stale(found, now):
        with database.transaction(web.engine()) as session:
            api_keys.used(session, found.id, now)
    return found


def _no_such_key() -> NoReturn:
    # Never before a key was looked for: a neighbour's broken system must not keep out an office.
    if wait := limits().wait_after_wrong_key():
        too_many(wait)
    challenge = {name: f'{value}, error="invalid_token"' for name, value in _CHALLENGE.items()}
    refuse(401, "There is no such key, or it is over.", headers=challenge)
