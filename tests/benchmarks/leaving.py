"""From the POST of a tip to the hand-over to the SMS provider, through real processes, with Redis and without."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from sqlalchemy import func, select

from foundation import database
from notifications.tables import attempts, notices
from referrals.tables import referrals
from routing.tables import handoffs
from tests.journeys.house import Visitor, running_house

_TIPS = 60


def seconds_to_provider(folder: Path, *, with_redis: bool) -> dict[str, float]:
    """Median and slowest hundredth of the seconds between a tip's commit and the start of its first text message."""
    with running_house(folder) as house:
        if not with_redis:
            house.end("valkey")
        visitor = Visitor(house)
        for number in range(_TIPS):
            # Not routine: of those a telephone is told three in a quarter of an hour, and the rest in a digest.
            visitor.send_tip(
                what_happened=f"He said he will bring a knife. {number}",
                place="Tempe",
                state="AZ",
                behaviours=["threat_communicated"],
            )
            time.sleep(0.1)
        waits = _waits(house.database_url)
    waits.sort()
    return {"p50": statistics.median(waits), "p99": waits[min(len(waits) - 1, int(len(waits) * 0.99))]}


def _waits(url: str) -> list[float]:
    first = func.min(attempts.c.started_at)
    query = (
        select(referrals.c.filed_at, first.label("first"))
        .join(handoffs, handoffs.c.referral_id == referrals.c.id)
        .join(notices, notices.c.subject_id == handoffs.c.id)
        .join(attempts, attempts.c.notice_id == notices.c.id)
        .where(notices.c.channel == "sms")
        .group_by(referrals.c.id, referrals.c.filed_at)
    )
    engine, deadline = database.make_engine(url), time.monotonic() + 60
    while True:
        with database.reading(engine) as session:
            waits = [(row.first - row.filed_at).total_seconds() for row in session.execute(query)]
        if len(waits) >= _TIPS or time.monotonic() > deadline:
            engine.dispose()
            assert len(waits) == _TIPS, f"only {len(waits)} of {_TIPS} tips reached the provider"
            return waits
        time.sleep(0.5)
