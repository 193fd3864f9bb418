"""Coverage: who leads in each state and county at an hour, for an urgency; gaps in plain sight, beside it the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, g, render_template, request
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import DateField, SelectField
from wtforms.validators import InputRequired

from desk import coverage_map
from desk.answers import Page
from directory import teams
from directory.guards import guard
from foundation import clock, database, web
from foundation.choosing import options
from referrals.facts import Urgency
from routing import coverage, explanation, gazetteer, jobs, maps, naming
from routing.areas import code_of
from routing.coverage import Coverage, Covered, Kind, Within
from routing.snapshots import Snapshot

# More teams than this are counted, not named, in a line about a state.
_NAMED = 3


class CoverageForm(FlaskForm):  # type: ignore[misc]
    """For which urgency, at which hour."""

    class Meta:
        """A question that changes nothing, and that can be kept as an address."""

        csrf = False

    urgency = SelectField(
        "Urgency",
        choices=options((urgency.value, urgency.value.capitalize()) for urgency in Urgency),
        validators=[InputRequired()],
    )
    day = DateField("Day", validators=[InputRequired()])
    hour = SelectField(
        "Hour",
        choices=options((str(hour), f"{hour:02}:00") for hour in range(24)),
        validators=[InputRequired()],
    )


# Whatever is wrong with a field.
_FAULTS = {
    "urgency": "Choose an urgency from the list.",
    "day": "Give a day as year, month and day, such as 2026-03-04.",
    "hour": "Choose an hour from the list.",
}


@dataclass(frozen=True)
class Question:
    """What the page is about: an urgency and the beginning of an hour."""

    urgency: Urgency
    hour: datetime


@dataclass(frozen=True)
class Asked:
    """The question with all that its answer is made from. `named`: team names by id."""

    question: Question
    snapshot: Snapshot
    named: Mapping[str, str]
    unreachable: Mapping[str, str]
    answer: Coverage

    @cached_property
    def by_state(self) -> Mapping[str, list[Covered]]:
        """The counties of each state, by FIPS code."""
        found: dict[str, list[Covered]] = {code: [] for code in gazetteer.load().states}
        for one in self.answer.values():
            found[code_of(one.area)[:2]].append(one)
        return found

    def names(self, team_ids: Iterable[str]) -> list[str]:
        """Teams in words."""
        return [self.named.get(id, id) for id in team_ids]


@dataclass(frozen=True)
class StateLine:
    """A state in the table."""

    letters: str
    name: str
    counties: int
    led: int
    tied: int
    gaps: int
    teams: list[str]
    more: int
    passed_over: list[str]


@dataclass(frozen=True)
class Inside:
    """An area inside a county with a rule of its own; `silent` if nobody of its team can be reached."""

    area: str
    team: str
    silent: bool


@dataclass(frozen=True)
class CountyLine:
    """A county in the table. `number` is that of its team on the map."""

    name: str
    numbers: str
    kind: Kind
    leads: list[str]
    passed_over: list[tuple[str, str]]
    owner: str
    inside: list[Inside]


@guard("routing.coverage")
def coverage_page() -> Page:
    """The country: each state's counties together."""
    form, question = _question()
    with database.reading(web.engine()) as session:
        asked = _ask(session, question)
    drawn = maps.nation()
    return render_template(
        "coverage.html",
        form=form,
        question=question,
        map=drawn,
        paints=coverage_map.paint_nation(asked.by_state, drawn),
        labels=coverage_map.letters(asked.by_state, drawn),
        states=[_state_line(asked, code) for code in _by_name()],
        sums=_sums(asked.answer.values()),
    )


