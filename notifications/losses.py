"""A contact that is not used any more: its owner and the administrators are told, so that somebody mends it.

They are told over what else they have, and without a word of whose telephone or which address it was.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import members, teams
from directory.tables import contacts
from foundation.identifiers import new_id
from notifications import notices
from notifications.notices import Waiting
from notifications.words import Template
from referrals.facts import Urgency

# Later it is no news, and the page of contacts says it all along.
_NEWS_FOR = timedelta(days=1)


def end(session: Session, contact_id: str, reason: str, now: datetime) -> bool:
    """Ends the use of a contact and tells of it; False where its use had ended already."""
    if not members.disable_contact(session, contact_id, reason=reason, now=now):
        return False
    tell(session, contact_id, now)
    return True


def tell(session: Session, contact_id: str, now: datetime) -> int:
    """Writes a notice for its owner and one for each other administrator; returns how many."""
    owner_id = session.execute(select(contacts.c.member_id).where(contacts.c.id == contact_id)).scalar_one()
    to_owner = _write(session, owner_id, Template.CONTACT_ENDED, now)
    others = [id for id in members.administrators(session) if id != owner_id]
    return to_owner + sum(_write(session, id, Template.THEIR_CONTACT_ENDED, now) for id in others)


def _write(session: Session, member_id: str, template: Template, now: datetime) -> int:
    reader = members.member(session, member_id)
    team = teams.home(session, reader.team_ids, administrator=reader.administrator)
    waiting = Waiting(new_id(), "", Urgency.ROUTINE, team.id, team.time_zone, now + _NEWS_FOR)
    return notices.write(session, waiting, [member_id], template.value, now=now)
