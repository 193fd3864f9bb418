"""What the stand-in keeps, in one SQLite file, so that a restart forgets nothing."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY,
    sid TEXT NOT NULL UNIQUE,
    direction TEXT NOT NULL,
    "from" TEXT,
    "to" TEXT NOT NULL,
    body TEXT NOT NULL,
    status TEXT NOT NULL,
    error_code INTEGER,
    service_sid TEXT,
    callback TEXT,
    steps_done INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL,
    sent_at TEXT,
    updated_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_to ON messages ("to");
CREATE INDEX IF NOT EXISTS messages_from ON messages ("from");
CREATE TABLE IF NOT EXISTS calls (
    number INTEGER PRIMARY KEY,
    sid TEXT NOT NULL UNIQUE,
    "from" TEXT NOT NULL,
    "to" TEXT NOT NULL,
    url TEXT NOT NULL,
    callback TEXT,
    status TEXT NOT NULL,
    said TEXT NOT NULL DEFAULT '',
    digits_to TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS calls_to ON calls ("to");
CREATE TABLE IF NOT EXISTS opted_out (phone TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS mails (
    number INTEGER PRIMARY KEY,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    received_at TEXT NOT NULL,
    raw BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS mails_recipient ON mails (recipient);
"""
# Sayings of the stand-in itself, shown in a conversation and nowhere else.
NOTE = "note"


