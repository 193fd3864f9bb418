"""The calls of Twilio's REST API, 2010-04-01, as its published description says: make one, fetch one, list."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from flask import Response, jsonify, request

from notifications.standin import behaviours
from notifications.standin.twilio_api import E164, blueprint, error, page_uri, store, webhooks

_RINGS_SECONDS = 60
# Refusals of texts alone: a landline rings.
_OF_TEXTS = {21610, 21614, 39999}


@blueprint.post("/Calls.json")
def make_call() -> Response:
    """Rings a telephone, unless something is wrong with the form or the number is none."""
    form = request.form
    if not E164.fullmatch(form.get("To", "")):
        return error(400, 21211)
    if not form.get("From"):
        return error(400, 21603)
    refused = behaviours.of_number(form["To"]).refused
    if refused and refused[1] not in _OF_TEXTS:
        return error(*refused)
    call = store().add_call(form["From"], form["To"], form.get("Url", ""), form.get("StatusCallback"))
    webhooks().start_ringing(call, form.get("Timeout", _RINGS_SECONDS, type=int))
    response = jsonify(_resource(call))
    response.status_code = 201
    return response


@blueprint.get("/Calls/<sid>.json")
def fetch_call(sid: str) -> Response:
    """One call as it stands now."""
    call = store().call(sid)
    return jsonify(_resource(call)) if call else error(404, 20404)


@blueprint.get("/Calls.json")
def list_calls() -> Response:
    """The calls to a number, the newest first, on one page."""
    rows = store().calls(request.args.get("To"))
    size = request.args.get("PageSize", 50, type=int)
    return jsonify(
        {
            "calls": [_resource(row) for row in rows[:size]],
            "page": 0,
            "page_size": size,
            "start": 0,
            "end": max(len(rows[:size]) - 1, 0),
            "uri": page_uri(0, size),
            "first_page_uri": page_uri(0, size),
            "previous_page_uri": None,
            "next_page_uri": None,
        }
    )


def _resource(row: sqlite3.Row) -> dict[str, Any]:
    account = webhooks().account_sid
    uri = f"/2010-04-01/Accounts/{account}/Calls/{row['sid']}"
    return {
        "sid": row["sid"],
        "account_sid": account,
        "api_version": "2010-04-01",
        "direction": "outbound-api",
        "from": row["from"],
        "from_formatted": row["from"],
        "to": row["to"],
        "to_formatted": row["to"],
        "status": row["status"],
        "date_created": _rfc2822(row["created_at"]),
        "date_updated": _rfc2822(row["updated_at"]),
        "start_time": None,
        "end_time": None,
        "duration": None,
        "price": None,
        "price_unit": "USD",
        "answered_by": None,
        "annotation": None,
        "caller_name": None,
        "forwarded_from": None,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": None,
        "queue_time": "0",
        "trunk_sid": None,
        "uri": f"{uri}.json",
        "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
    }


def _rfc2822(text: str) -> str:
    return format_datetime(datetime.fromisoformat(text))
