"""A worker that dies at any step loses nothing and doubles nothing but what the provider never confirmed.

Each named step is one at which a child process kills itself with SIGKILL; then another process goes on.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, insert, select, update

import worker
from directory.members import Channel
from foundation import clock, database, outbox, queue
from foundation.identifiers import new_id
from foundation.settings import Settings
from foundation.tables import outbox as outbox_rows
from notifications import callbacks, channels, delivery, ringing, silence
from notifications.standin import running
from notifications.standin.servers import ACCOUNT_SID, AUTH_TOKEN
from notifications.tables import attempts, delivery_reports, notices
from referrals.duty import Duty
from routing import clocks, jobs, telling
from routing.tables import handoffs
from tests import builders
from tests.builders import Town

# Step → the function after which the process dies.
STEPS: dict[str, tuple[Any, str]] = {
    "after the routing job was claimed": (outbox, "claim"),
    "while the decision was written": (jobs, "_write_down"),
    "after the decision and the offer were committed": (jobs, "route_referral"),
    "after the attempt was written": (delivery, "_begin"),
    "after the provider took the message": (channels, "_send_sms"),
    "before the outcome was settled": (delivery, "_settle"),
    "after the notice was delivered": (delivery, "deliver"),
}


@pytest.mark.parametrize("step", STEPS)
def test_killed(step: str, database_url: str, settings: Settings, tmp_path: Path) -> None:
    with running(tmp_path / "standin", "http://127.0.0.1:1") as standin:
        town = _town(database_url, settings, standin)
        builders.file_tip(town)
        _die_at(town, STEPS[step])
        _forget_leases(town.engine)
        # Long enough that an unknown outcome may be asked for.
        with builders.later(seconds=61):
            worker.sweep(_duty(town))
        _assert_told_once(town.engine)
        assert len(_texts(standin)) == 1


# Step of the delivery → what is owed when the process dies at it, before it has done it.
BEFORE: dict[str, tuple[Any, str]] = {
    "after the notice was claimed, before the attempt was written": (delivery, "_begin"),
    "after the offer was told, before it was committed": (telling, "tell_step"),
}


@pytest.mark.parametrize("step", BEFORE)
def test_killed_before(step: str, database_url: str, settings: Settings, tmp_path: Path) -> None:
    with running(tmp_path / "standin", "http://127.0.0.1:1") as standin:
        town = _town(database_url, settings, standin)
        builders.file_tip(town)
        _die_at(town, BEFORE[step], first=True)
        assert _texts(standin) == []
        _forget_leases(town.engine)
        with builders.later(seconds=61):
            worker.sweep(_duty(town))
        _assert_told_once(town.engine)
        assert len(_texts(standin)) == 1


def test_killed_after_the_commit_before_the_bell_rang(
    database_url: str, settings: Settings, tmp_path: Path
) -> None:
    """Nobody was woken, and what was committed is done all the same."""
    with running(tmp_path / "standin", "http://127.0.0.1:1") as standin:
        town = _town(database_url, settings, standin)
        _end_in_child(town, _file_and_die)
        worker.sweep(_duty(town))
        _assert_told_once(town.engine)
        assert len(_texts(standin)) == 1


def test_killed_while_it_worked_off_a_ring(
    database_url: str,
    settings: Settings,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The ring died with its worker; the next one does what both owed, and asks before it sends again."""
    with running(tmp_path / "standin", "http://127.0.0.1:1") as standin:
        town = _town(database_url, replace(settings, redis_url=redis_url), standin)
        builders.file_tip(replace(town, engine=_with_bell(town)))
        _end_in_child(town, _answer_the_bell_and_die)
        assert len(_texts(standin)) == 1
        _forget_leases(town.engine)
        monkeypatch.setattr(worker, "duty", lambda: _duty(town))
        with builders.later(seconds=61):
            queue.Bell(town.settings)(True)
            _answer_the_bell(town)
        _assert_told_once(town.engine)
        assert len(_texts(standin)) == 1


def _with_bell(town: Town) -> Engine:
    engine = database.make_engine(town.settings.database_url)
    return outbox.with_bell(engine, queue.Bell(town.settings))


def _file_and_die(town: Town) -> None:
    engine = outbox.with_bell(database.make_engine(town.settings.database_url), _die)
    builders.file_tip(replace(town, engine=engine))


def _answer_the_bell_and_die(town: Town) -> None:
    channels.CHANNELS[Channel.SMS] = _then_die(channels.CHANNELS[Channel.SMS])
    duty = _duty(town, _with_bell(town))
    worker.duty = lambda: duty  # type: ignore[assignment]
    _answer_the_bell(town)


def _answer_the_bell(town: Town) -> None:
    """What a queue process does until its queue is empty."""
    connection = queue.connect(town.settings, timeout=None)
    assert connection is not None
    worker._worker(connection, "urgent").work(burst=True)