@guard("routing.coverage")
def state_page(letters: str) -> Page:
    """One state: each of its counties."""
    state = gazetteer.load().state_by_letters(letters)
    if state is None or state.letters != letters:
        abort(404)
    form, question = _question()
    with database.reading(web.engine()) as session:
        asked = _ask(session, question)
    drawn, counties = maps.state(state.code), asked.by_state[state.code]
    legend = coverage_map.legend_of(counties, asked.named)
    return render_template(
        "coverage_state.html",
        form=form,
        question=question,
        state=state,
        map=drawn,
        paints=coverage_map.paint_state(drawn, counties, legend),
        labels=coverage_map.numbers(drawn, counties, legend),
        legend=list(legend.values()),
        counties=_county_lines(asked, counties, legend),
        sums=_sums(counties),
    )


def _question() -> tuple[CoverageForm, Question]:
    """The form as it was asked, and what of it makes sense; the rest is this hour, with the fault at its field."""
    zone = ZoneInfo(g.get("time_zone") or "UTC")
    here = clock.now().astimezone(zone)
    usual = {"urgency": Urgency.ELEVATED.value, "day": here.date(), "hour": str(here.hour)}
    form = CoverageForm(request.args if request.args else None, data=usual)
    if request.args and not form.validate():
        for name, sentence in _FAULTS.items():
            form[name].errors = [sentence] if form[name].errors else []
    told: dict[str, Any] = {name: usual[name] if form[name].errors else form[name].data for name in usual}
    day: date = told["day"]
    return form, Question(
        Urgency(told["urgency"]), datetime.combine(day, time(int(told["hour"])), tzinfo=zone)
    )


def _ask(session: Session, question: Question) -> Asked:
    snapshot = coverage.in_force(session, question.hour, clock.now())
    unreachable = jobs.unreachable(session, question.urgency)
    return Asked(
        question,
        snapshot,
        {team.id: team.name for team in teams.all_teams(session)},
        unreachable,
        coverage.coverage(snapshot, question.urgency, question.hour, unreachable),
    )


def _sums(counties: Iterable[Covered]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for one in counties:
        sums[one.kind] += 1
        sums["all"] += 1
        sums["passed_over"] += bool(one.passed_over)
    return sums


def _by_name() -> list[str]:
    states = gazetteer.load().states
    return sorted(states, key=lambda code: states[code].name)


def _state_line(asked: Asked, code: str) -> StateLine:
    counties, state = asked.by_state[code], gazetteer.load().states[code]
    sums = _sums(counties)
    leading = Counter(team for one in counties for team in one.leads)
    names = asked.names(team for team, _ in leading.most_common(_NAMED))
    passed_over = sorted({team for one in counties for team, _ in one.passed_over})
    return StateLine(
        letters=state.letters,
        name=state.name,
        counties=sums["all"],
        led=sums[Kind.LED],
        tied=sums[Kind.TIED],
        gaps=sums[Kind.GAP],
        teams=names,
        more=len(leading) - len(names),
        passed_over=asked.names(passed_over),
    )


def _county_lines(
    asked: Asked, counties: Iterable[Covered], legend: Mapping[str, coverage_map.Legend]
) -> list[CountyLine]:
    boundaries, inside = asked.snapshot.boundaries, coverage.within(asked.snapshot)
    lines = [
        CountyLine(
            name=boundaries.name(one.area),
            numbers=coverage_map.numbered(one, legend),
            kind=one.kind,
            leads=asked.names(one.leads),
            passed_over=[_silent(asked, team, why) for team, why in one.passed_over],
            owner=asked.named.get(one.owner, one.owner),
            inside=[_inside(asked, entry) for entry in inside.get(one.area, ())],
        )
        for one in counties
    ]
    return sorted(lines, key=lambda line: line.name)


def _silent(asked: Asked, team: str, why: str) -> tuple[str, str]:
    return asked.named.get(team, team), explanation.UNREACHABLE.get(why, "nobody there can be reached")


def _inside(asked: Asked, entry: Within) -> Inside:
    return Inside(
        naming.named(entry.area, asked.snapshot.boundaries),
        asked.named.get(entry.team, entry.team),
        entry.team in asked.unreachable,
    )
