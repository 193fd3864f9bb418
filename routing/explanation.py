"""A decision as sentences: in full for staff, in one line for the reporter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from referrals.facts import PlaceKind, Relation, Setting
from routing.areas import layer_of
from routing.boundaries import Boundaries
from routing.locate import Confidence
from routing.rules import Role
from routing.verdict import Change, ChangeKind, Considered, Decision, Status
from routing.weighing import Outcome

_KINDS = {
    "campus": "a campus",
    "school": "a school",
    "district": "a school district",
    "tribal": "a tribal area",
    "military": "a military area",
    "custom": "a local area",
    "place": "a city",
    "zip": "a ZIP",
    "county": "a county",
    "state": "a state",
    "nation": "the nation",
}
_WHOSE = {
    Relation.TARGET: "where the danger is",
    Relation.INCIDENT: "where it happened",
    Relation.SUBJECT: "where the person lives or is",
    Relation.REPORTER: "where the reporter is",
}
CONDITIONS = {
    "dates": "it is not in force on this day",
    "behaviours": "it is for other acts",
    "urgency": "it is for another urgency",
    "setting": "it is for another kind of place",
    "originator": "it is for what another office forwards",
    "hours": "these are not its hours",
    "relation": "it does not count this kind of place",
    "line": "near a line nobody is left out",
}
UNREACHABLE = {
    "no_contact": "nobody there has a contact",
    "unverified": "no contact there is verified",
    "opted_out": "everybody there has opted out",
    "disabled": "every contact there is switched off",
    "no_telephone": "nobody there has a telephone, and this cannot wait",
}
NOT_AGAIN = {
    "declined": "it declined",
    "lapsed": "it did not answer in time",
    "returned": "it gave it back",
}
_SETTINGS = {
    Setting.SCHOOL: "a school",
    Setting.WORKPLACE: "a workplace",
    Setting.HOME: "a home",
    Setting.PUBLIC: "a public place",
    Setting.ONLINE: "online",
}
_MANDATES = ("no mandate", "a written agreement", "a mandate of law")


def sentences(
    decision: Decision, boundaries: Boundaries, names: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Why this team, why not the others, what would change it. `names`: team names by id; without one its id
    stands. Shown to staff only."""
    teller = _Teller(decision, boundaries, names or {})
    return (*teller.verdict(), *teller.company(), *teller.rules(), *teller.changes())


def led_by(decision: Decision) -> str:
    """The area by which the one team leads, "" where none does: all that a reporter is told of the reasons."""
    if decision.status is not Status.ROUTED:
        return ""
    return next(entry.area for entry in decision.considered if entry.outcome is Outcome.LEAD)


