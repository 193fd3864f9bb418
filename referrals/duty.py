"""What a job is done with."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from foundation.settings import Settings
from referrals.grants import Keys


@dataclass(frozen=True)
class Duty:
    """The database, the settings and the unlocked keys of a worker. The public door has none."""

    engine: Engine
    settings: Settings
    keys: Keys
