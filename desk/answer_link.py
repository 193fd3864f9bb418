"""Where the link of a mailed offer leads. Looking changes nothing; the button answers, in the reader's name."""

from __future__ import annotations

from typing import Any

from flask import abort, g, render_template, request
from flask_wtf import FlaskForm
from sqlalchemy import Row
from sqlalchemy.orm import Session

from desk import reading
from desk.answers import Page
from directory import contacts, teams
from directory.guards import guard
from directory.permissions import PUBLIC
from foundation import clock, database, web
from ledger.entries import Actor
from notifications import links
from referrals.facts import Urgency
from referrals.moves import NotNow
from routing import handoffs
from routing.handoffs import AlreadyAnswered
from routing.states import OPEN, Decline

_ACTS = {"take", "decline"}


class PressForm(FlaskForm):  # type: ignore[misc]
    """One press; the token of forms keeps other sites from pressing for the reader."""


@guard(PUBLIC)
def link_page(token: str) -> Page:
    """What is asked, and the buttons; mail scanners may look as often as they like."""
    with database.reading(web.engine()) as session:
        return _page(session, _notice(session, token), "")


@guard(PUBLIC)
def answer(token: str) -> Page:
    """Takes it or declines, once; what is imminent only after signing in."""
    act = request.form.get("act", "")
    if act not in _ACTS or not PressForm().validate():
        abort(400)
    done = ""
    try:
        with database.transaction(web.engine()) as session:
            notice = _notice(session, token)
            if notice.urgency == Urgency.IMMINENT.value:
                return _page(session, notice, ""), 403
            _press(session, notice, act)
            done = act
    except (AlreadyAnswered, NotNow):
        # Pressed twice, or another was first: the page says how it stands.
        done = ""
    with database.reading(web.engine()) as session:
        return _page(session, _notice(session, token), done)


def _press(session: Session, notice: Row[Any], act: str) -> None:
    actor, now = Actor(member_id=notice.member_id, team_id=notice.team_id), clock.now()
    if act == "take":
        handoffs.acknowledge(session, reading.keys(), notice.subject_id, actor=actor, via="link", now=now)
    else:
        handoffs.decline(session, notice.subject_id, reason=Decline.OTHER, actor=actor, via="link", now=now)
    contacts.answered_from(session, notice.contact_id, now)


def _notice(session: Session, token: str) -> Row[Any]:
    notice = links.notice_of(session, web.settings(), token, clock.now())
    if notice is None:
        abort(404)
    return notice


def _page(session: Session, notice: Row[Any], done: str) -> str:
    g.time_zone, handoff = notice.time_zone, handoffs.handoff(session, notice.subject_id)
    return render_template(
        "answer_link.html",
        form=PressForm(),
        notice=notice,
        team=teams.team(session, notice.team_id).name,
        is_open=handoff.state in OPEN,
        mine=handoff.answered_by == notice.member_id,
        imminent=notice.urgency == Urgency.IMMINENT.value,
        done=done,
    )