class Store:
    """Messages, mails and who wrote STOP. Safe to use from several threads: each call has its own connection."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "standin.db"
        with self._opened() as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(_SCHEMA)

    def add_message(self, direction: str, from_: str | None, to: str, body: str, **more: Any) -> sqlite3.Row:
        """Keeps a message and returns it; `more` are further columns."""
        now = datetime.now(UTC).isoformat()
        row = {
            "sid": f"SM{secrets.token_hex(16)}",
            "direction": direction,
            "from": from_,
            "to": to,
            "body": body,
            "status": "queued",
            "created_at": now,
            "updated_at": now,
            **more,
        }
        columns = ", ".join(f'"{column}"' for column in row)
        marks = ", ".join("?" for _ in row)
        # Column names come from this program's own code.
        statement = f"INSERT INTO messages ({columns}) VALUES ({marks}) RETURNING *"  # noqa: S608
        with self._opened() as database:
            made: sqlite3.Row = database.execute(statement, list(row.values())).fetchone()
        return made

    def step(self, sid: str, status: str, error_code: int | None) -> sqlite3.Row:
        """Moves a message to its next status and returns it. "Delivered" stays, whatever comes after it."""
        now = datetime.now(UTC).isoformat()
        with self._opened() as database:
            row: sqlite3.Row = database.execute(
                "UPDATE messages SET status = CASE status WHEN 'delivered' THEN status ELSE ? END, error_code = ?,"
                " updated_at = ?, sent_at = coalesce(sent_at, ?), steps_done = steps_done + 1"
                " WHERE sid = ? RETURNING *",
                (status, error_code, now, now, sid),
            ).fetchone()
        return row

    def message(self, sid: str) -> sqlite3.Row | None:
        """The message of that sid."""
        return self._first("SELECT * FROM messages WHERE sid = ? AND direction <> ?", sid, NOTE)

    def messages(self, *, to: str | None = None, from_: str | None = None) -> list[sqlite3.Row]:
        """All messages, or those to or from a number; the newest first."""
        return self._all(
            'SELECT * FROM messages WHERE direction <> ? AND (? IS NULL OR "to" = ?) AND (? IS NULL OR "from" = ?)'
            " ORDER BY number DESC",
            NOTE,
            to,
            to,
            from_,
            from_,
        )

    def conversation(self, phone: str) -> list[sqlite3.Row]:
        """All that was written to and from a telephone, and our notes on it; the newest first."""
        return self._all(
            'SELECT * FROM messages WHERE ("to" = ? AND status <> ?) OR ("from" = ? AND direction = ?)'
            " ORDER BY number DESC",
            phone,
            "failed",
            phone,
            "inbound",
        )

    def phones(self) -> list[sqlite3.Row]:
        """Each telephone (`phone`) with its newest message; the last used first."""
        return self._all(
            """SELECT * FROM (SELECT *, CASE direction WHEN 'inbound' THEN "from" ELSE "to" END AS phone,"""
            " max(number) AS newest FROM messages GROUP BY phone) ORDER BY newest DESC"
        )

    def unfinished(self) -> list[sqlite3.Row]:
        """Messages of the API that may have steps before them."""
        return self._all(
            "SELECT * FROM messages WHERE direction = 'outbound-api' AND status IN ('queued', 'sent')"
            " AND callback IS NOT NULL"
        )

    def add_call(self, from_: str, to: str, url: str, callback: str | None) -> sqlite3.Row:
        """Keeps a call that begins to ring, and returns it."""
        now = datetime.now(UTC).isoformat()
        values = (f"CA{secrets.token_hex(16)}", from_, to, url, callback, "queued", now, now)
        with self._opened() as database:
            made: sqlite3.Row = database.execute(
                'INSERT INTO calls (sid, "from", "to", url, callback, status, created_at, updated_at)'
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
                values,
            ).fetchone()
        return made

    def move_call(self, sid: str, status: str, *before: str) -> sqlite3.Row | None:
        """Gives a call its next status, if it has one of those before; None where somebody was quicker."""
        marks = ", ".join("?" for _ in before)
        statement = (
            f"UPDATE calls SET status = ?, updated_at = ? WHERE sid = ? AND status IN ({marks}) RETURNING *"  # noqa: S608
        )
        with self._opened() as database:
            row: sqlite3.Row | None = database.execute(
                statement, (status, datetime.now(UTC).isoformat(), sid, *before)
            ).fetchone()
        return row

    def hear(self, sid: str, said: str, digits_to: str | None) -> None:
        """What a call says now, and where a digit goes; None: it waits for none."""
        with self._opened() as database:
            database.execute("UPDATE calls SET said = ?, digits_to = ? WHERE sid = ?", (said, digits_to, sid))

    def call(self, sid: str) -> sqlite3.Row | None:
        """The call of that sid."""
        return self._first("SELECT * FROM calls WHERE sid = ?", sid)

    def calls(self, to: str | None = None) -> list[sqlite3.Row]:
        """All calls, or those to a number; the newest first."""
        return self._all('SELECT * FROM calls WHERE ? IS NULL OR "to" = ? ORDER BY number DESC', to, to)

    def opt_out(self, phone: str, out: bool) -> None:
        """STOP (or START) was written from that telephone."""
        statement = (
            "INSERT OR IGNORE INTO opted_out VALUES (?)" if out else "DELETE FROM opted_out WHERE phone = ?"
        )
        with self._opened() as database:
            database.execute(statement, (phone,))

    def is_opted_out(self, phone: str) -> bool:
        """Whether STOP was written from that telephone, and no START since."""
        return self._first("SELECT 1 FROM opted_out WHERE phone = ?", phone) is not None

    def add_mail(self, sender: str, recipient: str, raw: bytes) -> None:
        """Keeps a mail for one recipient."""
        with self._opened() as database:
            database.execute(
                "INSERT INTO mails (sender, recipient, received_at, raw) VALUES (?, ?, ?, ?)",
                (sender, recipient.lower(), datetime.now(UTC).isoformat(), raw),
            )

    def mails(self, recipient: str | None = None) -> list[sqlite3.Row]:
        """All mails, or those of one mailbox; the newest first."""
        return self._all(
            "SELECT * FROM mails WHERE ? IS NULL OR recipient = ? ORDER BY number DESC",
            recipient,
            recipient.lower() if recipient else None,
        )

    def mail(self, number: int) -> sqlite3.Row | None:
        """The mail of that number."""
        return self._first("SELECT * FROM mails WHERE number = ?", number)

    def _first(self, query: str, *values: Any) -> sqlite3.Row | None:
        with self._opened() as database:
            row: sqlite3.Row | None = database.execute(query, values).fetchone()
        return row

    def _all(self, query: str, *values: Any) -> list[sqlite3.Row]:
        with self._opened() as database:
            return database.execute(query, values).fetchall()

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=10)
        database.row_factory = sqlite3.Row
        try:
            with database:
                yield database
        finally:
            database.close()
