"""Planning the turns of a team: rotations and their order by its supervisors, exchanges by any of its members."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from sqlalchemy import Row
from sqlalchemy.orm import Session
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from desk import people
from desk.answers import Page
from directory import members, schedules, teams
from directory.guards import guard, signed_in
from directory.hours import DAYS, HOLIDAY, Hours
from directory.on_call import Exchange, Rotation, ScheduleFault
from foundation import clock, database, web
from foundation.choosing import options
from ledger import entries
from ledger.entries import DEPLOYMENT, Actor

# The order of the turns is typed as numbers, one beside each name: it needs no script.
_TURN = "turn-"


class RotationForm(FlaskForm):  # type: ignore[misc]
    """A rotation: who takes turns, from when, for how long, and at which hours."""

    name = StringField(
        "Name",
        description="Such as: week, nights.",
        validators=[DataRequired("Give it a name."), Length(max=40)],
    )
    starts = DateField("First day", validators=[InputRequired("Choose the first day.")])
    handover = TimeField("Handed over at", default=time(8), validators=[InputRequired("Choose the hour.")])
    turn_days = IntegerField(
        "Days in a turn",
        default=7,
        validators=[InputRequired("Say how many days."), NumberRange(1, 366, "Use 1 to 366 days.")],
    )
    begins = TimeField(
        "On duty from", description="Leave both empty for day and night.", validators=[Optional()]
    )
    ends = TimeField("On duty until", validators=[Optional()])
    days = SelectMultipleField(
        "On which days?",
        choices=options((day, day.capitalize()) for day in (*DAYS, HOLIDAY)),
        default=[*DAYS, HOLIDAY],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    holidays = TextAreaField(
        "Holidays", description="One date in each line, such as 2026-12-25.", validators=[Length(max=4000)]
    )
    fallback_covers = BooleanField(
        "When nobody has the duty, everybody is called in the order of the ladder. We know that and want it so."
    )

    def validate_days(self, field: SelectMultipleField) -> None:
        """A rotation without a day is none."""
        if not field.data:
            raise ValidationError("Choose at least one day.")

    def validate_holidays(self, field: TextAreaField) -> None:
        """Dates, one in each line."""
        try:
            _dates(field.data or "")
        except ValueError:
            raise ValidationError("A holiday is a date such as 2026-12-25, one in each line.") from None

    def check(self, page: _Page) -> bool:
        """Whether all of it can be read; every fault is said at once, that of the numbers beside names above the
        form."""
        sound = self.validate()
        try:
            _turns(page)
        except ScheduleFault as fault:
            self.form_errors.append(str(fault))
            return False
        return bool(sound)


class ExchangeForm(FlaskForm):  # type: ignore[misc]
    """Who takes over, for whom, and when; on the team's own clock."""

    member = SelectField("Who takes over?", validators=[InputRequired("Choose who takes over.")])
    instead_of = SelectField("For whom?", validators=[Optional()])
    swap_begins = DateTimeLocalField("From", validators=[InputRequired("Choose when it begins.")])
    swap_ends = DateTimeLocalField("Until", validators=[InputRequired("Choose when it ends.")])


@dataclass(frozen=True)
class _Page:
    """What the page shows of a team."""

    team: Row[Any]
    plan: schedules.Plan
    seats: Mapping[str, str]
    exchanges: Sequence[Row[Any]]
    may_change: bool


@guard("directory.see")
def schedule_page(slug: str) -> Page:
    """The plan of one of my teams, with what may be changed."""
    with database.reading(web.engine()) as session:
        page = _page(session, slug)
    return _shown(page, RotationForm(formdata=None), ExchangeForm(formdata=None))


@guard("turns.plan")
def add_rotation(slug: str) -> Page:
    """Adds a rotation, or replaces the one of that name."""
    form = RotationForm()

    def change(session: Session, page: _Page, now: datetime) -> None:
        added = _rotation(form, page)
        kept = [rotation for rotation in page.plan.schedule.rotations if rotation.name != added.name]
        _set(session, page, [*kept, added], bool(form.fallback_covers.data), now)

    return _changed(slug, form, ExchangeForm(formdata=None), change, "The rotation is in force.", "name")


@guard("turns.plan")
def remove_rotation(slug: str) -> Page:
    """Takes a rotation out."""
    form, name = RotationForm(), request.form.get("remove", "")

    def change(session: Session, page: _Page, now: datetime) -> None:
        kept = [rotation for rotation in page.plan.schedule.rotations if rotation.name != name]
        # Without any the ladder is meant; a hole in what remains is refused.
        _set(session, page, kept, page.plan.fallback_covers or not kept, now)

    return _changed(
        slug, form, ExchangeForm(formdata=None), change, "The rotation is out.", "name", checked=False
    )


@guard("turns.plan")
def set_order(slug: str) -> Page:
    """Sets the order of the ladder."""
    form = RotationForm()

    def change(session: Session, page: _Page, now: datetime) -> None:
        schedules.set_fallback(session, page.team.id, _numbered(page))
        _record(session, page, "ladder_changed", now)

    return _changed(
        slug, form, ExchangeForm(formdata=None), change, "The order is in force.", "name", checked=False
    )


