"""What outsiders fetch to check the ledger: checkpoints, proofs and public keys, as plain text and JSON.

Nobody signs in for these: a partner, a court's expert or a reporter's lawyer must be able to keep our past. They say
how many entries there are and give hashes, and nothing else. docs/ledger.md explains each.
"""

from __future__ import annotations

import base64
from typing import Any

import limits
from flask import Blueprint, Response, abort, current_app, jsonify, request
from flask.blueprints import BlueprintSetupState
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy.orm import Session

from directory.guards import guard
from directory.permissions import PUBLIC
from foundation import database, web
from ledger import checkpoints
from ledger.checkpoints import Signed
from ledger.tiles import StoredTree

log = Blueprint("log", __name__, url_prefix="/ledger")
# From one network; who follows the log needs a few. Counted in this process's memory, so that no address is stored.
_FETCHES = limits.parse("120 per minute")
# A newer one may be signed within the minute; what is said of a size never changes.
_SOON, _NEVER = 30, 31_536_000


@log.record_once
def _count_fetches(state: BlueprintSetupState) -> None:
    state.app.extensions["log_fetches"] = FixedWindowRateLimiter(MemoryStorage())


@log.before_request
def _slow_down() -> None:
    if not current_app.extensions["log_fetches"].hit(_FETCHES, request.remote_addr or ""):
        abort(429)


@log.get("/checkpoint")
@guard(PUBLIC)
def newest() -> Response:
    """The newest checkpoint, a signed note."""
    with database.reading(web.engine()) as session:
        return _note(checkpoints.latest(session), _SOON)


@log.get("/checkpoint/<int:size>")
@guard(PUBLIC)
def of_size(size: int) -> Response:
    """The checkpoint over so many entries."""
    with database.reading(web.engine()) as session:
        return _note(_of_size(session, size), _NEVER)


@log.get("/consistency/<int:old>/<int:new>")
@guard(PUBLIC)
def consistency(old: int, new: int) -> Response:
    """The proof that the newer of two checkpoints continues the older one."""
    with database.reading(web.engine()) as session:
        if old > new or not _of_size(session, new) or not _of_size(session, old):
            abort(404)
        proof = StoredTree(session).consistency(old, new)
    return _proof({"old": old, "new": new}, proof)


@log.get("/inclusion/<leaf>/<int:size>")
@guard(PUBLIC)
def inclusion(leaf: str, size: int) -> Response:
    """The proof that a checkpoint covers an entry; `leaf` is its hash as RFC 6962 has it, in hexadecimal.

    By its hash only: whoever does not have the entry cannot ask for it.
    """
    with database.reading(web.engine()) as session:
        index = checkpoints.index_of(session, leaf)
        if index is None or index >= size or not _of_size(session, size):
            abort(404)
        proof = StoredTree(session).inclusion(index, size)
    return _proof({"log_index": index, "size": size}, proof)


@log.get("/keys")
@guard(PUBLIC)
def keys() -> Response:
    """The public keys that ever signed here, one a line, the newest first."""
    with database.reading(web.engine()) as session:
        lines = [f"{verifier}\n" for verifier in checkpoints.verifiers(session)]
    return _cached(Response("".join(lines), mimetype="text/plain"), _SOON)


def _of_size(session: Session, size: int) -> Signed | None:
    # A number that no database can hold is no size of ours.
    return checkpoints.of_size(session, size) if size < 1 << 62 else None


def _note(signed: Signed | None, seconds: int) -> Response:
    if signed is None:
        abort(404)
    return _cached(Response(signed.note, mimetype="text/plain"), seconds)


def _proof(about: dict[str, Any], hashes: list[bytes]) -> Response:
    proof = [base64.b64encode(each).decode() for each in hashes]
    return _cached(jsonify(about | {"proof": proof}), _NEVER)


def _cached(response: Response, seconds: int) -> Response:
    response.cache_control.public, response.cache_control.max_age = True, seconds
    return response
