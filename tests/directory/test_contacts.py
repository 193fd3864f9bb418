"""Contacts: what may be entered, how they are proved, when they end, and that no team is left without anybody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from directory import contacts, members, reach, teams
from directory.addresses import ContactFault
from directory.contacts import CONSENT_NOW, Proof
from directory.members import Channel
from directory.tables import contact_codes
from directory.tables import contacts as rows
from foundation import clock, database
from foundation.tables import outbox
from tests.builders import Town

NUMBER = "(602) 555-0199"


def _add(session: Session, town: Town, typed: str = NUMBER, channel: Channel = Channel.SMS) -> str:
    return contacts.add(
        session, town.member_id("Ines"), channel, typed, consent=CONSENT_NOW["en"], now=clock.now()
    )


def _code(session: Session, contact_id: str) -> Row[Any]:
    query = select(contact_codes).where(contact_codes.c.contact_id == contact_id)
    return session.execute(query.order_by(contact_codes.c.made_at.desc()).limit(1)).one()


def _row(session: Session, contact_id: str) -> Row[Any]:
    return session.execute(select(rows).where(rows.c.id == contact_id)).one()


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("(602) 555-0199", "+16025550199"),
        ("602.555.0199", "+16025550199"),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_a_number_is_kept_in_one_form(town: Town, typed: str, kept: str) -> None:
    with database.transaction(town.engine) as session:
        added = _row(session, _add(session, town, typed))
    assert (added.address, added.consent, added.verified_at) == (kept, CONSENT_NOW["en"], None)
    assert added.consented_at is not None


@pytest.mark.parametrize(
    ("channel", "typed", "says"),
    [
        (Channel.SMS, "call me", "not a telephone number"),
        (Channel.SMS, "602 555", "No telephone"),
        (Channel.EMAIL, "ines at tempe", "not an e-mail address"),
    ],
)
def test_what_is_no_address_is_refused_in_a_sentence(
    town: Town, channel: Channel, typed: str, says: str
) -> None:
    with database.transaction(town.engine) as session, pytest.raises(ContactFault, match=says):
        _add(session, town, typed, channel)


def test_only_a_code_that_came_over_it_makes_a_contact_usable(town: Town) -> None:
    with database.transaction(town.engine) as session:
        added = _add(session, town)
        contacts.ask_for_proof(session, added, clock.now())
        code = _code(session, added).code
        ines = [town.member_id("Ines")]
        assert added not in {row.id for row in members.reachable_contacts(session, ines)}
        assert contacts.prove(session, added, _wrong(code), clock.now()) is Proof.WRONG
        assert contacts.prove(session, added, f" {code[:3]} {code[3:]}", clock.now()) is Proof.PROVED
        assert added in {row.id for row in members.reachable_contacts(session, ines)}
        assert contacts.prove(session, added, code, clock.now()) is Proof.OVER


def test_the_code_leaves_by_the_outbox_under_its_own_name(town: Town) -> None:
    with database.transaction(town.engine) as session:
        added = _add(session, town)
        contacts.ask_for_proof(session, added, clock.now())
        owed = session.execute(select(outbox).where(outbox.c.job == contacts.SEND_CODE)).one()
        assert owed.subject_id == _code(session, added).id


def test_a_code_dies_after_half_an_hour_and_after_ten_wrong_tries(town: Town) -> None:
    with database.transaction(town.engine) as session:
        added, now = _add(session, town), clock.now()
        contacts.ask_for_proof(session, added, now)
        code = _code(session, added).code
        assert contacts.prove(session, added, code, now + contacts.CODE_LIFE) is Proof.OVER
        for _ in range(10):
            assert contacts.prove(session, added, _wrong(code), now) is Proof.WRONG
        assert contacts.prove(session, added, code, now) is Proof.OVER


def test_a_new_code_ends_the_one_before_and_five_a_day_are_enough(town: Town) -> None:
    with database.transaction(town.engine) as session:
        added, now = _add(session, town), clock.now()
        contacts.ask_for_proof(session, added, now)
        first = _code(session, added)
        # Two codes could be alike by chance.
        session.execute(update(contact_codes).where(contact_codes.c.id == first.id).values(code="x"))
        for minute in range(1, 5):
            contacts.ask_for_proof(session, added, now + timedelta(minutes=minute))
        assert contacts.prove(session, added, "x", now + timedelta(minutes=5)) is Proof.WRONG
        with pytest.raises(ContactFault, match="tomorrow"):
            contacts.ask_for_proof(session, added, now + timedelta(minutes=6))
        contacts.ask_for_proof(session, added, now + timedelta(days=2))


def test_the_last_way_to_reach_a_team_cannot_be_removed(town: Town) -> None:
    mara = town.member_id("Olu")
    with database.transaction(town.engine) as session:
        first, last = contacts.of_member(session, mara)
        contacts.remove(session, first.id, clock.now())
    with pytest.raises(ContactFault, match="Add another"), database.transaction(town.engine) as session:
        contacts.remove(session, last.id, clock.now())
    with database.reading(town.engine) as session:
        assert [row.id for row in contacts.of_member(session, mara)] == [last.id]
        assert _row(session, last.id).disabled_at is None


def test_what_was_removed_comes_back_only_with_a_new_proof(town: Town) -> None:
    with database.transaction(town.engine) as session:
        first = contacts.of_member(session, town.member_id("Ines"))[0]
        contacts.remove(session, first.id, clock.now())
        again = contacts.add(
            session,
            first.member_id,
            Channel(first.channel),
            first.address,
            consent=CONSENT_NOW["en"],
            now=clock.now(),
        )
        assert again == first.id
        assert _row(session, again).verified_at is None
        with pytest.raises(ContactFault, match="already"):
            contacts.add(
                session, first.member_id, Channel(first.channel), first.address, consent="x", now=clock.now()
            )


def _proved_before(session: Session, age: timedelta, now: datetime) -> None:
    session.execute(update(rows).values(verified_at=now - age))


def test_an_old_proof_is_asked_for_again_once_a_week(town: Town) -> None:
    with database.transaction(town.engine) as session:
        now = clock.now()
        _proved_before(session, contacts.PROVE_AGAIN_AFTER - timedelta(days=1), now)
        assert contacts.ask_again(session, now) == []
        later = now + timedelta(days=2)
        theirs = {
            row.id for name in ("Ines", "Frank") for row in contacts.of_member(session, town.member_id(name))
        }
        asked = set(contacts.ask_again(session, later))
        assert theirs <= asked
        assert contacts.ask_again(session, later + timedelta(days=1)) == []
        assert set(contacts.ask_again(session, later + timedelta(days=8))) == asked


def test_what_nobody_proved_ends_but_never_a_teams_last(town: Town) -> None:
    with database.transaction(town.engine) as session:
        now = clock.now()
        unreached = set(reach.unreachable(session, by_telephone=False))
        _proved_before(session, contacts.PROVED_FOR, now)
        contacts.ask_again(session, now)
        # Who was only just asked has a week.
        assert contacts.expire(session, now + timedelta(days=6)) == []
        ended = contacts.expire(session, now + timedelta(days=8))
        assert ended
        assert {_row(session, id).disabled_reason for id in ended} == {contacts.STALE}
        assert set(reach.unreachable(session, by_telephone=False)) == unreached


def test_a_member_is_at_home_in_a_team_before_an_office_and_an_administrator_in_no_office(
    town: Town,
) -> None:
    office, tempe, root = (town.team[slug] for slug in ("fbi-phoenix", "tempe-police", "root-desk"))
    with database.reading(town.engine) as session:
        assert teams.home(session, (office, tempe)).id == tempe
        assert teams.home(session, (office,)).id == office
        assert teams.home(session, (office,), administrator=True).id == root
        assert teams.home(session, ()).id == root


def test_an_answer_from_a_telephone_proves_it_anew(town: Town) -> None:
    with database.transaction(town.engine) as session:
        now = clock.now()
        first = contacts.of_member(session, town.member_id("Ines"))[0]
        _proved_before(session, contacts.PROVED_FOR, now)
        contacts.answered_from(session, first.id, now)
        assert _row(session, first.id).verified_at == now
