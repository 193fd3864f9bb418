"""The words of a forward's form: what each choice means, and the sentence for each fault of a place."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import format_timedelta, gettext, lazy_gettext

from foundation import web
from intake.forward import Handling
from referrals.behaviours import BEHAVIOURS, GROUPS
from referrals.facts import Relation, Urgency
from routing.places import Reason
from routing.steps import STEPS

URGENCIES = {
    Urgency.IMMINENT: lazy_gettext("Imminent"),
    Urgency.ELEVATED: lazy_gettext("Elevated"),
    Urgency.ROUTINE: lazy_gettext("Routine"),
}
HANDLINGS = {
    Handling.FREE: lazy_gettext("H0: No limits of ours"),
    Handling.NOT_AS_EVIDENCE: lazy_gettext("H1: Not as evidence"),
    Handling.NOT_PASSED_ON: lazy_gettext("H2: Not to be passed on"),
    Handling.AS_STATED: lazy_gettext("H3: As we state"),
}
HANDLING_MEANS = {
    Handling.FREE.value: lazy_gettext("The team may use it and pass it on as its own law and policy allow."),
    Handling.NOT_AS_EVIDENCE.value: lazy_gettext(
        "Not to be used as evidence, for example in an affidavit, without our permission."
    ),
    Handling.NOT_PASSED_ON.value: lazy_gettext(
        "The team that acknowledges may act on it, but not give it to anybody else without our permission."
    ),
    Handling.AS_STATED.value: lazy_gettext("Only as the conditions say that you write below."),
}
WHOSE = {
    Relation.TARGET: lazy_gettext("Where someone may be hurt"),
    Relation.INCIDENT: lazy_gettext("Where it happened"),
    Relation.SUBJECT: lazy_gettext("Where the person lives or is"),
}
PLACE_FAULTS = {
    Reason.UNKNOWN_STATE: lazy_gettext("Choose a state from the list, or “Not known”."),
    Reason.ZIP_FORM: lazy_gettext("A ZIP code has five digits, like 85281."),
    Reason.UNKNOWN_ZIP: lazy_gettext("We know no such ZIP code. Check it, or leave it empty."),
    Reason.ZIP_NOT_IN_STATE: lazy_gettext(
        "This ZIP code is not in the state you chose. Change one of them, or leave one empty."
    ),
    Reason.PLACE_NOT_IN_STATE: lazy_gettext(
        "The state you wrote here is not the one you chose from the list. Change one of them."
    ),
}


def urgency_means() -> dict[str, str]:
    """One line for each urgency, with the times at which people are really asked."""

    def after(urgency: Urgency, step: int) -> str:
        return str(format_timedelta(STEPS[urgency][step].after, granularity="minute", threshold=2))

    return {
        Urgency.IMMINENT.value: gettext(
            "Somebody may be hurt within hours. The whole team is called at once, day and night, and again after "
            "%(again)s.",
            again=after(Urgency.IMMINENT, 1),
        ),
        Urgency.ELEVATED.value: gettext(
            "It cannot wait for days. One person is called now, the next after %(next)s, the whole team after "
            "%(all)s.",
            next=after(Urgency.ELEVATED, 1),
            all=after(Urgency.ELEVATED, 2),
        ),
        Urgency.ROUTINE.value: gettext(
            "It can wait for a working day. One person is told now, the next after %(next)s on working days.",
            next=after(Urgency.ROUTINE, 1),
        ),
    }


def act_groups() -> list[tuple[str, list[str]]]:
    """The acts under the titles of their groups."""
    return [
        (gettext(title), [act.code for act in BEHAVIOURS if act.group == group])
        for group, title in GROUPS.items()
    ]


def idle_time() -> str:
    """How long a page may lie before the member has to sign in again, in words."""
    return str(
        format_timedelta(timedelta(minutes=web.settings().idle_minutes), granularity="minute", threshold=2)
    )
