"""A stand-in for Twilio and a mail server, with a phone and a mailbox on screen. Nothing here reaches anybody.

`python -m notifications.standin` runs it beside the house; tests run it in their own process (`running`).
"""

from __future__ import annotations

from notifications.standin.app import create_standin
from notifications.standin.servers import Running, running

__all__ = ["Running", "create_standin", "running"]
