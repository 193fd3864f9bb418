"""Picking up, pressing and hanging up, on the screen."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Blueprint, Response, abort, current_app, jsonify, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from notifications.standin.screen import only_from_here
from notifications.standin.store import Store
from notifications.standin.webhooks import Webhooks

blueprint = Blueprint("telephone", __name__)
blueprint.before_request(only_from_here)
_DIGIT = re.compile(r"[0-9*#]")


@blueprint.post("/phones/<number>/calls/<sid>")
def touch(number: str, sid: str) -> AnyResponse:
    """Presses what the form says: `answer`, `end`, or a key of the telephone."""
    store: Store = current_app.extensions["store"]
    webhooks: Webhooks = current_app.extensions["webhooks"]
    call, pressed = store.call(sid), request.form.get("press", "")
    if call is None or call["to"] != number:
        abort(404)
    buttons: dict[str, Callable[[str], None]] = {"answer": webhooks.pick_up, "end": webhooks.hang_up}
    if pressed in buttons:
        buttons[pressed](sid)
    elif _DIGIT.fullmatch(pressed):
        webhooks.press(sid, pressed)
    return redirect(url_for("screen.conversation", number=number))


@blueprint.get("/api/calls")
def api_calls() -> Response:
    """The calls, to a number or all, the newest first."""
    store: Store = current_app.extensions["store"]
    return jsonify([dict(row) for row in store.calls(request.args.get("to"))])
