"""`flask --app wsgi routing dry-run` and `routing gaps`: what a draft would change, and what is missing now."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click
from flask import current_app

from directory import teams
from foundation import clock, database
from referrals.facts import Urgency
from routing import drafts, dry_run, gaps, gazetteer, snapshots
from routing.drafts import NoSuchDraft
from routing.found import Kind
from routing.rules import RuleFault
from routing.snapshots import SnapshotFault

_KINDS: Mapping[str, str] = {
    Kind.GAP: "Nobody would lead any more",
    Kind.TIE: "Several would fit equally",
    Kind.DOUBT: "It would no longer be certain",
    Kind.LEAD: "Another team would lead",
    Kind.COVERED: "A team would lead where none does",
    Kind.COMPANY: "The same team, other company",
}


@click.command("dry-run")
@click.argument("draft")
def try_draft(draft: str) -> None:
    """Decide everything under the rules in force and under a draft (its id stands in its page's address)."""
    engine = current_app.extensions["engine"]
    try:
        with database.reading(engine) as session:
            found = drafts.read(session, draft)
            names = {team.id: str(team.name) for team in teams.all_teams(session)}
        with click.progressbar(length=100, label="Asking") as bar:
            result = dry_run.run_here(engine, found, _Bar(bar)).result
    except NoSuchDraft:
        raise click.ClickException("There is no such draft.") from None
    except RuleFault as fault:
        raise click.ClickException(f"{fault}.") from None
    click.echo("\n".join(_told(result, names)))


class _Bar:
    """Steps of a dry run on a bar from 0 to 100."""

    _SHARES: Mapping[str, tuple[int, int]] = {
        "referrals": (0, 10),
        "zips": (10, 40),
        "schools": (50, 30),
        "points": (80, 10),
        "rules": (90, 10),
    }

    def __init__(self, bar: Any) -> None:
        self._bar, self._at = bar, 0

    def __call__(self, step: str, done: int, total: int) -> None:
        start, width = self._SHARES[step]
        now = start + (width * done // total if total else 0)
        if now > self._at:
            self._bar.update(now - self._at)
            self._at = now


def _told(result: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    asked = ", ".join(f"{count:,} {step}" for step, count in result["asked"].items())
    lines = [f"Asked: {asked}; {len(result['circumstances'])} circumstances."]
    lines += [_difference(one, names) for one in result["differences"]]
    lines += [f"Leads nowhere any more: {names.get(team, team)}" for team in result["lost"]]
    lines += [f"Can never win: {rule}" for rule in result["never"]]
    lines += list(result["ended"])
    lines += [f"{result['open_count']} open referrals would be led by others."] * bool(result["open_count"])
    return lines if len(lines) > 1 else [*lines, "Nothing would be answered differently."]


def _difference(one: Mapping[str, Any], names: Mapping[str, str]) -> str:
    before, after = (
        " or ".join(names.get(team, team) for team in one[side]) or "nobody" for side in ("before", "after")
    )
    counts = ", ".join(f"{count:,} {step}" for step, count in Counter(one["counts"]).items())
    return f"{_KINDS[one['kind']]}: {after} instead of {before} ({counts})"


@click.command("gaps")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@click.option("--state", default="", help="Two letters, such as AZ; else the whole country.")
@click.option("--urgency", type=click.Choice([urgency.value for urgency in Urgency]), help="Else all three.")
@click.option(
    "--at", type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d"]), help="The moment, in UTC; else now."
)
def tell_gaps(as_json: bool, state: str, urgency: str | None, at: datetime | None) -> None:
    """Say where nobody leads, whom nobody reaches, and what of the map and the rules is not right."""
    chosen = (Urgency(urgency),) if urgency else tuple(Urgency)
    with database.reading(current_app.extensions["engine"]) as session:
        try:
            snapshot = snapshots.current(session, clock.now())
        except SnapshotFault as fault:
            raise click.ClickException(f"{fault}.") from None
        moment = at.replace(tzinfo=UTC) if at else clock.now()
        told = gaps.report(session, snapshot, moment, state=_code(state), urgencies=chosen)
    click.echo(json.dumps(told.as_json(), indent=2) if as_json else "\n".join(_lines(told)))


def _code(letters: str) -> str:
    if not letters:
        return ""
    state = gazetteer.load().state_by_letters(letters)
    if state is None:
        raise click.BadParameter("no state has these letters", param_hint="--state")
    return state.code


def _lines(told: gaps.Report) -> list[str]:
    lines = [f"As of {told.at:%Y-%m-%d %H:%M} UTC"]
    for section in told.sections:
        lines += ["", section.title]
        lines += [f"  - {gap.sentence}\n    {gap.advice}" for gap in section.gaps] or ["  None."]
    return lines
