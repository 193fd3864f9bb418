"""The keys of an office's own systems at the portal: which there are, until when, and how to end one at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import abort, flash, g, redirect, render_template, url_for
from flask_babel import gettext, lazy_gettext
from sqlalchemy import Row
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from directory import api_keys
from directory.api_keys import SOON, Scope
from directory.guards import guard, signed_in
from foundation import clock, database, web
from ledger.entries import Actor

_SCOPES = {
    Scope.FORWARD: lazy_gettext("forwards"),
    Scope.READ: lazy_gettext("sees who has them"),
    Scope.PERMIT: lazy_gettext("answers whether one may be passed on"),
}


@guard("portal.keys")
def keys_page() -> str:
    """The keys in force, the next to end first."""
    with database.reading(web.engine()) as session:
        keys = in_force(session)
    return render_template(
        "portal/keys.html", keys=keys, scopes=_SCOPES, soon=clock.now() + SOON, may_end=_may_end
    )


@guard("portal.keys")
def end_key(key_id: str) -> Response:
    """Takes a key of the office out of force: its supervisors may, and who answers for it."""
    now, who = clock.now(), signed_in().member
    with database.transaction(web.engine()) as session:
        key = next((key for key in in_force(session) if key.id == key_id), None)
        if key is None or not _may_end(key):
            abort(404)
        api_keys.end(session, key.id, actor=Actor(member_id=who.id, team_id=key.team_id), now=now)
    flash(gettext("The key is ended. Nothing more is done with it."))
    return redirect(url_for("portal.keys"), 303)


def in_force(session: Session) -> Sequence[Row[Any]]:
    """The keys of these offices, the next to end first."""
    return api_keys.standing(session, clock.now(), team_ids=[office.id for office in g.offices])


def _may_end(key: Row[Any]) -> bool:
    who = signed_in().member
    return key.member_id == who.id or key.team_id in who.supervised
