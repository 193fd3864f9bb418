"""Notices: who is written to, with which code, and by which code they are found again."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, select, update

from directory.tables import contacts, memberships
from foundation import clock, database
from notifications import notices
from notifications.notices import Waiting
from notifications.tables import notices as rows
from referrals.facts import Urgency
from tests.builders import Town, later

INES = "+14805550130"


def write(town: Town, who: str = "Ines", subject: str = "a handoff", *, with_code: bool = True) -> int:
    team, now = town.team["tempe-police"], clock.now()
    waiting = Waiting(subject, "R-7K3M-Q2", Urgency.ELEVATED, team, "America/Phoenix", now)
    with database.transaction(town.engine) as session:
        people = [town.member_id(who)]
        return notices.write(session, waiting, people, "offer", now=now, with_code=with_code)


def code(town: Town) -> str:
    """The newest code."""
    query = select(rows.c.code).where(rows.c.code.is_not(None)).order_by(rows.c.created_at.desc())
    with database.reading(town.engine) as session:
        found: str = session.execute(query).scalars().first() or ""
    return found


def found(town: Town, number: str, typed: str) -> bool:
    with database.reading(town.engine) as session:
        return notices.by_code(session, number, typed, clock.now()) is not None


def test_each_contact_has_a_notice_and_only_a_telephone_a_code(town: Town) -> None:
    assert write(town) == 2
    with database.reading(town.engine) as session:
        coded = {row.channel: row.code for row in session.execute(select(rows))}
    assert coded["email"] is None
    assert len(coded["sms"] or "") == 4


def test_a_code_is_found_from_its_own_number_in_any_case_and_for_four_hours(town: Town) -> None:
    write(town)
    assert found(town, INES, f" {code(town).lower()} ")
    assert not found(town, "+14805550140", code(town))
    with later(hours=4, seconds=1):
        assert not found(town, INES, code(town))


@pytest.mark.parametrize(
    "lost", [{"verified_at": None}, {"opted_out_at": clock.now()}, {"disabled_at": clock.now()}]
)
def test_a_telephone_that_is_not_usable_answers_nothing(town: Town, lost: dict[str, Any]) -> None:
    write(town)
    with database.transaction(town.engine) as session:
        session.execute(update(contacts).where(contacts.c.address == INES).values(lost))
    assert not found(town, INES, code(town))


def test_who_left_the_team_answers_nothing_for_it(town: Town) -> None:
    write(town)
    with database.transaction(town.engine) as session:
        session.execute(delete(memberships).where(memberships.c.member_id == town.member_id("Ines")))
    assert not found(town, INES, code(town))


def test_an_unusable_contact_is_not_written_to(town: Town) -> None:
    for column in ("opted_out_at", "disabled_at"):
        with database.transaction(town.engine) as session:
            sms = contacts.c.member_id == town.member_id("Ines"), contacts.c.channel == "sms"
            session.execute(update(contacts).where(*sms).values({column: clock.now()}))
        assert write(town) == 1
        with database.transaction(town.engine) as session:
            session.execute(update(contacts).values({column: None}))


def test_living_codes_of_one_telephone_are_all_different(town: Town) -> None:
    for number in range(12):
        write(town, subject=str(number))
    with database.reading(town.engine) as session:
        codes = list(session.execute(select(rows.c.code).where(rows.c.code.is_not(None))).scalars())
    assert len(set(codes)) == len(codes) == 12


def test_superseded_notices_are_of_that_subject_and_not_yet_sent(town: Town) -> None:
    for subject in ("one", "other"):
        write(town, subject=subject)
    with database.transaction(town.engine) as session:
        session.execute(
            update(rows).where(rows.c.subject_id == "one", rows.c.channel == "sms").values(state="sent")
        )
        notices.supersede(session, "one")
        states = {(row.subject_id, row.channel): row.state for row in session.execute(select(rows))}
    assert states == {
        ("one", "sms"): "sent", ("one", "email"): "superseded", ("other", "sms"): "due", ("other", "email"): "due",
    }  # fmt: skip
