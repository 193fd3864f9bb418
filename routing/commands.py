"""`flask --app wsgi routing …`: asks the rules in force where a tip would go, and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from directory import teams
from foundation import clock, database
from referrals import behaviours, moves
from referrals.facts import Evidence, Facts, PlaceKind, Relation, Setting, Urgency
from routing import consulting, explanation, gazetteer, jobs, places, snapshots
from routing import replay as replaying
from routing.decision import Decision, decide
from routing.importing.commands import importing
from routing.snapshots import Snapshot

routing = AppGroup("routing", help="Where a tip would go, and why.")
routing.add_command(importing)

_FAULTS = {
    places.Reason.UNKNOWN_STATE: "No state is called so.",
    places.Reason.ZIP_FORM: "A ZIP has five digits.",
    places.Reason.UNKNOWN_ZIP: "No such ZIP is in use.",
    places.Reason.ZIP_NOT_IN_STATE: "That ZIP does not lie in that state.",
    places.Reason.PLACE_NOT_IN_STATE: "The place names another state than the one that was chosen.",
}


_MOMENTS = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]


def _one_of(words: type[StrEnum]) -> click.Choice[str]:
    """The values themselves; click would offer an enumeration's names."""
    return click.Choice([word.value for word in words])


class _Point(click.ParamType[tuple[float, float]]):
    """`33.42,-111.94`: latitude, longitude in degrees."""

    name = "lat,lon"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, float]:
        """Refuses what is no place on Earth; swapped numbers often are none."""
        try:
            latitude, longitude = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail("give latitude and longitude as 33.42,-111.94", param, ctx)
        if not (-90 < latitude < 90 and -180 <= longitude <= 180):
            self.fail("the latitude comes first and lies between -90 and 90", param, ctx)
        return latitude, longitude


@routing.command()
@click.option("--school", default="", help="A school's or campus's name.")
@click.option("--place", default="", help='A town, such as "Tempe, AZ".')
@click.option("--county", default="", help='A county, such as "Maricopa" or 04013.')
@click.option("--state", default="", help="A state: letters, code or name.")
@click.option("--zip", "zip_code", default="", help="A ZIP.")
@click.option("--point", type=_Point(), help="Latitude and longitude, such as 33.42,-111.94.")
@click.option("--accuracy", default=0.0, help="How exact the point is, in metres.")
@click.option(
    "--relation", type=_one_of(Relation), default=Relation.INCIDENT.value, help="Whose place it is."
)
@click.option("--urgency", type=_one_of(Urgency), default=Urgency.ELEVATED.value, show_default=True)
@click.option(
    "--behaviour", multiple=True, type=click.Choice(sorted(behaviours.CODES)), help="May be repeated."
)
@click.option("--setting", type=_one_of(Setting), default=Setting.UNKNOWN.value, help="The kind of place.")
@click.option("--originator", help="The slug of a forwarding office.")
@click.option("--at", type=click.DateTime(_MOMENTS), help="The moment, in UTC; else now.")
@click.option("--json", "as_json", is_flag=True, help="The decision as JSON.")
def explain(
    point: tuple[float, float] | None,
    accuracy: float,
    relation: str,
    urgency: str,
    behaviour: tuple[str, ...],
    setting: str,
    originator: str | None,
    at: datetime | None,
    as_json: bool,
    **typed: str,
) -> None:
    """Decides on what is given, by the rules in force and for who can be reached now, and says why. Writes nothing."""
    moment = at.replace(tzinfo=UTC) if at else clock.now()
    with database.reading(current_app.extensions["engine"]) as session:
        snapshot = _in_force(session)
        evidence = _evidence(snapshot, Relation(relation), point, accuracy, typed)
        facts = Facts(Urgency(urgency), behaviour, Setting(setting), _office(session, originator), evidence)
        # Who can be reached is known for now only; at another moment it is taken to be the same.
        silent = jobs.unreachable(session, facts.urgency)
        decision = decide(facts, snapshot.rules, snapshot.boundaries, moment, silent)
        names = {row.id: str(row.name) for row in teams.all_teams(session)}
        also = list(consulting.sentences(session, decision, snapshot.boundaries, names))
    click.echo(
        json.dumps(decision.as_json(), indent=2) if as_json else _told(decision, snapshot, names, also)
    )


