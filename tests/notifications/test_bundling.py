"""What may wait in a storm or at night; nothing urgent ever does."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from directory import members
from directory.members import Channel
from foundation import clock, database, outbox
from foundation.tables import outbox as owed
from notifications import bundling, notices
from notifications.notices import DELIVER, Waiting
from notifications.tables import notices as rows
from referrals.duty import Duty
from referrals.facts import Urgency
from tests.builders import Town, later


def write(
    town: Town,
    subject: str,
    urgency: Urgency = Urgency.ROUTINE,
    template: str = "task",
    *,
    reference: str = "R-7K3M-Q2",
    mark: str | None = None,
) -> None:
    now = clock.now()
    tempe, until = town.team["tempe-police"], now + timedelta(hours=4)
    waiting = Waiting(subject, reference, urgency, tempe, "America/Phoenix", until, mark)
    with database.transaction(town.engine) as session:
        notices.write(session, waiting, [town.member_id("Ines")], template, now=now)


def storm(town: Town, size: int = 20) -> None:
    for number in range(size):
        write(town, f"storm {number}")


def states(town: Town, channel: str = "sms", urgency: str = "routine") -> Counter[str]:
    mine = rows.c.channel == channel, rows.c.urgency == urgency
    with database.reading(town.engine) as session:
        return Counter(session.execute(select(rows.c.state).where(*mine)).scalars())


def digests(town: Town) -> Counter[str]:
    with database.reading(town.engine) as session:
        return Counter(session.execute(select(rows.c.channel).where(rows.c.template == "digest")).scalars())


def sleep(town: Town, begins: str, ends: str) -> None:
    with database.transaction(town.engine) as session:
        members.set_quiet_hours(session, town.member_id("Ines"), begins, ends)


def all_day(town: Town) -> None:
    """Quiet hours that hold now, whatever the hour: from an hour ago to an hour ahead on Phoenix's wall."""
    there = clock.now() - timedelta(hours=7)
    sleep(town, f"{there - timedelta(hours=1):%H:%M}", f"{there + timedelta(hours=1):%H:%M}")


def test_each_telephone_gets_its_share_alone_and_the_rest_in_one_digest(town: Town, duty: Duty) -> None:
    storm(town)
    assert states(town) == {"due": 3, "held": 17}
    assert states(town, "email") == {"due": 10, "held": 10}
    assert bundling.release(duty) == 2
    assert digests(town) == {"sms": 1, "email": 1}
    assert states(town) == {"due": 4, "superseded": 17}


def test_a_team_has_one_digest_in_a_quarter_of_an_hour(town: Town, duty: Duty) -> None:
    storm(town)
    bundling.release(duty)
    with later(minutes=14):
        storm(town)
        assert bundling.release(duty) == 0
    with later(minutes=15, seconds=1):
        assert bundling.release(duty) == 2


@pytest.mark.parametrize("urgency", [Urgency.IMMINENT, Urgency.ELEVATED])
def test_nothing_urgent_waits_in_a_storm_or_at_night(town: Town, urgency: Urgency) -> None:
    storm(town)
    all_day(town)
    for number in range(12):
        write(town, f"urgent {number}", urgency, "offer")
    assert states(town, urgency=urgency.value) == {"due": 12}
    with database.reading(town.engine) as session:
        due = (
            session.execute(select(owed.c.due_at).where(owed.c.job == DELIVER, owed.c.urgent)).scalars().all()
        )
    assert len(due) == 24
    assert max(due) <= clock.now()


def test_at_night_what_is_routine_waits_for_the_morning_but_not_the_mail(town: Town, duty: Duty) -> None:
    all_day(town)
    write(town, "one")
    assert (states(town), states(town, "email")) == ({"held": 1}, {"due": 1})
    assert bundling.release(duty) == 0
    with later(hours=1, minutes=1):
        assert bundling.release(duty) == 1
    assert states(town) == {"due": 1}
    assert digests(town) == {}


@pytest.mark.parametrize(
    ("begins", "ends", "hour", "quiet"),
    [
        ("21:00", "07:00", 20, False),
        ("21:00", "07:00", 21, True),
        ("21:00", "07:00", 3, True),
        ("21:00", "07:00", 7, False),
        ("12:00", "13:00", 12, True),
        ("12:00", "13:00", 13, False),
        (None, None, 3, False),
    ],
)
def test_quiet_hours_are_on_the_wall_and_go_over_midnight(
    begins: str | None, ends: str | None, hour: int, quiet: bool
) -> None:
    phoenix = datetime(2026, 11, 24, tzinfo=UTC) + timedelta(hours=hour + 7)
    assert bundling.is_quiet(begins, ends, "America/Phoenix", phoenix) is quiet


def test_what_was_answered_is_in_no_digest(town: Town, duty: Duty) -> None:
    storm(town, 4)
    with database.transaction(town.engine) as session:
        notices.supersede(session, "storm 3")
    assert bundling.release(duty) == 0


def test_a_turn_on_duty_is_told_in_its_own_words_beside_the_digest(town: Town, duty: Duty) -> None:
    all_day(town)
    storm(town, 2)
    write(town, "a turn", template="turn", reference="")
    assert states(town) == {"held": 3}
    with later(hours=1, minutes=1):
        assert bundling.release(duty) == 2
    with database.reading(town.engine) as session:
        due = session.execute(
            select(rows.c.template).where(rows.c.channel == "sms", rows.c.state == "due")
        ).scalars()
        assert sorted(due) == ["digest", "turn"]


def test_a_drill_takes_no_share_of_what_is_real_and_has_a_digest_of_its_own(town: Town, duty: Duty) -> None:
    for number in range(5):
        write(town, f"drill {number}", mark="drill")
    storm(town, 5)
    assert states(town) == {"due": 6, "held": 4}
    bundling.release(duty)
    with database.reading(town.engine) as session:
        marks = session.execute(
            select(rows.c.mark).where(rows.c.template == "digest", rows.c.channel == "sms")
        )
        assert Counter(marks.scalars()) == {"drill": 1, None: 1}


def test_every_channel_of_people_has_a_share(town: Town) -> None:
    assert set(bundling.SHARES) == set(Channel) - {Channel.WEBHOOK, Channel.ROBOT}
    assert bundling._DELIVER == DELIVER


def test_a_code_that_its_reader_asked_for_never_waits(town: Town) -> None:
    storm(town)
    write(town, "a test", template="test")
    assert states(town)["due"] == 4


def test_what_was_held_is_delivered_by_the_outbox(town: Town, duty: Duty) -> None:
    storm(town, 4)
    done: list[str] = []
    bundling.release(duty)
    outbox.drain(duty.engine, lambda job, id: done.append(id), urgent=False)
    assert len(done) == len(set(done)) == 8
