"""An application behind a real socket, for tests that have a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from werkzeug.serving import make_server

_POLL_SECONDS = 0.02


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Its address while the block runs; afterwards nothing of it runs any more."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
