"""What a dry run found: how many places are answered differently, in which way, and what of the new rules is idle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from routing.circumstances import Circumstance
from routing.decision import Status
from routing.situations import Answer

EXAMPLES = 5
# Instead of the number of a circumstance: referrals bring their own.
THEIR_OWN = -1


class Step(StrEnum):
    """What is being asked at the moment, in this order."""

    WAITING = "waiting"
    REFERRALS = "referrals"
    ZIPS = "zips"
    SCHOOLS = "schools"
    POINTS = "points"
    RULES = "rules"


class Kind(StrEnum):
    """What becomes of a lead: a closed list, the worst first."""

    GAP = "gap"
    TIE = "tie"
    DOUBT = "doubt"
    LEAD = "lead"
    COVERED = "covered"
    COMPANY = "company"


@dataclass
class Difference:
    """Places that are answered differently in one way. Teams are ids; `counts` by step; `examples` are area ids."""

    kind: Kind
    circumstance: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def key(self) -> Hashable:
        """Equal for what is one difference."""
        return self.kind, self.circumstance, self.before, self.after


@dataclass
class Found:
    """What a dry run found. `asked` and `reached`: how many places there are, and how many the change can reach at the
    moment of the run, by step. `circumstances` were tried; `left_out` more were too many. `lost`: teams without any
    lead afterwards. `never`: rules that lead nowhere, `ended`: sentences about rules on areas that ended or are not
    known."""

    circumstances: tuple[Circumstance, ...]
    left_out: int
    asked: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    _by_key: dict[Hashable, Difference] = field(default_factory=dict)

    @property
    def differences(self) -> list[Difference]:
        """All of them, the worst first."""
        order = list(Kind)
        return sorted(
            self._by_key.values(),
            key=lambda one: (order.index(one.kind), -sum(one.counts.values()), one.before, one.after),
        )

    def note(
        self, step: Step, circumstance: int, a: Answer, b: Answer, count: int, examples: Sequence[str]
    ) -> None:
        """So many places were answered by `a` and will be by `b`; nothing where both are the same."""
        if a == b:
            return
        key = kind_of(a, b), circumstance, a.leads, b.leads
        one = self._by_key.get(key)
        if one is None:
            one = self._by_key[key] = Difference(*key)
        one.counts[step] += count
        if len(one.examples) < EXAMPLES:
            one.examples = list(dict.fromkeys([*one.examples, *examples]))[:EXAMPLES]

    def as_json(self) -> dict[str, Any]:
        """Plain JSON: ids, codes, counts and times."""
        return {name: getattr(self, name) for name in _PLAIN} | {
            "circumstances": [dict(one.__dict__) | {"at": one.at.isoformat()} for one in self.circumstances],
            "left_out": self.left_out,
            "differences": [dict(one.__dict__) for one in self.differences],
        }

    def go_on_from(self, stored: Mapping[str, Any]) -> None:
        """Takes up what `as_json` wrote of the same circumstances."""
        self.asked, self.reached = Counter(stored["asked"]), Counter(stored["reached"])
        self.lost, self.never, self.ended = (list(stored[name]) for name in ("lost", "never", "ended"))
        read = (
            Difference(
                Kind(one["kind"]), one["circumstance"], tuple(one["before"]), tuple(one["after"]),
                Counter(one["counts"]), list(one["examples"]),
            )
            for one in stored["differences"]
        )  # fmt: skip
        self._by_key = {one.key: one for one in read}


_PLAIN = ("asked", "reached", "lost", "never", "ended")


def kind_of(a: Answer, b: Answer) -> Kind:
    """What became of the lead when `a` became `b`."""
    tests = (
        (bool(a.leads) and not b.leads, Kind.GAP),
        (b.status is Status.AMBIGUOUS and a.leads != b.leads, Kind.TIE),
        (not a.leads and bool(b.leads), Kind.COVERED),
        (b.status is Status.CONFIRM_LOCATION and a.status is Status.ROUTED, Kind.DOUBT),
        (a.leads != b.leads, Kind.LEAD),
    )
    return next((kind for holds, kind in tests if holds), Kind.COMPANY)
