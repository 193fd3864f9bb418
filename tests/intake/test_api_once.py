"""One record for each Idempotency-Key, whatever is sent twice, at once, or after something broke."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import OperationalError

from directory import api_requests
from directory.tables import api_requests as rows
from foundation import clock, database
from intake import api
from intake.forwarding import file_forward
from tests.builders import Town
from tests.intake.system import LEAST, System


@pytest.fixture
def system(town: Town) -> System:
    return System(town)


@pytest.fixture
def filings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The reference of each filing, also of one that met a record filed before: counting records would not show it."""
    references: list[str] = []

    def noted(*given: Any, **more: Any) -> Any:
        filed = file_forward(*given, **more)
        references.append(filed.reference)
        return filed

    monkeypatch.setattr(api, "file_forward", noted)
    return references


def unsettle(system: System) -> None:
    """As if the process had died between filing and settling."""
    with database.transaction(system.town.engine) as session:
        session.execute(update(rows).values(reference=None))


def test_the_same_again_is_answered_the_same_and_filed_once(system: System, filings: list[str]) -> None:
    first = system.send(key="one")
    again = system.send(dict(reversed(LEAST.items())), '"one"')
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.get_json() == first.get_json()
    other = system.send(LEAST | {"what_happened": "Something else."}, "one")
    assert other.status_code == 422
    assert filings == [first.get_json()["reference"]]
    assert system.filed() == 1


def test_two_at_once_are_one_record(system: System, filings: list[str]) -> None:
    gate = Barrier(2)

    def send(_: int) -> Any:
        gate.wait()
        return system.send(key="one")

    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(send, range(2)))
    taken = [answer for answer in answers if answer.status_code == 201]
    # Who comes while the other is being filed is told to come again.
    assert taken
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.get_json()["reference"] for answer in [*taken, system.send(key="one")]} == {
        taken[0].get_json()["reference"]
    }
    assert filings == [taken[0].get_json()["reference"]]
    assert system.filed() == 1


def test_what_is_under_way_is_waited_for_and_taken_over_after_a_minute(
    system: System, filings: list[str]
) -> None:
    first = system.send(key="one")
    unsettle(system)
    waits = system.send(key="one")
    assert (waits.status_code, waits.headers["Retry-After"]) == (409, "60")
    assert len(filings) == 1
    with clock.moved(timedelta(seconds=61)):
        again = system.send(key="one")
    assert again.get_json() == first.get_json()
    # It was filed again, and met the same record.
    assert filings == 2 * [first.get_json()["reference"]]
    assert system.filed() == 1


def test_after_a_fault_the_same_may_be_sent_at_once(system: System) -> None:
    def fail(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("INSERT INTO sealed_parts"):
            raise OperationalError("x", None, Exception("x"))

    event.listen(system.town.engine, "before_cursor_execute", fail)
    broken = system.send(key="one")
    event.remove(system.town.engine, "before_cursor_execute", fail)
    assert (broken.status_code, system.filed()) == (503, 0)
    assert system.send(key="one").status_code == 201
    assert system.filed() == 1


def test_a_request_with_a_fault_does_not_use_up_its_key(system: System) -> None:
    assert system.send(LEAST | {"urgency": "x"}, "one").status_code == 400
    assert system.send(LEAST, "one").status_code == 201


def test_each_office_has_keys_of_its_own(system: System) -> None:
    nadia = System(system.town, "Nadia", app=system.app)
    answers = [each.send(key="one") for each in (system, nadia)]
    assert len({answer.get_json()["reference"] for answer in answers}) == 2


def test_old_keys_are_forgotten_and_the_same_content_is_still_one_record(system: System) -> None:
    first = system.send(key="one")
    with clock.moved(api_requests.KEPT + timedelta(hours=1)):
        system.send(key="two")
        with database.reading(system.town.engine) as session:
            assert len(session.execute(select(rows)).all()) == 1
        assert system.send(key="one").get_json() == first.get_json()
    assert system.filed() == 2
