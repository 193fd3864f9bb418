"""What the public door says about a tip: the summary before it is sent, and where it stands afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext, lazy_gettext

from intake.tip_form import DANGERS, SETTINGS, TipForm
from referrals.facts import Setting
from referrals.states import REPORTER_STATUS

# The line of steps, in order: the distinct values of REPORTER_STATUS.
STATUS_STEPS = tuple(dict.fromkeys(REPORTER_STATUS.values()))

# Step → its name on the page, and what it means for the reporter. Never a person's or a team's name.
_STATUS_WORDS = {
    "received": (
        lazy_gettext("Received"),
        lazy_gettext("Your tip is here and locked. We are looking for the team for the place you named."),
    ),
    "being passed to a team": (
        lazy_gettext("Being passed to a team"),
        lazy_gettext("We have asked a team to take it. If they do not answer in time, we ask the next one."),
    ),
    "a team has it": (
        lazy_gettext("A team has it"),
        lazy_gettext(
            "A team of trained people has taken it on. They decide what to do: look into it, talk with people, "
            "get help to them. They cannot tell you everything they do."
        ),
    ),
    "closed": (
        lazy_gettext("Closed"),
        lazy_gettext(
            "The team has finished its work on your tip. If something new happens, send another tip."
        ),
    ),
}


@dataclass(frozen=True)
class Step:
    """One step of the line."""

    name: str
    meaning: str


@dataclass(frozen=True)
class Part:
    """One part of the summary: the anchor of the form's section that changes it, and question and answer pairs."""

    anchor: str
    title: str
    answers: tuple[tuple[str, str], ...]


def status_steps() -> list[Step]:
    """The line of steps in the reader's language."""
    return [Step(*map(str, _STATUS_WORDS[step])) for step in STATUS_STEPS]


def summary(form: TipForm) -> list[Part]:
    """All answers that were given, in the order of the form."""
    tip = form.tip()
    words = {field.name: (str(field.label.text), str(field.data or "")) for field in form}
    words |= {
        "behaviours": (str(form.behaviours.label.text), "\n".join(form.chosen(form.behaviours))),
        "with_files": (
            str(form.with_files.label.text),
            gettext("Yes. Choose it below.") if form.with_files.data else "",
        ),
        "state": (str(form.state.label.text), "".join(form.chosen(form.state)) if tip.state else ""),
        "setting": (
            str(form.setting.label.text),
            "" if tip.setting is Setting.UNKNOWN else str(SETTINGS[tip.setting]),
        ),
        "danger": (str(form.danger.label.text), str(DANGERS[tip.danger])),
    }
    return [
        Part(anchor, title, tuple(words[name] for name in names if words[name][1]))
        for anchor, title, names in _parts()
    ]


def _parts() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return (
        ("what", gettext("What you saw or heard"), ("what_happened", "behaviours", "other_act")),
        ("where", gettext("Where"), ("school", "place", "state", "zip_code", "setting")),
        ("who", gettext("Who and when"), ("subject", "target", "when", "how_known")),
        ("now", gettext("Right now"), ("danger",)),
        ("files", gettext("Pictures and files"), ("with_files",)),
        ("you", gettext("You"), ("contact",)),
    )
