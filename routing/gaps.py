"""The gap report: where nobody leads, whom nobody can reach, and what of the map and the rules is not right.

Everything is a sentence with what to do about it. Addresses are counted by the post office's shares: the tables know
how a ZIP's addresses are divided among counties, not how many there are, so each ZIP counts as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from directory import reach, teams
from referrals.facts import Urgency
from routing import comparing, complaints, naming, outlines, overlaps, winning
from routing.areas import code_of
from routing.gap import Gap, Section
from routing.ground import BARE, bare, lies_in, misplaced
from routing.rules import Role, Rule
from routing.situations import Side
from routing.snapshots import Snapshot
from routing.unled import Unled, unled

# An agreement that ends within so many days is told.
_SOON = timedelta(days=60)
_LOOK_BACK = timedelta(days=90)


@dataclass(frozen=True)
class Report:
    """The whole report as of a moment. `shares` are what the first section tells, as numbers."""

    at: datetime
    shares: list[Unled]
    sections: list[Section]

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "at": self.at.isoformat(),
            "shares": [asdict(one) for one in self.shares],
            "sections": [asdict(section) for section in self.sections],
        }


def report(
    session: Session,
    snapshot: Snapshot,
    at: datetime,
    *,
    state: str = "",
    urgencies: Iterable[Urgency] = Urgency,
) -> Report:
    """All gaps of the snapshot as of `at`; of one state (FIPS code) or of the whole country."""
    names = {team.id: str(team.name) for team in teams.all_teams(session)}
    side = Side(snapshot.rules, snapshot.boundaries.on(at.date()))
    rules = [rule for rule in snapshot.rules.rules if lies_in(rule.area, state, side)]
    shares = unled(side, at, state, tuple(urgencies))
    return Report(
        at,
        shares,
        [
            Section("Without a team that leads", list(map(_unled, shares)), _COUNTED),
            Section("Land without a team that leads", list(bare(side, at, state)), BARE),
            Section("Teams that nobody can reach", list(_silent(session, rules, names))),
            Section("Areas of one kind that overlap", list(_overlapping(side, state))),
            Section("Areas that cannot be found on the map", list(_unfindable(side, state))),
            Section("Places drawn in the wrong county", list(misplaced(side, names, at, state))),
            Section("Rules that can never win", list(_never(side, rules, names, snapshot, at))),
            Section("Agreements that end soon", list(_ending(rules, names, snapshot, at))),
            Section(
                "“Not our area”, in the last 90 days", list(_complaints(session, side, names, at, state))
            ),
        ],
    )


_COUNTED = (
    "Addresses by the HUD–USPS table of ZIPs: it knows how a ZIP’s addresses are divided among counties, not how many "
    "there are, so each ZIP counts as one. Land by the counties’ outlines, with their waters. Both ask as a tip "
    "would that names the place and nothing more: rules for certain acts, offices or kinds of place do not count, nor "
    "does who can be reached now."
)


def _unled(one: Unled) -> Gap:
    addresses = _percent(one.zips_without, one.zips)
    part = _percent(one.km2_without, one.km2)
    tied = (
        f" Where several fit equally: {_percent(one.zips_tied, one.zips)} of addresses."
        if one.zips_tied
        else ""
    )
    advice = (
        "Nothing to do."
        if not one.zips_without and not one.km2_without
        else "See on the map of coverage where it is, and draft a rule; until then the hub of the state, or the root "
        "desk, holds what comes from there."
    )
    return Gap(
        f"{one.urgency.capitalize()}, {one.hours}: {addresses} of addresses and {part} of land "
        f"({one.km2_without:,.0f} of {one.km2:,.0f} km²).{tied}",
        advice,
    )


def _percent(part: float, whole: float) -> str:
    share = 100 * part / whole if whole else 0.0
    return "none" if not part else "less than 0.1 %" if share < 0.1 else f"{share:.1f} %"


_SILENCES: Mapping[str, tuple[str, str]] = {
    "no_contact": ("nobody there has a contact", "Ask its supervisor to add one."),
    "unverified": ("no contact there is verified", "Ask them to prove one: My contacts, at the desk."),
    "opted_out": ("everybody there has opted out", "Call them, and ask for a contact that they read."),
    "disabled": ("every contact there is switched off", "Messages came back; ask for new ones."),
    "no_telephone": (
        "nobody there has a telephone, so nothing imminent reaches them",
        "Ask them to add a mobile number.",
    ),
}


def _silent(session: Session, rules: Iterable[Rule], names: Mapping[str, str]) -> Iterator[Gap]:
    """Teams that a rule names and that nobody could tell of something imminent."""
    asked = Counter(rule.team for rule in rules if rule.role is not Role.EXCLUDE)
    silent = reach.unreachable(session, by_telephone=True)
    for team in sorted(asked.keys() & silent.keys(), key=lambda team: names.get(team, team)):
        why, advice = _SILENCES[silent[team]]
        count = f"{asked[team]} {'rule names' if asked[team] == 1 else 'rules name'} it"
        yield Gap(f"{names.get(team, team)}: {why}. {count}.", advice)


def _overlapping(side: Side, state: str) -> Iterator[Gap]:
    for one in overlaps.overlaps(side.boundaries):
        if lies_in(one.area, state, side) or lies_in(one.other, state, side):
            first, second = (naming.named(area, side.boundaries) for area in (one.area, one.other))
            yield Gap(
                f"{first} and {second} overlap on {one.km2:,.1f} km².",
                "One of the outlines is wrong, or both are right and one needs the higher priority there.",
            )


def _unfindable(side: Side, state: str) -> Iterator[Gap]:
    for area in sorted(outlines.misdrawn()):
        if lies_in(area, state, side):
            yield Gap(
                f"{naming.named(area, side.boundaries)} ({code_of(area)}) has no usable outline in the map: a point "
                "stands for it.",
                "What names it, or a ZIP in it, finds it; for a point near it nobody is chosen until a person has "
                "looked. Import an outline.",
            )
    for area in side.boundaries.extra:
        if not side.boundaries.can_be_found(area) and lies_in(area, state, side):
            yield Gap(
                f"{naming.named(area, side.boundaries)} ({area}) has neither an outline nor ZIPs.",
                "No tip could ever find it. Import one of both.",
            )


def _never(
    side: Side, rules: Iterable[Rule], names: Mapping[str, str], snapshot: Snapshot, at: datetime
) -> Iterator[Gap]:
    for rule in rules:
        if rule.valid_to and rule.valid_to <= side.rules.local(rule, at).date():
            yield Gap(
                f"{comparing.says(rule, snapshot, names)} It has ended.", "Take it out with the next draft."
            )
        elif not winning.can_win(side, rule, at):
            yield Gap(
                comparing.says(rule, snapshot, names),
                "Even where its own area is named and all that it asks for holds, another rule wins. Change it, or "
                "take it out with the next draft.",
            )


def _ending(
    rules: Iterable[Rule], names: Mapping[str, str], snapshot: Snapshot, at: datetime
) -> Iterator[Gap]:
    agreed = (
        (rule, rule.valid_to, snapshot.rules.local(rule, at).date()) for rule in rules if rule.mandate == 1
    )
    for rule, ends, today in agreed:
        if ends and today < ends <= today + _SOON:
            left = (ends - today).days
            yield Gap(
                f"{comparing.says(rule, snapshot, names)} It ends in {left} {'day' if left == 1 else 'days'}, on "
                f"{comparing.day(ends)}.",
                "Renew the agreement, or draft what holds after it.",
            )


def _complaints(
    session: Session, side: Side, names: Mapping[str, str], at: datetime, state: str
) -> Iterator[Gap]:
    """By team and area, the most frequent first."""
    made = Counter(
        (one.team, one.area)
        for one in complaints.complaints(session, at - _LOOK_BACK)
        if one.area and one.at <= at and lies_in(one.area, state, side)
    )
    for (team, area), count in sorted(made.items(), key=lambda pair: (-pair[1], pair[0])):
        yield Gap(
            f"{names.get(team, team)} answered {'once' if count == 1 else f'{count} times'} that something in "
            f"{naming.named(area, side.boundaries)} is not in its area.",
            "Ask the team where its area ends; correct the outline or the rule.",
        )
