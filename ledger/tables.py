"""Tables of the ledger. Rows are only ever inserted; the migrations add triggers that refuse anything else."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from foundation.database import Bytes, Sequence64, UTCDateTime, metadata

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

# The one log of all entries, in the order in which the sequencer took them up; counted from 0.
ledger_leaves = Table(
    "ledger_leaves",
    metadata,
    Column("log_index", Sequence64, primary_key=True, autoincrement=False),
    Column("sequence", Sequence64, nullable=False, unique=True),
    # SHA-256 of a zero byte and the entry's body, as RFC 6962 has it.
    Column("leaf_hash", Bytes(32), nullable=False, unique=True),
)

# Whole runs of 256 hashes of the Merkle tree: level 0 of leaves, level 1 of the roots of level 0, and so on.
ledger_tiles = Table(
    "ledger_tiles",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", Sequence64, primary_key=True, autoincrement=False),
    Column("root", Bytes(32), nullable=False),
    Column("hashes", Bytes, nullable=False),
)

ledger_checkpoints = Table(
    "ledger_checkpoints",
    metadata,
    Column("number", Sequence64, primary_key=True, autoincrement=False),
    Column("size", Sequence64, nullable=False, unique=True),
    Column("root", Bytes(32), nullable=False),
    # The signed note, as outsiders get it.
    Column("note", Text, nullable=False),
    Column("signed_at", UTCDateTime, nullable=False),
)

# Public halves of the keys that ever signed a checkpoint here.
ledger_keys = Table(
    "ledger_keys",
    metadata,
    Column("verifier", String(400), primary_key=True),
    Column("first_at", UTCDateTime, nullable=False),
)

# How far `doctor` checked the log already: it goes on from the newest of these.
ledger_checks = Table(
    "ledger_checks",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("size", Sequence64, nullable=False),
    Column("root", Bytes(32), nullable=False),
    Column("checked_at", UTCDateTime, nullable=False),
)
