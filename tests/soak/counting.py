"""What became of all: from the receipts to the telephones, counted from both ends."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

import requests
from sqlalchemy import Engine, Row, func, select

from directory.tables import contacts
from foundation import database
from foundation.tables import outbox
from notifications import ringing, silence
from notifications.attempts import ASKED
from notifications.tables import attempts, notices
from referrals.tables import referrals
from routing.tables import handoffs
from tests.soak.hurried_worker import ASK_SECONDS

_CODE = re.compile(r"\bA ([0-9A-Z]{4})\b")
_LEFT = {"accepted", "sent", "delivered"}
# They wait for nothing that a storm could have kept from happening.
_LATER = (silence.LOOK, ringing.RING)


@dataclass
class Count:
    """What a soak found. `lost` and `wrong` say what must not be; each is a sentence."""

    receipts: int
    faults: Mapping[str, int]
    quiet_after: float
    states: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    texts: int = 0
    doubled: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def report(self) -> str:
        """The count as text."""
        faults = "\n".join(f"  {name:<34}{number:>6}" for name, number in sorted(self.faults.items()))
        states = ", ".join(f"{name} {number}" for name, number in self.states.most_common())
        tries = ", ".join(f"{name} {number}" for name, number in self.attempts.most_common())
        return (
            f"Faults\n{faults}\n"
            f"Receipts given                      {self.receipts:>6}\n"
            f"Notices by text                     {sum(self.states.values()):>6}  ({states})\n"
            f"Attempts                            {sum(self.attempts.values()):>6}  ({tries})\n"
            f"Texts at the provider               {self.texts:>6}\n"
            f"Quiet again after                   {self.quiet_after:>6.1f} s\n"
            f"LOST                                {len(self.lost):>6}\n"
            f"DOUBLED, out of unknown, same code  {self.doubled:>6}\n"
            f"WRONG                               {len(self.wrong):>6}\n"
            + "".join(f"  {sentence}\n" for sentence in (*self.lost[:20], *self.wrong[:20]))
        )


def is_quiet(engine: Engine) -> bool:
    """Whether nothing is owed that a worker would do by now or soon."""
    with database.reading(engine) as session:
        owed = select(func.count()).select_from(outbox).where(outbox.c.job.not_in(_LATER))
        return session.execute(owed).scalar_one() == 0


def progress(engine: Engine) -> tuple[int, ...]:
    """Numbers that change while anything is done: what is owed, and how notices stand."""
    with database.reading(engine) as session:
        owed = session.execute(select(func.count()).select_from(outbox)).scalar_one()
        states = session.execute(
            select(func.count()).select_from(notices).group_by(notices.c.state).order_by(notices.c.state)
        )
        return owed, *states.scalars()


def count(
    engine: Engine, provider: str, receipts: Sequence[str], faults: Mapping[str, int], quiet_after: float
) -> Count:
    """Counts receipts, referrals, clocks, notices, attempts, and the texts that the provider has."""
    found = Count(len(receipts), dict(faults), quiet_after)
    with database.reading(engine) as session:
        clocks = {
            row.id: row.due_at
            for row in session.execute(
                select(referrals.c.id, handoffs.c.due_at).join(
                    handoffs, handoffs.c.referral_id == referrals.c.id
                )
            )
        }
        texts = session.execute(
            select(notices, contacts.c.address)
            .join(contacts, contacts.c.id == notices.c.contact_id)
            .where(notices.c.channel == "sms")
        ).all()
        tries = session.execute(select(attempts).order_by(attempts.c.started_at)).all()
    found.lost += [f"referral {id} has no running clock" for id in receipts if not clocks.get(id)]
    _compare(found, texts, tries, _at_provider(provider))
    return found


def _at_provider(address: str) -> Counter[tuple[str, str]]:
    """How many texts the provider has, by number and by the code in them."""
    answer = requests.get(f"{address}/api/messages", timeout=30)
    coded = ((message["to"], _CODE.search(message["body"])) for message in answer.json())
    return Counter((number, code[1] if code else "") for number, code in coded)


def _compare(
    found: Count, texts: Sequence[Row[Any]], tries: Sequence[Row[Any]], there: Counter[tuple[str, str]]
) -> None:
    by_notice: dict[str, list[Row[Any]]] = {}
    for row in tries:
        by_notice.setdefault(row.notice_id, []).append(row)
    alike: dict[tuple[str, str], list[Row[Any]]] = {}
    for text in texts:
        # What asks for nothing has no code: of those to one telephone only the number can be told.
        alike.setdefault((text.address, text.code or ""), []).append(text)
    found.texts = sum(there.values())
    found.wrong += [
        f"a text with the code {text[1]!r} belongs to no notice" for text in there if text not in alike
    ]
    for text in texts:
        _judge(found, text, by_notice.get(text.id, []))
    for key, group in alike.items():
        sent = sum(row.outcome != ASKED for text in group for row in by_notice.get(text.id, []))
        _compare_alike(found, group, sent, there[key])


def _judge(found: Count, text: Row[Any], mine: Sequence[Row[Any]]) -> None:
    found.states[text.state] += 1
    found.attempts.update(row.outcome or "unsettled" for row in mine)
    if text.state not in _LEFT | {"failed_permanent"}:
        found.lost.append(f"notice {text.id} is still {text.state}")
    for one, next_one in pairwise(row for row in mine if row.outcome != ASKED):
        soon = next_one.started_at - one.started_at < timedelta(seconds=ASK_SECONDS - 0.1)
        if soon and one.outcome not in ("failed_transient", "failed_permanent"):
            found.wrong.append(f"notice {text.id} was sent again before anybody could have asked")


def _compare_alike(found: Count, group: Sequence[Row[Any]], sent: int, arrived: int) -> None:
    left, first = sum(text.state in _LEFT for text in group), group[0].id
    found.doubled += max(arrived - len(group), 0)
    if arrived < left:
        found.lost.append(f"{left} notices like {first} have left, and the provider has {arrived}")
    if arrived > sent:
        found.wrong.append(f"{arrived} texts of notices like {first} out of {sent} attempts")
