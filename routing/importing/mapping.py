"""Mappings: which column of somebody's file says what about an area. docs/importing.md tells how to write one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

from routing.areas import LAYER_RANKS

READY = Path(__file__).parent / "mappings"
# States, counties and ZIPs come with the country's tables.
LAYERS = tuple(layer for layer in LAYER_RANKS if layer not in {"nation", "state", "county", "zip"})

_COLUMN = re.compile(r"\{([^{}:]+)(?::(\d{1,2}))?\}")


class MappingFault(ValueError):
    """A mapping cannot be used, or does not fit the file; the message is a sentence for each reason."""


@dataclass(frozen=True)
class Template:
    """Text with columns in it: `county:{CNTY}`. `{CNTY:5}` brings back zeros that spreadsheets eat."""

    written: str

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns that it asks for."""
        return tuple(found[1] for found in _COLUMN.finditer(self.written))

    @cached_property
    def _form(self) -> str:
        """The same for str.format, so that nothing is searched in each of a million rows."""
        parts = _COLUMN.split(self.written)
        texts = (text.replace("{", "{{").replace("}", "}}") for text in parts[::3])
        cells = (f"{{:0>{int(width)}}}" if width else "{}" for width in parts[2::3])
        return "".join(map("".join, zip_longest(texts, cells, fillvalue="")))

    def filled(self, values: Mapping[str, str]) -> str:
        """The text for one row; "" if one of its columns is empty there."""
        cells = [values.get(column, "") for column in self.columns]
        return self._form.format(*cells) if all(cells) else ""


@dataclass(frozen=True)
class AreaMapping:
    """How a row becomes an area. Empty: the file does not say it. `only`: rows whose column holds one of these."""

    name: Template
    id: Template
    layer: str = ""
    aliases: tuple[Template, ...] = ()
    state: Template = Template("")
    zips: Template = Template("")
    parents: tuple[Template, ...] = ()
    parents_if_known: tuple[Template, ...] = ()
    latitude: Template = Template("")
    longitude: Template = Template("")
    outline: Template = Template("")
    precision_m: Template = Template("50")
    valid_from: Template = Template("")
    valid_to: Template = Template("")
    located: bool = True
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    source: str = ""
    vintage: str = ""
    licence: str = ""

    @classmethod
    def from_toml(cls, written: str) -> AreaMapping:
        """A mapping from TOML. Raises MappingFault, which names every fault at once."""
        try:
            given = tomllib.loads(written)
        except tomllib.TOMLDecodeError as fault:
            raise MappingFault(f"The mapping is no TOML: {fault}") from None
        faults = list(_faults(given))
        if faults:
            raise MappingFault("\n".join(faults))
        return cls(**{key: _READ[key](value) for key, value in given.items()})

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every column that it asks for."""
        templates = (template for name in _READ for template in self.templates(name))
        asked = dict.fromkeys(column for template in templates for column in template.columns)
        return tuple(asked | dict.fromkeys(self.only))

    def templates(self, name: str) -> tuple[Template, ...]:
        """The templates of one member; none for members that are no text with columns."""
        value = getattr(self, name, ())
        parts = value if isinstance(value, tuple) else (value,)
        return tuple(part for part in parts if isinstance(part, Template))

    def for_layer(self, layer: str) -> str:
        """The layer of its areas, if `layer` ("" for none) is wanted. Raises MappingFault where both differ or none
        is said."""
        if self.layer and layer and self.layer != layer:
            raise MappingFault(f"The mapping is for the layer {self.layer}, not for {layer}")
        if not (self.layer or layer):
            raise MappingFault("Neither the mapping nor you say which layer the areas are of")
        return self.layer or layer

    def check_columns(self, columns: Iterable[str]) -> None:
        """Raises MappingFault if the file lacks a column, with those that it has."""
        there = tuple(columns)
        if not there:
            raise MappingFault("The file holds nothing: neither columns nor features")
        missing = [column for column in self.columns if column not in there]
        if missing:
            raise MappingFault(
                f"The file has no column {', '.join(missing)}. Its columns are {', '.join(there)}"
            )


def ready() -> tuple[str, ...]:
    """The names of the mappings that come with Waypost."""
    return tuple(sorted(path.stem for path in READY.glob("*.toml")))


def mapping_named(named: str) -> AreaMapping:
    """A ready mapping by name, or one from a file's path. Raises MappingFault."""
    path = READY / f"{named}.toml" if named in ready() else Path(named)
    try:
        return AreaMapping.from_toml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise MappingFault(
            f"There is no mapping {named}. Ready ones: {', '.join(ready())}; or give the path of a TOML file"
        ) from None


def _faults(given: Mapping[str, Any]) -> Iterable[str]:
    if unknown := sorted(given.keys() - _READ.keys()):
        yield f"The mapping has {', '.join(unknown)}, which means nothing. It may have {', '.join(_READ)}"
    yield from (f"The mapping does not say {key}" for key in ("id", "name") if not given.get(key))
    for key, value in given.items():
        if key in _READ and not isinstance(value, _KINDS.get(key, str)):
            yield f"{key} in the mapping must be {_MEANT.get(key, 'text')}"
    if bool(given.get("latitude")) != bool(given.get("longitude")):
        yield "The mapping says only one of latitude and longitude"
    if given.get("layer") and given["layer"] not in LAYERS:
        yield f"The layer in the mapping must be one of {', '.join(LAYERS)}"


def _templates(value: Any) -> tuple[Template, ...]:
    return tuple(Template(str(part)) for part in ([value] if isinstance(value, str) else value))


def _only(value: Mapping[str, Any]) -> Mapping[str, frozenset[str]]:
    return {column: frozenset(map(str, kept)) for column, kept in value.items()}


# The closed list of what a mapping may say, and how each is read.
_READ: Mapping[str, Any] = {
    "layer": str,
    "id": Template,
    "name": Template,
    "aliases": _templates,
    "state": Template,
    "zips": Template,
    "parents": _templates,
    "parents_if_known": _templates,
    "latitude": Template,
    "longitude": Template,
    "outline": Template,
    "precision_m": lambda value: Template(str(value)),
    "valid_from": Template,
    "valid_to": Template,
    "located": bool,
    "only": _only,
    "source": str,
    "vintage": str,
    "licence": str,
}
_KINDS: Mapping[str, Any] = {
    "aliases": (str, list),
    "parents": (str, list),
    "parents_if_known": (str, list),
    "precision_m": (str, int, float),
    "located": bool,
    "only": dict,
}
_MEANT = {
    "aliases": "text or a list of texts",
    "parents": "text or a list of texts",
    "parents_if_known": "text or a list of texts",
    "precision_m": "a number of metres or a column",
    "located": "true or false",
    "only": "a table of columns, each with a list of values",
}
