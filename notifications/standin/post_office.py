"""The mail server of the stand-in: takes mail for every address, or answers as the mailbox behaves."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from notifications.standin.behaviours import Mailbox, of_mailbox
from notifications.standin.store import Store

# At the level of debugging it writes down every line of every mail.
logging.getLogger("mail.log").setLevel(logging.WARNING)

# On a busy machine the five seconds of aiosmtpd are few.
_READY_S = 60
_TAKEN = "250 OK"
_NOT_TAKEN: dict[Mailbox, str] = {
    Mailbox.NOBODY: "550 5.1.1 No such mailbox here",
    Mailbox.FULL: "452 4.2.2 The mailbox is full",
}
_GREYLISTED = "451 4.7.1 Greylisted, please try again"
_REFUSED_TEXT = "554 5.7.1 Refused because of its content"


class _Desk:
    """Answers to the steps of SMTP. The names are aiosmtpd's."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen_once: set[str] = set()

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        kind = of_mailbox(address)
        if kind is Mailbox.GREY and address not in self._seen_once:
            self._seen_once.add(address)
            return _GREYLISTED
        if kind in _NOT_TAKEN:
            return _NOT_TAKEN[kind]
        envelope.rcpt_tos.append(address)
        return _TAKEN

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        kinds = {of_mailbox(address) for address in envelope.rcpt_tos}
        if Mailbox.SPAM in kinds:
            return _REFUSED_TEXT
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        for address in envelope.rcpt_tos:
            self._store.add_mail(envelope.mail_from or "", address, content)
        if Mailbox.CUT in kinds and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return _TAKEN


class PostOffice(Controller):
    """An SMTP server, not yet started, whose port is taken when it is made; port 0 takes any free one (`port`)."""

    def __init__(self, desk: Any, host: str, port: int = 0, **more: Any) -> None:
        self._socket = socket.create_server((host, port))
        super().__init__(
            desk, hostname=host, port=self._socket.getsockname()[1], ready_timeout=_READY_S, **more
        )

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        # The base class would bind the port only now, when another may have it.
        return self.loop.create_server(self._factory_invoker, sock=self._socket, ssl=self.ssl_context)


def post_office(store: Store, host: str, port: int) -> PostOffice:
    """The stand-in's mail server; it keeps what it takes in the store."""
    return PostOffice(_Desk(store), host, port, server_hostname="standin.invalid")
