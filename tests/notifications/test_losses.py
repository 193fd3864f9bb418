"""A contact that is not used any more is told of: to its owner elsewhere, and to the administrators."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, and_, select, update

from directory.tables import contacts, members
from foundation import clock, database
from foundation.settings import Settings
from notifications import checking
from notifications.tables import notices
from referrals.duty import Duty
from tests import builders
from tests.builders import Town, later
from tests.notifications.acts import deliver, notice


@pytest.fixture
def town(engine: Engine, wired: Settings) -> Town:
    """A town whose administrator is Ada alone."""
    town = builders.found(engine, wired)
    with database.transaction(engine) as session:
        session.execute(update(members).values(administrator=members.c.email.like("ada@%")))
    return town


def told(town: Town) -> list[tuple[str, str, str]]:
    """Whose notice of a lost contact goes out by which channel, with which words."""
    query = (
        select(members.c.name, notices.c.channel, notices.c.template)
        .join(members, members.c.id == notices.c.member_id)
        .where(notices.c.template.like("%contact_ended"))
        .order_by(members.c.name, notices.c.channel)
    )
    with database.reading(town.engine) as session:
        return [(row.name.split()[0], row.channel, row.template) for row in session.execute(query)]


def test_a_number_that_does_not_exist_is_told_to_its_owner_elsewhere_and_to_the_administrator(
    town: Town,
) -> None:
    deliver(town, notice(town, "0010"))
    assert ("Ines", "email", "contact_ended") in told(town)
    assert ("Ines", "sms", "contact_ended") not in told(town)
    assert {words for name, _, words in told(town) if name == "Ada"} == {"their_contact_ended"}
    assert {name for name, _, _ in told(town)} == {"Ada", "Ines"}


def test_it_is_told_once_however_many_notices_fail_there(town: Town) -> None:
    both = [notice(town, "0010"), notice(town, "0010")]
    for id in both:
        deliver(town, id)
    assert [name for name, _, _ in told(town)].count("Ines") == 1


def test_who_did_not_prove_a_contact_for_half_a_year_is_told_as_well(town: Town) -> None:
    duty = Duty(town.engine, town.settings, town.keys)
    with later(days=170):
        checking.keep_proofs(duty)
    with later(days=181):
        with database.transaction(town.engine) as session:
            old = contacts.c.member_id == town.member_id("Ines"), contacts.c.channel == "sms"
            session.execute(update(contacts).where(~and_(*old)).values(verified_at=clock.now()))
        checking.keep_proofs(duty)
    assert ("Ines", "email", "contact_ended") in told(town)
