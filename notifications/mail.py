"""Notices by e-mail, through any SMTP server."""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from foundation import clock
from foundation.settings import Settings
from notifications.outcomes import Action, Outcome, OutcomeState

# Seven bits only, so that no server on the way needs any extension.
_POLICY = SMTP.clone(cte_type="7bit")
_OK = 250
# "4.x.x" and "5.x.x" of RFC 3463 that say the address itself is wrong.
_NO_SUCH_ADDRESS = (b"5.1.", b"5.2.1")
# Wrong or missing password, or encryption demanded.
_NOT_ALLOWED = frozenset({530, 534, 535, 538})


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

    def send(self, to: str, subject: str, text: str, html: str, *, message_id: str) -> Outcome:
        """Hands one mail to the server, once; never raises for anything that the server or the network does.

        `message_id` is ours and stays the same when a mail is sent again, so that readers see it once; it
        becomes the part before the @ of the header. Accepted: the server took it, not that it arrived.
        """
        settings = self._settings
        if not settings.smtp_host:
            return Outcome(OutcomeState.FAILED_PERMANENT, Action.CONFIGURATION, code="not_configured")
        if settings.smtp_security == "none" and not _is_loopback(settings.smtp_host):
            return Outcome(OutcomeState.FAILED_PERMANENT, Action.CONFIGURATION, code="not_encrypted")
        message = self._message(to, subject, text, html, message_id).as_bytes(policy=_POLICY)
        try:
            self._hand_over(to, message)
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

    def _hand_over(self, to: str, message: bytes) -> None:
        smtp = self._connected()
        try:
            _expect(smtp.mail(self._sender))
            _expect(smtp.rcpt(to))
            try:
                _expect(smtp.data(message))
            except (smtplib.SMTPServerDisconnected, OSError) as fault:
                raise _CutAfterData from fault
            # It is theirs now, whatever becomes of the goodbye.
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
        finally:
            smtp.close()

    def _connected(self) -> smtplib.SMTP:
        """A connection, encrypted as the settings say, greeted and signed in."""
        settings = self._settings
        host, port, seconds = settings.smtp_host, settings.smtp_port, settings.smtp_timeout_seconds
        # The name we greet with; asking the machine for it may hang on its resolver.
        name = _greeting(settings.public_host)
        checked = ssl.create_default_context()
        smtp: smtplib.SMTP
        if settings.smtp_security == "tls":
            smtp = smtplib.SMTP_SSL(host, port, name, timeout=seconds, context=checked)
        else:
            smtp = smtplib.SMTP(host, port, name, timeout=seconds)
        try:
            smtp.ehlo_or_helo_if_needed()
            if settings.smtp_security == "starttls":
                smtp.starttls(context=checked)
                # What was said before the encryption counts no more.
                smtp.ehlo_or_helo_if_needed()
            if settings.smtp_user:
                smtp.login(settings.smtp_user, settings.smtp_password)
        except BaseException:
            smtp.close()
            raise
        return smtp


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
        case ssl.SSLError() | smtplib.SMTPNotSupportedError():
            # The password or the notice would have gone unprotected.
            return Outcome(OutcomeState.FAILED_TRANSIENT, Action.CONFIGURATION, code=type(fault).__name__)
        case _:
            return Outcome(OutcomeState.FAILED_TRANSIENT, Action.RETRY, code=type(fault).__name__)


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
