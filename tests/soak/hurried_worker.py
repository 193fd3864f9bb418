"""A worker whose waits are seconds instead of minutes: `python -m tests.soak.hurried_worker queue urgent`.

The code is the worker's own. Only how long leases last, and how long nobody asks about an unknown outcome, is shorter,
so that a soak of a minute sees what an operation of an hour would.
"""

from __future__ import annotations

from datetime import timedelta

import worker
from foundation import outbox
from notifications import delivery, ringing, silence
from referrals.facts import Urgency

LEASE_SECONDS = 4.0
ASK_SECONDS = 3.0


def hurry() -> None:
    """Shortens the waits of this process."""
    outbox.LEASE = timedelta(seconds=LEASE_SECONDS)
    asked = timedelta(seconds=ASK_SECONDS)
    delivery._ASK_AFTER = dict.fromkeys(Urgency, asked)
    silence._SILENT_FOR = asked
    # Nobody picks up here and texts are counted: calls would go on for an hour after a long soak.
    ringing._RINGS_AFTER = {}


if __name__ == "__main__":
    hurry()
    worker.main()
