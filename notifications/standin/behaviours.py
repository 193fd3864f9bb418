"""How a number or a mailbox of the stand-in behaves, by its name.

Telephone numbers, by their last four digits:

    0002  every status callback comes twice
    0003  "delivered" is reported before "sent"
    0004  the callbacks come before the API has answered
    0005  undelivered, 30003: the telephone is off
    0006  undelivered, 30007: filtered by the carrier
    0007  undelivered, 30008: no reason given
    0008  silence: taken, and never reported on
    0009  the API answers after 12 seconds
    0010  refused, 21211: no such number
    0011  refused, 429 and 20429 with Retry-After: too many requests
    0012  a page of HTML with status 500, and nothing taken
    0013  taken, and the connection breaks off in the answer
    0014  refused, 21610: STOP was written from it
    0015  refused, 21614: a landline, which takes no texts but rings; Lookup says so
    0016  undelivered, 30006: a carrier that takes no texts; when it is rung, the line is busy
    0017  moody: taken as ever, or put off with 429, or a page of HTML with status 500, or taken and broken off
    0018  refused, 21617, unless the text has 60 characters or fewer
    0019  refused with 39999, a code that Twilio does not have
    any other (0001): taken, sent, delivered; when it is rung, it rings until somebody answers on its screen

A telephone that is off (0005) is not there when it is rung, and what no number is (0010) is not rung.

A number from which STOP is written behaves like 0014 until START is.

Mailboxes, by what stands before the @, up to a full stop, plus or hyphen:

    grey     refused with 451 the first time, then taken
    nobody   refused with 550 5.1.1
    full     refused with 452
    spam     refused with 554 after the text
    cut      taken, and the connection breaks off before the answer
    any other: taken
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Step:
    """One change of a message's status, reported to the status callback `times` times; `after_s` seconds later."""

    status: str
    error_code: int | None = None
    times: int = 1
    after_s: float = 0.3


class Answer(Enum):
    """How the API answers when a message is made."""

    MADE = "made"
    HTML_500 = "html_500"
    CUT_OFF = "cut_off"


@dataclass(frozen=True)
class Behaviour:
    """What happens to a message to a number: refused with (status, code), or answered and then these steps."""

    refused: tuple[int, int] | None = None
    answer: Answer = Answer.MADE
    answers_after_s: float = 0.0
    reports_first: bool = False
    steps: tuple[Step, ...] = (Step("sent"), Step("delivered"))
    # Longer texts are refused as too long.
    longest: int = 1600
    # How a call to it ends at once; None: it rings.
    call: str | None = None
    # What Lookup says of it.
    line: str = "mobile"


_DELIVERED = Behaviour()
OPTED_OUT = Behaviour(refused=(400, 21610))
_NUMBERS: dict[str, Behaviour] = {
    "0002": Behaviour(steps=(Step("sent", times=2), Step("delivered", times=2))),
    "0003": Behaviour(steps=(Step("delivered"), Step("sent"))),
    "0004": Behaviour(reports_first=True),
    "0005": Behaviour(steps=(Step("sent"), Step("undelivered", 30003)), call="no-answer"),
    "0006": Behaviour(steps=(Step("sent"), Step("undelivered", 30007))),
    "0007": Behaviour(steps=(Step("sent"), Step("undelivered", 30008))),
    "0008": Behaviour(steps=()),
    "0009": Behaviour(answers_after_s=12.0),
    "0010": Behaviour(refused=(400, 21211)),
    "0011": Behaviour(refused=(429, 20429)),
    "0012": Behaviour(answer=Answer.HTML_500),
    "0013": Behaviour(answer=Answer.CUT_OFF),
    "0014": OPTED_OUT,
    "0015": Behaviour(refused=(400, 21614), line="landline"),
    "0016": Behaviour(steps=(Step("sent"), Step("undelivered", 30006)), call="busy"),
    "0018": Behaviour(longest=60),
    "0019": Behaviour(refused=(400, 39999)),
}

# Of which a moody number has one at each message.
_MOODS = (_DELIVERED, _DELIVERED, _NUMBERS["0011"], _NUMBERS["0012"], _NUMBERS["0013"])
_MOODY = "0017"

# Twilio's words for its codes, for people who look at the answers.
MESSAGES: dict[int, str] = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    21211: "The 'To' number is not a valid phone number.",
    21602: "Message body is required.",
    21603: "A 'From' or 'MessagingServiceSid' is required.",
    21604: "A 'To' phone number is required.",
    21610: "Attempt to send to unsubscribed recipient",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit.",
    30003: "Unreachable destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    39999: "A code that Twilio does not have",
}


class Mailbox(Enum):
    """How a mailbox answers."""

    TAKES = "takes"
    GREY = "grey"
    NOBODY = "nobody"
    FULL = "full"
    SPAM = "spam"
    CUT = "cut"


def of_number(number: str) -> Behaviour:
    """The behaviour of a telephone number; of a moody one another at each call."""
    if number.endswith(_MOODY):
        return random.choice(_MOODS)
    return _NUMBERS.get(number[-4:], _DELIVERED)


def of_mailbox(address: str) -> Mailbox:
    """The behaviour of a mail address."""
    first = re.split(r"[.+@-]", address.lower(), maxsplit=1)[0]
    return Mailbox(first) if first in {kind.value for kind in Mailbox} else Mailbox.TAKES
