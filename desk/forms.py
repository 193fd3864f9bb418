"""The desk's forms. What was typed stays on the page through every fault."""

from __future__ import annotations

import hashlib
import json

from flask_wtf import FlaskForm
from wtforms import (
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional, Regexp

from desk import words
from foundation.choosing import options
from foundation.identifiers import new_id
from referrals.casework import ACTIONS, DISPOSITIONS
from referrals.facts import Relation
from routing.states import DECLINES

# The text of a note is stored sealed; 100,000 characters are fifty pages.
_WORDS = Length(max=100_000, message="That is too long. Use at most 100,000 characters.")
_RELATIONS = (Relation.TARGET, Relation.INCIDENT, Relation.SUBJECT)


class AcknowledgeForm(FlaskForm):  # type: ignore[misc]
    """One press; the offer that is meant goes along."""

    handoff = HiddenField(validators=[InputRequired()])


class DeclineForm(FlaskForm):  # type: ignore[misc]
    """Why not, and perhaps who better."""

    handoff = HiddenField(validators=[InputRequired()])
    reason = RadioField(
        "Why do you decline?",
        choices=options((reason.value, words) for reason, words in DECLINES.items()),
        validators=[InputRequired("Choose a reason.")],
    )
    better_team = SelectField(
        "A team that fits better", description="If you know one.", validators=[Optional()]
    )


class OnceForm(FlaskForm):  # type: ignore[misc]
    """A form with a key of its own: sent twice, it is recorded once."""

    form_key = HiddenField(default=new_id, validators=[Regexp(r"[0-9a-f]{32}\Z")])

    def record_id(self, *answers: str) -> str:
        """32 hexadecimal characters that name these answers sent from this form.

        The same sent twice is one record. Other words from the same form (somebody went back and wrote more) are
        another: "recorded" must not stand for words that were not. The form's key is stored nowhere, so that
        nobody can try words against the id.
        """
        content = json.dumps((self.form_key.data, *answers))
        return hashlib.sha256(content.encode()).hexdigest()[:32]


_ORIGINS = [
    ("notes", "No"),
    ("education", "Yes: a record of a school or college"),
    ("health", "Yes: a record of health care"),
]


class NoteForm(OnceForm):
    """A note in free words."""

    words = TextAreaField("Your note", validators=[DataRequired("Write the note first."), _WORDS])
    origin = RadioField(
        "Does it come from a protected record?",
        description="Then it is sealed apart, and goes on only with consent, in an emergency, or by court order.",
        choices=options(_ORIGINS),
        default="notes",
        validators=[InputRequired()],
    )


class ActionForm(OnceForm):
    """What was done, from the list, and words beside it."""

    action = RadioField(
        "What did you do?",
        choices=options(ACTIONS.items()),
        validators=[InputRequired("Choose what you did.")],
    )
    words = TextAreaField(
        "How it went",
        description="Who, when, and what came of it. You can leave this empty.",
        validators=[_WORDS],
    )


class PlaceForm(FlaskForm):  # type: ignore[misc]
    """What was learned of a place. One field is enough."""

    relation = RadioField(
        "Which place?",
        choices=options((relation.value, words.RELATIONS[relation]) for relation in _RELATIONS),
        default=Relation.TARGET.value,
        validators=[InputRequired()],
    )
    school = StringField("School", validators=[Length(max=200)])
    place = StringField("City or town", validators=[Length(max=200)])
    county = StringField("County", validators=[Length(max=200)])
    state = StringField("State", description="Such as AZ or Arizona.", validators=[Length(max=60)])
    zip_code = StringField("ZIP code", validators=[Length(max=10)])


class CloseForm(FlaskForm):  # type: ignore[misc]
    """How it ends, and why."""

    disposition = RadioField(
        "How does it end?",
        choices=options((disposition.value, words) for disposition, words in DISPOSITIONS.items()),
        validators=[InputRequired("Choose how it ends.")],
    )
    reason = TextAreaField(
        "Why?",
        description="For whoever reads this later. It is sealed like a note.",
        validators=[DataRequired("Say why it can be closed."), _WORDS],
    )


class ClosingForm(FlaskForm):  # type: ignore[misc]
    """The second member's answer."""

    answer = RadioField(
        "Your answer",
        choices=options([("approve", "Approve: close it"), ("refuse", "Refuse: we go on working on it")]),
        validators=[InputRequired("Choose an answer.")],
    )


class FindForm(FlaskForm):  # type: ignore[misc]
    """An exact reference; nothing else can be searched for."""

    class Meta:
        """A search changes nothing and can be kept as an address."""

        csrf = False

    reference = StringField("Reference", description="Such as R-7K3M-Q2.", validators=[Length(max=40)])
