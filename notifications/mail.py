"""Notices by e-mail, through any SMTP server."""

from __future__ import annotations

import ipaddress
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from foundation import clock
from foundation.settings import Settings
from notifications import mail_sealing
from notifications.mail_sealing import KeyFault
from notifications.outcomes import Action, Outcome, OutcomeState
from notifications.return_address import return_address

# Seven bits only, so that no server on the way needs any extension.
_POLICY = SMTP.clone(cte_type="7bit")
_OK = 250
# "4.x.x" and "5.x.x" of RFC 3463 that say the address itself is wrong.
_NO_SUCH_ADDRESS = (b"5.1.", b"5.2.1")
# Wrong or missing password, or encryption demanded.
_NOT_ALLOWED = frozenset({530, 534, 535, 538})
# The whole conversation, however slowly a server dribbles; together with connecting it stays below the outbox's lease.
LONGEST_SECONDS, LONGEST_CONNECT_SECONDS = 40.0, 10.0

# What broke before the message was begun, in our words, since no server said anything.
_FAULTS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, Action], ...] = (
    # The password or the notice would have gone unprotected.
    (ssl.SSLCertVerificationError, "bad_certificate", Action.CONFIGURATION),
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError), "cut", Action.RETRY),
    (ssl.SSLError, "no_tls", Action.CONFIGURATION),
    (smtplib.SMTPNotSupportedError, "not_supported", Action.CONFIGURATION),
    ((smtplib.SMTPServerDisconnected, ConnectionResetError, BrokenPipeError), "cut", Action.RETRY),
    (TimeoutError, "timed_out", Action.RETRY),
    (OSError, "not_reached", Action.RETRY),
    (smtplib.SMTPException, "not_understood", Action.RETRY),
)
# What keeps us from trying at all.
_SET_UP = {"not_configured": Action.CONFIGURATION, "not_encrypted": Action.CONFIGURATION}


class _Refused(Exception):
    """The server answered a step with a code that is no success."""

    def __init__(self, code: int, answer: bytes) -> None:
        super().__init__()
        self.code = code
        self.answer = answer


class _CutAfterData(Exception):
    """The connection broke after the message was begun: the server may have it."""


