"""The desk's forms for handing a referral on, back, outside, and for asking. What was typed stays on the page."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from directory.addresses import ContactFault, normal_address
from directory.members import Channel
from foundation.choosing import options
from routing.calls import RESULTS
from routing.disclosure import NEEDS_WORDS
from routing.states import BASES, KINDS, Basis, Kind

_WORDS = Length(max=100_000, message="That is too long. Use at most 100,000 characters.")
_NAME = Length(max=120, message="Use at most 120 characters.")
_CHOSEN = [kind for kind, rule in KINDS.items() if rule.chosen]
_GROUNDS = [(basis.value, words) for basis, words in BASES.items() if basis is not Basis.INTAKE_ROUTING]


class _Grounded(FlaskForm):  # type: ignore[misc]
    """The ground on which something is disclosed, and what it must be said with."""

    basis = RadioField(
        "On which ground?",
        choices=options(_GROUNDS),
        validators=[InputRequired("Choose the ground on which you disclose it.")],
    )
    threat = TextAreaField(
        "For an emergency: what is the threat?",
        description="Who is in danger, of what, and how you know. It is sealed with the notes.",
        validators=[_WORDS],
    )
    danger = TextAreaField(
        "Imminent danger, and no time to ask the originator?",
        description="Then say here why it cannot wait. It goes on record, and the originator is told.",
        validators=[_WORDS],
    )
    conditions_met = BooleanField("I read the originator's conditions, and they allow this.")

    def validate_threat(self, field: Any) -> None:
        """An emergency without a threat in words is no ground."""
        if self.basis.data in {basis.value for basis in NEEDS_WORDS} and not (field.data or "").strip():
            raise ValidationError("Say what the threat is: an emergency is a ground only with it.")


class HandOnForm(_Grounded):
    """To whom, what is asked, what goes along and on which ground. Asked on two pages."""

    to_team = SelectField("To whom?", validators=[InputRequired("Choose a team.")])
    kind = RadioField(
        "What do you ask of them?",
        choices=options((kind.value, kind.value.capitalize()) for kind in _CHOSEN),
        validators=[InputRequired("Choose what you ask of them.")],
    )
    overlap_until = DateField(
        "The person moved there? Then both teams work until",
        description="Only with a transfer. Leave it empty if nobody moved.",
        validators=[Optional()],
    )
    parts = SelectMultipleField(
        "What goes along?",
        description="They see what you tick, and nothing else.",
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    # The kind for which the ticks were offered: another kind starts with its own.
    parts_for = HiddenField()
    need = TextAreaField(
        "What is needed, and whom do they contact?",
        description="This is what they see. What was told stays sealed unless you tick it.",
        validators=[_WORDS],
    )

    def validate_need(self, field: Any) -> None:
        """Support carries the need and a contact."""
        if self.kind.data == Kind.SUPPORT.value and not (field.data or "").strip():
            raise ValidationError("Say what is needed and whom they contact.")


def _is_telephone(_form: FlaskForm, field: StringField) -> None:
    """Somebody will call it again, and read a code aloud over it."""
    try:
        normal_address(Channel.SMS, field.data or "")
    except ContactFault as fault:
        raise ValidationError(str(fault)) from fault


class OutsideForm(_Grounded):
    """Somebody outside the directory was called."""

    agency = StringField(
        "Agency",
        description="Such as Greenlee County Sheriff.",
        validators=[DataRequired("Name the agency."), _NAME],
    )
    person = StringField("With whom did you speak?", validators=[DataRequired("Name the person."), _NAME])
    telephone = StringField(
        "Number that you called",
        description="One that you looked up yourself, not one that somebody gave you.",
        validators=[
            DataRequired("Write the number."),
            Length(max=30, message="Use at most 30 characters."),
            _is_telephone,
        ],
    )
    called_on = DateField("Day of the call", validators=[InputRequired("Choose the day.")])
    called_at = TimeField("Time of the call", validators=[InputRequired("Choose the time.")])
    parts = SelectMultipleField(
        "What did you tell them?",
        description="For the record. Nothing is sent.",
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )


class CallBackForm(FlaskForm):  # type: ignore[misc]
    """The agency was called back."""

    handoff = HiddenField(validators=[InputRequired()])
    result = RadioField(
        "What did they say?",
        choices=options(
            [("confirmed", "They confirmed that they have it"), ("refused", "They will not take it")]
        ),
        validators=[InputRequired("Choose what they said.")],
    )
    spoke_with = StringField("With whom did you speak?", validators=[DataRequired("Name the person."), _NAME])


class GiveBackForm(FlaskForm):  # type: ignore[misc]
    """Why it is given back."""

    handoff = HiddenField(validators=[InputRequired()])
    reason = TextAreaField(
        "Why do you give it back?",
        description="It is sealed like a note, for whoever works on it next.",
        validators=[DataRequired("Say why."), _WORDS],
    )


class StepAsideForm(FlaskForm):  # type: ignore[misc]
    """Who steps aside."""

    who = RadioField(
        "Who steps aside?",
        choices=options([("me", "I do"), ("team", "My whole team")]),
        validators=[InputRequired("Choose who steps aside.")],
    )


class CallForm(FlaskForm):  # type: ignore[misc]
    """The record of one telephone call."""

    call = HiddenField(validators=[InputRequired()])
    result = RadioField(
        "How did it go?",
        choices=options(RESULTS.items()),
        validators=[InputRequired("Choose how it went.")],
    )


class PressForm(FlaskForm):  # type: ignore[misc]
    """One press; what is meant goes along."""

    about = HiddenField()
    handoff = HiddenField()
