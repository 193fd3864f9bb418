"""A change of rules as sentences that a person can read aloud: "From 1 December 2026 Tempe Police leads in Tempe, AZ;
until now Maricopa County team did."
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from directory.hours import DAYS, HOLIDAY, Hours
from referrals.behaviours import BEHAVIOURS
from referrals.facts import Relation, Setting
from routing import circumstances, naming, situations
from routing.decision import decide
from routing.rules import Role, Rule
from routing.snapshots import Snapshot


class Became(StrEnum):
    """What the change makes of a rule."""

    NEW = "new"
    CHANGED = "changed"
    ENDED = "ended"


@dataclass(frozen=True)
class Told:
    """One rule that changes, and what that means."""

    rule: str
    became: Became
    sentence: str


def compare(before: Snapshot, after: Snapshot, names: Mapping[str, str], at: datetime) -> list[Told]:
    """Every rule that differs, by id. `names`: team names by id; who leads until then is decided as of `at`."""
    teller = _Teller(before, after, names, at)
    old, new = ({rule.id: rule for rule in one.rules.rules} for one in (before, after))
    return [
        teller.told(name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def says(rule: Rule, snapshot: Snapshot, names: Mapping[str, str]) -> str:
    """What one rule says, as a sentence."""
    written = _Words(snapshot, names).whole(rule)
    return f"{written}."


def areas_sentence(before: Snapshot, after: Snapshot) -> str:
    """How the map differs; "" where it does not."""
    old, new = (_versions(one) for one in (before, after))
    counts = {
        "new": len(new.keys() - old.keys()),
        "changed": sum(old[area] != new[area] for area in old.keys() & new.keys()),
        "gone": len(old.keys() - new.keys()),
    }
    if not any(counts.values()):
        return ""
    told = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    return f"It brings a map of its own: of the areas, {told}."


def _versions(snapshot: Snapshot) -> dict[str, frozenset[bytes]]:
    columns = snapshot.boundaries.extra.columns
    found: dict[str, set[bytes]] = {}
    for row, area in enumerate(columns.ids):
        found.setdefault(area, set()).add(bytes(columns.digests[32 * row : 32 * row + 32]))
    return {area: frozenset(digests) for area, digests in found.items()}


class _Teller:
    """One comparison, being told."""

    def __init__(self, before: Snapshot, after: Snapshot, names: Mapping[str, str], at: datetime) -> None:
        self._before, self._after, self._names, self._at = before, after, names, at
        self._was, self._is = _Words(before, names), _Words(after, names)

    def told(self, name: str, old: Rule | None, new: Rule | None) -> Told:
        """The sentence about one rule."""
        if new is None:
            assert old is not None
            return Told(name, Became.ENDED, self._ended(old))
        if old is None:
            return Told(name, Became.NEW, self._new(new))
        return Told(name, Became.CHANGED, self._changed(old, new))

    def _new(self, rule: Rule) -> str:
        return f"{self._is.whole(rule)}{self._until_now(rule)}."

    def _until_now(self, rule: Rule) -> str:
        if rule.role is not Role.LEAD:
            return ""
        leads = self._leads(self._before, rule)
        if leads == (rule.team,):
            return "; there it leads already"
        return f"; until now {_joined(self._named(leads))} did" if leads else "; until now nobody did"

    def _ended(self, rule: Rule) -> str:
        sentence = f"{self._was.does(rule)} no longer, from the moment this is in force"
        if rule.role is not Role.LEAD:
            return f"{sentence}."
        leads = self._leads(self._after, rule)
        if leads == (rule.team,):
            return f"{sentence}; by another rule it still does."
        return f"{sentence}; then {_joined(self._named(leads)) if leads else 'nobody'} does."

    def _changed(self, old: Rule, new: Rule) -> str:
        if not circumstances.differ(old, new):
            return f"Nothing but the words about it changes: {self._is.does(new)}."
        if (old.team, old.role, old.area, old.every) != (new.team, new.role, new.area, new.every):
            return f"{self._is.whole(new)}; until now: {self._was.does(old)}{self._was.conditions(old)}."
        changes = [
            f"{label}: {after or 'none'} (until now {before or 'none'})"
            for label, before, after in zip(
                _LABELS, self._was.parts(old).values(), self._is.parts(new).values(), strict=True
            )
            if before != after
        ]
        return f"{self._is.does(new)}, with this changed: {'; '.join(changes)}."

    def _leads(self, snapshot: Snapshot, rule: Rule) -> tuple[str, ...]:
        """Who leads where the rule's area is named and all that it asks for holds."""
        best = circumstances.satisfying(rule, self._rules_of(rule), self._at)
        if not best:
            return ()
        facts = best[0].facts(situations.naming(rule.area, best[0].relation))
        return decide(facts, snapshot.rules, snapshot.boundaries.on(best[0].at.date()), best[0].at).leads

    def _rules_of(self, rule: Rule) -> Any:
        known = any(rule is one for one in self._after.rules.rules)
        return self._after.rules if known else self._before.rules

    def _named(self, teams: Iterable[str]) -> list[str]:
        return [self._names.get(team, team) for team in teams]


