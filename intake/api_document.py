"""The API as an OpenAPI 3.1 document, put together from the same tables and schemas by which it works."""

from __future__ import annotations

from typing import Any

from foundation.settings import Settings
from intake import api_schema
from intake.api_schema import Schema
from intake.api_shapes import REFERENCE, SHAPES, ref

VERSION = "1.0.0"
_ABOUT = (
    "An office's own system forwards threats, sees who has custody of each, and says whether it may be passed on.\n\n"
    "Every request shows a key, which an administrator makes for an office. A forward also names an `Idempotency-Key`: "
    "sent again under the same key, the same forward is filed once and has the same answer. Custody stays with the "
    "office until a named person of another team has acknowledged."
)
EXAMPLE = {
    "what_happened": "The account @sb_example wrote: tomorrow at Saguaro Bend, third period, nobody leaves.",
    "behaviours": ["threat_communicated", "target_identified"],
    "links": ["https://social.example/sb_example/1"],
    "subject": "A student, unknown. Account @sb_example",
    "place": "Tempe",
    "state": "AZ",
    "urgency": "elevated",
    "handling": "H2",
    "case_number": "PX-2026-0417",
    "contact": "+1 602 555 0103",
    "attachments": [{"name": "post.txt", "content": "dG9tb3Jyb3cgYXQgU2FndWFybyBCZW5k"}],
}
_PROBLEMS = {
    400: "Something in the request cannot be taken. All of it is said at once; nothing was filed.",
    401: "No key, or one that is not in force.",
    403: "The key lacks the scope.",
    404: "There is nothing here, or it is not yours to see.",
    409: "The same request is being done right now, or the question was answered before.",
    410: "Its record was erased.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "This Idempotency-Key came with another body before.",
    429: "Too many requests; `Retry-After` says how long to wait.",
    500: "Something broke on our side. Send the same again: it is done once.",
    503: "It cannot be done right now. Send the same again: it is done once.",
}  # fmt: skip
_AS_A_FORM = {
    "schema": {
        "type": "object",
        "properties": {
            "referral": {
                "allOf": [ref("Forward")],
                "description": "Everything but the files, as JSON; a field, not a file.",
            },
            "attachment": {"type": "array", "items": {"type": "string", "format": "binary"}},
        },
        "required": ["referral"],
    },
    "encoding": {"referral": {"contentType": "application/json"}},
}
_SIZE = {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
_IN_PATH = {"name": "reference", "in": "path", "required": True, "schema": REFERENCE}


def document(settings: Settings) -> dict[str, Any]:
    """The whole document, for this deployment."""
    forward = api_schema.forward(settings.attachments_most)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Waypost", "version": VERSION, "description": _ABOUT},
        "servers": [{"url": f"{settings.public_url}/api/v1"}],
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "waypost_key_…"}},
            "schemas": {"Forward": forward, **SHAPES},
            "responses": {
                _name(status): {
                    "description": words,
                    "content": {"application/problem+json": {"schema": ref("Problem")}},
                }
                for status, words in _PROBLEMS.items()
            },
        },
    }


def _paths() -> Schema:
    return {
        "/referrals": {
            "post": _operation(
                "forward",
                "Forward a threat",
                {201: "Filed"},
                (400, 401, 403, 409, 410, 413, 415, 422, 429, 500, 503),
                takes="Forward",
                example=EXAMPLE,
                parameters=[_header("Idempotency-Key", "A new one for each new forward, such as a UUID.")],
            ),
            "get": _operation(
                "list",
                "Your forwards, newest first",
                {200: "Page"},
                (400, 401, 403, 429, 500, 503),
                parameters=[_query("after", REFERENCE), _query("size", _SIZE)],
            ),
        },
        "/referrals/{reference}": {
            "get": _operation("see", "One forward and its custody", {200: "Referral"}, (401, 403, 404, 429, 500, 503)),
            "parameters": [_IN_PATH],
        },
        "/referrals/{reference}/permissions/{permission}": {
            "post": _operation(
                "permit",
                "Allow that it is passed on, or not",
                {200: "Answered"},
                (400, 401, 403, 404, 409, 413, 415, 429, 500, 503),
                takes="Answer",
                example={"allowed": True},
            ),
            "parameters": [_IN_PATH, _IN_PATH | {"name": "permission", "schema": {"type": "string"}}],
        },
        "/permissions": {
            "get": _operation("permissions", "What you are asked", {200: "Permissions"}, (401, 403, 429, 500, 503))
        },
        "/openapi.json": {
            "get": {
                "operationId": "document",
                "summary": "This document",
                "security": [],
                "responses": {"200": {"description": "OpenAPI 3.1", "content": {"application/json": {}}}},
            }
        },
    }  # fmt: skip


def _operation(
    name: str,
    summary: str,
    answers: dict[int, str],
    problems: tuple[int, ...],
    *,
    takes: str = "",
    example: Any = None,
    **more: Any,
) -> Schema:
    responses: Schema = {
        str(status): {"description": "Done.", "content": {"application/json": {"schema": ref(schema)}}}
        for status, schema in answers.items()
    }
    responses |= {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in problems}
    content: Schema = {"application/json": {"schema": ref(takes), "example": example}}
    if name == "forward":
        content["multipart/form-data"] = _AS_A_FORM
    taken = {"requestBody": {"required": True, "content": content}} if takes else {}
    return {"operationId": name, "summary": summary, **taken, "responses": responses, **more}


def _header(name: str, description: str) -> Schema:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": {"type": "string", "minLength": 1, "maxLength": 257},
    }


def _query(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "schema": schema}


def _name(status: int) -> str:
    return f"Problem{status}"
