"""The one public key to which the public door seals."""

from __future__ import annotations

import time

from sqlalchemy import Engine

from foundation import database
from referrals import filing
from referrals.sealing import Recipient

# A rotated key is used within a minute; the older one still opens what was sealed meanwhile.
_FRESH_SECONDS = 60.0


class RoutingKey:
    """Reads the root desk's public routing key from the directory, and keeps it for a minute."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._recipient: Recipient | None = None
        self._until = 0.0

    def __call__(self) -> Recipient:
        """The key to seal to. Raises NoResultFound before the deployment was set up."""
        if self._recipient is None or time.monotonic() > self._until:
            with database.reading(self._engine) as session:
                self._recipient = filing.routing_recipient(session)
            self._until = time.monotonic() + _FRESH_SECONDS
        return self._recipient
