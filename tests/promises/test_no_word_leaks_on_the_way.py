"""Promise: on its whole way, from the portal's form through routing, notices and the desk's forms to its end, no word
of a referral is anywhere but sealed: not in a row, in the queue, in a log, in a file, in a message, in an address."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import Engine

import worker
from foundation import outbox, queue
from foundation.settings import Settings
from intake.app import create_app
from notifications import standin
from notifications.standin import Running
from notifications.standin.servers import ACCOUNT_SID, AUTH_TOKEN
from referrals.duty import Duty
from tests import builders
from tests.builders import Town, later
from tests.desk.sitting import Desk
from tests.intake.office import Office
from tests.promises import canary
from tests.promises.canary import CANARY
from tests.servers import free_port

# All that the portal's form asks in free words. The case number is not sealed, and says so.
_TOLD = (
    "what_happened", "other_act", "links", "subject", "target", "school", "when", "sources", "conditions", "contact",
)  # fmt: skip
_FORWARD = {name: f"{CANARY} {name}" for name in _TOLD} | {
    "behaviours": "threat_communicated",
    "urgency": "imminent",
    "handling": "H3",
}
# Address at the desk → what is answered there by the team that took it.
_DOCUMENTED: tuple[tuple[str, dict[str, str], int], ...] = (
    ("note", {"words": f"{CANARY} note"}, 200),
    ("action", {"action": "welfare_check", "words": f"{CANARY} action"}, 200),
    ("action", {"words": f"{CANARY} without an action"}, 400),
    ("place", {"school": CANARY, "place": CANARY, "county": CANARY, "zip_code": CANARY[:10]}, 400),
    ("close", {"reason": f"{CANARY} without an end"}, 400),
    ("close", {"disposition": "managed", "reason": f"{CANARY} reason"}, 200),
)


@dataclass
class Way:
    """A town that is wired to a real queue and to the stand-in, and the places that are searched."""

    town: Town
    office: Office
    desk: Desk
    phone: Running
    valkey: redis.Redis
    seen: list[str]

    @property
    def duty(self) -> Duty:
        """What the worker works with."""
        return Duty(self.town.engine, self.town.settings, self.town.keys)

    def work(self) -> None:
        """The bell is answered by RQ until both queues are empty, then the clock sweeps."""
        for urgent in (True, False):
            served = queue.queue(self.valkey, urgent=urgent)
            SimpleWorker([served], connection=self.valkey, serializer=JSONSerializer).work(burst=True)
        worker.sweep(self.duty)


@pytest.fixture
def way(
    engine: Engine, settings: Settings, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Way]:
    (tmp_path / "spool").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "spool"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    desk_url, seen = f"http://127.0.0.1:{free_port()}", list[str]()
    with standin.running(tmp_path / "standin", desk_url, pace=0.05) as phone:
        wired = replace(
            settings,
            redis_url=redis_url,
            desk_url=desk_url,
            twilio_account_sid=ACCOUNT_SID,
            twilio_auth_token=AUTH_TOKEN,
            twilio_from="+15550100000",
            twilio_api_base=phone.base_url,
            smtp_host="127.0.0.1",
            smtp_port=phone.smtp_port,
            smtp_security="none",
        )
        town = builders.found(outbox.with_bell(engine, queue.Bell(wired)), wired)
        office = Office(town, "Nadia", canary.watch(create_app(wired, town.engine), seen))
        desk = Desk(town)
        canary.watch(desk.app, seen)
        going = Way(town, office, desk, phone, redis.Redis.from_url(redis_url), seen)
        monkeypatch.setattr(worker, "duty", lambda: going.duty)
        yield going


@pytest.mark.parametrize("place", [{"place": "Tempe", "state": "AZ"}, {"place": CANARY, "county": CANARY}])
def test_no_word_leaks_from_the_portal_to_the_end(
    way: Way, tmp_path: Path, caplog: pytest.LogCaptureFixture, place: dict[str, str]
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = way.office.send(**(_FORWARD | place))
    assert answer.status_code == 303
    reference = answer.headers["Location"].rsplit("/", 1)[1]
    rung = canary.in_queue(way.valkey)
    assert b"worker.drain" in rung
    way.work()
    taker, second = ("Ines", "Tomas") if place["place"] == "Tempe" else ("Rita", "Rob")
    _work_on(way, reference, taker, second)
    with later(minutes=30):
        way.work()
    assert way.desk.row(reference).state == "closed"
    store = way.phone.app.extensions["store"]
    assert store.messages()
    assert store.mails()
    lines = [f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in caplog.records]
    found = {
        "the queue": rung + canary.in_queue(way.valkey),
        "the database": canary.in_database(way.town.engine),
        "a file": canary.in_files(tmp_path),
        "a message or a mail": canary.in_post(store).encode(),
        "a log": "\n".join(lines).encode(),
        "an address, a header or a cookie": "\n".join(way.seen).encode(),
    }
    assert [place for place, text in found.items() if CANARY.encode() in text.lower()] == []


def _work_on(way: Way, reference: str, taker: str, second: str) -> None:
    """Acknowledged, read, documented and closed by two, each with the canary in every field of free words."""
    seat, here = way.desk.seat(taker), f"/referrals/{reference}"
    seat.send(here, to="/acknowledge")
    assert CANARY in seat.send(here, to="/open").get_text()
    for page, answers, status in _DOCUMENTED:
        seat.send(f"{here}/{page}", answers, status=status)
        if status == 200:
            way.work()
    assert f"{CANARY} note" in seat.look(here).get_text()
    seat.look(f"/find?reference={reference}")
    way.desk.seat(second).send(f"{here}/closing", {"answer": "approve"})
