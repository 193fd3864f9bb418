"""The question "what if?": any evidence of place, any circumstances, as a form that loses nothing it was told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from wtforms import (
    DateTimeLocalField,
    Field,
    Form,
    FormField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from desk import words
from foundation.choosing import options
from referrals.behaviours import BEHAVIOURS, GROUPS
from referrals.facts import Evidence, Facts, PlaceKind, Relation, Setting, Urgency
from routing import places
from routing.boundaries import Boundaries

# Referrals seldom have more; each is a fieldset of the page.
MOST_PIECES = 4
_TYPED = ("school", "place", "county", "state", "zip_code")
_LONG = Length(max=200, message="That is too long. Use at most 200 characters.")
# Half the way around the Earth; what is coarser than a county finds nothing anyway.
_METRES = NumberRange(0, 20_000_000)


class PieceForm(Form):
    """One place, named in one way or in several."""

    relation = SelectField(
        "Whose place is it?",
        choices=options((relation.value, words.RELATIONS[relation]) for relation in Relation),
        default=Relation.TARGET.value,
        validators=[InputRequired()],
    )
    school = StringField("School or campus", validators=[_LONG])
    place = StringField("City or town", description="Such as Tempe, AZ.", validators=[_LONG])
    county = StringField("County", validators=[_LONG])
    state = StringField("State", description="Such as AZ or Arizona.", validators=[_LONG])
    zip_code = StringField("ZIP code", validators=[_LONG])
    point = StringField(
        "A point", description="Latitude and longitude, such as 33.42, -111.94.", validators=[_LONG]
    )
    accuracy = IntegerField(
        "How exact is the point, in metres?", validators=[Optional(), _METRES], default=None
    )


class WhatIfForm(FlaskForm):  # type: ignore[misc]
    """Places and circumstances. `pieces` says how many places are shown."""

    piece_1 = FormField(PieceForm, "First place")
    piece_2 = FormField(PieceForm, "Second place")
    piece_3 = FormField(PieceForm, "Third place")
    piece_4 = FormField(PieceForm, "Fourth place")
    pieces = IntegerField(default=1, validators=[Optional()])
    urgency = SelectField(
        "Urgency",
        choices=options((urgency.value, urgency.value.capitalize()) for urgency in Urgency),
        default=Urgency.ELEVATED.value,
        validators=[InputRequired()],
    )
    setting = SelectField(
        "The kind of place",
        choices=options((setting.value, words.SETTINGS[setting]) for setting in Setting),
        default=Setting.UNKNOWN.value,
        validators=[InputRequired()],
    )
    originator = SelectField("Who tells it?", default="", validators=[Optional()])
    at = DateTimeLocalField(
        "When?",
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        description="Empty: now.",
        validators=[Optional()],
    )
    acts = SelectMultipleField(
        "What was done or said?",
        choices=options((behaviour.code, behaviour.words) for behaviour in BEHAVIOURS),
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )

    def groups(self) -> list[tuple[str, list[str]]]:
        """Title and codes of each group of acts, as checkboxes_grouped takes them."""
        return [
            (title, [behaviour.code for behaviour in BEHAVIOURS if behaviour.group == group])
            for group, title in GROUPS.items()
        ]

    def shown(self) -> list[FormField[PieceForm]]:
        """The places that the page shows."""
        return [field for field in self if isinstance(field, FormField)]

    def show(self, more: int = 0) -> None:
        """Keeps as many places as were shown before, and `more`; the others are asked nothing."""
        told = self.pieces.data
        before = told if isinstance(told, int) else 1
        for number in range(min(max(before + more, 1), MOST_PIECES), MOST_PIECES):
            del self[f"piece_{number + 1}"]

    def _own_words(self) -> Iterator[tuple[Field, str]]:
        """Fields whose fault the library worded, with our sentence for it."""
        parts: list[Form] = [self, *(field.form for field in self.shown())]
        wrong = [field for part in parts for field in part if field.errors]
        yield from ((field, _WRONG[field.short_name]) for field in wrong if field.short_name in _WRONG)

    def moment(self, now: datetime, zone: ZoneInfo) -> datetime:
        """When, on the reader's own clock; now where nothing was said."""
        told: datetime | None = self.at.data
        return told.replace(tzinfo=zone) if told else now

    def facts(self, boundaries: Boundaries) -> Facts | None:
        """What was asked, once it is valid; None where some field has a fault, which then stands at it."""
        evidence = tuple(piece for field in self.shown() for piece in _evidence(field.form, boundaries))
        for field, sentence in self._own_words():
            field.errors = (sentence,)
        if not self.errors and not evidence:
            self.piece_1.form.place.errors = ("Name some place: one field is enough.",)
        if self.errors:
            return None
        return Facts(
            Urgency(self.urgency.data),
            tuple(self.acts.data or ()),
            Setting(self.setting.data),
            self.originator.data or None,
            evidence,
        )


