"""Tables of the floor: what is owed to other processes, and who is alive."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, false

from foundation.database import Sequence64, UTCDateTime, metadata

# A row exists as long as the job is owed: settled means gone.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("job", String(80), nullable=False),
    Column("subject_id", String(64), nullable=False),
    Column("urgent", Boolean, nullable=False, server_default=false()),
    Column("created_at", UTCDateTime, nullable=False),
    Column("due_at", UTCDateTime, nullable=False),
    Column("lease", String(32)),
    Column("lease_until", UTCDateTime),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("fault", String(80)),
    Index("ix_outbox_due", "urgent", "due_at", "id"),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("part", String(40), primary_key=True),
    Column("beat_at", UTCDateTime, nullable=False),
)
