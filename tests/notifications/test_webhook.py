"""Webhooks on the wire: a receiver that follows the specification takes them, and nobody else's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from foundation import clock
from foundation.settings import Settings
from notifications import webhook
from notifications.outcomes import Action, Outcome, OutcomeState
from notifications.webhook import UrlFault
from tests.notifications.receiver import Receiver, receiver
from tests.servers import free_port

ACCEPTED = Outcome(OutcomeState.ACCEPTED)
TRANSIENT, PERMANENT = OutcomeState.FAILED_TRANSIENT, OutcomeState.FAILED_PERMANENT


@pytest.fixture
def demonstration(settings: Settings) -> Settings:
    """Settings that may call this machine."""
    return replace(settings, demonstration=True)


@pytest.fixture
def agency(demonstration: Settings) -> Iterator[Receiver]:
    """A receiver that knows the secret of the webhook `w1`."""
    with receiver() as one:
        one.shared = webhook.secret(demonstration, "w1")
        yield one


def _send(settings: Settings, url: str, *, webhook_id: str = "w1", age: timedelta = timedelta()) -> Outcome:
    body = {"event": "closed", "reference": "R-7K3M-Q2"}
    return webhook.send(settings, url, body, webhook_id=webhook_id, message_id="m1", now=clock.now() - age)


def test_the_specifications_own_library_takes_it(demonstration: Settings, agency: Receiver) -> None:
    assert _send(demonstration, agency.url) == ACCEPTED
    assert agency.taken == [("m1", {"event": "closed", "reference": "R-7K3M-Q2"})]


def test_another_webhooks_secret_and_an_old_time_are_refused(
    demonstration: Settings, agency: Receiver
) -> None:
    assert _send(demonstration, agency.url, webhook_id="w2").state is PERMANENT
    assert _send(demonstration, agency.url, age=timedelta(minutes=10)).state is PERMANENT
    assert agency.refused == 2


@pytest.mark.parametrize(
    ("status", "state", "action"),
    [
        (503, TRANSIENT, Action.RETRY),
        (429, TRANSIENT, Action.RETRY),
        (410, PERMANENT, Action.DISABLE_CONTACT),
        (404, PERMANENT, Action.NEXT_CONTACT),
        # A redirect is not followed: it could lead anywhere.
        (302, PERMANENT, Action.NEXT_CONTACT),
    ],
)
def test_each_answer_has_its_outcome(
    demonstration: Settings, agency: Receiver, status: int, state: OutcomeState, action: Action
) -> None:
    agency.answers = [status]
    outcome = _send(demonstration, agency.url)
    assert (outcome.state, outcome.action, outcome.code) == (state, action, status)


def test_nobody_there_is_tried_again(demonstration: Settings) -> None:
    assert _send(demonstration, f"http://127.0.0.1:{free_port()}/").code == "not_reached"


@pytest.mark.parametrize(
    "url",
    [
        "http://agency.example/waypost",
        "https://name:word@agency.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.8/",
        "https://169.254.169.254/latest/meta-data/",
        "https://192.168.1.1:8443/",
        "https://no such host/",
        "ftp://agency.example/",
        "",
    ],
)
def test_what_leads_into_our_own_network_is_refused(settings: Settings, url: str) -> None:
    with pytest.raises(UrlFault):
        webhook.check_url(url, settings)
    assert _send(settings, url).code == "not_public"


def test_the_documented_check_takes_an_event_once_and_no_forgery(
    demonstration: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    documented = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    told: dict[str, Any] = {}
    exec(documented.split("```python\n")[1].split("```")[0], told)  # noqa: S102 - our own document
    shared, body, now = webhook.secret(demonstration, "w1"), b'{"type": "referral.closed"}', int(time.time())
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": str(now),
        "webhook-signature": Webhook(shared).sign("m1", datetime.fromtimestamp(now, UTC), body.decode()),
    }
    check, seen = told["is_from_waypost"], set[str]()
    assert not check(shared, headers, body + b" ", seen)
    assert not check(webhook.secret(demonstration, "w2"), headers, body, seen)
    assert check(shared, headers, body, seen)
    assert not check(shared, headers, body, seen)
    monkeypatch.setattr(time, "time", lambda: now + 301)
    assert not check(shared, headers, body, set())
