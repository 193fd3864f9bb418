"""The channels: how one notice leaves by text message, call, mail, or to an agency's own system. Nothing is stored."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import Row

from directory.members import Channel
from foundation import clock
from foundation.settings import Settings
from notifications import links, webhook, words
from notifications.mail import MailSender
from notifications.outcomes import NOT_SET, Action, Outcome, OutcomeState
from notifications.sms import SmsSender
from notifications.twilio_wire import ProviderSilent
from referrals.filing import Mark

# Of these the provider keeps a list; the others are only ever told again.
_ASKED_ABOUT = {Channel.SMS.value, Channel.VOICE.value}
# What is read or mended on a page of its own.
_PAGES = {
    words.Template.PROOF.value: "/contacts",
    words.Template.CONTACT_ENDED.value: "/contacts",
    words.Template.THEIR_CONTACT_ENDED.value: "/contacts/out-of-use",
    words.Template.KEY_ENDS.value: "/keys",
}
NO_PROVIDER = Outcome(OutcomeState.FAILED_PERMANENT, Action.NOTHING, code=NOT_SET)


@dataclass(frozen=True)
class Call:
    """Everything that the call needs, read before it, so that no transaction is open meanwhile."""

    notice: Row[Any]
    address: str
    attempt_id: str
    # The earlier attempt whose outcome nobody knows; the first, where several are.
    unclear: Row[Any] | None
    # The provider's ids of the messages to this address that belong to other attempts.
    claimed: frozenset[str]
    # What mail to the reader is sealed to, if they gave anything.
    mail_key: str | None
    # Where the reader signs in is another door for an office than for a team.
    office: bool
    # What was sent before was refused for its form.
    shortest: bool = False
    # Its channel was refused a while ago, and this one shows whether it works again.
    on_trial: bool = False


def ask(settings: Settings, call: Call) -> Outcome | None:
    """What the provider knows of an unclear attempt; None where it has nothing, so that it must be sent again."""
    if call.unclear is None or call.notice.channel not in _ASKED_ABOUT:
        return None
    marker = call.notice.code or call.notice.reference
    sender, since = sms_sender(settings), call.unclear.started_at
    try:
        found = (
            sender.find_call(call.address, since, call.claimed)
            if call.notice.channel == Channel.VOICE.value
            else sender.find(call.address, since, marker, call.claimed)
        )
    except ProviderSilent:
        return Outcome(OutcomeState.UNKNOWN, Action.ASK, code="provider_silent")
    return found.outcome if found else None


def _send_sms(settings: Settings, call: Call) -> Outcome:
    if not settings.twilio_account_sid:
        return NO_PROVIDER
    remaining = (call.notice.deadline_at - clock.now()).total_seconds()
    text = _shortest(settings, call) if call.shortest else _whole(settings, call)
    return sms_sender(settings).send(
        call.address, text, attempt_id=call.attempt_id, validity_s=max(remaining, 60.0)
    )


def _whole(settings: Settings, call: Call) -> str:
    notice = call.notice
    placeholders = _placeholders(settings, call)
    return words.sms_text(
        notice.template, notice.language, code=notice.code, **_asked(notice), **placeholders
    )


def _shortest(settings: Settings, call: Call) -> str:
    """For whoever is told, in any language: that something waits, under which code, and where."""
    notice = call.notice
    asks = "A " if notice.template != words.Template.PROOF.value else ""
    pieces = (
        words.sender(drill=notice.mark == Mark.DRILL.value),
        notice.reference,
        asks + notice.code if notice.code else "",
        _address(settings, notice.template, call.office),
    )
    return " ".join(piece for piece in pieces if piece)


def _send_call(settings: Settings, call: Call) -> Outcome:
    # A Messaging Service sends texts alone: who rings needs a number.
    if not settings.twilio_account_sid or not settings.twilio_from:
        return NO_PROVIDER
    return sms_sender(settings).ring(call.address, attempt_id=call.attempt_id)


def _send_mail(settings: Settings, call: Call) -> Outcome:
    if not settings.smtp_host:
        return NO_PROVIDER
    given, link = _placeholders(settings, call), links.url(settings, call.notice)
    subject, text, html = words.mail_text(
        call.notice.template,
        call.notice.language,
        code=call.notice.code,
        by_button=link is not None,
        **_asked(call.notice),
        **(given | {"address": link or given["address"]}),
    )
    # The same notice keeps its Message-ID, so that a mail sent twice is shown once; so it names no attempt.
    outcome = _mail(settings).send(
        call.address, subject, text, html, message_id=call.notice.id, key=call.mail_key
    )
    return replace(outcome, provider_id=None)


def _call_webhook(settings: Settings, call: Call) -> Outcome:
    notice = call.notice
    proof = notice.template == words.Template.PROOF.value
    body = {
        "type": f"notice.{notice.template}",
        "timestamp": notice.created_at.isoformat(),
        "data": {
            "reference": notice.reference,
            "urgency": notice.urgency,
            "deadline": notice.deadline_at.isoformat(),
            "sign_in": _address(settings, notice.template, call.office),
            "code": notice.code if proof else None,
        },
    }
    outcome = webhook.send(
        settings, call.address, body, webhook_id=notice.contact_id, message_id=notice.id, now=clock.now()
    )
    return replace(outcome, provider_id=None)


CHANNELS: dict[Channel, Callable[[Settings, Call], Outcome]] = {
    Channel.SMS: _send_sms,
    Channel.VOICE: _send_call,
    Channel.EMAIL: _send_mail,
    Channel.WEBHOOK: _call_webhook,
    Channel.ROBOT: lambda settings, call: Outcome(OutcomeState.ACCEPTED),
}


def _placeholders(settings: Settings, call: Call) -> dict[str, Any]:
    """All that a message may hold besides its code."""
    notice = call.notice
    deadline = words.deadline_words(notice.deadline_at, notice.time_zone, notice.language, now=clock.now())
    return {
        "reference": notice.reference,
        "urgency": notice.urgency,
        "deadline": deadline,
        "address": _address(settings, notice.template, call.office),
    }


def _asked(notice: Row[Any]) -> dict[str, Any]:
    return {"asked": notice.asked, "drill": notice.mark == Mark.DRILL.value}


def _address(settings: Settings, template: str, office: bool) -> str:
    """Where the reader signs in, or types the code of a proof."""
    door = f"{settings.public_url}/portal" if office else settings.desk_url
    return door + _PAGES.get(template, "")


def sms_sender(settings: Settings) -> SmsSender:
    """This thread's own: a sender keeps connections open, which two threads must not share."""
    return _sms_of_thread(settings, threading.get_ident())


@cache
def _sms_of_thread(settings: Settings, _thread: int) -> SmsSender:
    return SmsSender(settings)


@cache
def _mail(settings: Settings) -> MailSender:
    return MailSender(settings)
