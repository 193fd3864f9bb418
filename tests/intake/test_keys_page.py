"""An office's keys at the portal: which there are, which end soon, and ending one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from directory.tables import api_keys as rows
from directory.tables import memberships
from foundation import clock, database
from tests import builders
from tests.builders import Town
from tests.intake.office import Office
from tests.intake.system import REFERRALS, System


@pytest.fixture
def system(town: Town) -> System:
    return System(town)


def end(office: Office, key_id: str) -> int:
    token = builders.csrf_token(office.client.get("/portal/keys").text)
    return office.client.post(f"/portal/keys/{key_id}/end", data={"csrf_token": token}).status_code


def test_an_office_sees_its_own_keys_and_ends_one_at_once(system: System) -> None:
    office = Office(system.town, "Frank", system.app)
    other = System(system.town, "Nadia", app=system.app)
    page = office.look("/portal/keys")
    assert "Frank Ames answers for it" in page
    assert "never used" in page
    assert "Nadia" not in page
    assert end(office, other.key_id) == 404
    assert other.ask("GET", REFERRALS).status_code == 200
    assert end(office, system.key_id) == 303
    assert system.ask("GET", REFERRALS).status_code == 401
    assert "Your office has no key." in office.look("/portal/keys")


def test_only_who_answers_for_a_key_or_supervises_ends_it(system: System) -> None:
    office = Office(system.town, "Frank", system.app)
    seat = memberships.c.member_id == system.town.member_id("Frank")
    with database.transaction(system.town.engine) as session:
        session.execute(update(memberships).where(seat).values(supervisor=False))
        session.execute(update(rows).values(member_id=system.town.member_id("Nadia")))
        session.execute(memberships.insert().values(
            member_id=system.town.member_id("Nadia"), team_id=office.team_id, discipline="agent"
        ))  # fmt: skip
    assert "End this key" not in office.look("/portal/keys")
    assert end(office, system.key_id) == 404
    assert end(Office(system.town, "Nadia", system.app), system.key_id) == 303


def test_a_banner_says_two_weeks_before_that_a_key_ends(system: System) -> None:
    office = Office(system.town, "Frank", system.app)
    assert "ends soon" not in office.look("/portal")
    # The key of these tests lives for 30 days.
    with clock.moved(timedelta(days=17)):
        office.enter()
        assert "A key of your office’s system ends soon: case system" in office.look("/portal")
        assert "Ends soon:" in office.look("/portal/keys")
    with clock.moved(timedelta(days=31)):
        office.enter()
        assert "ends soon" not in office.look("/portal")
