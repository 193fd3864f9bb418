"""Changes: what an import would make of what is there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Changes:
    """Ids by what becomes of them. `missing` are there and not in the file; they end only if that is asked for."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    def any(self, *, ends: bool) -> bool:
        """Whether anything would be different; `ends`: what is missing ends."""
        return bool(self.new or self.changed or (ends and self.missing))

    def sentence(self, what: str, *, ends: bool) -> str:
        """The counts, for a person; `what` begins the sentence."""
        told = f"{what}: {len(self.new):,} new, {len(self.changed):,} changed, {len(self.unchanged):,} unchanged."
        if not self.missing:
            return told
        one = len(self.missing) == 1
        they, are, verb = ("it", "is", "s") if one else ("they", "are", "")
        fate = f"{they} {'end' if ends else 'stay'}{verb}"
        return f"{told} {len(self.missing):,} in force {are} not in the file: {fate}."
