"""My quiet hours: when my telephone is left alone by what is routine. What is urgent comes at any hour."""

from __future__ import annotations

from datetime import time

from flask import flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from wtforms import TimeField
from wtforms.validators import Optional

from desk.answers import Page
from directory import members
from directory.guards import guard, signed_in
from foundation import database, web


class QuietForm(FlaskForm):  # type: ignore[misc]
    """Both or neither."""

    begins = TimeField("From", validators=[Optional()])
    ends = TimeField(
        "Until", description="On your team's clock. Leave both empty for none.", validators=[Optional()]
    )


@guard("contacts.own")
def quiet_page() -> Page:
    """My quiet hours as they are."""
    with database.reading(web.engine()) as session:
        begins, ends = members.quiet_hours(session, signed_in().member.id)
    form = QuietForm(
        begins=time.fromisoformat(begins) if begins else None, ends=time.fromisoformat(ends) if ends else None
    )
    return render_template("quiet.html", form=form)


@guard("contacts.own")
def set_quiet() -> Page:
    """Sets them."""
    form = QuietForm()
    if not form.validate():
        return render_template("quiet.html", form=form), 400
    if (form.begins.data is None) != (form.ends.data is None):
        form.ends.errors = ["Say both when it begins and when it ends, or neither."]
        return render_template("quiet.html", form=form), 400
    with database.transaction(web.engine()) as session:
        members.set_quiet_hours(
            session, signed_in().member.id, _written(form.begins.data), _written(form.ends.data)
        )
    flash("Your quiet hours are set." if form.begins.data else "You have no quiet hours.")
    return redirect(url_for("desk.contacts"))


def _written(hour: time | None) -> str | None:
    return hour.isoformat("minutes") if hour else None