def test_killed_while_the_clock_took_a_step(database_url: str, settings: Settings, tmp_path: Path) -> None:
    """The step that was not committed is taken by the next process, and once."""
    with running(tmp_path / "standin", "http://127.0.0.1:1") as standin:
        town = _town(database_url, settings, standin)
        builders.file_tip(town)
        worker.sweep(_duty(town))
        with builders.later(minutes=20):
            _die_at(town, (telling, "tell_step"), first=True)
            assert _escalations(town.engine) == 0
            for _ in range(2):
                clocks.sweep(_duty(town))
            assert _escalations(town.engine) == 1


def test_killed_while_a_report_was_applied(database_url: str, settings: Settings, tmp_path: Path) -> None:
    """A report that was kept is applied by the next process, and raises the notice once."""
    with running(tmp_path / "standin", "http://127.0.0.1:1") as standin:
        town = _town(database_url, settings, standin)
        builders.file_tip(town)
        worker.sweep(_duty(town))
        _keep_report(town.engine)
        _die_at(town, (callbacks, "_apply"), first=False)
        assert "delivered" not in _states(town.engine)
        _forget_leases(town.engine)
        worker.sweep(_duty(town))
        assert "delivered" in _states(town.engine)


def _keep_report(engine: Engine) -> None:
    """What the desk keeps when Twilio says that the text arrived."""
    with database.transaction(engine) as session:
        texts = select(attempts.c.id, attempts.c.provider_id).where(attempts.c.provider_id.is_not(None))
        text, now = session.execute(texts).one(), clock.now()
        report = {"MessageSid": text.provider_id, "MessageStatus": "delivered"}
        values = {"id": new_id(), "attempt_id": text.id, "received_at": now, "report": report}
        session.execute(insert(delivery_reports).values(**values))
        outbox.post(session, silence.APPLY, str(values["id"]), now=now)


def _states(engine: Engine) -> set[str]:
    with database.reading(engine) as session:
        return set(session.execute(select(notices.c.state)).scalars())


def _escalations(engine: Engine) -> int:
    with database.reading(engine) as session:
        return int(session.execute(select(func.coalesce(func.max(handoffs.c.step), 0))).scalar_one())


def _town(url: str, settings: Settings, standin: Any) -> Town:
    changed = replace(
        settings,
        database_url=url,
        twilio_account_sid=ACCOUNT_SID,
        twilio_auth_token=AUTH_TOKEN,
        twilio_from="+15005550006",
        twilio_api_base=standin.base_url,
        smtp_host="127.0.0.1",
        smtp_port=standin.smtp_port,
        smtp_security="none",
    )
    return builders.found(database.make_engine(url), changed)


def _duty(town: Town, engine: Engine | None = None) -> Duty:
    return Duty(engine or town.engine, town.settings, town.keys)


def _die_at(town: Town, step: tuple[Any, str], *, first: bool = False) -> None:
    """Works in a child until it dies after that function, or `first`: before it."""
    _end_in_child(town, _work_and_die, *step, first)


def _end_in_child(town: Town, act: Callable[..., None], *given: Any) -> None:
    """Does that in a child, which kills itself."""
    town.engine.dispose()
    child = multiprocessing.get_context("fork").Process(target=act, args=(town, *given))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL, f"the process did not reach the step: {child.exitcode}"


def _work_and_die(town: Town, module: Any, name: str, first: bool) -> None:
    setattr(module, name, _die if first else _then_die(getattr(module, name)))
    if (registered := f"{module.__name__}.{name}") in worker.JOBS:
        worker.JOBS[registered] = getattr(module, name)
    if name == "_send_sms":
        channels.CHANNELS[Channel.SMS] = getattr(module, name)
    worker.sweep(_duty(town, database.make_engine(town.settings.database_url)))


def _die(*arguments: Any, **named: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def _then_die(function: Callable[..., Any]) -> Callable[..., Any]:
    def dying(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        if result is not None or function.__name__ in {"route_referral", "deliver", "_settle", "_apply"}:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return dying


def _forget_leases(engine: Engine) -> None:
    """The dead process's leases run out."""
    with database.transaction(engine) as session:
        session.execute(update(outbox_rows).values(lease=None, lease_until=None))


def _assert_told_once(engine: Engine) -> None:
    with database.reading(engine) as session:
        assert session.execute(select(func.count()).select_from(handoffs)).scalar_one() == 1
        states = set(session.execute(select(notices.c.state)).scalars())
        assert states <= {"accepted", "sent", "delivered"}, states
        settled = select(func.count()).select_from(attempts).where(attempts.c.outcome == "accepted")
        assert session.execute(settled).scalar_one() == 2
        # What is owed later is a look at what became of the texts, and a call to whoever does not answer.
        owed = set(session.execute(select(outbox_rows.c.job)).scalars())
        assert owed <= {silence.LOOK, ringing.RING}, owed


def _texts(standin: Any) -> list[Any]:
    client = standin.app.test_client()
    found: list[Any] = client.get("/api/messages?to=%2B14805550130").get_json()
    return found