@guard("turns.exchange")
def exchange(slug: str) -> Page:
    """Writes down who takes over whose turn. Any member of the team may: an illness does not wait for a supervisor."""
    form = ExchangeForm()

    def change(session: Session, page: _Page, now: datetime) -> None:
        begins, ends = (_moment(field, page) for field in (form.swap_begins, form.swap_ends))
        entry = Exchange(form.member.data, begins, ends, form.instead_of.data or None)
        schedules.exchange(session, page.team.id, entry, by=signed_in().member.id, now=now)
        _record(session, page, "turn_exchanged", now)

    return _changed(
        slug, RotationForm(formdata=None), form, change, "It is in force.", "swap_ends", anybody=True
    )


@guard("turns.exchange")
def undo_exchange(slug: str, exchange_id: str) -> Page:
    """Takes an exchange back."""
    with database.transaction(web.engine()) as session:
        page, now = _page(session, slug), clock.now()
        if schedules.undo_exchange(session, page.team.id, exchange_id):
            _record(session, page, "turn_exchange_undone", now)
    flash("It is taken back.")
    return redirect(url_for("desk.schedule", slug=slug))


def _changed(
    slug: str,
    rotation: RotationForm,
    swap: ExchangeForm,
    change: Callable[[Session, _Page, datetime], None],
    done: str,
    field: str,
    *,
    checked: bool = True,
    anybody: bool = False,
) -> Page:
    """Validates, changes, and goes back to the page; a refusal stands at the field and keeps what was typed."""
    form = swap if anybody else rotation
    with database.reading(web.engine()) as session:
        page = _page(session, slug)
    if not (anybody or page.may_change):
        abort(404)
    _choose(swap, page)
    if checked and not (swap.validate() if anybody else rotation.check(page)):
        return _shown(page, rotation, swap), 400
    try:
        with database.transaction(web.engine()) as session:
            change(session, _page(session, slug), clock.now())
    except ScheduleFault as fault:
        form[field].errors = [str(fault)]
        return _shown(page, rotation, swap), 400
    flash(done)
    return redirect(url_for("desk.schedule", slug=slug))


def _page(session: Session, slug: str) -> _Page:
    team = teams.team_by_slug(session, slug)
    member = signed_in().member
    if team is None or not (team.id in member.team_ids or member.administrator):
        abort(404)
    now = clock.now()
    plan = schedules.plan(session, team.id, now)
    return _Page(
        team,
        plan,
        members.names(session, plan.schedule.fallback),
        schedules.coming_exchanges(session, team.id, now),
        people.may_change(team.id),
    )


def _shown(page: _Page, rotation: RotationForm, swap: ExchangeForm) -> str:
    _choose(swap, page)
    if not rotation.is_submitted():
        # Nobody said yet that a hole is wanted where there was nothing to have holes.
        rotation.fallback_covers.data = page.plan.fallback_covers and bool(page.plan.schedule.rotations)
    typed = {member: request.form.get(_TURN + member, "") for member in page.seats}
    return render_template(
        "schedule.html",
        page=page,
        form=rotation,
        swap=swap,
        typed=typed,
        turn=_TURN,
        today=clock.now().date(),
    )


def _choose(swap: ExchangeForm, page: _Page) -> None:
    seats = [(member, page.seats[member]) for member in page.plan.schedule.fallback]
    swap.member.choices = options(seats)
    swap.instead_of.choices = options([("", "Nobody: called before all others"), *seats])


def _moment(field: DateTimeLocalField, page: _Page) -> datetime:
    """What was typed, which is on the team's own clock."""
    typed: datetime = field.data  # type: ignore[assignment]  # InputRequired came first
    return typed.replace(tzinfo=ZoneInfo(page.team.time_zone)).astimezone(UTC)


def _rotation(form: RotationForm, page: _Page) -> Rotation:
    return Rotation(
        name=form.name.data or "",
        members=tuple(_turns(page)),
        starts=form.starts.data or date.min,
        handover=form.handover.data or time(8),
        turn_days=form.turn_days.data or 7,
        hours=_hours(form, page.team.time_zone),
    )


def _turns(page: _Page) -> list[str]:
    turns = _numbered(page)
    if not turns:
        raise ScheduleFault("Number at least one member: 1 takes the first turn, 2 the next.")
    return turns


def _numbered(page: _Page) -> list[str]:
    """Members in the order of the numbers typed beside their names."""
    typed = {member: request.form.get(_TURN + member, "").strip() for member in page.seats}
    if wrong := [text for text in typed.values() if text and not text.isdecimal()]:
        raise ScheduleFault(f"“{wrong[0][:20]}” is no number. Use 1, 2, 3 beside the names.")
    return sorted((member for member in typed if typed[member]), key=lambda member: int(typed[member]))


def _hours(form: RotationForm, zone: str) -> Hours | None:
    everyday = set(form.days.data or ()) == {*DAYS, HOLIDAY}
    if form.begins.data is None and form.ends.data is None and everyday:
        return None
    midnight = time(0)
    begins, ends = form.begins.data or midnight, form.ends.data or midnight
    return Hours(zone, begins, ends, frozenset(form.days.data or ()), _dates(form.holidays.data or ""))


def _dates(lines: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(line) for line in lines.split())


def _set(
    session: Session, page: _Page, rotations: Sequence[Rotation], fallback_covers: bool, now: datetime
) -> None:
    schedules.set_rotations(
        session,
        page.team.id,
        rotations,
        fallback_covers=fallback_covers,
        by=signed_in().member.id,
        now=now,
    )
    _record(session, page, "schedule_changed", now)


def _record(session: Session, page: _Page, kind: str, now: datetime) -> None:
    actor = Actor(member_id=signed_in().member.id, team_id=page.team.id)
    entries.append(session, DEPLOYMENT, kind=kind, at=now, actor=actor, facts={"team": page.team.id})
