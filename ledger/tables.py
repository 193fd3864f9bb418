"""Tables of the ledger. Rows are only ever inserted; the migrations add triggers that refuse anything else."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from foundation.database import Sequence64, UTCDateTime, metadata

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("sequence", Sequence64, primary_key=True, autoincrement=True),
    Column("stream", String(32), nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    # Canonical JSON (RFC 8785) of the whole entry; its SHA-256 is the entry's hash.
    Column("body", Text, nullable=False),
    Column("entry_hash", String(64), nullable=False),
    UniqueConstraint("stream", "position"),
)

# The last position of each stream: what makes a cut tail visible, and the row that appenders of one stream lock.
ledger_heads = Table(
    "ledger_heads",
    metadata,
    Column("stream", String(32), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("entry_hash", String(64), nullable=False),
)