class MailSender:
    """Sends one mail for each connection, so that nothing depends on the mail before it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sender = parseaddr(settings.mail_from)[1]
        self._domain = self._sender.rpartition("@")[2]

    def send(
        self, to: str, subject: str, text: str, html: str, *, message_id: str, key: str | None = None
    ) -> Outcome:
        """Hands one mail to the server, once; never raises for anything that the server or the network does.

        `message_id` is ours and stays the same when a mail is sent again, so that readers see it once; it
        becomes the part before the @ of the header. Accepted: the server took it, not that it arrived. With the
        reader's `key` it goes sealed; a key that ended meanwhile must not keep the notice from leaving.
        """
        settings = self._settings
        if not settings.smtp_host:
            return Outcome(OutcomeState.FAILED_PERMANENT, Action.CONFIGURATION, code="not_configured")
        if settings.smtp_security == "none" and not _is_loopback(settings.smtp_host):
            return Outcome(OutcomeState.FAILED_PERMANENT, Action.CONFIGURATION, code="not_encrypted")
        message = self._message(to, subject, text, html, message_id)
        if key:
            with suppress(KeyFault):
                message = mail_sealing.seal(message, key, clock.now())
        try:
            self._hand_over(
                to, message.as_bytes(policy=_POLICY), return_address(settings, message_id) or self._sender
            )
        except (_Refused, _CutAfterData, smtplib.SMTPException, OSError) as fault:
            return _outcome_of_fault(fault)
        return Outcome(OutcomeState.ACCEPTED, provider_id=message_id)

    def _message(self, to: str, subject: str, text: str, html: str, message_id: str) -> EmailMessage:
        message = EmailMessage(policy=_POLICY)
        message["From"] = self._settings.mail_from
        message["To"] = Address(addr_spec=to)
        message["Subject"] = subject
        message["Date"] = format_datetime(clock.now())
        message["Message-ID"] = f"<{message_id}@{self._domain}>"
        # No holiday notice answers, and readers can file it by rule.
        message["Auto-Submitted"] = "auto-generated"
        message["List-Id"] = f"Waypost notices <notices.{self._domain}>"
        message.set_content(text)
        message.add_alternative(html, subtype="html")
        return message

    def _hand_over(self, to: str, message: bytes, sender: str) -> None:
        settings = self._settings
        checked = ssl.create_default_context()
        host, name = settings.smtp_host, _greeting(settings.public_host)
        with _connection(settings, checked) as line, closing(_Conversation(line, host, name)) as smtp:
            self._begin(smtp, checked)
            _expect(smtp.mail(sender))
            _expect(smtp.rcpt(to))
            try:
                _expect(smtp.data(message))
            except (smtplib.SMTPServerDisconnected, OSError) as fault:
                raise _CutAfterData from fault
            # It is theirs now, whatever becomes of the goodbye.
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()

    def _begin(self, smtp: smtplib.SMTP, checked: ssl.SSLContext) -> None:
        """Greets, encrypts as the settings say, and signs in."""
        smtp.ehlo_or_helo_if_needed()
        if self._settings.smtp_security == "starttls":
            smtp.starttls(context=checked)
            # What was said before the encryption counts no more.
            smtp.ehlo_or_helo_if_needed()
        if self._settings.smtp_user:
            smtp.login(self._settings.smtp_user, self._settings.smtp_password)


class _Conversation(smtplib.SMTP):
    """smtplib over a connection that is made already, so that it can be cut from outside at any step."""

    def __init__(self, line: socket.socket, host: str, name: str) -> None:
        self._line = line
        # The name we greet with; asking the machine for it may hang on its resolver.
        super().__init__(host, local_hostname=name)

    def _get_socket(self, host: str, port: int, timeout: float | None) -> socket.socket:
        return self._line


@contextmanager
def _connection(settings: Settings, checked: ssl.SSLContext) -> Iterator[socket.socket]:
    """A connection to the server, in TLS if that comes first; it is cut after `LONGEST_SECONDS`."""
    bare = _connected(settings)
    # A copy stays ours when TLS takes the other over; shutting it down ends the connection for both.
    with bare.dup() as handle:
        cut = threading.Timer(LONGEST_SECONDS, _shut, (handle,))
        cut.daemon = True
        cut.start()
        line = bare
        try:
            if settings.smtp_security == "tls":
                line = checked.wrap_socket(bare, server_hostname=settings.smtp_host)
            yield line
        finally:
            cut.cancel()
            _shut(handle)
            line.close()
            bare.close()


def _connected(settings: Settings) -> socket.socket:
    """A connection to the first of the server's addresses that answers; each is given its share of the time."""
    host, port = settings.smtp_host, settings.smtp_port
    addresses = {found[4][0] for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    seconds = min(settings.smtp_timeout_seconds, LONGEST_CONNECT_SECONDS)
    line = socket.create_connection((host, port), seconds / len(addresses))
    line.settimeout(settings.smtp_timeout_seconds)
    return line


def _shut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _expect(answered: tuple[int, bytes]) -> None:
    code, answer = answered
    if code != _OK:
        raise _Refused(code, answer)


def _outcome_of_fault(fault: Exception) -> Outcome:
    """What a failed hand-over means; only what broke after the message was begun is *unknown*."""
    match fault:
        case _CutAfterData():
            return Outcome(OutcomeState.UNKNOWN, Action.ASK, code="cut_after_data")
        case _Refused():
            return _outcome_of_code(fault.code, fault.answer)
        case smtplib.SMTPResponseException():
            answer = fault.smtp_error
            return _outcome_of_code(fault.smtp_code, answer if isinstance(answer, bytes) else answer.encode())
        case _:
            code, action = next((code, action) for kinds, code, action in _FAULTS if isinstance(fault, kinds))
            return Outcome(OutcomeState.FAILED_TRANSIENT, action, code=code)


def _outcome_of_code(code: int, answer: bytes) -> Outcome:
    """What an SMTP answer means (RFC 5321: 4xx for now, 5xx for good; -1 is an answer that is none)."""
    if code in _NOT_ALLOWED:
        return Outcome(OutcomeState.FAILED_PERMANENT, Action.STOP_SENDER, code=code)
    if code < 500:
        return Outcome(OutcomeState.FAILED_TRANSIENT, Action.RETRY, code=code)
    gone = answer.startswith(_NO_SUCH_ADDRESS)
    return Outcome(
        OutcomeState.FAILED_PERMANENT,
        Action.DISABLE_CONTACT if gone else Action.NEXT_CONTACT,
        code=code,
    )


def action_of(code: str) -> Action:
    """What a code of an earlier outcome asks for, where that is not the reader's address alone."""
    if code.isdecimal():
        return Action.STOP_SENDER if int(code) in _NOT_ALLOWED else Action.NOTHING
    ours = {word: action for _, word, action in _FAULTS}
    return ours.get(code, _SET_UP.get(code, Action.NOTHING))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _greeting(host: str) -> str:
    """The host as EHLO names it: addresses in brackets."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host or "localhost"
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"