# Whatever is wrong with a field of a fixed form.
_WRONG = {
    "accuracy": "Give whole metres, such as 60.",
    "at": "Give a day and a time, such as 2026-03-04 20:00.",
    "relation": "Choose whose place it is.",
    "urgency": "Choose an urgency from the list.",
    "setting": "Choose a kind of place from the list.",
    "originator": "Choose who tells it from the list.",
    "acts": "Choose acts from the list.",
}

# What is wrong with a place, by what `places.resolve` says.
_FAULTS: dict[places.Reason, str] = {
    places.Reason.UNKNOWN_STATE: "There is no such state. Use its two letters, such as AZ.",
    places.Reason.ZIP_FORM: "A ZIP code has five digits.",
    places.Reason.UNKNOWN_ZIP: "This ZIP code is not in use.",
    places.Reason.ZIP_NOT_IN_STATE: "This ZIP code is not in that state.",
    places.Reason.PLACE_NOT_IN_STATE: "The state beside the town is another one than the state below.",
}
_NO_POINT = "Give two numbers, the latitude first, such as 33.42, -111.94."


def _evidence(form: PieceForm, boundaries: Boundaries) -> Iterator[Evidence]:
    if form.relation.errors:
        return
    relation = Relation(form.relation.data)
    typed = {name: form[name].data or "" for name in _TYPED}
    found = places.resolve(boundaries, relation=relation, **typed)
    for fault in found.faults:
        _show(form, fault.field, _FAULTS[fault.reason])
    if not found.faults:
        _show_unknown(form, boundaries, relation, typed)
    yield from found.evidence
    yield from _point(form, relation)


def _show_unknown(form: PieceForm, boundaries: Boundaries, relation: Relation, typed: dict[str, str]) -> None:
    """Words that fit no place: a tip may hold them, but whoever asks here can look again."""
    for name in ("school", "place", "county"):
        # The state and the ZIP stay with it, for they narrow what the words may mean.
        alone = {other: words for other, words in typed.items() if other in {name, "state", "zip_code"}}
        if typed[name].strip():
            found = places.resolve(boundaries, relation=relation, **alone).evidence
            if any(piece.kind is PlaceKind.UNKNOWN for piece in found):
                _show(form, name, "Nothing that we know is called so.")


def _point(form: PieceForm, relation: Relation) -> Iterator[Evidence]:
    told = form.point.data or ""
    if not told.strip():
        return
    try:
        latitude, longitude = (float(part) for part in told.replace(",", " ").split())
    except ValueError:
        _show(form, "point", _NO_POINT)
        return
    if not (-90 < latitude < 90 and -180 <= longitude <= 180):
        _show(form, "point", "No place on Earth is there. The latitude comes first.")
        return
    accuracy = float(form.accuracy.data or 0)
    yield Evidence(PlaceKind.POINT, relation, latitude=latitude, longitude=longitude, accuracy_m=accuracy)


def _show(form: PieceForm, field: str, sentence: str) -> None:
    form[field].errors = (*form[field].errors, sentence)
