"""What the API answers, as JSON Schema. What an office's system may rely on; later versions may add members."""

from __future__ import annotations

from typing import Any

from intake.api_schema import ANSWER, Schema, choice, members, text
from intake.forward import Handling
from referrals.behaviours import CODES
from referrals.casework import DISPOSITIONS
from referrals.facts import Urgency
from routing.states import DECLINES

_TIME = {"type": "string", "format": "date-time"}
REFERENCE = text("Such as R-7K3M-Q2.", pattern="^R-[0-9A-Z]{4}-[0-9A-Z]{2}$")
_ADDRESS = {"type": "string", "format": "uri"}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _some(schema: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": schema, **more}


def _all(**properties: Schema) -> Schema:
    """An object that always has all of these members, and may have others in later versions."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def ref(name: str) -> Schema:
    """One of SHAPES, by name."""
    return {"$ref": f"#/components/schemas/{name}"}


_SUMMARY: Schema = {
    "reference": REFERENCE,
    "address": _ADDRESS,
    "case_number": _or_null(text("Your own.")),
    "urgency": choice([urgency.value for urgency in Urgency], "How urgent it is by now."),
    "handling": choice([code.value for code in Handling], "Your handling code."),
    "behaviours": _some({"type": "string", "enum": sorted(CODES)}),
    "place": _or_null(text("The place that counts, such as Tempe, AZ.")),
    "filed_at": _TIME,
    "status": choice(
        ["received", "routed", "acknowledged", "closed"],
        "`routed`: it is being passed to a team, and nobody has acknowledged. `acknowledged`: a named person has it.",
    ),
    "custodian": ref("Custodian"),
    "asked": _some({"type": "string"}, description="The teams that are asked and have not answered."),
    "due": _or_null(_all(at=_TIME, what=text("What is due then."))),
    "disposition": _or_null(choice([each.value for each in DISPOSITIONS], "As what it was closed.")),
}
SHAPES: Schema = {
    "Custodian": _all(team=text("Who has custody."), since=_TIME),
    "Filed": _all(
        reference=REFERENCE,
        address=_ADDRESS,
        status=choice(["received"], "It is filed."),
        custodian=ref("Custodian"),
        receipt=_all(
            deployment=text("Which Waypost took it."),
            reference=REFERENCE,
            case_number=_or_null(text("Your own.")),
            filed_at=_TIME,
            attachments=_some(
                _all(
                    name=text("As you sent it."),
                    bytes={"type": "integer"},
                    sha256=text("Of the bytes as they came.", pattern="^[0-9a-f]{64}$"),
                )
            ),
        ),
    ),
    "Summary": _all(**_SUMMARY),
    "Referral": _all(
        **_SUMMARY,
        route=_or_null(text("Where it was sent and why; null until that is decided.")),
        offers=_some(ref("Offer"), description="Each offer of custody, oldest first."),
        custody=_some(_all(at=_TIME, sentence=text("What happened."))),
        permissions=_some(ref("Permission"), description="What you are asked about it."),
    ),
    "Offer": _all(
        to=text("The team."),
        state=choice(
            ["offered", "opened", "acknowledged", "declined", "lapsed", "recalled"], "Where it stands."
        ),
        offered_at=_TIME,
        opened_at=_or_null(_TIME),
        answer_by=_or_null(_TIME),
        answered_at=_or_null(_TIME),
        reason=_or_null(choice([each.value for each in DECLINES], "Why it was declined.")),
    ),
    "Permission": _all(
        id=text("Names the question."),
        reference=REFERENCE,
        address={**_ADDRESS, "description": "Where it is answered."},
        case_number=_or_null(text("Your own.")),
        urgency=choice([urgency.value for urgency in Urgency], "How urgent it is."),
        asked_by=text("The team that has custody."),
        about=text("To which team it would go."),
        answer_by=_TIME,
    ),
    "Page": _all(
        referrals=_some(ref("Summary")), next=_or_null({**_ADDRESS, "description": "Those after these."})
    ),
    "Permissions": _all(permissions=_some(ref("Permission"))),
    "Answer": ANSWER,
    "Answered": _all(id=text("Of the question."), reference=REFERENCE, allowed={"type": "boolean"}),
    "Problem": {
        "description": "Problem details (RFC 9457).",
        **members(
            {
                "type": text("Always about:blank."),
                "title": text("The status in words."),
                "status": {"type": "integer"},
                "detail": text("What is wrong, in a sentence."),
                "errors": _some(
                    members(
                        {"pointer": text("Where, as a JSON pointer."), "detail": text("What.")},
                        "pointer",
                        "detail",
                    ),
                    description="Everything that is wrong with the body.",
                ),
            },
            "type",
            "title",
            "status",
            "detail",
        ),
    },
}
