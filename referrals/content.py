"""What a referral says, part by part, as it is sealed: a versioned JSON document for each part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

_VERSION = 1


@dataclass(frozen=True)
class Told:
    """One thing that somebody told: the field's name, the question it answers (English), which part it is in."""

    name: str
    part: str
    question: str


# The order in which the desk shows it. Names are stored; a renamed one needs a new version.
FIELDS: tuple[Told, ...] = (
    Told("what_happened", "narrative", "What happened"),
    Told("other_act", "narrative", "Something else they did"),
    Told("when", "narrative", "When"),
    Told("how_known", "narrative", "How they know"),
    Told("target", "narrative", "Who may be hurt"),
    Told("place", "narrative", "Where, in their words"),
    Told("links", "narrative", "Accounts and links"),
    Told("sources", "narrative", "Sources, and how sure"),
    Told("conditions", "narrative", "Conditions for handling it, as the originator states them"),
    Told("subject", "subject", "Who it is about"),
    Told("contact", "reporter", "How to reach the person who reported"),
)
_NAMES = {told.name: told for told in FIELDS}


def documents(told: Mapping[str, str]) -> dict[str, bytes]:
    """The words by part, ready to seal. Empty answers are left out; a part without any is left out too.

    Words are kept as they were typed, character for character. Raises KeyError for a name not in FIELDS.
    """
    by_part: dict[str, dict[str, str]] = {}
    for name, words in told.items():
        if words:
            by_part.setdefault(_NAMES[name].part, {})[name] = words
    return {
        part: json.dumps({"version": _VERSION, "told": words}, ensure_ascii=False).encode()
        for part, words in by_part.items()
    }


def told_in(document: bytes) -> list[tuple[Told, str]]:
    """The questions and words of one part, in the order of FIELDS."""
    words = json.loads(document)["told"]
    return [(told, words[told.name]) for told in FIELDS if told.name in words]
