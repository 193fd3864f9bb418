"""What a dry run found, in words: one sentence for each way in which places are answered differently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import g

from desk import words
from referrals.facts import Relation, Setting
from routing import naming
from routing.boundaries import Boundaries
from routing.found import THEIR_OWN, Kind, Step

# What is being asked at the moment.
STEPS: Mapping[str, str] = {
    Step.WAITING: "It waits for a worker.",
    Step.REFERRALS: "It asks the referrals of the last 90 days again.",
    Step.ZIPS: "It asks every ZIP.",
    Step.SCHOOLS: "It asks every school.",
    Step.POINTS: "It asks points beside the lines.",
    Step.RULES: "It looks whether each rule can win.",
}

_TITLES: Mapping[Kind, str] = {
    Kind.GAP: "Nobody would lead any more",
    Kind.TIE: "Several would fit equally",
    Kind.DOUBT: "It would no longer be certain",
    Kind.LEAD: "Another team would lead",
    Kind.COVERED: "A team would lead where none does",
    Kind.COMPANY: "The same team leads, with other company",
}
_COUNTED: Mapping[str, tuple[str, str]] = {
    Step.REFERRALS: ("referral of the last 90 days", "referrals of the last 90 days"),
    Step.ZIPS: ("ZIP", "ZIPs"),
    Step.SCHOOLS: ("school", "schools"),
    Step.POINTS: ("point beside a line", "points beside lines"),
}


@dataclass(frozen=True)
class Line:
    """Places that are answered differently in one way."""

    sentence: str
    where: str
    when: str
    examples: str


@dataclass(frozen=True)
class Group:
    """Differences of one kind, the most places first."""

    title: str
    lines: list[Line]


@dataclass(frozen=True)
class Trial:
    """A finished dry run."""

    at: datetime
    asked: str
    tried: int
    left_out: int
    groups: list[Group]
    lost: list[str]
    never: list[str]
    ended: list[str]
    open: list[str]
    open_count: int

    @property
    def is_quiet(self) -> bool:
        """Whether nothing would be otherwise."""
        return not (self.groups or self.lost or self.never or self.ended or self.open)


def tell(result: Mapping[str, Any], boundaries: Boundaries, names: Mapping[str, str], at: datetime) -> Trial:
    """The stored result in words. `names`: team names by id."""
    return Trial(
        at=at,
        asked=_counts(result["asked"]),
        tried=len(result["circumstances"]),
        left_out=result["left_out"],
        groups=[
            Group(title, lines)
            for kind, title in _TITLES.items()
            if (lines := _lines(kind, result, boundaries, names))
        ],
        lost=_named(result["lost"], names),
        never=result["never"],
        ended=result["ended"],
        open=result["open"],
        open_count=result["open_count"],
    )


def _lines(
    kind: Kind, result: Mapping[str, Any], boundaries: Boundaries, names: Mapping[str, str]
) -> list[Line]:
    """Differences of one kind; what is the same under several circumstances is said once."""
    together: dict[tuple[str, str, str], list[str]] = {}
    for one in (one for one in result["differences"] if one["kind"] == kind):
        examples = "; ".join(naming.named(area, boundaries) for area in one["examples"])
        key = (_sentence(one, names), _counts(one["counts"]), examples)
        together.setdefault(key, []).append(_when(one["circumstance"], result["circumstances"], names))
    return [
        Line(sentence, where, "; ".join(whens), examples)
        for (sentence, where, examples), whens in together.items()
    ]


def _sentence(one: Mapping[str, Any], names: Mapping[str, str]) -> str:
    before, after = (_teams(one[side], names) for side in ("before", "after"))
    sentence = f"{after} instead of {before}." if before != after else f"{after}, as now."
    return sentence[:1].upper() + sentence[1:]


def _teams(teams: Sequence[str], names: Mapping[str, str]) -> str:
    return " or ".join(_named(teams, names)) or "nobody"


def _named(teams: Iterable[str], names: Mapping[str, str]) -> list[str]:
    return [names.get(team, team) for team in teams]


def _counts(counts: Mapping[str, int]) -> str:
    told = [f"{counts[step]:,} {_COUNTED[step][counts[step] != 1]}" for step in _COUNTED if counts.get(step)]
    return " and ".join(told) if len(told) < 3 else f"{', '.join(told[:-1])} and {told[-1]}"


def _when(number: int, circumstances: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """Under which circumstances: what an ordinary tip is not."""
    if number == THEIR_OWN:
        return "by their own facts"
    one = circumstances[number]
    at = datetime.fromisoformat(one["at"]).astimezone(ZoneInfo(g.get("time_zone") or "UTC"))
    first = datetime.fromisoformat(circumstances[0]["at"])
    parts = [str(one["urgency"])]
    parts += words.acts(one["behaviours"])
    parts += [words.SETTINGS[Setting(one["setting"])].lower()] if one["setting"] != Setting.UNKNOWN else []
    parts += [f"forwarded by {names.get(one['originator'], 'an office')}"] if one["originator"] else []
    if one["relation"] != Relation.INCIDENT:
        parts.append(words.RELATIONS[Relation(one["relation"])].lower())
    if at != first:
        parts.append(f"on {at:%-d %B %Y at %H:%M}")
    return ", ".join(parts)
