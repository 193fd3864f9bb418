"""Mail that comes back: read from a Maildir or by IMAP, or handed to a command by the mail server's pipe.

Only delivery status notifications (RFC 3464) that say *failed*, and that came to a return address of ours, count.
"""

from __future__ import annotations

import mailbox
import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from foundation import clock, database
from foundation.settings import Settings
from notifications import bounce_box, reactions
from notifications.outcomes import Action
from notifications.return_address import notice_of
from notifications.states import NoticeState, lower
from notifications.tables import notices
from referrals.duty import Duty

# Where mail servers say to whom a mail was delivered; readers' own programs show only To.
_DELIVERED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to")
# Of RFC 3463: the address is wrong, or its mailbox is shut.
_GONE = ("5.1.", "5.2.1")
_STATUS = re.compile(r"[45]\.\d{1,3}\.\d{1,3}")


class Bounce(StrEnum):
    """What became of a mail that came back."""

    APPLIED = "applied"
    # The notice had failed already, or was answered.
    KNOWN = "known"
    # A delay, a holiday notice, or nothing of ours.
    NOT_ONE = "not one"


def take(engine: Engine, settings: Settings, raw: bytes) -> Bounce:
    """Reads one mail that came back, and tells the next person where a notice did not arrive."""
    message = message_from_bytes(raw, policy=policy.default)
    written = " ".join(str(value) for header in _DELIVERED for value in message.get_all(header, []))
    notice_id, status = notice_of(settings, written), _failed_status(message)
    if notice_id is None or status is None:
        return Bounce.NOT_ONE
    with database.transaction(engine) as session:
        return _apply(session, notice_id, status)


def read_mailbox(duty: Duty) -> int:
    """Takes every new mail of the Maildir and the IMAP mailbox that the settings name; returns how many. What is no
    bounce is only marked as read."""

    def is_bounce(raw: bytes) -> bool:
        return take(duty.engine, duty.settings, raw) is not Bounce.NOT_ONE

    count = _read_maildir(duty.settings, is_bounce)
    return count + (bounce_box.read(duty.settings, is_bounce) if duty.settings.mail_bounce_imap_host else 0)


def _read_maildir(settings: Settings, is_bounce: Callable[[bytes], bool]) -> int:
    folder = Path(settings.mail_bounce_maildir) if settings.mail_bounce_maildir else None
    if folder is None or not folder.is_dir():
        return 0
    box, count = mailbox.Maildir(folder, create=False), 0
    for key in box.keys():  # noqa: SIM118 - iterating a mailbox gives its messages
        message = box[key]
        if message.get_subdir() == "cur" and "S" in message.get_flags():
            continue
        if is_bounce(box.get_bytes(key)):
            box.discard(key)
        else:
            message.set_subdir("cur")
            message.add_flag("S")
            box[key] = message
        count += 1
    return count


def _apply(session: Session, notice_id: str, status: str) -> Bounce:
    notice = session.execute(select(notices).where(notices.c.id == notice_id)).one_or_none()
    fault, failed = f"bounced {status}", NoticeState.FAILED_PERMANENT
    of_lower_rank = notices.c.id == notice_id, notices.c.state.in_(lower(failed))
    raised = update(notices).where(*of_lower_rank).values(state=failed.value, fault=fault)
    if notice is None or not database.changed(session, raised):
        return Bounce.KNOWN
    action = Action.DISABLE_CONTACT if status.startswith(_GONE) else Action.NEXT_CONTACT
    reactions.react(session, notice, action, fault, clock.now(), failed=True)
    return Bounce.APPLIED


def _failed_status(message: EmailMessage | Message) -> str | None:
    """The status of the first recipient that failed for good, such as `5.1.1`; None where nothing says so."""
    for part in message.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for fields in part.get_payload():
            # One block for each recipient; the first is about the report itself and has no action.
            if isinstance(fields, Message) and str(fields.get("action", "")).strip().lower() == "failed":
                status = _STATUS.search(str(fields.get("status", "")))
                return status[0] if status else "5.0.0"
    return None
