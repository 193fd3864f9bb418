"""Contacts from a CSV: ways to reach members, unverified until each proves theirs.

Numbers and addresses belong to people: the report never repeats them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import members
from directory.addresses import ContactFault, normal_address
from directory.members import Channel
from directory.tables import contacts
from directory.tables import members as people
from routing.importing.changes import Changes
from routing.importing.report import Fault, Report
from routing.importing.rows import Opened, Row
from routing.importing.sheets import check_columns

COLUMNS = ("member", "channel", "address")

_CHANNELS = tuple(channel.value for channel in Channel)
_UNREACHABLE = {Channel.SMS: "no telephone has that number", Channel.EMAIL: "this is no e-mail address"}

# Member's id, channel, address.
Contact = tuple[str, Channel, str]


def known_members(session: Session) -> dict[str, str]:
    """Ids of active members by e-mail address."""
    rows = session.execute(select(people.c.email, people.c.id).where(people.c.active))
    return {email: id for email, id in rows}


def known_contacts(session: Session) -> frozenset[Contact]:
    """Every contact that is there, verified or not."""
    rows = session.execute(select(contacts.c.member_id, contacts.c.channel, contacts.c.address))
    return frozenset((member_id, Channel(channel), address) for member_id, channel, address in rows)


def read_contacts(opened: Opened, report: Report, known: Mapping[str, str]) -> dict[Contact, int]:
    """The contacts of a CSV, each with its row; faulty rows go into the report. Raises ReadingFault."""
    check_columns(opened.columns, COLUMNS, ())
    found: dict[Contact, int] = {}
    for row in opened.rows:
        faults = list(_faults(row, found, known))
        if faults:
            report.refuse(faults)
    return found


def _faults(row: Row, found: dict[Contact, int], known: Mapping[str, str]) -> Iterator[Fault]:
    """The reasons against one row; without any it is among `found`."""
    cells = row.values
    if row.fault:
        yield Fault(row.number, "", "", row.fault)
        return
    member_id = known.get(cells["member"].lower(), "")
    if not member_id:
        yield Fault(row.number, "", "member", "there is no active member with this e-mail address")
    if cells["channel"] not in _CHANNELS:
        yield Fault(
            row.number, "", "channel", f"a channel is one of {', '.join(_CHANNELS)}", cells["channel"]
        )
        return
    channel = Channel(cells["channel"])
    try:
        contact = (member_id, channel, normal_address(channel, cells["address"]))
    except ContactFault:
        yield Fault(row.number, "", "address", _UNREACHABLE[channel])
        return
    if contact in found:
        yield Fault(row.number, "", "address", f"row {found[contact]} says the same")
    elif member_id:
        found[contact] = row.number


def changes(found: Mapping[Contact, int], known: frozenset[Contact]) -> Changes:
    """Which rows bring something new. Contacts that the file does not name stay as they are."""
    return Changes(
        new=tuple(f"row {row}" for contact, row in found.items() if contact not in known),
        unchanged=tuple(f"row {row}" for contact, row in found.items() if contact in known),
    )


def write_contacts(session: Session, found: Mapping[Contact, int], known: frozenset[Contact]) -> None:
    """Adds the new ones, unverified, in this transaction."""
    for member_id, channel, address in found:
        if (member_id, channel, address) not in known:
            members.add_contact(session, member_id, channel, address)
