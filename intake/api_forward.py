"""A forward that an office's system sent: JSON becomes the portal's form, so that both ask and refuse the same.

It comes as JSON, small files in it as base64; or as a form (multipart/form-data) whose field `referral` is that JSON
and whose files are sealed while they arrive, however large.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app, g, request
from sqlalchemy import Row
from werkzeug.datastructures import MultiDict

from foundation import web
from foundation.reading import LOST
from foundation.settings import Settings
from intake import api_body, api_once, api_schema
from intake.api_body import Body, Faults, NoJson, pointer
from intake.api_schema import Schema
from intake.forward_form import ForwardForm
from intake.problems import refuse
from intake.uploads import Uploads
from referrals import attachments
from referrals.attachments import Kept

# Files in JSON lie in memory as they come, so all together are far below what a form may bring.
JSON_FILES_BYTES = 12_000_000
FIELD = "referral"
# Where a question of the form stands in the JSON, if not under its own name.
_PLACES = {"accuracy": ("point", "accuracy_m")}


@dataclass(frozen=True)
class Received:
    """A sound forward with its files, and a digest of all that was sent."""

    form: ForwardForm
    files: Sequence[Kept]
    content: str


def most_bytes(settings: Settings) -> int:
    """How long a body of JSON may be: base64 makes four bytes of three, an escape makes six of one or two."""
    return JSON_FILES_BYTES // 3 * 4 + 4 * settings.max_tip_bytes


def receive(office: Row[Any]) -> Received:
    """What the request sent for that office. Ends the request where anything is wrong, and says all of it at once.

    The files are dropped at the end of the request unless they were taken from `uploads` to be filed.
    """
    sent, value = told(api_schema.forward(web.settings().attachments_most))
    form = ForwardForm([office], _answers(sent.right))
    form.is_sound(current_app.extensions["known_places"]())
    unpacked = _unpack(sent.right.get("attachments", ()))
    # Of what is missing the form says more, of what does not fit it knows nothing.
    if wrong := sent.missing | _faults(form) | sent.unfit | _refusals() | unpacked:
        status = 503 if _uploads().have_no_room else 400
        refuse(status, "Some of it cannot be taken, and nothing was filed.", errors=wrong)
    files = [each.kept for each in _uploads().chosen if each.kept]
    words = {name: each for name, each in value.items() if name != "attachments"}
    names = [file.name for file in files]
    content = json.dumps([words, names, attachments.fingerprint(files)], sort_keys=True)
    return Received(form, files, api_once.digest("content", content))


def told(schema: Schema) -> tuple[Body, dict[str, Any]]:
    """The request's JSON as that schema describes it, and as it is. Ends the request where it is none."""
    try:
        value = api_body.read(_json())
        return api_body.compare(value, schema), value
    except NoJson as fault:
        refuse(400, str(fault))


def _json() -> bytes:
    if request.mimetype == "application/json":
        return request.get_data(cache=False)
    if "uploads" not in g or request.mimetype != "multipart/form-data":
        refuse(415, "Send JSON: Content-Type: application/json.")
    if list(request.form) != [FIELD]:
        refuse(
            400, f"Send one field `{FIELD}` that holds JSON, not as a file; each file in a part of its own."
        )
    if LOST in request.form[FIELD]:
        # Whoever means the sign itself can write it as \\ufffd.
        raise NoJson("The body is not UTF-8.")
    return request.form[FIELD].encode(errors="surrogatepass")


def _answers(right: Mapping[str, Any]) -> MultiDict[str, str]:
    """The members as the form's fields."""
    answers = MultiDict({name: words for name, words in right.items() if isinstance(words, str)})
    answers.setlist("behaviours", right.get("behaviours", []))
    answers["links"] = "\n".join(right.get("links", ()))
    if point := right.get("point"):
        # A tenth of a millimetre is enough, and no exponent for the form to stumble over.
        answers["point"] = f"{point['latitude']:.9f}, {point['longitude']:.9f}"
        answers["accuracy"] = f"{point['accuracy_m']:.3f}" if "accuracy_m" in point else ""
    return answers


def _faults(form: ForwardForm) -> Faults:
    return {pointer(*_PLACES.get(name, (name,))): str(said[0]) for name, said in form.errors.items()}


def _uploads() -> Uploads:
    if "uploads" not in g:
        g.uploads = Uploads(web.settings().attachments_most)
    found: Uploads = g.uploads
    return found


def _unpack(sent: Iterable[Mapping[str, str]]) -> Faults:
    """Files in the JSON take the way of those in a form."""
    faults: Faults = {}
    for place, each in enumerate(sent):
        # One without a name and a byte would count as a field that was left empty.
        stream = _uploads().begin(each["name"] or "file")
        try:
            stream.write(b64decode(each["content"], validate=True))
        except ValueError:
            faults[pointer("attachments", place)] = "This is not base64."
        stream.seek(0)
    return faults


def _refusals() -> Faults:
    uploads = _uploads()
    places = [place for place, each in enumerate(uploads.chosen) if each.fault]
    # Too many files have one sentence together, which then stands at the first.
    pairs = zip(places, uploads.refusals, strict=False)
    return {pointer("attachments", place): refusal.sentence for place, refusal in pairs}
