"""The tip form: the questions, the limits, and a sentence for each fault. What was typed is never changed."""

from __future__ import annotations

import math
import re
import secrets
from typing import Any

from flask import g
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import (
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)

from foundation import web
from foundation.choosing import options
from foundation.reading import LOST, showable
from intake.tip import WORDS, Danger, Tip
from referrals.behaviours import BEHAVIOURS
from referrals.facts import Setting
from routing import gazetteer
from routing.boundaries import Boundaries
from routing.places import Reason, Resolution

_FORM_KEY = re.compile(r"[A-Za-z0-9_-]{22,86}")

SETTINGS = {
    Setting.SCHOOL: lazy_gettext("A school or college"),
    Setting.WORKPLACE: lazy_gettext("A place where people work"),
    Setting.HOME: lazy_gettext("A home"),
    Setting.PUBLIC: lazy_gettext("Another place: a street, a store, a place of worship, an event"),
    Setting.ONLINE: lazy_gettext("Only online, as far as I know"),
    Setting.UNKNOWN: lazy_gettext("I don’t know"),
}
DANGERS = {
    Danger.YES: lazy_gettext("Yes"),
    Danger.NO: lazy_gettext("No, not right now"),
    Danger.UNKNOWN: lazy_gettext("I don’t know"),
}
# The groups of acts, as this door calls them.
_GROUP_TITLES = {
    "communication": lazy_gettext("Said, wrote or posted"),
    "preparation": lazy_gettext("Got or looked for"),
    "approach": lazy_gettext("Watched, followed or planned"),
    "harm": lazy_gettext("Hurt or scared someone"),
    "self": lazy_gettext("Wants to hurt themselves"),
    "other": lazy_gettext("Something else"),
}
_PLACE_FAULTS = {
    Reason.UNKNOWN_STATE: lazy_gettext("Choose a state from the list, or “I don’t know”."),
    Reason.ZIP_FORM: lazy_gettext(
        "A ZIP code has five digits, like 85281. Leave it empty if you are not sure."
    ),
    Reason.UNKNOWN_ZIP: lazy_gettext("We know no such ZIP code. Check it, or leave it empty."),
    Reason.ZIP_NOT_IN_STATE: lazy_gettext(
        "This ZIP code is not in the state you chose. Change one of them, or leave one empty."
    ),
    Reason.PLACE_NOT_IN_STATE: lazy_gettext(
        "The state you wrote here is not the one you chose from the list. Change one of them."
    ),
}


def new_form_key() -> str:
    """192 random bits: what makes two presses of one button one record."""
    return secrets.token_urlsafe(24)


def form_key(answers: MultiDict[str, str]) -> str:
    """The key that the form carries, or a new one where it carries none of ours."""
    carried = answers.get("form_key", "")
    return carried if _FORM_KEY.fullmatch(carried) else new_form_key()


def _states() -> list[Any]:
    named = sorted(gazetteer.load().states.values(), key=lambda state: state.name)
    return options([("", lazy_gettext("I don’t know")), *((state.letters, state.name) for state in named)])