@routing.command()
@click.argument("reference")
def replay(reference: str) -> None:
    """Makes every decision about a referral again, from what was stored with it, and compares the digests."""
    with database.reading(current_app.extensions["engine"]) as session:
        referral = moves.by_reference(session, reference)
        if referral is None:
            raise click.ClickException("No referral has that reference.")
        if referral.erased_at:
            # What it was decided from is gone; only the digests are left.
            click.echo(f"It was erased on {referral.erased_at:%Y-%m-%d}: nothing is left to decide it from.")
            return
        made = [(row, replaying.replay(session, row)) for row in replaying.of_referral(session, referral.id)]
    for row, again in made:
        verdict = "the same" if again.digest == row.digest else f"DIFFERENT, now {again.digest}"
        click.echo(f"{row.made_at:%Y-%m-%d %H:%M} UTC  {row.status:<16} {row.digest}  {verdict}")
    if any(again.digest != row.digest for row, again in made):
        raise click.ClickException("A decision does not follow from what was stored with it.")
    click.echo(f"{len(made)} made again." if made else "Nothing was decided about it yet.")


@routing.command()
def areas() -> None:
    """Says what the map and the rules in force consist of, and where the tables come from."""
    with database.reading(current_app.extensions["engine"]) as session:
        snapshot = _in_force(session)
    known = gazetteer.load()
    click.echo(f"{len(known.states)} states and territories, {len(known.counties)} counties, ", nl=False)
    click.echo(f"{len(known.zip_codes)} ZIPs, {len(known.places)} postal places, ", nl=False)
    click.echo(f"{len(snapshot.boundaries.extra)} areas of this site; {len(snapshot.rules.rules)} rules.")
    for source in json.loads((gazetteer.DATA / "PROVENANCE.json").read_text(encoding="utf-8"))["sources"]:
        click.echo(f"  {source['vintage']} ({source['source']} {source['version']}; {source['licence']})")
    click.echo(f"Map      {snapshot.boundaries.digest}")
    click.echo(f"Rules    {snapshot.rules.digest}")


def _in_force(session: Any) -> Snapshot:
    try:
        return snapshots.current(session, clock.now())
    except snapshots.SnapshotFault as fault:
        raise click.ClickException(f"{fault}.") from fault


def _office(session: Any, slug: str | None) -> str | None:
    if slug is None:
        return None
    office = teams.team_by_slug(session, slug)
    if office is None:
        raise click.BadParameter("no team has that slug", param_hint="--originator")
    return str(office.id)


def _evidence(
    snapshot: Snapshot,
    relation: Relation,
    point: tuple[float, float] | None,
    accuracy: float,
    typed: dict[str, str],
) -> tuple[Evidence, ...]:
    found = places.resolve(snapshot.boundaries, relation=relation, **typed)
    if found.faults:
        fault = found.faults[0]
        raise click.BadParameter(_FAULTS[fault.reason], param_hint=f"--{fault.field.removesuffix('_code')}")
    if typed["county"] and not any(piece.kind is PlaceKind.COUNTY for piece in found.evidence):
        raise click.BadParameter("No county is called so, or has that code.", param_hint="--county")
    if point is None:
        return found.evidence
    fix = Evidence(PlaceKind.POINT, relation, latitude=point[0], longitude=point[1], accuracy_m=accuracy)
    return (*found.evidence, fix)


def _told(decision: Decision, snapshot: Snapshot, names: dict[str, str], also: list[str]) -> str:
    status = decision.status.value.replace("_", " ").capitalize()
    lines = [*explanation.sentences(decision, snapshot.boundaries, names), *also]
    foot = f"Decided as of {decision.as_of:%Y-%m-%d %H:%M} UTC, digest {decision.digest[:16]}."
    return "\n".join([status, "", *(f"- {line}" for line in lines), "", foot])