class _Teller:
    """One decision, being told."""

    def __init__(self, decision: Decision, boundaries: Boundaries, names: Mapping[str, str]) -> None:
        self._decision, self._boundaries, self._names = decision, boundaries, names

    def best(self) -> Considered:
        """The rule that leads, or the first of those that are tied."""
        leads = {Outcome.LEAD, Outcome.TIED}
        return next(entry for entry in self._decision.considered if entry.outcome in leads)

    def team(self, team: str) -> str:
        """Its name, or its id."""
        return self._names.get(team, team)

    def teams(self, teams: Iterable[str]) -> str:
        """Names joined as people join them."""
        return _joined([self.team(team) for team in teams])

    def area(self, area: str) -> str:
        """Its name; a state is told apart from a city of the same name by the words around it."""
        return self._boundaries.name(area)

    def verdict(self) -> Iterable[str]:
        """What was decided, who holds it."""
        decision, owner = self._decision, self.team(self._decision.owner)
        told: dict[Status, Callable[[], str]] = {
            Status.ROUTED: self._routed,
            Status.AMBIGUOUS: lambda: f"{self.teams(decision.leads)} are equally right, so nobody is chosen.",
            Status.CONFIRM_LOCATION: self._unconfirmed,
            Status.LOCATION_NEEDED: lambda: "It is not clear enough where this is, so no team leads yet.",
            Status.NO_COVERAGE: self._uncovered,
        }
        yield told[decision.status]()
        if decision.status is not Status.ROUTED:
            yield f"{owner} owns it until {_UNTIL.get(decision.status, 'that is settled')}."
        yield from self._tied()
        yield from self._owners_passed_over()
        if decision.offered_at_once:
            yield f"Because the danger is imminent, it is offered at once to {self.teams(decision.offered_at_once)}."

    def _owners_passed_over(self) -> Iterable[str]:
        """Hubs that would own it: no rule was looked at that could say it of them."""
        told = {entry.team for entry in self._decision.considered}
        for team, why in self._decision.unreachable:
            if team not in told:
                yield f"{self.team(team)} was passed over: {UNREACHABLE.get(why, _NOBODY)}."

    def _uncovered(self) -> str:
        """Nobody has the place, or nobody who has it can take it now: the first is a gap, the second an outage."""
        passed = {Outcome.UNREACHABLE, Outcome.NOT_AGAIN}
        if any(entry.outcome in passed and entry.role is Role.LEAD for entry in self._decision.considered):
            return "No team that answers for this place can take it now."
        return "No team answers for this place."

    def _tied(self) -> Iterable[str]:
        """Why each of several is right; one sentence a team."""
        told: dict[str, str] = {}
        for entry in self._decision.considered:
            if entry.outcome is Outcome.TIED:
                told.setdefault(entry.team, f"{self.team(entry.team)} could lead because {self._why(entry)}.")
        return told.values()

    def company(self) -> Iterable[str]:
        """Who helps, who is told."""
        for teams, asked in (
            (self._decision.supports, "asked to support"),
            (self._decision.notifies, "told that it happened"),
        ):
            if teams:
                yield f"{self.teams(teams)} {'is' if len(teams) == 1 else 'are'} {asked}."

    def rules(self) -> Iterable[str]:
        """What became of every other rule that was touched; what is true of several rules is said once."""
        quiet = {Outcome.LEAD, Outcome.TIED, Outcome.SUPPORT, Outcome.NOTIFY}
        considered = self._decision.considered
        standing = {entry.team for entry in considered if entry.outcome in {*quiet, Outcome.LOST}}
        return dict.fromkeys(
            f"{self.team(entry.team)} ({self.area(entry.area)}) {self._became(entry)}."
            for entry in considered
            if entry.outcome not in quiet
            # "Was not asked", by one rule of a team by whose other rule it is asked or could be, would read as a
            # contradiction.
            and not (
                entry.outcome is Outcome.NOT_APPLIED
                and entry.role is not Role.EXCLUDE
                and entry.team in standing
            )
        )

    def changes(self) -> Iterable[str]:
        """Which answer would decide differently."""
        for change in self._decision.what_would_change:
            yield self._change(change)

    def _routed(self) -> str:
        best = self.best()
        runner_up = next(
            (
                entry
                for entry in self._decision.considered
                if entry.outcome is Outcome.LOST and entry.team != best.team
            ),
            None,
        )
        edge = f", and {self._edge(best, runner_up)}" if runner_up else ""
        return f"{self.team(best.team)} leads because {self._why(best)}{edge}."

    def _unconfirmed(self) -> str:
        first, *others = self._decision.leads
        instead = (
            f"it would be {_joined([self.team(team) for team in others], 'or')}" if others else "nobody would"
        )
        why = self._why(self.best())
        return f"{self.team(first)} would lead because {why}, but {instead} if another place is meant."

    def _why(self, entry: Considered) -> str:
        name, where = self.area(entry.area), _WHOSE[entry.relation]
        if entry.confidence is Confidence.SHARE and entry.share < 1:
            return f"{_percent(entry.share)} of the addresses there lie in {name} ({where})"
        if entry.confidence is Confidence.INSIDE:
            return f"the point lies in {name} ({where})"
        if entry.confidence is Confidence.BORDER:
            return f"the place may be {name} ({where})"
        if any(entry.area in piece.areas for piece in self._decision.evidence):
            return f"the place named is {name} ({where})"
        return f"the place named is in {name} ({where})"

    def _edge(self, best: Considered, other: Considered) -> str:
        """Why the one weighs more than the other."""
        ours, theirs = _KINDS[layer_of(best.area)], _KINDS[layer_of(other.area)]
        mine, place = best.key[0], self.area(best.area)
        told = {
            "mandate": f"{_MANDATES[mine]} outranks {_MANDATES[other.key[0]]}",
            "relation": f"{_WHOSE[best.relation]} counts more than {_WHOSE[other.relation]}",
            "layer": f"{ours} outranks {_possessive(ours, theirs)}",
            "specificity": "its rule is the more specific one",
            "priority": f"its rule for {place} has the higher priority",
            "confidence": "that is the surer evidence",
        }
        return told.get(other.detail, "its rule weighs more")

    def _became(self, entry: Considered) -> str:
        told: dict[Outcome, Callable[[], str]] = {
            Outcome.LOST: lambda: f"could lead too, but {self._edge(self.best(), entry)}",
            Outcome.NOT_APPLIED: lambda: f"was not {_ASKED[entry.role]}: {_unmet(entry)}",
            Outcome.SHIELDED: lambda: f"is shut out: {self.area(entry.detail)} answers alone",
            Outcome.EXCLUDED: lambda: "is not to be asked for this: a rule says so",
            Outcome.NOT_AGAIN: lambda: (
                f"was not asked again: {NOT_AGAIN.get(entry.detail, 'it has already answered')}"
            ),
            Outcome.UNREACHABLE: lambda: f"was passed over: {UNREACHABLE.get(entry.detail, _NOBODY)}",
            Outcome.BELOW_FLOOR: lambda: (
                f"cannot {_VERBS[entry.role]}: only {_percent(entry.share)} of the addresses lie there"
            ),
        }
        return told[entry.outcome]()

    def _change(self, change: Change) -> str:
        options = _joined([self.area(area) for area in change.areas if area], "or")
        if change.kind is ChangeKind.PLACE:
            return "Any answer to the question where it is would change this: a town, a ZIP, a county or a school."
        if change.kind is ChangeKind.LINE:
            beyond = self._beyond(change.areas)
            return f"The point is {change.distance_m:.0f} m from a line: it matters whether it lies {beyond}."
        if change.kind is ChangeKind.CHOICE:
            return f"It matters which is meant: {self._told_apart(change.areas)}."
        if change.kind is ChangeKind.SETTING:
            settings = _joined([_SETTINGS[setting] for setting in change.settings], "or")
            return f"Nobody said what kind of place it is; {settings} would change this."
        zips = [piece for piece in self._decision.evidence if piece.kind is PlaceKind.ZIP]
        what = _joined([self.area(area) for piece in zips for area in piece.areas]) or "The place"
        return (
            f"{what} lies in several areas; it matters which one: {options}. Asking for the city settles it."
        )

    def _beyond(self, areas: tuple[str, ...]) -> str:
        """The sides of a line: "in Mesa, in Tempe or in neither"."""
        inside = [f"in {self.area(area)}" for area in areas if area]
        outside = {1: "outside it", 2: "in neither"}.get(len(inside), "in none of them")
        return _joined([*inside, outside] if "" in areas else inside, "or")

    def _told_apart(self, areas: tuple[str, ...]) -> str:
        """Areas of one name, each with its state; within one state, with what directly holds it."""
        states = [self._boundaries.state_of(area) for area in areas]
        by_state = len(set(states)) == len(states)
        told = [
            self._placed(area, f"state:{state}" if by_state and state else "")
            for area, state in zip(areas, states, strict=True)
        ]
        more = len(told) - _ENOUGH
        return _joined([*told[:_ENOUGH], f"{more} more"] if more > 1 else told, "or")

    def _placed(self, area: str, above: str) -> str:
        above = above or next((parent for parent, _ in self._boundaries.parents(area)), "")
        if layer_of(area) == "state":
            return f"the state of {self.area(area)}"
        return f"{self.area(area)} in {self.area(above)}" if above else self.area(area)


