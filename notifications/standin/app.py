"""The stand-in as one web application: Twilio's API for the house, a phone and a mailbox for people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flask import Flask, Response

# Read for its routes, which the API of texts serves.
from notifications.standin import calls_api as calls_api
from notifications.standin import lookups_api, screen, telephone, twilio_api
from notifications.standin.errands import Errands
from notifications.standin.store import Store
from notifications.standin.webhooks import Webhooks

# Nothing is loaded from elsewhere, no script runs, and nobody else may frame it.
_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'self'"
)


def create_standin(
    data_path: Path,
    desk_url: str,
    account_sid: str,
    auth_token: str,
    *,
    names: Mapping[str, str] | None = None,
    pace: float = 1.0,
) -> Flask:
    """The application; it keeps everything below `data_path` and sends its webhooks to `desk_url`.

    `names` says whose a number is, such as {"+14805550170": "Sol Ibarra"}. `pace` multiplies every wait: 0.1 is ten
    times as fast. Messages that were under way when an earlier one was stopped go on.
    """
    app = Flask(__name__)
    # It listens on this machine only; a foreign name for it would be a foreign page asking.
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost", "[::1]"]
    store = Store(data_path)
    webhooks = Webhooks(store, desk_url.rstrip("/"), account_sid, auth_token, Errands(pace))
    app.extensions.update(store=store, webhooks=webhooks, names=dict(names or {}))
    app.register_blueprint(twilio_api.blueprint)
    app.register_blueprint(lookups_api.blueprint)
    app.register_blueprint(screen.blueprint)
    app.register_blueprint(telephone.blueprint)
    app.after_request(_guard)
    for message in store.unfinished():
        webhooks.start_steps(message)
    return app


def _guard(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response
