"""What a forward looks like in JSON, as JSON Schema: the API reads by it, and its OpenAPI document shows it."""

from __future__ import annotations

from typing import Any

from intake.forward import RELATIONS, Handling
from intake.forward_words import HANDLING_MEANS, HANDLINGS, URGENCIES
from referrals.behaviours import BEHAVIOURS
from referrals.facts import Setting, Urgency

Schema = dict[str, Any]


def text(description: str, **more: Any) -> Schema:
    """A string."""
    return {"type": "string", "description": description, **more}


def choice(values: list[str], description: str, **more: Any) -> Schema:
    """One of some words."""
    return {"type": "string", "enum": values, "description": description, **more}


def members(properties: Schema, *required: str, **more: Any) -> Schema:
    """An object with these members and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def _listed(meaning: dict[Any, Any]) -> str:
    return "\n".join(f"- `{value}`: {words}" for value, words in meaning.items())


_POINT = members(
    {
        "latitude": {"type": "number", "minimum": -90, "maximum": 90},
        "longitude": {"type": "number", "minimum": -180, "maximum": 180},
        "accuracy_m": {
            "type": "number",
            "minimum": 0,
            "maximum": 50_000,
            "description": "How exact it is, in meters.",
        },
    },
    "latitude",
    "longitude",
    description="A point in the United States, in degrees (WGS 84).",
)
_ATTACHMENT = members(
    {
        "name": text("The file’s name. It is sealed with the file."),
        "content": text("The file’s bytes.", contentEncoding="base64"),
    },
    "name",
    "content",
)


# What an office answers when it is asked whether a forward may be passed on.
ANSWER = members(
    {"allowed": {"type": "boolean", "description": "Whether it may go to that team."}}, "allowed"
)


def forward(most_files: int) -> Schema:
    """A new forward: the portal's questions, and at most so many files."""
    return members(
        {
            "what_happened": text(
                "What happened, in the order it happened. What somebody believes, or where they come from, is not a "
                "reason for a referral."
            ),
            "behaviours": {
                "type": "array",
                "items": {"type": "string", "enum": [act.code for act in BEHAVIOURS]},
                "description": "What was done or said. The team sees these before it opens the rest.\n"
                + _listed({act.code: act.words for act in BEHAVIOURS}),
            },
            "other_act": text("What else was done, if none of these says it."),
            "links": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Accounts and addresses.",
            },
            "subject": text("Who it is about: names, accounts, a description."),
            "target": text("Who may be hurt."),
            "relation": choice(
                [whose.value for whose in RELATIONS],
                "Whose place it is that is named: where someone may be hurt, where it happened, or where the person "
                "lives or is.",
                default=RELATIONS[0].value,
            ),
            "place": text("City or town."),
            "state": text("Postal letters of the state, such as AZ."),
            "zip_code": text("Five digits."),
            "county": text("The county’s name."),
            "school": text("School or campus."),
            "point": _POINT,
            "setting": choice(
                [kind.value for kind in Setting],
                "The kind of place that is threatened.",
                default=Setting.UNKNOWN.value,
            ),
            "when": text("When it happened, or when it may happen."),
            "sources": text("Who said or saw each thing, when, and how sure you are of it."),
            "urgency": choice(
                [urgency.value for urgency in Urgency],
                _listed({urgency.value: words for urgency, words in URGENCIES.items()}),
            ),
            "handling": choice(
                [code.value for code in Handling],
                _listed(
                    {
                        code.value: f"{words}. {HANDLING_MEANS[code.value]}"
                        for code, words in HANDLINGS.items()
                    }
                ),
            ),
            "conditions": text("Your conditions, for H3."),
            "case_number": text(
                "Your own case number, at most 60 letters, digits and signs. It is not sealed like the rest: a file "
                "number only, no name."
            ),
            "contact": text("How the team reaches you."),
            "attachments": {
                "type": "array",
                "items": _ATTACHMENT,
                "maxItems": most_files,
                "description": "Files: pictures, PDF, text, sound, video.",
            },
        },
        "what_happened",
        "urgency",
        "handling",
    )
