"""What Twilio sends to the desk: signed forms, for status reports and for texts that people write."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urldefrag
from xml.etree import ElementTree

import requests

from notifications.standin import behaviours
from notifications.standin.behaviours import Step
from notifications.standin.errands import Errands
from notifications.standin.store import NOTE, Store

# Twilio gives a webhook so long.
_TIMEOUT_S = 15
# With #rc=5 a failed callback is tried five times more.
_TRIES = 6
_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"})
_START = frozenset({"START", "YES", "UNSTOP"})
_STOPPED = "You have successfully been unsubscribed. Reply START to resubscribe."
_STARTED = "You have successfully been re-subscribed to messages from this number. Reply STOP to unsubscribe."

_log = logging.getLogger(__name__)


def signature(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """The header X-Twilio-Signature: HMAC-SHA1 over the address and the sorted fields, in base64."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


@dataclass(frozen=True)
class Webhooks:
    """Calls the desk as Twilio does. Whatever waits is one of the `errands`."""

    store: Store
    desk_url: str
    account_sid: str
    auth_token: str
    errands: Errands = field(default_factory=Errands)
    # A stand-in and its desk are on one machine: no proxy is between them.
    _session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self._session.trust_env = False

    def start_steps(self, message: sqlite3.Row) -> None:
        """Lets the message go through the steps that it has before it, beside the caller."""
        self.errands.start(self.take_steps, message)

    def take_steps(self, message: sqlite3.Row) -> None:
        """Moves the message through its steps, each reported to its status callback."""
        for step in behaviours.of_number(message["to"]).steps[message["steps_done"] :]:
            if not self.errands.wait(step.after_s):
                return
            self.store.step(message["sid"], step.status, step.error_code)
            for _ in range(step.times):
                self._report(message, step)

    def deliver_inbound(self, from_: str, to: str, body: str) -> None:
        """A person's text: kept, brought to the desk, and answered in the conversation by what the desk says."""
        message = self.store.add_message("inbound", from_, to, body, status="received")
        word = body.strip().upper()
        if word in _STOP | _START:
            self.store.opt_out(from_, word in _STOP)
            self._say(to, from_, _STOPPED if word in _STOP else _STARTED)
        form = self._form(message) | {"SmsMessageSid": message["sid"], "Body": body}
        form |= {"NumMedia": "0", "NumSegments": "1", "SmsStatus": "received"}
        try:
            answer = self._post(f"{self.desk_url}/twilio/inbound", form)
            texts = _texts(answer) if answer.ok else []
            if not answer.ok:
                self._note(from_, f"The desk answered {answer.status_code}.")
        except (requests.RequestException, ElementTree.ParseError) as fault:
            texts = []
            self._note(from_, f"The desk gave no usable answer ({type(fault).__name__}).")
        for text in texts:
            # To a number that wrote STOP, not even an answer is sent.
            if not self.store.is_opted_out(from_):
                self._say(to, from_, text)

    def start_ringing(self, call: sqlite3.Row, seconds: int) -> None:
        """Rings beside the caller, until somebody picks up on the screen or nobody did for so long."""
        self.errands.start(self._ring, call, seconds)

    def _ring(self, call: sqlite3.Row, seconds: int) -> None:
        self._note(call["to"], "The telephone rings.")
        ends = behaviours.of_number(call["to"]).call
        if ends is None:
            self.store.move_call(call["sid"], "ringing", "queued")
            if not self.errands.wait(seconds):
                return
        if self.store.move_call(call["sid"], ends or "no-answer", "queued", "ringing"):
            self._note(call["to"], "Nobody picked up." if ends is None else f"The call ended: {ends}.")
            self._report_call(call, ends or "no-answer")

    def pick_up(self, sid: str) -> None:
        """Somebody picks up a telephone that rings, and hears what the desk says."""
        call = self.store.move_call(sid, "in-progress", "queued", "ringing")
        if call:
            self._report_call(call, "in-progress")
            self._hear(call, call["url"], {})

    def press(self, sid: str, digit: str) -> None:
        """A digit is pressed during a call, where the desk waits for one."""
        call = self.store.call(sid)
        if call and call["status"] == "in-progress" and call["digits_to"]:
            self._hear(call, call["digits_to"], {"Digits": digit})

    def hang_up(self, sid: str) -> None:
        """The call ends; one that was not picked up was refused."""
        for before, after in (("in-progress", "completed"), ("ringing", "busy"), ("queued", "busy")):
            call = self.store.move_call(sid, after, before)
            if call:
                self._report_call(call, after)

    def _hear(self, call: sqlite3.Row, url: str, more: Mapping[str, str]) -> None:
        form = self._call_form(call, "in-progress") | dict(more)
        try:
            answer = self._post(url, form)
            said, digits_to = (
                _spoken(answer) if answer.ok else (f"The desk answered {answer.status_code}.", None)
            )
        except (requests.RequestException, ElementTree.ParseError) as fault:
            said, digits_to = f"The desk gave no usable answer ({type(fault).__name__}).", None
        self.store.hear(call["sid"], said, digits_to)
        self._note(call["to"], f"On the telephone: {said}")
        if digits_to is None:
            self.hang_up(call["sid"])

    def _report_call(self, call: sqlite3.Row, status: str) -> None:
        if call["callback"]:
            # Beside whoever pressed a button: the desk may be slow.
            self.errands.start(self._deliver, call["callback"], self._call_form(call, status))

    def _call_form(self, call: sqlite3.Row, status: str) -> dict[str, str]:
        return {
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
            "CallSid": call["sid"],
            "CallStatus": status,
            "Direction": "outbound-api",
            "From": call["from"],
            "To": call["to"],
            "Caller": call["from"],
            "Called": call["to"],
        }

    def _say(self, from_: str, to: str, body: str) -> None:
        self.store.add_message("outbound-reply", from_, to, body, status="delivered")

    def _note(self, phone: str, body: str) -> None:
        self.store.add_message(NOTE, None, phone, body, status=NOTE)

    def _report(self, message: sqlite3.Row, step: Step) -> None:
        if not message["callback"]:
            return
        form = self._form(message) | {"MessageStatus": step.status, "SmsStatus": step.status}
        if step.error_code:
            form["ErrorCode"] = str(step.error_code)
        self._deliver(message["callback"], form)

    def _deliver(self, url: str, form: dict[str, str]) -> None:
        for turn in range(_TRIES):
            if self._was_taken(url, form) or not self.errands.wait(0.5 * 2**turn):
                return
        sid = form.get("MessageSid") or form["CallSid"]
        _log.warning("The desk did not take a report of %s.", sid)

    def _was_taken(self, url: str, form: dict[str, str]) -> bool:
        try:
            return self._post(url, form).ok
        except requests.RequestException:
            return False

    def _post(self, url: str, form: dict[str, str]) -> requests.Response:
        # What follows the # tells Twilio how to call; it is neither sent nor signed.
        address = urldefrag(url).url
        headers = {"X-Twilio-Signature": signature(self.auth_token, address, form)}
        return self._session.post(
            address, data=form, headers=headers, timeout=_TIMEOUT_S, allow_redirects=False
        )

    def _form(self, message: sqlite3.Row) -> dict[str, str]:
        form = {
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
            "MessageSid": message["sid"],
            "SmsSid": message["sid"],
            "From": message["from"] or "",
            "To": message["to"],
        }
        if message["service_sid"]:
            form["MessagingServiceSid"] = message["service_sid"]
        return form


def _texts(answer: requests.Response) -> list[str]:
    """The texts of a TwiML answer, as `<Message>` or `<Message><Body>`; none if there is no answer."""
    if not answer.content.strip():
        return []
    # Our own desk wrote it.
    root = ElementTree.fromstring(answer.content)  # noqa: S314
    return [(message.findtext("Body") or message.text or "").strip() for message in root.iter("Message")]


def _spoken(answer: requests.Response) -> tuple[str, str | None]:
    """What a TwiML answer to a call says, once, and where it wants a digit brought, if it waits for one."""
    # Our own desk wrote it.
    root = ElementTree.fromstring(answer.content)  # noqa: S314
    gather = root.find("Gather")
    said = (root if gather is None else gather).findall("Say")
    return " ".join(say.text or "" for say in said), None if gather is None else gather.get("action")
