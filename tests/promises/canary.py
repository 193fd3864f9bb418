"""A word that nobody types by chance, and where it is looked for."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from email import message_from_bytes, policy
from itertools import chain
from pathlib import Path
from typing import Any

import redis
from flask import Flask, Response, request
from flask import session as cookie
from sqlalchemy import Engine

from foundation import database
from foundation.database import metadata
from notifications.standin.store import Store

CANARY = "kanarienvogel"


def in_database(engine: Engine) -> bytes:
    """Every value of every row, sealed ones in bytes."""
    with database.reading(engine) as session:
        rows = [row for table in metadata.sorted_tables for row in session.execute(table.select())]
    return b"\n".join(
        value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
    )


def in_files(folder: Path) -> bytes:
    """Every file below the folder."""
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def in_queue(connection: redis.Redis) -> bytes:
    """Every key and value of a Valkey; RQ packs what a job is called with, so that is unpacked."""
    found: list[bytes] = []
    for key in connection.scan_iter():
        found += [key, *_values(connection, key)]
    for packed in list(found):
        with suppress(zlib.error):
            found.append(zlib.decompress(packed))
    return b"\n".join(found)


def in_post(store: Store) -> str:
    """Every text message and every mail that the stand-in was given, its parts unpacked."""
    texts = [str(dict(message)) for message in store.messages()]
    for mail in store.mails():
        message: Any = message_from_bytes(mail["raw"], policy=policy.default)
        texts += [str(message.items())]
        texts += [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n".join(texts)


def watch(app: Flask, seen: list[str]) -> Flask:
    """Writes down each address that was asked for, each header of the answer, and what its cookie holds."""

    def note(response: Response) -> Response:
        seen.append(f"{request.url}\n{response.headers}\n{dict(cookie)}")
        return response

    app.after_request(note)
    return app


def _values(connection: Any, key: bytes) -> list[bytes]:
    # A kind of value that is not looked into fails here.
    return list(_READ[connection.type(key)](connection, key))


_READ: dict[bytes, Callable[[Any, bytes], Iterable[bytes]]] = {
    b"string": lambda connection, key: [connection.get(key)],
    b"hash": lambda connection, key: chain(*connection.hgetall(key).items()),
    b"list": lambda connection, key: connection.lrange(key, 0, -1),
    b"set": lambda connection, key: connection.smembers(key),
    b"zset": lambda connection, key: connection.zrange(key, 0, -1),
    b"stream": lambda connection, key: chain(
        *(pair for _, entry in connection.xrange(key) for pair in entry.items())
    ),
}
