"""`python -m notifications.standin`: the on-screen phone and mailbox, until it is stopped."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import threading
from pathlib import Path

from notifications.standin import servers


def main() -> None:
    """Runs until INT or TERM."""
    given = _arguments()
    logging.basicConfig(level=logging.WARNING)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with servers.running(
        given.data,
        given.desk_url,
        account_sid=given.account_sid,
        auth_token=given.auth_token,
        port=given.port,
        smtp_port=given.smtp_port,
        names=json.loads(given.names.read_text()) if given.names else None,
    ):
        stopped.wait()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m notifications.standin", description=__doc__)
    parser.add_argument("--port", type=int, default=8002, help="of the API, the phone and the mailbox")
    parser.add_argument("--smtp-port", type=int, default=8025, help="of the mail server")
    parser.add_argument("--desk-url", default="http://127.0.0.1:8001", help="where the webhooks go")
    parser.add_argument("--account-sid", default=servers.ACCOUNT_SID)
    parser.add_argument("--auth-token", default=servers.AUTH_TOKEN)
    parser.add_argument(
        "--data", type=Path, default=Path("var") / "standin", help="the folder it keeps all in"
    )
    parser.add_argument(
        "--names", type=Path, help="a JSON file that says whose each number is: {number: name}"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
