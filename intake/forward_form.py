"""The form of a forward: a tip's questions for a professional, with case number, urgency and handling code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from flask import request
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy import Row
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.validators import ValidationError

from foundation import web
from foundation.choosing import options
from foundation.reading import LOST, showable
from intake.forward import RELATIONS, Forward, Handling, point_of
from intake.forward_words import HANDLINGS, PLACE_FAULTS, URGENCIES, WHOSE
from intake.tip_form import SETTINGS, new_form_key
from referrals.behaviours import BEHAVIOURS, CODES
from referrals.facts import Evidence, Relation, Setting
from routing import gazetteer
from routing.boundaries import Boundaries

_FORM_KEY = re.compile(r"[A-Za-z0-9_-]{22,86}")
# The one thing that stays in clear, so it may hold signs of a file number and no sentence.
_CASE_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/#:()-]{0,59}")
_FARTHEST_M = 50_000.0


def _told(form: FlaskForm, field: Any) -> None:
    words = field.data or ""
    # Of a form that may bring files each field was decoded by itself; LOST stands for what was no text.
    lost = request.mimetype.startswith("multipart/") and LOST in words
    if lost or showable(words) != words:
        raise ValidationError(
            gettext(
                "There is something here that we cannot read. We marked it with %(mark)s. Take it out, then send.",
                mark=LOST,
            )
        )


def _case_number(form: FlaskForm, field: Any) -> None:
    if field.data and not _CASE_NUMBER.fullmatch(field.data.strip()):
        raise ValidationError(
            gettext("A case number has at most 60 letters, digits and signs such as - / . # and no names.")
        )


def _point(form: FlaskForm, field: Any) -> None:
    if (field.data or "").strip() and point_of(field.data) is None:
        raise ValidationError(
            gettext(
                "Write a point in the United States as latitude and longitude, like 33.4255, -111.9400. The minus "
                "sign matters."
            )
        )


def _accuracy(form: FlaskForm, field: Any) -> None:
    if (field.data or "").strip() and _metres(field.data) is None:
        raise ValidationError(gettext("Write how exact the point is in meters, a number from 0 to 50000."))


def _chosen(sentence: Any) -> Any:
    def check(form: FlaskForm, field: Any) -> None:
        if field.data not in {choice.value for choice in field.choices}:
            raise ValidationError(sentence)

    return check


def _states() -> list[Any]:
    named = sorted(gazetteer.load().states.values(), key=lambda state: state.name)
    return options([("", lazy_gettext("Not known")), *((state.letters, state.name) for state in named)])


class ForwardForm(FlaskForm):  # type: ignore[misc]
    """Story, urgency and handling code must be given, all else may stay empty. `evidence` is there after
    `is_sound` found no fault."""

    form_key = HiddenField(default=new_form_key)
    office = SelectField(
        lazy_gettext("Your office"), validators=[_chosen(lazy_gettext("Choose your office."))]
    )
    what_happened = TextAreaField(
        lazy_gettext("What happened"),
        description=lazy_gettext(
            "What was done or said, in the order it happened. What somebody believes, or where they come from, is "
            "not a reason for a referral."
        ),
        validators=[_told],
    )
    behaviours = SelectMultipleField(
        lazy_gettext("What was done or said"),
        choices=options((act.code, lazy_gettext(act.words)) for act in BEHAVIOURS),
        description=lazy_gettext("Acts only. The team sees these before it opens the rest."),
        validate_choice=False,
    )
    other_act = TextAreaField(lazy_gettext("If something else: what?"), validators=[_told])
    links = TextAreaField(
        lazy_gettext("Accounts and links"),
        description=lazy_gettext("One to a line."),
        validators=[_told],
    )
    subject = TextAreaField(
        lazy_gettext("Who it is about"),
        description=lazy_gettext("Names, accounts, a description. Leave it empty if nobody knows."),
        validators=[_told],
    )
    target = TextAreaField(lazy_gettext("Who may be hurt"), validators=[_told])
    relation = RadioField(
        lazy_gettext("What place can you name?"),
        choices=options((whose.value, WHOSE[whose]) for whose in RELATIONS),
        default=Relation.TARGET.value,
        validate_choice=False,
    )
    place = StringField(lazy_gettext("City or town"), validators=[_told])
    state = SelectField(lazy_gettext("State"), choices=_states, validate_choice=False, validators=[_told])
    zip_code = StringField(lazy_gettext("ZIP code"), validators=[_told])
    county = StringField(lazy_gettext("County"), validators=[_told])
    school = StringField(lazy_gettext("School or campus"), validators=[_told])
    point = StringField(
        lazy_gettext("Point on the map"),
        description=lazy_gettext("Latitude and longitude, like 33.4255, -111.9400."),
        validators=[_told, _point],
    )
    accuracy = StringField(lazy_gettext("How exact is the point, in meters?"), validators=[_told, _accuracy])
    setting = SelectField(
        lazy_gettext("What kind of place is it?"),
        choices=options((kind.value, words) for kind, words in SETTINGS.items()),
        default=Setting.UNKNOWN.value,
        validate_choice=False,
    )
    when = StringField(lazy_gettext("When it happened, or when it may happen"), validators=[_told])
    sources = TextAreaField(
        lazy_gettext("Sources, and how sure you are"),
        description=lazy_gettext("Who said or saw each thing, when, and how sure you are of it."),
        validators=[_told],
    )
    urgency = RadioField(
        lazy_gettext("Urgency"),
        choices=options(URGENCIES.items()),
        validate_choice=False,
        validators=[_chosen(lazy_gettext("Choose how urgent it is."))],
    )
    handling = RadioField(
        lazy_gettext("Handling code"),
        choices=options(HANDLINGS.items()),
        validate_choice=False,
        validators=[_chosen(lazy_gettext("Choose what the team may do with it."))],
    )
    conditions = TextAreaField(lazy_gettext("Your conditions, for H3"), validators=[_told])
    case_number = StringField(
        lazy_gettext("Your own case number"),
        description=lazy_gettext(
            "It is shown in your list, and is not sealed like the rest: a file number only, no name."
        ),
        validators=[_case_number],
    )
    contact = StringField(
        lazy_gettext("How the team reaches you"),
        description=lazy_gettext("A telephone number or an address for questions."),
        validators=[_told],
    )

    def __init__(self, offices: Sequence[Row[Any]], answers: MultiDict[str, str] | None = None) -> None:
        """For what the browser sent; or for `answers`, which came without a browser and need no form token."""
        super().__init__(**({} if answers is None else {"formdata": answers, "meta": {"csrf": False}}))
        self.office.choices = options((office.id, office.name) for office in offices)
        if len(offices) == 1:
            self.office.data = offices[0].id
        if not _FORM_KEY.fullmatch(self.form_key.data or ""):
            self.form_key.data = new_form_key()
        self.evidence: tuple[Evidence, ...] = ()

    def forward(self) -> Forward:
        """The loose answers as a typed value. Choices that no form of ours sends count as the first of their list;
        `is_sound` has a fault for those that matter."""
        answers = self.data
        return Forward(
            urgency=_one_of(URGENCIES, answers["urgency"]),
            handling=_one_of(HANDLINGS, answers["handling"]),
            behaviours=tuple(
                act.code for act in BEHAVIOURS if act.code in CODES & set(answers["behaviours"] or ())
            ),
            relation=_one_of(RELATIONS, answers["relation"]),
            setting=_one_of((Setting.UNKNOWN, *Setting), answers["setting"]),
            point=point_of(answers["point"] or ""),
            accuracy_m=_metres(answers["accuracy"] or "") or 0.0,
            case_number=(answers["case_number"] or "").strip(),
            **{name: answers[name] or "" for name in _WORDS},
        )

    def is_sound(self, boundaries: Boundaries) -> bool:
        """Whether it can be filed; if not, each fault stands at its field."""
        self.validate()
        if not (self.what_happened.data or "").strip():
            self.what_happened.errors = [gettext("Write what happened. The team has nothing else to go by.")]
        if self.handling.data == Handling.AS_STATED.value and not (self.conditions.data or "").strip():
            self.conditions.errors = [gettext("Write the conditions that H3 stands for.")]
        self._find(boundaries)
        return not self.errors

    def make_showable(self) -> None:
        """Makes every answer one that a page can hold, for showing it again."""
        for name in (*_WORDS, "point", "accuracy", "case_number"):
            self[name].data = showable(self[name].data or "")

    def _find(self, boundaries: Boundaries) -> None:
        forward = self.forward()
        if (
            size := sum(len(words.encode()) for words in forward.told().values())
        ) > web.settings().max_tip_bytes:
            over = f"{size - web.settings().max_tip_bytes:,}"
            self.what_happened.errors = [
                gettext(
                    "All answers together are %(over)s characters too long. Send it in two parts.", over=over
                )
            ]
        located = forward.located(boundaries)
        for fault in located.faults:
            self[fault.field].errors = [str(PLACE_FAULTS[fault.reason])]
        self.evidence = located.evidence


_WORDS = (
    "what_happened", "other_act", "links", "subject", "target", "school", "place", "county", "state", "zip_code",
    "when", "sources", "conditions", "contact",
)  # fmt: skip


def _one_of(known: Iterable[Any], answer: str | None) -> Any:
    """The known value of that name, else the first."""
    values = list(known)
    return next((value for value in values if value.value == answer), values[0])


def _metres(words: str) -> float | None:
    typed = re.fullmatch(r"\s*(\d{1,5}(?:\.\d{1,3})?)\s*m?\s*", words)
    return float(typed[1]) if typed and float(typed[1]) <= _FARTHEST_M else None