class TipForm(FlaskForm):  # type: ignore[misc]
    """Everything but `what_happened` may stay empty."""

    # Short answers are text areas of one line: no browser offers them to the next person at a shared computer, as it
    # does with inputs, and every browser keeps them for its Back button, as it would not with autocomplete off.
    form_key = HiddenField(default=new_form_key)
    what_happened = TextAreaField(
        lazy_gettext("What happened?"),
        description=lazy_gettext(
            "Tell us what the person did or said. What someone believes, or where they come from, is not a reason "
            "for a report."
        ),
    )
    behaviours = SelectMultipleField(
        lazy_gettext("Did any of this happen?"),
        description=lazy_gettext("Check all that fit. You can skip this."),
        choices=options((act.code, lazy_gettext(act.words)) for act in BEHAVIOURS),
        validate_choice=False,
    )
    other_act = TextAreaField(lazy_gettext("What else did they do?"))
    school = TextAreaField(lazy_gettext("Name of the school, or of the place"))
    place = TextAreaField(lazy_gettext("City or town"))
    state = SelectField(lazy_gettext("State"), choices=_states, validate_choice=False)
    zip_code = StringField(lazy_gettext("ZIP code"))
    setting = RadioField(
        lazy_gettext("What kind of place is it?"),
        choices=options(SETTINGS.items()),
        default=Setting.UNKNOWN.value,
        validate_choice=False,
    )
    subject = TextAreaField(
        lazy_gettext("Who is it about?"),
        description=lazy_gettext("A name, a nickname, an account, a grade: whatever you know."),
    )
    target = TextAreaField(
        lazy_gettext("Who could be hurt?"),
        description=lazy_gettext("A person, a group, a class, or the person themselves."),
    )
    when = TextAreaField(lazy_gettext("When did it happen, or when could it happen?"))
    how_known = TextAreaField(
        lazy_gettext("How do you know?"),
        description=lazy_gettext("For example: I saw it, a friend told me, it was in a group chat."),
    )
    danger = RadioField(
        lazy_gettext("Is someone in danger right now?"),
        choices=options(DANGERS.items()),
        default=Danger.UNKNOWN.value,
        validate_choice=False,
    )
    # A form with files is read more slowly, so only who has some is given one.
    with_files = SelectMultipleField(
        lazy_gettext("Do you have something to show?"),
        description=lazy_gettext("A screenshot, a photo, a recording."),
        choices=options([("yes", lazy_gettext("Yes. I choose it on the next page."))]),
        validate_choice=False,
    )
    contact = TextAreaField(
        lazy_gettext("How can we reach you?"),
        description=lazy_gettext(
            "You do not have to say. If you do: a phone number or an e-mail address. Only the people who work on "
            "your tip can read it."
        ),
    )

    def __init__(self, formdata: MultiDict[str, str] | None = None) -> None:
        super().__init__(formdata)
        self._answers: MultiDict[str, str] = formdata or MultiDict()
        self.form_key.data = form_key(self._answers)

    def groups(self) -> list[tuple[str, list[str]]]:
        """Title and codes of each group of acts, in the order of the page."""
        return [
            (str(title), [act.code for act in BEHAVIOURS if act.group == group])
            for group, title in _GROUP_TITLES.items()
        ]

    @staticmethod
    def chosen(field: SelectField | SelectMultipleField) -> list[str]:
        """What is chosen, in the words of the page."""
        return [str(label) for _, label, selected, _ in field.iter_choices() if selected]

    def tip(self) -> Tip:
        """The answers as a typed value."""
        return Tip.from_answers(self._answers)

    def is_sound(self, boundaries: Boundaries) -> bool:
        """Whether it can be filed; if not, each fault stands at its field."""
        if not self.validate():
            return False
        tip = self.tip()
        for name, sentence in faults(tip, tip.located(boundaries)).items():
            self[name].errors = [sentence]
        return not self.errors

    def make_showable(self) -> None:
        """Makes every answer one that a page can hold, for showing it again."""
        for name in WORDS:
            self[name].data = showable(self[name].data or "")


def faults(tip: Tip, located: Resolution) -> dict[str, str]:
    """What keeps a tip from being filed: a sentence by the name of its field. What cannot be read comes first."""
    if unreadable := _unreadable(tip):
        return unreadable
    found = {fault.field: str(_PLACE_FAULTS[fault.reason]) for fault in located.faults}
    if not tip.what_happened.strip():
        found["what_happened"] = gettext("Tell us what happened. A few words are enough.")
    told = "".join(tip.told().values())
    if len(told.encode()) > web.settings().max_tip_bytes:
        found["what_happened"] = _too_long(told)
    return found


def _unreadable(tip: Tip) -> dict[str, str]:
    # `unreadable`: the browser sent bytes that are no text, and LOST stands for them.
    lost = g.get("unreadable", False)
    return {
        name: gettext(
            "There is something here that we cannot read. We marked it with %(mark)s. Take it out, then go on.",
            mark=LOST,
        )
        for name in WORDS
        if showable(words := getattr(tip, name)) != words or (lost and LOST in words)
    }


def _too_long(told: str) -> str:
    # The limit counts bytes, people count characters; theirs have so many bytes each on average.
    size = len(told.encode())
    over = math.ceil((size - web.settings().max_tip_bytes) * len(told) / size)
    sentence: str = gettext(
        "This is %(size)s characters too long for one tip. Send the first part now, then write a second tip.",
        size=f"{over:,}",
    )
    return sentence