_LABELS = (
    "from", "until", "acts", "urgency", "kind of place", "whose place", "forwarded by", "hours", "by", "priority",
    "shuts out",
)  # fmt: skip


class _Words:
    """Rules of one snapshot in words."""

    def __init__(self, snapshot: Snapshot, names: Mapping[str, str]) -> None:
        self._snapshot, self._names = snapshot, names

    def whole(self, rule: Rule) -> str:
        """When it begins, what it says, under which conditions."""
        begins = f"From {day(rule.valid_from)} " if rule.valid_from else ""
        return f"{begins}{self.does(rule)}{self.conditions(rule)}"

    def does(self, rule: Rule) -> str:
        """`Tempe Police leads in Tempe, AZ`."""
        area = naming.named(rule.area, self._snapshot.boundaries)
        where = f"every {_LAYERS.get(rule.every, rule.every)} in {area}" if rule.every else area
        return _DOES[rule.role].format(team=self._names.get(rule.team, rule.team), area=where)

    def conditions(self, rule: Rule) -> str:
        """` (only …)`, or nothing."""
        parts = self.parts(rule)
        told = [
            _SAID[label](words)
            for label, words in zip(_LABELS, parts.values(), strict=True)
            if words and label != "from"
        ]
        return f" ({'; '.join(told)})" if told else ""

    def parts(self, rule: Rule) -> dict[str, str]:
        """Every condition and weight in words, "" where it has none; in the order of the labels."""
        return {
            "valid_from": day(rule.valid_from) if rule.valid_from else "",
            "valid_to": day(rule.valid_to) if rule.valid_to else "",
            "behaviours": _listed(_ACTS[code] for code in _ACTS if code in rule.behaviours),
            "urgencies": _listed(urgency.value for urgency in sorted(rule.urgencies)),
            "settings": _listed(_SETTINGS[setting] for setting in sorted(rule.settings)),
            "relations": _listed(_RELATIONS[relation] for relation in sorted(rule.relations)),
            "originators": _listed(sorted(self._names.get(team, team) for team in rule.originators)),
            "hours": _hours(rule.hours, rule.calendar) if rule.hours else "",
            "mandate": _MANDATES[rule.mandate],
            "priority": str(rule.priority) if rule.priority else "",
            "shields": _listed(_LAYERS.get(layer, layer) for layer in sorted(rule.shields)),
        }


_SAID: Mapping[str, Callable[[str], str]] = {
    "until": lambda words: f"until before {words}",
    "acts": lambda words: f"only for: {words}",
    "urgency": lambda words: f"only if {words}",
    "kind of place": lambda words: f"only at: {words}",
    "whose place": lambda words: f"only by {words}",
    "forwarded by": lambda words: f"only what {words} forwards",
    "hours": lambda words: f"only {words}",
    "by": str,
    "priority": lambda words: f"priority {words}",
    "shuts out": lambda words: f"shuts out teams by {words}",
}
_DOES: Mapping[Role, str] = {
    Role.LEAD: "{team} leads in {area}",
    Role.SUPPORT: "{team} supports in {area}",
    Role.NOTIFY: "{team} is told of what happens in {area}",
    Role.EXCLUDE: "{team} is never asked in {area}",
}
_ACTS = {behaviour.code: behaviour.words for behaviour in BEHAVIOURS}
_MANDATES = ("", "by written agreement", "by law")
_SETTINGS: Mapping[Setting, str] = {
    Setting.SCHOOL: "a school",
    Setting.WORKPLACE: "a workplace",
    Setting.HOME: "a home",
    Setting.PUBLIC: "a public place",
    Setting.ONLINE: "online",
    Setting.UNKNOWN: "a place of unknown kind",
}
_RELATIONS: Mapping[Relation, str] = {
    Relation.TARGET: "where the danger is",
    Relation.INCIDENT: "where it happened",
    Relation.SUBJECT: "where the person is whom it is about",
    Relation.REPORTER: "where the person is who reported",
}
_LAYERS = {
    "place": "city",
    "zip": "ZIP",
    "tribal": "tribal area",
    "military": "military area",
    "custom": "local area",
    "district": "school district",
}


def day(on: date) -> str:
    """`1 December 2026`."""
    return f"{on.day} {on:%B %Y}"


def _hours(hours: Hours, calendar: str) -> str:
    told = "all day" if hours.begins == hours.ends else f"{hours.begins:%H:%M} to {hours.ends:%H:%M}"
    days = [name.capitalize() for name in (*DAYS, HOLIDAY) if name in hours.days]
    on = "" if len(days) == len(DAYS) + 1 else f" on {_listed(days)}"
    follows = f", holidays by the calendar {calendar}" if calendar else ""
    return f"{told}{on}, {hours.zone}{follows}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words)


def _joined(words: list[str]) -> str:
    return " and ".join(words) if len(words) < 3 else f"{', '.join(words[:-1])} and {words[-1]}"