def _unmet(entry: Considered) -> str:
    """The condition that did not hold, of this rule and this place."""
    if entry.detail == "relation" and entry.relation is Relation.REPORTER:
        return "where the reporter is decides nothing by itself"
    if entry.detail == "relation":
        return f"it asks for another place, not {_WHOSE[entry.relation]}"
    return CONDITIONS[entry.detail]


_NOBODY = "nobody there can be reached now"
_UNTIL = {Status.NO_COVERAGE: "a team takes it", Status.LOCATION_NEEDED: "the place is known"}
# More of one name than this tell nobody anything.
_ENOUGH = 8
_ASKED = {Role.LEAD: "asked", Role.SUPPORT: "asked", Role.NOTIFY: "told", Role.EXCLUDE: "left out"}
_VERBS = {Role.LEAD: "lead", Role.SUPPORT: "support", Role.NOTIFY: "be told", Role.EXCLUDE: "exclude"}


def _possessive(ours: str, theirs: str) -> str:
    return (
        "its county" if (ours, theirs) == ("a city", "a county") else theirs.replace("a state", "its state")
    )


def _percent(share: float) -> str:
    """Rounded down: 99.9 % is not all of it."""
    return f"{int(share * 100)} %" if share >= 0.01 else "less than 1 %"


def _joined(words: list[str], last: str = "and") -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
