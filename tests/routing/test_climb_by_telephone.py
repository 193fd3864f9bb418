"""What cannot wait climbs past a team that reads mail alone."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from directory.members import Channel
from directory.tables import contacts
from foundation import database
from referrals.facts import Evidence, PlaceKind, Relation, Urgency
from tests.builders import Town, later
from tests.routing.acts import sweep, tip

SAGUARO = Evidence(PlaceKind.SCHOOL, Relation.TARGET, ("school:demo-saguaro-bend",))


@pytest.mark.parametrize(("urgency", "asked"), [(Urgency.IMMINENT, False), (Urgency.ELEVATED, True)])
def test_what_cannot_wait_climbs_past_a_team_that_reads_mail_alone(
    town: Town, urgency: Urgency, asked: bool
) -> None:
    case = tip(town, urgency, SAGUARO)
    with database.transaction(town.engine) as session:
        people = contacts.c.member_id.in_([town.member_id(name) for name in ("Ines", "Tomas")])
        session.execute(delete(contacts).where(people, contacts.c.channel != Channel.EMAIL.value))
    for minutes in range(5, 60 * 9, 5):
        with later(minutes=minutes, seconds=1):
            sweep(town)
        if len(case.offers()) > 1:
            break
    assert ("tempe-police" in case.offers()) is asked, case.offers()
