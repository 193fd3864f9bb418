"""The form of one coverage rule: what was typed becomes a rule, or faults at its fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TimeField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from desk import words
from directory.hours import DAYS, HOLIDAY
from foundation.choosing import options
from referrals.behaviours import BEHAVIOURS, GROUPS
from referrals.facts import Relation, Setting, Urgency
from routing import naming, places
from routing.areas import LAYER_RANKS
from routing.boundaries import Boundaries
from routing.rule import Role, Rule

_EVERYDAY = [*DAYS, HOLIDAY]
# Layers that a rule may cover all of, within an area.
_EVERY = {
    "place": "Every city in it",
    "school": "Every school in it",
    "campus": "Every campus in it",
    "county": "Every county in it",
}
# More areas of one name than this are no choice; whoever asks has to say more.
_MOST = 12


class _Ticks(SelectMultipleField):
    """Several of a list, each a checkbox."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class RuleForm(FlaskForm):  # type: ignore[misc]
    """One rule. `area_id` appears where several areas fit the words."""

    area = StringField(
        "Area",
        description="A town with its state, a county, a school, a ZIP or a state: “Tempe, AZ”. Or an id: county:04013.",
        validators=[DataRequired("Say for which area it holds."), Length(max=200)],
    )
    # The choices follow from the words; `_area` checks.
    area_id = RadioField("Which of them?", validators=[Optional()], validate_choice=False)
    every = SelectField(
        "How much of it?",
        choices=options([("", "The area itself"), *_EVERY.items()]),
        validators=[Optional()],
    )
    team = SelectField("Team", validators=[InputRequired("Choose a team.")])
    role = RadioField(
        "What does the team do?",
        choices=options((role.value, words.ROLES[role].capitalize()) for role in Role),
        default=Role.LEAD.value,
        validators=[InputRequired("Choose what the team does.")],
    )
    behaviours = _Ticks(
        "Only for these acts", choices=options((behaviour.code, behaviour.words) for behaviour in BEHAVIOURS)
    )
    urgencies = _Ticks(
        "Only at this urgency",
        choices=options((urgency.value, urgency.value.capitalize()) for urgency in Urgency),
    )
    settings = _Ticks(
        "Only at these kinds of place",
        choices=options((setting.value, words.SETTINGS[setting]) for setting in Setting),
    )
    relations = _Ticks(
        "Only by these places",
        choices=options((relation.value, words.RELATIONS[relation]) for relation in Relation),
    )
    originators = _Ticks("Only what these offices forward")
    begins = TimeField(
        "Hours: from", description="On the team’s own clock. Both empty: always.", validators=[Optional()]
    )
    ends = TimeField("Hours: until", validators=[Optional()])
    days = _Ticks(
        "Hours: on these days",
        choices=options((day, day.capitalize()) for day in _EVERYDAY),
        default=_EVERYDAY,
    )
    calendar = SelectField("Hours: holidays by", validators=[Optional()])
    mandate = RadioField(
        "By what right?",
        choices=options([("0", "Ordinary coverage"), ("1", "A written agreement"), ("2", "A law")]),
        default="0",
        validators=[InputRequired("Choose one.")],
    )
    priority = IntegerField(
        "Priority",
        description="Only between rules that are otherwise equal: the larger number goes first.",
        default=0,
        validators=[
            InputRequired("Give a whole number, such as 0."),
            NumberRange(-1000, 1000, "Use -1000 to 1000."),
        ],
    )
    valid_from = DateField(
        "First day", description="Empty: as soon as the draft is in force.", validators=[Optional()]
    )
    valid_to = DateField(
        "First day on which it no longer holds", description="Empty: without end.", validators=[Optional()]
    )
    shields = _Ticks(
        "Shuts out teams that answer by", choices=options((layer, layer) for layer in LAYER_RANKS)
    )
    reason = StringField(
        "Why?",
        description="For whoever approves it, and for whoever reads it in three years.",
        validators=[DataRequired("Say why."), Length(max=1000)],
    )

    @staticmethod
    def groups() -> list[tuple[str, list[str]]]:
        """Title and codes of each group of acts, as checkboxes_grouped takes them."""
        return [
            (title, [behaviour.code for behaviour in BEHAVIOURS if behaviour.group == group])
            for group, title in GROUPS.items()
        ]

    def choose(
        self, teams: Mapping[str, str], offices: Mapping[str, str], calendars: Mapping[str, Any]
    ) -> None:
        """What can be chosen here: names by id."""
        self.team.choices = options([("", "Choose a team"), *teams.items()])
        self.originators.choices = options(offices.items())
        self.calendar.choices = options([("", "Those of the hours"), *((name, name) for name in calendars)])
        self.area_id.choices = []

    def rule(self, id: str, zone: str, boundaries: Boundaries, author: str) -> dict[str, Any] | None:
        """The rule in plain JSON, once it is valid; None where some field has a fault, which then stands at it."""
        valid = self.validate()
        for field, sentence in self._own_words():
            field.errors = (sentence,)
        area = self._area(boundaries)
        hours = self._hours(zone)
        if not valid or self.errors:
            return None
        lists = ("behaviours", "urgencies", "settings", "relations", "originators", "shields")
        return {
            "id": id,
            "team": self.team.data,
            "role": self.role.data,
            "area": area,
            "every": self.every.data or "",
            **{name: list(self[name].data or ()) for name in lists},
            **({"hours": hours} if hours else {}),
            "calendar": (self.calendar.data or "") if hours else "",
            "mandate": int(self.mandate.data or 0),
            "priority": int(self.priority.data or 0),
            **{name: self[name].data.isoformat() for name in ("valid_from", "valid_to") if self[name].data},
            "author": author,
            "reason": self.reason.data,
        }

    def show_fault(self, field: str, sentence: str) -> None:
        """A fault that only the rules as a whole tell."""
        names = {entry.short_name for entry in self}
        shown = self[field if field in names else "area"]
        shown.errors = (*shown.errors, sentence)

    def _area(self, boundaries: Boundaries) -> str:
        """The one area that the words mean. Several become a choice below the field."""
        typed = (self.area.data or "").strip()
        if not typed or self.area.errors:
            return ""
        found = list(dict.fromkeys(_areas(typed, boundaries)))[:_MOST]
        if len(found) == 1:
            return found[0]
        if self.area_id.data in found:
            return str(self.area_id.data)
        self.area_id.choices = options((area, f"{naming.named(area, boundaries)} ({area})") for area in found)
        if found:
            self.area_id.errors = ("Several areas are called so. Choose one.",)
        else:
            self.area.errors = ("Nothing that we know is called so. Add the state, or use an id.",)
        return ""

    def _hours(self, zone: str) -> dict[str, Any] | None:
        begins, ends, days = self.begins.data, self.ends.data, list(self.days.data or ())
        if begins is None and ends is None and set(days) == set(_EVERYDAY):
            return None
        if (begins is None) != (ends is None):
            self.ends.errors = ("Give both hours, or neither.",)
        if not days:
            self.days.errors = ("Choose at least one day.",)
        return {
            "zone": zone,
            "begins": f"{begins:%H:%M}" if begins else "00:00",
            "ends": f"{ends:%H:%M}" if ends else "00:00",
            "days": days,
        }

    def _own_words(self) -> Iterator[tuple[Any, str]]:
        """Fields whose fault the library worded, with our sentence for it."""
        yield from ((self[name], sentence) for name, sentence in _WRONG.items() if self[name].errors)


