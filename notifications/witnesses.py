"""Mailing a checkpoint to those who keep them: once a day to each address of the settings.

A checkpoint that lies in somebody else's mailbox cannot be taken back by whoever rewrites our database.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from markupsafe import Markup

from foundation import clock, database
from ledger import checkpoints
from ledger.checkpoints import Signed
from notifications.mail import MailSender
from notifications.outcomes import OutcomeState
from referrals.duty import Duty

_AGAIN = timedelta(minutes=15)
# By then the next day's checkpoint is under way, and it covers this one.
_TOO_LATE = timedelta(days=1)

_TEXT = """\
This is checkpoint {number} of the ledger of {deployment}. Please keep this mail.

{note}
It covers the first {size} entries. If anybody later changes or removes one of them, the ledger no longer fits this
checkpoint. How to compare: the file docs/ledger.md of Waypost, or `flask --app wsgi ledger verify --kept FILE`.
There is nothing to answer and nothing confidential in it.
"""


def mail_checkpoint(duty: Duty, subject_id: str) -> datetime | None:
    """Mails checkpoint `number` to address `at` of the settings, where `subject_id` is "number.at". Sent twice it is
    the same mail."""
    number, _, at = subject_id.partition(".")
    addresses = duty.settings.checkpoint_addresses
    with database.reading(duty.engine) as session:
        signed = checkpoints.numbered(session, int(number))
    if signed is None or int(at) >= len(addresses) or clock.now() > signed.signed_at + _TOO_LATE:
        return None
    subject, text = f"Checkpoint {number} of {duty.settings.deployment}", _text(duty, signed)
    html = str(Markup("<pre>{}</pre>").format(text))
    outcome = MailSender(duty.settings).send(
        addresses[int(at)], subject, text, html, message_id=f"checkpoint-{subject_id}"
    )
    return None if outcome.state is OutcomeState.ACCEPTED else clock.now() + _AGAIN


def _text(duty: Duty, signed: Signed) -> str:
    return _TEXT.format(
        number=signed.number, deployment=duty.settings.deployment, note=signed.note, size=signed.size
    )
