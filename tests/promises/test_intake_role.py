"""Promise: on PostgreSQL the public door files as a role that cannot read what is sealed. The grants are the very
statements that docs/operating.md tells an operator to give."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.exc import ProgrammingError

import worker
from desk import demonstration
from directory import contacts as contacts_of
from directory.tables import contacts
from foundation import clock, database, outbox
from notifications import senders
from notifications.tables import notices
from referrals import shelf
from referrals.duty import Duty
from referrals.tables import attachments, casework, grants, referrals, sealed_parts
from routing import canary
from tests import builders
from tests.builders import Town
from tests.intake import test_portal_contacts as portal
from tests.intake.door import WORDS, Door
from tests.intake.office import Office, text
from tests.intake.system import System
from tests.routing.acts import Case
from tests.routing.test_erasure_whole import erase, finished  # noqa: F401 (fixture)
from tests.sent_files import MULTIPART, body, picture

_DOCUMENT = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
_ROLES = set(re.findall(r"^CREATE ROLE (\w+)", _DOCUMENT, re.MULTILINE))
_GRANTS = re.findall(
    r"^(?:GRANT|REVOKE|ALTER TABLE|DROP POLICY|CREATE POLICY) [^;]+", _DOCUMENT, re.MULTILINE
)

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def roles(engine: Engine) -> Iterator[None]:
    """The documented roles with the documented grants, until the test ends."""
    with engine.begin() as owner:
        for statement in [*(f"CREATE ROLE {role} LOGIN" for role in _ROLES), *_GRANTS]:
            owner.exec_driver_sql(statement)
    yield
    with engine.begin() as owner:
        for table in ("contacts", "contact_codes"):
            owner.exec_driver_sql(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        for role in _ROLES:
            owner.exec_driver_sql(f"DROP OWNED BY {role}")
            owner.exec_driver_sql(f"DROP ROLE {role}")


def as_role(town: Town, role: str) -> Town:
    """The same town, seen through a connection of that role."""
    url = town.engine.url.set(drivername="postgresql", username=role)
    return replace(town, engine=database.make_engine(url.render_as_string(hide_password=False)))


def signs_in(town: Town, email: str, code: str) -> int:
    """The status of signing in at the public door."""
    return Door(town).send("/sign-in", email=email, password=demonstration.PASSWORD, code=code).status_code


@pytest.mark.usefixtures("roles")
def test_the_public_door_files_and_cannot_read(town: Town) -> None:
    public = as_role(town, "waypost_intake")
    assert "receipt-words" in Door(public).send_tip(what_happened=WORDS).text
    door = Door(public)
    fields = {"csrf_token": door.token, "form_key": door.key, "what_happened": WORDS, "step": "send"}
    sent_with = body(fields, [("a.png", picture())])
    assert "receipt-words" in door.client.post("/tip", data=sent_with, content_type=MULTIPART).text
    frank = next(person for person in demonstration.cast() if person.name.startswith("Frank"))
    assert signs_in(public, frank.email, pyotp.TOTP(frank.totp_secret).now()) == 302
    # A wrong code is looked for among the recovery codes, and counted.
    assert signs_in(public, frank.email, "never one") == 400
    office = Office(public)
    told = office.form() | {"urgency": "elevated", "handling": "H0"}
    sent = office.client.post("/portal/forward", data=told)
    assert sent.status_code == 303, sent.text
    assert office.client.get(sent.location).status_code == 200
    system = System(town, app=office.app)
    twice = [system.send(key="the-same") for _ in range(2)]
    assert [answer.status_code for answer in twice] == [201, 201], twice[0].text
    assert system.look("/api/v1/referrals")["referrals"]
    for table in (sealed_parts, attachments, grants, casework, notices):
        for query in (select(table), delete(table)):
            with pytest.raises(ProgrammingError, match="permission denied"), public.engine.begin() as asked:
                asked.execute(query)
    public.engine.dispose()
    # What it filed is routed by the workers' role, which cannot touch the ledger's past either.
    working = as_role(town, "waypost_worker")
    duty = Duty(working.engine, working.settings, working.keys)
    outbox.drain(working.engine, worker.perform(duty), urgent=True)
    with working.engine.connect() as asked:
        assert asked.execute(select(notices)).first()
        with pytest.raises(ProgrammingError, match="permission denied"):
            asked.exec_driver_sql("UPDATE ledger_entries SET kind = kind")
    working.engine.dispose()
    # Now a team is asked, and the office takes the receipt of that.
    taken = office.take_receipt(sent.location.rpartition("/")[2]).get_json()
    assert taken["not_yet"]
    public.engine.dispose()


@pytest.mark.usefixtures("roles")
def test_the_public_door_keeps_the_contacts_of_offices_and_sees_no_others(town: Town) -> None:
    public = as_role(town, "waypost_intake")
    page = portal.add(office := Office(public))
    assert "from now on" in text(portal.send(office, page, code=portal.code(Office(town))))
    assert "Nothing is sent" in text(portal.send(office, f"{page}/remove"))
    ines = town.member_id("Ines")
    theirs = update(contacts).where(contacts.c.member_id == ines).values(verified_at=clock.now())
    with public.engine.begin() as asked:
        seen = set(asked.execute(select(contacts.c.member_id)).scalars())
        assert not asked.execute(theirs).rowcount
    assert town.member_id("Frank") in seen
    assert ines not in seen
    another = insert(contacts).values(id="0" * 32, member_id=ines, channel="sms", address="+16025550100")
    redirected = update(contacts).values(address="+16025550100")
    for statement, why in ((another, "row-level security"), (redirected, "permission denied")):
        with pytest.raises(ProgrammingError, match=why), public.engine.begin() as asked:
            asked.execute(statement)
    public.engine.dispose()
    desk = as_role(town, "waypost_desk")
    with database.reading(desk.engine) as session:
        assert contacts_of.of_member(session, ines)
    desk.engine.dispose()


@pytest.mark.usefixtures("roles")
def test_the_desk_erases_as_its_own_role(finished: Case) -> None:  # noqa: F811
    desk = as_role(finished.town, "waypost_desk")
    erase(replace(finished, town=desk))
    desk.engine.dispose()
    assert finished.row().erased_at


@pytest.mark.usefixtures("roles")
def test_the_worker_removes_files_as_its_own_role(town: Town) -> None:
    builders.file_tip(town, files=[("a.png", picture())])
    with database.transaction(town.engine) as session:
        session.execute(update(attachments).values(erased_at=clock.now()))
    working = as_role(town, "waypost_worker")
    assert shelf.keep_shelf(Duty(working.engine, working.settings, working.keys)) == 1
    working.engine.dispose()


@pytest.mark.usefixtures("roles")
def test_the_worker_forgets_canaries_and_mended_senders_as_its_own_role(town: Town) -> None:
    working = as_role(town, "waypost_worker")
    duty = Duty(working.engine, working.settings, working.keys)
    for minutes in (0, 1, 24 * 60 + 2):
        with builders.later(minutes=minutes):
            canary.keep_watch(duty)
            outbox.drain(working.engine, worker.perform(duty), urgent=True)
    with database.transaction(working.engine) as session:
        senders.works(session, "sms")
        erased = session.execute(select(func.count(referrals.c.erased_at))).scalar_one()
    working.engine.dispose()
    assert erased == 1
