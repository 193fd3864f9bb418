"""Promise: one custodian, one due time, always; whatever members and clocks do in whatever order."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, select

from foundation import clock, database
from foundation.settings import Settings
from ledger.entries import Actor
from referrals import casework
from referrals.casework import Disposition
from referrals.facts import Urgency
from referrals.moves import NotNow
from referrals.sealing import CannotOpen
from routing import handoffs
from routing.handoffs import AlreadyAnswered
from routing.states import KINDS, OPEN, Kind
from routing.tables import handoffs as rows
from tests import builders, servers
from tests.builders import later
from tests.routing.acts import EITHER, NOWHERE, TEMPE, Case, faults, forward, run_jobs, sweep, tip

_SECRET = "only the tests know this key, and nobody else"
PEOPLE = {"tempe-police": "Ines", "mesa-police": "Olu", "maricopa-county": "Mara", "az-stamp": "Ada",
          "root-desk": "Rita", "nv-hub": "Neva"}  # fmt: skip
BEGINNINGS: list[Callable[..., Case]] = [tip, forward]
teams = st.sampled_from(sorted(PEOPLE))
CHOSEN = [kind for kind, rule in KINDS.items() if rule.chosen]


class Custody(RuleBasedStateMachine):
    """One referral in the demonstration's town."""

    # Of this run's database, and for SQLite the file as it was when empty.
    url: str
    pristine: Path

    def __init__(self) -> None:
        super().__init__()
        url = self.url
        if url.startswith("sqlite"):
            self._lay_anew(Path(url.removeprefix("sqlite:///")))
        else:
            servers.empty(url)
        given = {"SECRET_KEY": _SECRET, "DEPLOYMENT": "test.waypost.example", "DATABASE_URL": url}
        self.engine: Engine = database.make_engine(url)
        self.town = builders.found(self.engine, Settings.from_mapping(given))
        self.passed = 0.0

    @initialize(
        urgency=st.sampled_from(Urgency),
        place=st.sampled_from([TEMPE, EITHER, NOWHERE]),
        begin=st.sampled_from(BEGINNINGS),
    )
    def begin(self, urgency: Urgency, place: object, begin: Callable[..., Case]) -> None:
        self.case = begin(self.town, urgency, place)

    def _act(self, act: Callable[[], object]) -> None:
        """What may be refused, changes nothing then."""
        with later(hours=self.passed), suppress(AlreadyAnswered, NotNow, IndexError):
            act()

    @rule(slug=teams, kind=st.sampled_from(CHOSEN))
    def acknowledge(self, slug: str, kind: Kind) -> None:
        self._act(lambda: self.case.acknowledge(PEOPLE[slug], slug, kind))

    @rule(slug=teams, kind=st.sampled_from(CHOSEN))
    def decline(self, slug: str, kind: Kind) -> None:
        self._act(lambda: self.case.decline(PEOPLE[slug], slug, kind))

    @rule(slug=teams, kind=st.sampled_from(CHOSEN))
    def give_back(self, slug: str, kind: Kind) -> None:
        self._act(lambda: self.case.give_back(PEOPLE[slug], slug, kind))

    @rule(slug=teams)
    def recuse(self, slug: str) -> None:
        if slug != "root-desk":
            self._act(lambda: self.case.recuse_team(PEOPLE[slug]))

    @rule(slug=teams)
    def recall(self, slug: str) -> None:
        self._act(lambda: self.case.recall("Ada", slug))

    @rule(slug=teams, kind=st.sampled_from(CHOSEN))
    def hand_on(self, slug: str, kind: Kind) -> None:
        if self.case.holder in PEOPLE:
            self._act(lambda: self.case.hand_on(PEOPLE[self.case.holder], slug, kind))

    @rule(hours=st.sampled_from([0.1, 0.5, 2, 9, 80]))
    def time_passes(self, hours: float) -> None:
        self.passed += hours
        self._act(lambda: [sweep(self.town) for _ in range(4)])

    @rule()
    def jobs_run(self) -> None:
        self._act(lambda: run_jobs(self.town))

    @rule(approved=st.booleans())
    def close(self, approved: bool) -> None:
        self._act(lambda: self._close(approved))

    def _close(self, approved: bool) -> None:
        holder = self.case.row().custodian_team_id
        who = Actor(self.town.member_id("Ines"), holder)
        second = Actor(self.town.member_id("Tomas"), holder)
        now = clock.now()
        with suppress(CannotOpen), database.transaction(self.engine) as session:
            casework.propose_closing(
                session, self.town.keys, self.case.id, disposition=Disposition.MANAGED, reason="Done.",
                actor=who, due_at=now, now=now,
            )  # fmt: skip
        with database.transaction(self.engine) as session:
            casework.answer_closing(
                session, self.case.id, approved=approved, actor=second, due_at=now, now=now
            )

    @invariant()
    def one_custodian_one_due_time_no_faults(self) -> None:
        if not hasattr(self, "case"):
            return
        with later(hours=self.passed):
            sweep(self.town)
            row = self.case.row()
            assert row.custodian_team_id in self.town.team.values()
            assert (row.due_at is None) is (row.state == "closed")
            with database.reading(self.engine) as session:
                asked = session.execute(
                    select(rows.c.to_team_id, rows.c.kind).where(rows.c.state.in_(OPEN))
                ).all()
                transfers = handoffs.open_offers(session, self.case.id, Kind.TRANSFER)
            assert len(set(asked)) == len(asked)
            assert row.custodian_team_id not in {offer.to_team_id for offer in transfers}
            # It is said to be offered exactly while somebody may take it.
            assert row.state != "offered" or transfers
            assert faults(self.town) == []

    def teardown(self) -> None:
        self.engine.dispose()

    def _lay_anew(self, file: Path) -> None:
        for left in file.parent.glob(f"{file.name}-*"):
            left.unlink()
        shutil.copyfile(self.pristine, file)


# Not shrunk: each example is a whole town, and the steps of a failure are printed anyway.
_RUN = settings(
    max_examples=12,
    stateful_step_count=15,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_whatever_happens_one_team_holds_it_and_one_time_is_due(database_url: str, tmp_path: Path) -> None:
    Custody.url, Custody.pristine = database_url, tmp_path / "pristine.db"
    if database_url.startswith("sqlite"):
        shutil.copyfile(database_url.removeprefix("sqlite:///"), Custody.pristine)
    run_state_machine_as_test(Custody, settings=_RUN)
