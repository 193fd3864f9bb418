"""Status turns red by itself, each time with a heading that says what is wrong; green is earned."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, update

import worker
from desk import status, words
from directory import api_keys
from directory.api_keys import Scope
from directory.tables import contacts, ladder_steps
from foundation import clock, database, heartbeat, outbox
from foundation.metrics import registry
from foundation.tables import outbox as owed
from ledger.entries import Actor
from notifications.tables import notices
from referrals.duty import Duty
from referrals.tables import referrals
from routing import canary, signs
from tests.builders import Town, later
from tests.desk.sitting import Desk

GREEN = "All is well"


@pytest.fixture
def well(town: Town) -> Town:
    """A town whose clock lives and whose canary came through."""
    with database.transaction(town.engine) as session:
        for part in ("clock", canary.PART):
            heartbeat.beat(session, part, clock.now())
    return town


def seen(desk: Desk, who: str = "Rita") -> str:
    return desk.seat(who).look("/status").get_text(" ", strip=True)


def test_green_is_earned_by_a_recent_canary(well: Town, desk: Desk) -> None:
    assert GREEN in seen(desk)


def test_without_a_canary_it_is_never_green(well: Town, desk: Desk) -> None:
    with database.transaction(well.engine) as session:
        heartbeat.beat(session, canary.PART, clock.now() - timedelta(minutes=16))
    assert "No canary came through" in seen(desk)
    assert GREEN not in seen(desk)


def test_where_canaries_are_off_nothing_is_claimed(town: Town) -> None:
    town.settings = replace(town.settings, canary_minutes=0)
    with database.transaction(town.engine) as session:
        heartbeat.beat(session, "clock", clock.now())
    text = seen(Desk(town))
    assert GREEN not in text
    assert "No canary is sent here" in text


def _stop_clock(town: Town) -> None:
    with database.transaction(town.engine) as session:
        heartbeat.beat(session, "clock", clock.now() - timedelta(minutes=2))


def _stop_queue(town: Town) -> None:
    with database.transaction(town.engine) as session:
        heartbeat.beat(session, "queue urgent", clock.now() - timedelta(minutes=2))


def _wait(town: Town) -> None:
    with database.transaction(town.engine) as session:
        due = clock.now() - timedelta(seconds=61)
        outbox.post(session, "notifications.delivery.deliver", "x", now=due, urgent=True)


def _fail(town: Town) -> None:
    with database.transaction(town.engine) as session:
        outbox.post(session, "notifications.delivery.deliver", "x", now=clock.now())
        session.execute(update(owed).values(tries=5, fault="KeyError"))


def _silence(town: Town) -> None:
    with database.transaction(town.engine) as session:
        session.execute(delete(ladder_steps).where(ladder_steps.c.team_id == town.team["mesa-police"]))


def _age(town: Town) -> None:
    with database.transaction(town.engine) as session:
        old = clock.now() - timedelta(days=167)
        session.execute(update(contacts).where(contacts.c.address == "+14805550130").values(verified_at=old))


def _refuse(town: Town) -> None:
    Desk(town).tip()
    with database.transaction(town.engine) as session:
        session.execute(update(notices).values(state="failed_permanent", fault="30034"))


def _key(town: Town) -> None:
    who = town.actor("Frank")
    with database.transaction(town.engine) as session:
        api_keys.make(
            session, team_id=str(who.team_id), member_id=str(who.member_id), name="case system",
            scopes=[Scope.READ], lives=timedelta(days=13), actor=Actor(part="administrator"), now=clock.now(),
        )  # fmt: skip


_WRONG: dict[str, Callable[[Town], None]] = {
    "The clock stands still": _stop_clock,
    "A part is silent": _stop_queue,
    "Work waits too long": _wait,
    "Work fails again and again": _fail,
    "A team cannot be reached": _silence,
    "Contacts grow stale": _age,
    "A key of the API ends soon": _key,
    "Messages do not leave": _refuse,
}


@pytest.mark.parametrize("heading", _WRONG)
def test_it_turns_red_by_itself(well: Town, desk: Desk, heading: str) -> None:
    _WRONG[heading](well)
    text = seen(desk)
    assert heading in text
    assert GREEN not in text
    assert desk.seat("Rita").look("/status").title.get_text().startswith("Something is wrong")  # type: ignore[union-attr]


def test_the_handbook_has_every_heading() -> None:
    with open("docs/operating.md", encoding="utf-8") as handbook:
        written = handbook.read()
    assert [
        heading for heading in [*_WRONG, "No canary came through"] if f"**{heading}**" not in written
    ] == []


def test_of_others_teams_a_member_reads_nothing(well: Town, desk: Desk) -> None:
    _silence(well)
    assert "Mesa Police" in seen(desk, "Rita")
    assert "Mesa Police" not in seen(desk, "Ines")


def test_metrics_are_counts_and_hold_no_word_no_name_and_no_number(well: Town, desk: Desk) -> None:
    desk.tip()
    with database.reading(well.engine) as session:
        readings = list(signs.readings(session, well.settings, clock.now()))
    family = {family.name: family for family in registry(lambda: readings).collect()}
    assert family["waypost_referrals_open"].samples[0].value == 1
    values = {value for one in family.values() for sample in one.samples for value in sample.labels.values()}
    assert not [value for value in values if any(letter.isdigit() or letter.isupper() for letter in value)]


def test_no_drill_and_no_canary_is_counted(well: Town, desk: Desk) -> None:
    desk.tip()
    with database.transaction(well.engine) as session:
        session.execute(update(referrals).values(mark="drill"))
        session.execute(update(notices).values(mark="drill"))
        named = {reading.name for reading in signs.readings(session, well.settings, clock.now())}
    assert not {"waypost_referrals_open", "waypost_notices_day"} & named


def test_the_heartbeat_is_called_outside_only_while_all_is_well(well: Town, duty: Duty) -> None:
    called: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            called.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/ping"
        calls = replace(duty, settings=replace(duty.settings, heartbeat_url=url))
        assert signs.call_outside(calls) == 1
        with later(minutes=2):
            assert signs.call_outside(calls) == 0
        server.shutdown()
    assert called == ["/ping"]


def test_what_is_wrong_is_found_without_a_page(well: Town) -> None:
    _stop_clock(well)
    with database.reading(well.engine) as session:
        found = status.banners(session, well.settings, clock.now())
    assert [banner.heading for banner in found] == ["The clock stands still"]


def test_work_that_waits_is_said_in_words(desk: Desk) -> None:
    with database.transaction(desk.town.engine) as session:
        for job in ("notifications.delivery.deliver", "of.a.newer.version", "of.another"):
            outbox.post(session, job, "x", now=clock.now())
    page = desk.seat("Rita").look("/status").get_text(" ", strip=True)
    assert "1 notices to be sent" in page
    assert "2 other work" in page


def test_every_job_has_words() -> None:
    assert set(words.WORK) == set(worker.JOBS)


def test_a_key_that_ends_soon_is_said_with_its_office_to_who_can_help(well: Town, desk: Desk) -> None:
    _key(well)
    assert "cannot forward: FBI Phoenix." in seen(desk)
    assert "A key of the API" not in seen(desk, "Ines")
