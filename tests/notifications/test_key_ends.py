"""A key of the API that ends soon is told of two weeks before, once, to who can have it replaced."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from directory import api_keys
from directory.api_keys import Scope
from directory.tables import members
from foundation import clock, database
from ledger.entries import Actor
from notifications import key_ends
from notifications.tables import notices
from referrals.duty import Duty
from tests.builders import Town, later


def make(town: Town, days: int) -> str:
    who = town.actor("Frank")
    with database.transaction(town.engine) as session:
        return api_keys.make(
            session, team_id=str(who.team_id), member_id=str(who.member_id), name="kanarienvogel",
            scopes=[Scope.READ], lives=timedelta(days=days), actor=Actor(part="administrator"), now=clock.now(),
        )[0]  # fmt: skip


def tell(town: Town) -> int:
    return key_ends.tell_ending(Duty(town.engine, town.settings, town.keys))


def test_its_member_and_the_administrators_are_told_once_when_two_weeks_are_left(town: Town) -> None:
    make(town, days=30)
    assert tell(town) == 0
    with later(days=17):
        assert tell(town) > 0
        assert tell(town) == 0
    with database.reading(town.engine) as session:
        told = session.execute(
            select(members.c.name, notices.c.template)
            .join(members, members.c.id == notices.c.member_id)
            .distinct()
        )
        assert {(row.name.split()[0], row.template) for row in told} == {
            ("Frank", "key_ends"),
            ("Rita", "key_ends"),
        }
        assert "kanarienvogel" not in str(session.execute(select(notices)).all())


def test_a_key_that_is_over_is_no_news(town: Town) -> None:
    ended, _ = make(town, days=7), make(town, days=1)
    with database.transaction(town.engine) as session:
        api_keys.end(session, ended, actor=Actor(part="administrator"), now=clock.now())
    with later(days=2):
        assert tell(town) == 0
