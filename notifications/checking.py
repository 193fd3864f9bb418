"""Sending the code by which a contact is proved, over that contact itself."""

from __future__ import annotations

from sqlalchemy import insert, select

from directory import contacts, members, teams
from directory.tables import members as people
from foundation import clock, database, outbox
from foundation.identifiers import new_id
from notifications import losses
from notifications.notices import DELIVER
from notifications.states import NoticeState
from notifications.tables import notices
from notifications.words import Template
from referrals.duty import Duty
from referrals.facts import Urgency


def send_code(duty: Duty, code_id: str) -> None:
    """Owes the contact a notice with its code, unless the code is dead already."""
    with database.transaction(duty.engine) as session:
        now = clock.now()
        code = contacts.code_to_send(session, code_id, now)
        if code is None:
            return
        owner = members.member(session, code.member_id)
        language = session.execute(select(people.c.language).where(people.c.id == owner.id)).scalar_one()
        team = teams.home(session, owner.team_ids, administrator=owner.administrator)
        session.execute(
            insert(notices).values(
                id=(id := new_id()),
                subject_id=code.id,
                reference="",
                urgency=Urgency.ELEVATED.value,
                team_id=team.id,
                member_id=owner.id,
                contact_id=code.contact_id,
                channel=code.channel,
                template=Template.PROOF.value,
                language=language,
                time_zone=team.time_zone,
                deadline_at=code.until,
                code=code.code,
                state=NoticeState.DUE.value,
                created_at=now,
            )
        )
        outbox.post(session, DELIVER, id, now=now, urgent=True)


def keep_proofs(duty: Duty) -> int:
    """Asks for proofs that grow old, and ends contacts that nobody proved; returns how many contacts."""
    with database.transaction(duty.engine) as session:
        now = clock.now()
        ended = contacts.expire(session, now)
        for contact_id in ended:
            losses.tell(session, contact_id, now)
        return len(contacts.ask_again(session, now)) + len(ended)
