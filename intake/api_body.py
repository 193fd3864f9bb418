"""Reading a body: strict JSON, and a sentence for each thing in it that does not fit its schema. No sentence and no
exception repeats what was sent, but for names of members."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator

from foundation.reading import showable
from intake.api_schema import Schema

# JSON pointer as a fragment → what is wrong there.
Faults = dict[str, str]

_KINDS = {
    "string": "This must be a string.",
    "number": "This must be a number.",
    "boolean": "This must be true or false.",
    "array": "This must be a list.",
    "object": "This must be an object.",
}
# What each limit of a schema says, before its number.
_LIMITS = {
    "minimum": "less than",
    "maximum": "more than",
    "maxItems": "longer than",
}


class NoJson(ValueError):
    """The body is no JSON that can be read in one way only; the text says why."""


@dataclass(frozen=True)
class Body:
    """An object as it was sent: its members that fit, which are missing, and what does not fit where."""

    right: dict[str, Any]
    missing: Faults
    unfit: Faults


def read(body: bytes) -> Any:
    """The value that the body is. Raises NoJson."""
    try:
        return json.loads(
            body.decode(), object_pairs_hook=_object, parse_float=_number, parse_constant=_no_number
        )
    except NoJson:
        raise
    except UnicodeDecodeError:
        raise NoJson("The body is not UTF-8.") from None
    except json.JSONDecodeError as fault:
        raise NoJson(f"The body is not JSON: line {fault.lineno}, column {fault.colno}.") from None
    except RecursionError:
        raise NoJson("The body is nested too deeply.") from None
    except ValueError:
        # Python itself reads no number of thousands of digits.
        raise NoJson("A number in the body is too long.") from None


def compare(value: Any, schema: Schema) -> Body:
    """The value as the object that the schema describes, with all that is wrong at once. Raises NoJson where it is
    none, or is nested too deeply to say."""
    if not isinstance(value, dict):
        raise NoJson("The body must be one JSON object.")
    try:
        unfit = dict(
            pair for error in Draft202012Validator(schema).iter_errors(value) for pair in _told(error)
        )
    except RecursionError:
        raise NoJson("The body is nested too deeply.") from None
    unfit |= dict.fromkeys(_unreadable(value, schema), "This holds NUL or half of a surrogate pair.")
    names = {where.partition("/")[2].partition("/")[0] for where in unfit}
    missing = {pointer(name): "This must be given." for name in schema["required"] if name not in value}
    return Body({name: each for name, each in value.items() if _escaped(name) not in names}, missing, unfit)


def pointer(*path: str | int) -> str:
    """A JSON pointer as a fragment, such as `#/point/latitude` (RFC 6901)."""
    return "#" + "".join(f"/{_escaped(str(step))}" for step in path)


def _escaped(step: str) -> str:
    return quote(step.replace("~", "~0").replace("/", "~1"), safe="~", errors="replace")


def _told(error: Any) -> Iterator[tuple[str, str]]:
    """Where and what, of one error of the library; its own words would repeat what was sent."""
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        for name in set(error.instance) - set(error.schema["properties"]):
            yield pointer(*path, name), "There is no member of this name."
    elif error.validator == "required" and path:
        for name in set(error.validator_value) - set(error.instance):
            yield pointer(*path, name), "This must be given."
    elif error.validator != "required":
        yield pointer(*path), _sentence(str(error.validator), error.validator_value)


def _sentence(keyword: str, asked: Any) -> str:
    if keyword == "type":
        return _KINDS[asked]
    if keyword == "enum":
        return f"This must be one of: {', '.join(asked)}."
    return f"This is {_LIMITS[keyword]} {asked}."


def _unreadable(value: Any, schema: Schema) -> Iterator[str]:
    """Where strings hold what is no text. Goes no deeper than the schema does."""
    for path, words in _strings(value, schema, ()):
        if showable(words) != words:
            yield pointer(*path)


def _strings(
    value: Any, schema: Schema, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list) and "items" in schema:
        for place, each in enumerate(value):
            yield from _strings(each, schema["items"], (*path, place))
    elif isinstance(value, dict):
        for name, each in value.items():
            if name in schema.get("properties", {}):
                yield from _strings(each, schema["properties"][name], (*path, name))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise NoJson("A name stands twice in one object of the body.")
    return made


def _number(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise NoJson("A number in the body is too large.")
    return value


def _no_number(word: str) -> float:
    raise NoJson("The body is not JSON: NaN and Infinity are no numbers of it.")
