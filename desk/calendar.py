"""My turns as a calendar feed: an address that only its owner knows, holding hours and team names and nothing else."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import icalendar
from flask import Response, abort, render_template, url_for
from flask_wtf import FlaskForm

from desk.answers import Page
from directory import members, schedules
from directory.guards import guard, signed_in
from directory.permissions import PUBLIC
from directory.schedules import MyTurn
from foundation import clock, database, web

# What a calendar program asks for: the last turn, and a quarter of a year ahead.
_BACK, _AHEAD = timedelta(days=8), timedelta(days=92)


@guard("contacts.own")
def calendar_page() -> Page:
    """What the feed is, and a button that makes its address."""
    return render_template("calendar.html", form=FlaskForm(), address=None)


@guard("contacts.own")
def make_address() -> Page:
    """Makes a new address, which ends the one before; it is shown once."""
    token = secrets.token_urlsafe(24)
    with database.transaction(web.engine()) as session:
        members.set_calendar(session, signed_in().member.id, _digest(token))
    address = web.settings().desk_url + url_for("desk.calendar_feed", token=token)
    return render_template("calendar.html", form=FlaskForm(), address=address)


@guard(PUBLIC)
def calendar_feed(token: str) -> Response:
    """The turns behind an address, as text/calendar."""
    now = clock.now()
    with database.reading(web.engine()) as session:
        member_id = members.by_calendar(session, _digest(token))
        if member_id is None:
            abort(404)
        turns = schedules.turns_of(session, member_id, now - _BACK, now + _AHEAD)
    answer = Response(_calendar(turns, now), mimetype="text/calendar")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _calendar(turns: list[MyTurn], now: datetime) -> bytes:
    feed = icalendar.Calendar()
    feed.add("prodid", "-//Waypost//turns//EN")
    feed.add("version", "2.0")
    feed.add("x-wr-calname", "Waypost turns")
    for mine in turns:
        event = icalendar.Event()
        # The same turn keeps its name from one fetch to the next, so that calendars do not double it.
        event.add("uid", f"{_digest(f'{mine.team_id} {mine.turn.begins.isoformat()}')[:32]}@waypost")
        event.add("summary", f"On call: {mine.team}")
        event.add("dtstart", mine.turn.begins)
        event.add("dtend", mine.turn.ends)
        event.add("dtstamp", now)
        feed.add_component(event)
    return bytes(feed.to_ical())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
