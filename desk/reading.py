"""Reading what was told: opened on purpose, for a short while, each showing in the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from flask import current_app
from flask import session as cookie
from sqlalchemy.orm import Session

from desk import acting
from directory import guards
from foundation import web
from ledger.entries import Actor
from referrals import casework, grants, opening
from referrals.casework import Entry
from referrals.grants import Keys
from referrals.opening import OpenedPart
from referrals.sealing import PARTS, CannotOpen

_COOKIE = "reading"
# The browser keeps this many; an older one is opened again by one press.
_MOST = 8


def keys() -> Keys:
    """The unlocked keys of this process."""
    found: Keys = current_app.extensions["keys"]
    return found


def begin(referral_id: str, now: datetime) -> None:
    """The member pressed *Open*: the pages of this referral show its words for the next minutes."""
    kept = list(_kept().items())[-_MOST:]
    cookie[_COOKIE] = {"by": _mark(), "open": dict(kept) | {referral_id: now.isoformat()}}


def is_open(referral_id: str, now: datetime) -> bool:
    """Whether the words may show: opened by this sign-in, and password and opening are both fresh."""
    at = _kept().get(referral_id)
    window = timedelta(minutes=web.settings().reentry_minutes)
    return bool(at) and guards.freshly_proved() and now - datetime.fromisoformat(str(at)) < window


def reader(session: Session, referral_id: str) -> Actor | None:
    """The member in a team of theirs to which something was disclosed; None where nothing was."""
    nearest = acting.as_party()
    for team_id in (nearest.team_id, *sorted(acting.my_teams())):
        if team_id and grants.granted_parts(session, referral_id, team_id):
            return Actor(member_id=nearest.member_id, team_id=team_id)
    return None


def told(
    session: Session, referral_id: str, actor: Actor, now: datetime, parts: Iterable[str] = PARTS
) -> list[OpenedPart]:
    """Those of the parts that were disclosed to the actor's team, in clear. It is in the ledger."""
    return opening.open_content(
        session, keys(), referral_id, team_id=str(actor.team_id), parts=parts, actor=actor, now=now
    )


def documented(session: Session, referral_id: str, actor: Actor) -> list[Entry] | None:
    """Notes and actions in clear, or None where they were not disclosed to the actor's team."""
    try:
        return casework.documented(session, keys(), referral_id, str(actor.team_id))
    except CannotOpen:
        return None


def _kept() -> dict[str, str]:
    kept = cookie.get(_COOKIE) or {}
    return dict(kept["open"]) if kept.get("by") == _mark() else {}


def _mark() -> str:
    # Of this sign-in: the next person at the same browser opens for themselves.
    return guards.signed_in().token_digest[:16]
