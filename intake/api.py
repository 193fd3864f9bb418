"""The API by which an office's own system forwards, sees what became of it, and answers what it is asked.

All addresses stand here. What they take is in `api_schema.py`, what they answer in `api_answers.py`, and both together
are served as an OpenAPI document.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from flask import Response, current_app, g, request, url_for
from sqlalchemy import Row
from sqlalchemy.exc import NoResultFound

from foundation import database, web
from foundation.identifiers import is_id, is_reference
from intake import (
    api_answers,
    api_document,
    api_forward,
    api_once,
    api_schema,
    forwards,
    permissions,
    uploads,
)
from intake.api_door import api, by_key, for_everybody, key, limits, too_many
from intake.api_forward import Received
from intake.forwarding import file_forward
from intake.forwards import Forwarded
from intake.problems import NOT_YOURS, refuse
from routing.boundaries import Boundaries

_MOST = 100
# With all of the routes below.
routes = api


@api.before_request
def _allow_files() -> None:
    """Before anything reads the body: a forward may bring files, in a form even more."""
    if request.endpoint == "api.forward" and request.mimetype != "multipart/form-data":
        request.max_content_length = api_forward.most_bytes(web.settings())


@api.post("/referrals")
@by_key("portal.forward")
def forward() -> Response:
    """Files a forward once for its Idempotency-Key, and answers with its reference and receipt."""
    if wait := limits().wait_of_forward(key().id):
        too_many(wait)
    idempotency_key, office = api_once.idempotency_key(), _office()
    received = api_forward.receive(office)
    file = partial(_file, idempotency_key, received)
    reference = api_once.once(office.id, idempotency_key, received.content, file)
    told = api_answers.filed(_one(reference), office.name, received.files)
    return _json(told, 201, Location=told["address"])


@api.get("/referrals", endpoint="list")
@by_key("portal.list")
def list_forwards() -> Response:
    """The office's forwards, newest first, a page at a time."""
    size, after = _size(), request.args.get("after")
    with database.reading(web.engine()) as session:
        if after is not None and not (
            is_reference(after) and forwards.is_theirs(session, _organisation(), after)
        ):
            refuse(400, "`after` is the reference of a forward of yours: take `next` of the page before.")
        page = forwards.page_of(session, _organisation(), after, size)
        told = [api_answers.summary(each, _boundaries()) for each in page.forwards]
    following = url_for("api.list", after=page.next_key, size=size) if page.next_key else None
    return _json({"referrals": told, "next": following and web.settings().public_url + following})


@api.get("/referrals/<reference>")
@by_key("portal.see")
def see(reference: str) -> Response:
    """One forward: who has it now, and its custody line by line."""
    with database.reading(web.engine()) as session:
        forwarded = forwards.one(session, _organisation(), reference)
        asked = permissions.waiting(session, [key().team_id])
        return _json(api_answers.whole(session, forwarded, _boundaries(), asked))


@api.get("/permissions", endpoint="permissions")
@by_key("portal.list")
def list_permissions() -> Response:
    """What the office is asked and has not answered: may a forward go to a team that it did not name?"""
    with database.reading(web.engine()) as session:
        asked = permissions.waiting(session, [key().team_id])
    return _json({"permissions": [api_answers.permission(each) for each in asked]})


@api.post("/referrals/<reference>/permissions/<permission>")
@by_key("portal.permit")
def permit(reference: str, permission: str) -> Response:
    """The office allows it or does not. Whoever was first is who answered."""
    sent = api_forward.told(api_schema.ANSWER)[0]
    if wrong := sent.missing | sent.unfit:
        refuse(400, "The answer cannot be read.", errors=wrong)
    allowed, referral_id = sent.right["allowed"], g.referral.id
    if not permissions.record_answer(
        [key().team_id],
        referral_id,
        permission,
        allowed=allowed,
        member_id=key().member.id,
        api_key_id=key().id,
    ):
        _not_waiting(referral_id, permission)
    return _json({"id": permission, "reference": reference, "allowed": allowed})


@api.get("/openapi.json")
@for_everybody
def document() -> Response:
    """What this API takes and answers, for machines to read."""
    return _json(api_document.document(web.settings()))


def _file(idempotency_key: str, received: Received) -> str:
    office_id = key().team_id
    form_key = f"api {office_id} {idempotency_key} {received.content}"
    return file_forward(
        received.form, key().member, form_key, files=uploads.received(), api_key_id=key().id
    ).reference


def _one(reference: str) -> Forwarded:
    try:
        with database.reading(web.engine()) as session:
            return forwards.one(session, _organisation(), reference)
    except NoResultFound:
        refuse(410, "This was filed under that Idempotency-Key, and its record was erased since.")


def _not_waiting(referral_id: str, permission: str) -> None:
    with database.reading(web.engine()) as session:
        if is_id(permission) and permissions.was_asked(session, key().team_id, referral_id, permission):
            refuse(409, "This was answered already, or is not asked any more.")
    refuse(404, NOT_YOURS)


def _size() -> int:
    typed = request.args.get("size", str(forwards.PAGE))
    if not (typed.isascii() and typed.isdigit() and len(typed) < 4 and 1 <= int(typed) <= _MOST):
        refuse(400, f"`size` is a number from 1 to {_MOST}.")
    return int(typed)


def _office() -> Row[Any]:
    with database.reading(web.engine()) as session:
        offices = forwards.offices_of(session, key().member)
    return next(office for office in offices if office.id == key().team_id)


def _organisation() -> str:
    return key().member.organisation_id


def _boundaries() -> Boundaries:
    found: Boundaries = current_app.extensions["known_places"]()
    return found


def _json(told: Any, status: int = 200, **headers: str) -> Response:
    response = current_app.response_class(json.dumps(told), status, mimetype="application/json")
    response.headers.update(headers)
    return response
