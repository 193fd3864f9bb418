"""What a measured act takes of a processor in the processes of the database's server."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Engine, text

from foundation import database


def server_seconds(engine: Engine) -> float:
    """What PostgreSQL's processes for this database spent of a processor, on this machine; 0 on SQLite."""
    if engine.dialect.name == "sqlite":
        return 0.0
    with database.reading(engine) as session:
        mine = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
        pids = session.execute(text(mine)).scalars().all()
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")
