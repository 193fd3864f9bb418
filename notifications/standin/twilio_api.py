"""The messages of Twilio's REST API, 2010-04-01, as its published description says: make one, fetch one, list."""

from __future__ import annotations

import hmac
import re
import sqlite3
from collections.abc import Callable
from datetime import date, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, jsonify, request

from notifications import gsm7
from notifications.standin import behaviours
from notifications.standin.behaviours import MESSAGES, Answer, Behaviour
from notifications.standin.store import Store
from notifications.standin.webhooks import Webhooks

blueprint = Blueprint("twilio_api", __name__, url_prefix="/2010-04-01/Accounts/<account_sid>")
E164 = re.compile(r"\+[1-9]\d{6,14}")
# Seconds that a too busy account is asked to wait.
_RETRY_AFTER = "2"
_LARGEST_PAGE = 1000


@blueprint.url_value_preprocessor
def _take_account(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    # Checked below, against the one account there is.
    if values:
        values.pop("account_sid")


@blueprint.before_request
def _authenticate() -> Response | None:
    if not known_account():
        return error(401, 20003)
    asked_for = request.path.split("/")[3]
    return None if asked_for == webhooks().account_sid else error(404, 20404)


@blueprint.post("/Messages.json")
def make_message() -> Response:
    """Takes a message, unless something is wrong with it or its recipient behaves otherwise."""
    if refused := _refusal():
        return refused
    form = request.form
    behaviour = _behaviour(form["To"])
    if behaviour.refused:
        return error(*behaviour.refused)
    if behaviour.answer is Answer.HTML_500:
        return Response("<!doctype html><title>500</title><h1>Internal Server Error</h1>", 500)
    message = store().add_message(
        "outbound-api",
        form.get("From"),
        form["To"],
        form["Body"],
        service_sid=form.get("MessagingServiceSid"),
        callback=form.get("StatusCallback"),
    )
    return _answer(message, behaviour)


@blueprint.get("/Messages/<sid>.json")
def fetch_message(sid: str) -> Response:
    """One message as it stands now."""
    message = store().message(sid)
    return jsonify(_resource(message)) if message else error(404, 20404)


@blueprint.get("/Messages.json")
def list_messages() -> Response:
    """The messages to or from a number, or sent on, before or after a day; the newest first, in pages."""
    asked = request.args
    rows = [row for row in store().messages(to=asked.get("To"), from_=asked.get("From")) if _is_in_time(row)]
    size = min(max(asked.get("PageSize", 50, type=int), 1), _LARGEST_PAGE)
    page = max(asked.get("Page", 0, type=int), 0)
    shown = rows[page * size : (page + 1) * size]
    return jsonify(
        {
            "messages": [_resource(row) for row in shown],
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(len(shown) - 1, 0),
            "uri": page_uri(page, size),
            "first_page_uri": page_uri(0, size),
            "previous_page_uri": page_uri(page - 1, size) if page else None,
            "next_page_uri": page_uri(page + 1, size) if len(rows) > (page + 1) * size else None,
        }
    )


def known_account() -> bool:
    """Whether the request names the one account there is, with its token."""
    given, account = request.authorization, webhooks()
    return (
        given is not None
        and given.username == account.account_sid
        and hmac.compare_digest((given.password or "").encode(), account.auth_token.encode())
    )


def _refusal() -> Response | None:
    """What Twilio says to a form that is wrong by itself."""
    form = request.form
    faults: tuple[tuple[Callable[[], bool], int], ...] = (
        (lambda: not form.get("To"), 21604),
        (lambda: not (form.get("From") or form.get("MessagingServiceSid")), 21603),
        (lambda: not form.get("Body"), 21602),
        (lambda: not E164.fullmatch(form["To"]), 21211),
        (lambda: len(form["Body"]) > behaviours.of_number(form["To"]).longest, 21617),
    )
    return next((error(400, code) for is_wrong, code in faults if is_wrong()), None)


def _behaviour(number: str) -> Behaviour:
    return behaviours.OPTED_OUT if store().is_opted_out(number) else behaviours.of_number(number)


def _answer(message: sqlite3.Row, behaviour: Behaviour) -> Response:
    if behaviour.reports_first:
        webhooks().take_steps(message)
    else:
        webhooks().start_steps(message)
    webhooks().errands.wait(behaviour.answers_after_s)
    response = jsonify(_resource(message))
    response.status_code = 201
    if behaviour.answer is Answer.CUT_OFF:
        # More is promised than follows, so the server has to break off.
        whole = response.get_data()
        response.response = [whole[:20]]
        response.headers["Content-Length"] = str(len(whole))
    return response


def error(status: int, code: int) -> Response:
    """Twilio's answer to what it refuses."""
    response = jsonify(
        {
            "code": code,
            "message": MESSAGES[code],
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        }
    )
    response.status_code = status
    if status == 429:
        response.headers["Retry-After"] = _RETRY_AFTER
    return response


def _resource(row: sqlite3.Row) -> dict[str, Any]:
    uri = f"/2010-04-01/Accounts/{webhooks().account_sid}/Messages/{row['sid']}"
    return {
        "sid": row["sid"],
        "account_sid": webhooks().account_sid,
        "messaging_service_sid": row["service_sid"],
        "api_version": "2010-04-01",
        "direction": row["direction"],
        "from": row["from"],
        "to": row["to"],
        "body": row["body"],
        "status": row["status"],
        "error_code": row["error_code"],
        "error_message": MESSAGES.get(row["error_code"]),
        "num_media": "0",
        "num_segments": str(gsm7.segments(row["body"])),
        "price": None,
        "price_unit": "USD",
        "date_created": _rfc2822(row["created_at"]),
        "date_sent": _rfc2822(row["sent_at"]),
        "date_updated": _rfc2822(row["updated_at"]),
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def _rfc2822(text: str | None) -> str | None:
    return format_datetime(datetime.fromisoformat(text)) if text else None


def _is_in_time(row: sqlite3.Row) -> bool:
    """Whether the day on which the message was sent, in UTC, is the day asked for."""
    sent = datetime.fromisoformat(row["sent_at"]).date() if row["sent_at"] else None
    tests: dict[str, Callable[[date, date], bool]] = {
        "DateSent": date.__eq__,
        "DateSent<": date.__le__,
        "DateSent>": date.__ge__,
    }
    asked = {
        name: datetime.fromisoformat(request.args[name]).date() for name in tests if name in request.args
    }
    return all(sent is not None and tests[name](sent, day) for name, day in asked.items())


def page_uri(page: int, size: int) -> str:
    """The address of a page of the list that was asked for."""
    asked = {**request.args.to_dict(), "Page": page, "PageSize": size}
    return f"{request.path}?{urlencode(asked)}"


def store() -> Store:
    """What this stand-in keeps."""
    found: Store = current_app.extensions["store"]
    return found


def webhooks() -> Webhooks:
    """By which it calls the desk."""
    found: Webhooks = current_app.extensions["webhooks"]
    return found
