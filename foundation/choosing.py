"""The choices of a form's field, in the form in which WTForms wants them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# The published types of WTForms are older than it.
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]


def options(pairs: Iterable[tuple[str, Any]], group: str | None = None) -> list[Any]:
    """Values with their labels, which may be translated later, as choices; all below one heading if there is one."""
    return [SelectChoice(value, label, optgroup=group) for value, label in pairs]
