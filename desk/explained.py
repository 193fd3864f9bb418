"""A decision as a page tells it: sentences first, then the small map, then every rule that was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from desk import words
from directory import teams
from routing import consulting, explanation, naming, sketch
from routing.boundaries import Boundaries
from routing.decision import Considered, Decision
from routing.sketch import Sketch
from routing.weighing import Outcome


@dataclass(frozen=True)
class Looked:
    """One rule that was looked at. `number` is its area's on the map, `why` the reason behind `became`, "" if the
    word says all."""

    number: int
    team: str
    role: str
    area: str
    place: str
    sure: str
    became: str
    why: str


@dataclass(frozen=True)
class Area:
    """A numbered area of the map's legend, with what became of the best rule about it. `pattern` is "" where the map
    does not show it."""

    number: int
    name: str
    pattern: str
    became: str


@dataclass(frozen=True)
class Told:
    """A decision in words. `drawn` is None where no evidence leads to an outline; `around` are
    names on it, of areas that no rule is about, with their places."""

    as_of: datetime
    sentences: tuple[str, ...]
    looked: list[Looked]
    areas: list[Area]
    drawn: Sketch | None
    around: list[tuple[str, float, float]]
    digest: str

    @property
    def patterns(self) -> dict[int, str]:
        """The pattern of each area that the map shows, by number."""
        return {area.number: area.pattern for area in self.areas if area.pattern}


def tell(session: Session, decision: Decision, boundaries: Boundaries) -> Told:
    """The decision with names for ids. It holds codes only: a decision never had a word of the tip."""
    named = {team.id: team.name for team in teams.all_teams(session)}
    numbers = sketch.numbered(decision)
    looked = [_looked(entry, numbers, boundaries, named) for entry in sketch.in_order(decision)]
    drawn = sketch.sketch(decision, boundaries)
    return Told(
        as_of=decision.as_of,
        sentences=_sentences(session, decision, boundaries, named),
        looked=looked,
        areas=_areas(looked, drawn),
        around=[(boundaries.name(spot.area), spot.x, spot.y) for spot in drawn.around] if drawn else [],
        drawn=drawn,
        digest=decision.digest,
    )


def _sentences(
    session: Session, decision: Decision, boundaries: Boundaries, named: Mapping[str, str]
) -> tuple[str, ...]:
    """Who is consulted comes right after who leads."""
    verdict, *others = explanation.sentences(decision, boundaries, named)
    return (verdict, *consulting.sentences(session, decision, boundaries, named), *others)


def _looked(
    entry: Considered, numbers: Mapping[str, int], boundaries: Boundaries, named: Mapping[str, str]
) -> Looked:
    shared = "" if entry.share >= 1 else f", {int(entry.share * 100)} % of it"
    near = "" if entry.distance_m is None else f", {entry.distance_m:.0f} m from its line"
    return Looked(
        number=numbers[entry.area],
        team=named.get(entry.team, entry.team),
        role=words.ROLES[entry.role],
        area=naming.named(entry.area, boundaries),
        place=words.RELATIONS[entry.relation],
        sure=f"{words.SURE[entry.confidence]}{shared}{near}",
        became=_became(entry, boundaries),
        why=_WHY.get(entry.outcome, {}).get(entry.detail, ""),
    )


def _became(entry: Considered, boundaries: Boundaries) -> str:
    detail = boundaries.name(entry.detail) if entry.outcome is Outcome.SHIELDED else entry.detail
    return words.BECAME[entry.outcome].format(detail=detail)


# What the word behind an outcome means.
_WHY: Mapping[Outcome, Mapping[str, str]] = {
    Outcome.LOST: words.LOST_ON,
    Outcome.NOT_APPLIED: explanation.CONDITIONS,
    Outcome.NOT_AGAIN: explanation.NOT_AGAIN,
    Outcome.UNREACHABLE: explanation.UNREACHABLE,
}


def _areas(looked: list[Looked], drawn: Sketch | None) -> list[Area]:
    if drawn is None:
        return []
    first = {rule.number: rule for rule in reversed(looked)}
    seen = {area.number for area in drawn.painted}
    return [
        Area(number, rule.area, words.pattern(number) if number in seen else "", f"{rule.team} {rule.became}")
        for number, rule in sorted(first.items())
    ]
