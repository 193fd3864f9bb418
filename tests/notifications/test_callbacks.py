"""The provider's reports at the desk's door: signed, kept, and of known attempts only."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, insert, select

from desk.app import create_app
from foundation import clock, database
from foundation.settings import Settings
from foundation.tables import outbox
from notifications import notices as written
from notifications import silence, sms
from notifications.notices import Waiting
from notifications.standin.webhooks import signature
from notifications.tables import attempts, delivery_reports, notices
from referrals.facts import Urgency
from tests import builders
from tests.builders import Town

TOKEN, OLDER = "a" * 32, "b" * 32
FORM = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+14805550130", "Body": "canary"}


@pytest.fixture
def town(engine: Engine, settings: Settings) -> Town:
    signing = replace(settings, twilio_auth_token=TOKEN, twilio_auth_token_previous=OLDER)
    town = builders.found(engine, signing)
    now = clock.now()
    waiting = Waiting("a handoff", "R-7K3M-Q2", Urgency.ELEVATED, town.team["tempe-police"], "UTC", now)
    with database.transaction(engine) as session:
        written.write(session, waiting, [town.member_id("Ines")], "offer", now=now, with_code=True)
        notice_id = session.execute(select(notices.c.id).limit(1)).scalar_one()
        session.execute(insert(attempts).values(id="attempt1", notice_id=notice_id, started_at=now))
    return town


def told(
    town: Town, attempt: str = "attempt1", *, token: str = TOKEN, signed: dict[str, str] | None = None
) -> int:
    client: FlaskClient = create_app(town.settings, town.engine, town.keys).test_client()
    url = sms.status_url(town.settings, attempt)
    stamp = signature(token, url, signed or FORM)
    answer = client.post(f"/twilio/status/{attempt}", data=FORM, headers={"X-Twilio-Signature": stamp})
    return answer.status_code


def kept(town: Town) -> list[dict[str, str]]:
    with database.reading(town.engine) as session:
        return list(session.execute(select(delivery_reports.c.report)).scalars())


def test_a_signed_report_is_kept_without_number_and_text_and_owed(town: Town) -> None:
    assert told(town) == 204
    assert kept(town) == [{"MessageSid": "SM1", "MessageStatus": "delivered"}]
    with database.reading(town.engine) as session:
        jobs = session.execute(select(outbox.c.job).where(outbox.c.job == silence.APPLY)).all()
    assert len(jobs) == 1


def test_the_older_token_counts_during_a_rotation(town: Town) -> None:
    assert told(town, token=OLDER) == 204


@pytest.mark.parametrize("forged", [{"token": "c" * 32}, {"token": ""}, {"signed": {"MessageSid": "SM2"}}])
def test_a_forged_report_is_refused_and_not_kept(town: Town, forged: dict[str, str]) -> None:
    assert told(town, **forged) == 403  # type: ignore[arg-type]
    assert kept(town) == []


def test_a_report_on_no_attempt_is_refused(town: Town) -> None:
    assert told(town, "another") == 404
    assert kept(town) == []