# Whatever is wrong with a field of a fixed form.
_WRONG = {
    "team": "Choose a team from the list.",
    "role": "Choose what the team does.",
    "every": "Choose how much of the area from the list.",
    "priority": "Give a whole number from -1000 to 1000.",
    "valid_from": "Give a day as year, month and day, such as 2026-12-01.",
    "valid_to": "Give a day as year, month and day, such as 2026-12-01.",
    "begins": "Give a time such as 17:00.",
    "ends": "Give a time such as 08:00.",
}


def shown(rule: Rule, boundaries: Boundaries) -> dict[str, Any]:
    """A rule as the form shows it."""
    hours = rule.hours
    return {
        "area": rule.area,
        "every": rule.every,
        "team": rule.team,
        "role": rule.role.value,
        "behaviours": sorted(rule.behaviours),
        "urgencies": sorted(urgency.value for urgency in rule.urgencies),
        "settings": sorted(setting.value for setting in rule.settings),
        "relations": sorted(relation.value for relation in rule.relations),
        "originators": sorted(rule.originators),
        "begins": hours.begins if hours else None,
        "ends": hours.ends if hours else None,
        "days": sorted(hours.days) if hours else _EVERYDAY,
        "calendar": rule.calendar,
        "mandate": str(rule.mandate),
        "priority": rule.priority,
        "valid_from": rule.valid_from,
        "valid_to": rule.valid_to,
        "shields": sorted(rule.shields),
        "reason": "",
    }


def _areas(typed: str, boundaries: Boundaries) -> Iterator[str]:
    if boundaries.knows(typed) or boundaries.successors(typed) != (typed,):
        # An ended one too: the rules themselves say best what took its place.
        yield typed
        return
    for field in ("place", "county", "school"):
        told = dict.fromkeys(("school", "place", "county", "state", "zip_code"), "") | {field: typed}
        found = places.resolve(boundaries, relation=Relation.INCIDENT, **told)
        areas = [area for piece in found.evidence for area in piece.areas]
        if areas and not found.faults:
            yield from areas
            return
