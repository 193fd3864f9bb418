"""The words of ledger entries, for who was not there."""

from __future__ import annotations

from typing import Any

import pytest

from desk.sentences import sentence_of
from routing.states import Kind

NAMES = {"1": "Ines Vega", "2": "CARE 7", "3": "Dana Ruiz of Gila County Sheriff"}


def said(entry_kind: str, **facts: Any) -> str:
    entry = {"kind": entry_kind, "actor": {"member": "1"}, "facts": {"to_team": "2", "handoff": "3", **facts}}
    return sentence_of(entry, NAMES)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (Kind.CONSULT, "to work on it with them (a consult)"),
        (Kind.SUPPORT, "to help with a need"),
        (Kind.INFORM, "to know of it"),
        (Kind.REQUEST, "to pass it over"),
    ],
)
def test_what_was_asked_is_said_as_one_would_say_it(kind: Kind, asked: str) -> None:
    assert said("asked", kind=kind.value) == f"Ines Vega asked CARE 7 {asked}."
    assert said("handoff_completed", kind=kind.value) == f"What was asked of CARE 7 is done ({kind.value})."


def test_who_was_told_outside_is_named_while_the_record_stands() -> None:
    sheriff = "Dana Ruiz of Gila County Sheriff"
    assert said("asked", kind="external") == f"Ines Vega told {sheriff}, outside this service."
    assert (
        said("handoff_confirmed_by_call")
        == f"Ines Vega called {sheriff} back, who confirmed that they have it."
    )
    assert said("handoff_lapsed", kind="external", handoff="gone").startswith(
        "An agency outside this service was"
    )


def test_who_came_by_the_link_is_who_did_it() -> None:
    entry = {"kind": "handoff_link_entered", "actor": {"part": "guest link"}, "facts": {"handoff": "3"}}
    assert sentence_of(entry, NAMES) == f"{NAMES['3']} came in by the link and the code."
