"""The link of a mailed offer: it leads to a page with a button, since mail scanners follow links and press none.

Its secret part is made from the deployment's own and the notice, so none is stored; it is bound to one notice, and so
to one person, one mailbox and one offer, and dies with the notice's code.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, select
from sqlalchemy.orm import Session

from directory.tables import contacts, members, memberships
from foundation.settings import Settings
from notifications.tables import notices
from notifications.words import Asked, Template

_LEADS = (Template.OFFER, Template.REMINDER, Template.ESCALATED, Template.UNCERTAIN_PLACE)
# Whether to give it away, or to permit it, needs a look at the page.
_BY_BUTTON = (Asked.TRANSFER, Asked.CONSULT, Asked.SUPPORT, Asked.INFORM)


def url(settings: Settings, notice: Row[Any]) -> str | None:
    """Where that notice is answered by a button; None where it asks for nothing that a button could answer."""
    if not notice.code_until or notice.template not in _LEADS or notice.asked not in _BY_BUTTON:
        return None
    return f"{settings.desk_url}/answer/{token(settings, notice.id)}"


def token(settings: Settings, notice_id: str) -> str:
    """The last part of the link's address."""
    digest = hmac.new(settings.secret_key.encode(), f"answer {notice_id}".encode(), hashlib.sha256).digest()
    return f"{notice_id}{base64.urlsafe_b64encode(digest[:18]).decode()}"


def notice_of(session: Session, settings: Settings, typed: str, now: datetime) -> Row[Any] | None:
    """The notice of a link that still lives, whose reader still has that mailbox and a seat in the team; or None."""
    notice_id = typed[:32]
    if not hmac.compare_digest(token(settings, notice_id).encode(), typed.encode()):
        return None
    seat = and_(memberships.c.member_id == notices.c.member_id, memberships.c.team_id == notices.c.team_id)
    return session.execute(
        select(notices)
        .join(memberships, seat)
        .join(members, members.c.id == notices.c.member_id)
        .join(contacts, contacts.c.id == notices.c.contact_id)
        .where(
            notices.c.id == notice_id,
            notices.c.code_until > now,
            members.c.active,
            contacts.c.verified_at.is_not(None),
            contacts.c.disabled_at.is_(None),
        )
    ).one_or_none()
