"""The phone and the mailbox on screen, and the same as JSON for tests."""

from __future__ import annotations

import re
import sqlite3
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import phonenumbers
from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from notifications.standin.store import NOTE, Store
from notifications.standin.webhooks import Webhooks

blueprint = Blueprint("screen", __name__)
# A call that somebody can pick up or has in hand.
_LIVE = {"queued", "ringing", "in-progress"}
_ANSWER = re.compile(r"\b[AD] [0-9A-Z]{4}\b")
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
# Where a text goes if nobody wrote to that telephone yet.
_OUR_NUMBER = "+15550100000"
# A mail's own HTML: it may look like something, and its links open elsewhere.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self';"
    " sandbox allow-popups allow-popups-to-escape-sandbox"
)


@blueprint.before_request
def only_from_here() -> None:
    """A foreign page must not write texts, or press keys, in somebody's name."""
    if request.method == "POST" and request.headers.get("Sec-Fetch-Site", "none") not in {
        "same-origin",
        "none",
    }:
        abort(403)


@blueprint.get("/")
def home() -> str:
    """All telephones and mailboxes, the last used first."""
    mailboxes: dict[str, dict[str, Any]] = {}
    for row in _store().mails():
        box = mailboxes.setdefault(
            row["recipient"], {"newest": row, "subject": _opened(row)["Subject"], "count": 0}
        )
        box["count"] += 1
    return render_template("home.html", phones=_store().phones(), mailboxes=mailboxes)


@blueprint.get("/phones/")
def another_phone() -> str | AnyResponse:
    """Asks for a number, or opens the telephone of the number given."""
    typed = request.args.get("number", "")
    number = "+" + re.sub(r"\D", "", typed)
    if _NUMBER.fullmatch(number):
        return redirect(url_for("screen.phone", number=number))
    return render_template("another_phone.html", typed=typed)


@blueprint.get("/phones/<number>")
def phone(number: str) -> str:
    """One telephone: its conversation, and a box to write in."""
    conversation = _store().conversation(_known_form(number))
    newest = next((row for row in conversation if row["direction"] == "outbound-api"), None)
    return render_template(
        "phone.html",
        number=number,
        phones=_store().phones(),
        answers=_ANSWER.findall(newest["body"]) if newest else [],
    )


@blueprint.get("/phones/<number>/conversation")
def conversation(number: str) -> str:
    """The conversation alone; it loads itself again."""
    rows = _store().conversation(_known_form(number))
    live = [call for call in _store().calls(number) if call["status"] in _LIVE]
    return render_template("conversation.html", number=number, rows=rows, note=NOTE, calls=live)


@blueprint.post("/phones/<number>")
def write(number: str) -> AnyResponse:
    """Writes a text from that telephone."""
    body = request.form.get("body", "").strip()
    if body:
        heard = _store().messages(to=_known_form(number))
        to = next((row["from"] for row in heard if row["from"]), _OUR_NUMBER)
        _webhooks().deliver_inbound(number, to, body)
    return redirect(url_for("screen.phone", number=number))


@blueprint.get("/mail/<address>")
def mailbox(address: str) -> str:
    """One mailbox, the newest mail first."""
    mails = [(row, _opened(row)["Subject"]) for row in _store().mails(address)]
    return render_template("mailbox.html", address=address, mails=mails)


@blueprint.get("/mail/<address>/<int:number>")
def mail(address: str, number: int) -> str:
    """One mail: its headers, its text, and its HTML in a frame that can do nothing."""
    row = _mail(address, number)
    message = _opened(row)
    return render_template(
        "mail.html", row=row, message=message, text=_part(message, "plain"), address=address
    )


@blueprint.get("/mail/<address>/<int:number>/html")
def mail_html(address: str, number: int) -> Response:
    """The HTML of a mail, as it came."""
    html = _part(_opened(_mail(address, number)), "html")
    response = Response(f'<base target="_blank">{html}', mimetype="text/html")
    response.headers["Content-Security-Policy"] = _MAIL_POLICY
    return response


@blueprint.get("/api/messages")
def api_messages() -> Response:
    """Texts as JSON, the newest first: `?to=` and `?from=` narrow it."""
    rows = _store().messages(to=request.args.get("to"), from_=request.args.get("from"))
    shown = ("sid", "direction", "from", "to", "body", "status", "error_code", "created_at")
    return jsonify([{name: row[name] for name in shown} for row in rows])


@blueprint.get("/api/mail")
def api_mail() -> Response:
    """Mails as JSON, the newest first: `?to=` narrows it."""
    return jsonify([_as_json(row) for row in _store().mails(request.args.get("to"))])


@blueprint.app_template_filter("clock")
def _clock(text: str) -> str:
    """A kept time on this machine's clock, with the letters of its zone."""
    there = datetime.fromisoformat(text).astimezone()
    today = there.date() == datetime.now().astimezone().date()
    return f"{there:%H:%M %Z}" if today else f"{there:%d %b %H:%M %Z}"


@blueprint.app_template_filter("owner")
def _owner(number: str) -> str:
    """Whose telephone it is, if that is known, and its number."""
    name = current_app.extensions["names"].get(number)
    return f"{name}, {_phone(number)}" if name else _phone(number)


@blueprint.app_template_filter("phone")
def _phone(number: str) -> str:
    """A number as people write it."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    national = parsed.country_code == 1
    form = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(parsed, form.NATIONAL if national else form.INTERNATIONAL)


def _as_json(row: sqlite3.Row) -> dict[str, Any]:
    message = _opened(row)
    return {
        "number": row["number"],
        "sender": row["sender"],
        "to": row["recipient"],
        "received_at": row["received_at"],
        "subject": message["Subject"],
        "message_id": message["Message-ID"],
        "headers": {name: str(value) for name, value in message.items()},
        "text": _part(message, "plain"),
        "html": _part(message, "html"),
    }


def _opened(row: sqlite3.Row) -> EmailMessage:
    return message_from_bytes(row["raw"], policy=default)


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part else ""


def _mail(address: str, number: int) -> sqlite3.Row:
    row = _store().mail(number)
    if row is None or row["recipient"] != address.lower():
        abort(404)
    return row


def _known_form(number: str) -> str:
    if not _NUMBER.fullmatch(number):
        abort(404)
    return number


def _store() -> Store:
    store: Store = current_app.extensions["store"]
    return store


def _webhooks() -> Webhooks:
    webhooks: Webhooks = current_app.extensions["webhooks"]
    return webhooks
