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
from sqlalchemy import Engine, func, select, update

import worker
from directory.members import Channel
from foundation import database, outbox
from foundation.settings import Settings
from foundation.tables import outbox as outbox_rows
from notifications import delivery
from notifications.standin import running
from notifications.standin.servers import ACCOUNT_SID, AUTH_TOKEN
from notifications.tables import attempts, notices
from referrals.duty import Duty
from routing import jobs
from routing.tables import handoffs
from tests import builders
from tests.builders import Town

# Step → the function after which the process dies, and how many text messages may then have been sent in all.
STEPS: dict[str, tuple[Any, str]] = {
    "after the routing job was claimed": (outbox, "claim"),
    "while the decision was written": (jobs, "_write_down"),
    "after the decision and the offer were committed": (jobs, "route_referral"),
    "after the attempt was written": (delivery, "_begin"),
    "after the provider took the message": (delivery, "_send_sms"),
    "before the outcome was settled": (delivery, "_settle"),
    "after the notice was delivered": (delivery, "deliver"),
}


@pytest.mark.parametrize("step", STEPS)
def test_killed(step: str, database_url: str, settings: Settings, tmp_path: Path) -> None:
    with running(tmp_path / "standin", "http://127.0.0.1:1") as standin:
        town = _town(database_url, settings, standin)
        builders.file_tip(town)
        _die_at(town, step)
        _forget_leases(town.engine)
        # Long enough that an unknown outcome may be asked for.
        with builders.later(seconds=61):
            worker.sweep(_duty(town))
        _assert_told_once(town.engine)
        assert len(_texts(standin)) == 1


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


def _die_at(town: Town, step: str) -> None:
    module, name = STEPS[step]
    town.engine.dispose()
    child = multiprocessing.get_context("fork").Process(target=_work_and_die, args=(town, module, name))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL, f"the process did not reach the step: {child.exitcode}"


def _work_and_die(town: Town, module: Any, name: str) -> None:
    setattr(module, name, _then_die(getattr(module, name)))
    if (registered := f"{module.__name__}.{name}") in worker.JOBS:
        worker.JOBS[registered] = getattr(module, name)
    if name == "_send_sms":
        delivery._CHANNELS[Channel.SMS] = getattr(module, name)
    worker.sweep(_duty(town, database.make_engine(town.settings.database_url)))


def _then_die(function: Callable[..., Any]) -> Callable[..., Any]:
    def dying(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        if result is not None or function.__name__ in {"route_referral", "deliver", "_settle"}:
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
        assert session.execute(select(func.count()).select_from(outbox_rows)).scalar_one() == 0


def _texts(standin: Any) -> list[Any]:
    client = standin.app.test_client()
    found: list[Any] = client.get("/api/messages?to=%2B14805550130").get_json()
    return found
