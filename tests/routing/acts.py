"""Short ways to what members and clocks do to a referral, each in a transaction of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

import worker
from foundation import clock, database, heartbeat, outbox
from ledger.audit import audit
from ledger.verification import entries_of
from notifications import notices as told
from notifications.tables import notices
from referrals import casework, content, filing, grants, moves, receipts
from referrals import soundness as record
from referrals.duty import Duty
from referrals.facts import Evidence, Facts, PlaceKind, Relation, Urgency
from referrals.filing import Filing, Source
from referrals.sealing import PARTS
from routing import clocks, conflicts, handoffs, jobs, soundness
from routing.handoffs import Offer
from routing.states import KINDS, Basis, Decline, Kind, Reason
from tests import builders
from tests.builders import Town

TEMPE = Evidence(PlaceKind.PLACE, Relation.TARGET, ("place:0473000",))
MESA = Evidence(PlaceKind.PLACE, Relation.TARGET, ("place:0446000",))
NEVADA = Evidence(PlaceKind.STATE, Relation.TARGET, ("state:32",))
EITHER = Evidence(PlaceKind.PLACE, Relation.TARGET, ("place:0473000", "place:0446000"))
NOWHERE = Evidence(PlaceKind.UNKNOWN, Relation.TARGET)


@dataclass
class Case:
    """One referral in a town."""

    town: Town
    id: str

    @property
    def duty(self) -> Duty:
        return Duty(self.town.engine, self.town.settings, self.town.keys)

    def row(self) -> Row[Any]:
        with database.reading(self.town.engine) as session:
            return moves.referral(session, self.id)

    @property
    def holder(self) -> str:
        """The slug of the custodian."""
        return self.slug(self.row().custodian_team_id)

    def slug(self, team_id: str) -> str:
        slugs: dict[str, str] = {id: slug for slug, id in self.town.team.items()}
        return slugs[team_id]

    def offers(self, kind: Kind = Kind.TRANSFER) -> dict[str, str]:
        """State by slug, of the newest handoff of that kind to each team."""
        with database.reading(self.town.engine) as session:
            rows = handoffs.of_referral(session, self.id)
        return {self.slug(row.to_team_id): row.state for row in rows if row.kind == kind}

    def offer_to(self, slug: str, kind: Kind = Kind.TRANSFER) -> str:
        """The id of the newest handoff of that kind to a team."""
        with database.reading(self.town.engine) as session:
            rows = handoffs.of_referral(session, self.id)
        found: list[str] = [
            row.id for row in rows if row.to_team_id == self.town.team[slug] and row.kind == kind
        ]
        return found[-1]

    def handoff(self, slug: str, kind: Kind = Kind.TRANSFER) -> Row[Any]:
        with database.reading(self.town.engine) as session:
            return handoffs.handoff(session, self.offer_to(slug, kind))

    def route(self) -> None:
        jobs.route_referral(self.duty, self.id)

    def acknowledge(self, who: str, slug: str, kind: Kind = Kind.TRANSFER) -> None:
        with database.transaction(self.town.engine) as session:
            handoffs.acknowledge(
                session, self.town.keys, self.offer_to(slug, kind), actor=self.town.actor(who), via="desk",
                now=clock.now(),
            )  # fmt: skip

    def decline(self, who: str, slug: str, kind: Kind = Kind.TRANSFER) -> None:
        with database.transaction(self.town.engine) as session:
            handoffs.decline(
                session, self.offer_to(slug, kind), reason=Decline.NOT_OUR_AREA, actor=self.town.actor(who),
                via="desk", now=clock.now(),
            )  # fmt: skip

    def recall(self, who: str, slug: str, kind: Kind = Kind.TRANSFER) -> None:
        with database.transaction(self.town.engine) as session:
            handoffs.recall(session, self.offer_to(slug, kind), actor=self.town.actor(who), now=clock.now())

    def give_back(self, who: str, slug: str, kind: Kind = Kind.TRANSFER) -> None:
        with database.transaction(self.town.engine) as session:
            handoffs.give_back(
                session, self.town.keys, self.offer_to(slug, kind), actor=self.town.actor(who),
                now=clock.now(),
            )  # fmt: skip

    def recuse_team(self, who: str) -> None:
        """The whole team of that member steps aside."""
        with database.transaction(self.town.engine) as session:
            conflicts.recuse_team(
                session, self.town.keys, self.id, actor=self.town.actor(who), now=clock.now()
            )

    def recuse(self, who: str) -> bool:
        """That member steps aside; whether their team goes on."""
        with database.transaction(self.town.engine) as session:
            return conflicts.recuse_member(
                session, self.town.keys, self.id, actor=self.town.actor(who), now=clock.now()
            )

    def write(self, who: str, words: str, part: str = "notes", kind: str = "note") -> str:
        """A member writes something down, sealed under that part; returns its id."""
        with database.transaction(self.town.engine) as session:
            return casework.record(
                session, self.town.keys, self.id, kind=kind, part=part, action=None, words=words,
                actor=self.town.actor(who), now=clock.now(),
            )  # fmt: skip

    def propose(self, who: str, slug: str | None, kind: Kind = Kind.TRANSFER, **more: Any) -> Offer:
        """What a member would offer: an agreement as the ground, all parts, unless said otherwise."""
        given: dict[str, Any] = {
            "reason": Reason.HANDED_ON, "basis": Basis.AGREEMENT, "parts": KINDS[kind].parts,
        }  # fmt: skip
        given |= more
        to_team = self.town.team[slug] if slug else None
        return Offer(
            referral_id=self.id,
            kind=kind,
            from_team=str(self.town.actor(who).team_id),
            to_team=to_team,
            **given,
        )

    def offer(self, who: str, proposal: Offer) -> str:
        """A member makes that offer."""
        with database.transaction(self.town.engine) as session:
            return handoffs.offer(
                session, self.town.keys, proposal, actor=self.town.actor(who), now=clock.now()
            )

    def hand_on(self, who: str, slug: str, kind: Kind = Kind.TRANSFER, parts: tuple[str, ...] = PARTS) -> str:
        """A member offers it to another team; returns the handoff's id."""
        proposal = Offer(
            self.id, kind, self.row().custodian_team_id, self.town.team[slug], Reason.HANDED_ON,
            Basis.AGREEMENT, parts,
        )  # fmt: skip
        with database.transaction(self.town.engine) as session:
            return handoffs.offer(
                session, self.town.keys, proposal, actor=self.town.actor(who), now=clock.now()
            )

    def due(self) -> datetime:
        due_at: datetime = self.row().due_at
        return due_at

    def parts_of(self, slug: str) -> frozenset[str]:
        """What a team can open."""
        with database.reading(self.town.engine) as session:
            return grants.granted_parts(session, self.id, self.town.team[slug])

    def kinds(self) -> list[str]:
        """The kinds of its ledger entries, in order."""
        with database.reading(self.town.engine) as session:
            return [entry["kind"] for entry in entries_of(session, self.id)]

    def told(self, template: str | None = None) -> set[str]:
        """First names of those who have a notice that may still be sent."""
        query = select(notices.c.member_id).where(notices.c.state == "due")
        if template:
            query = query.where(notices.c.template == template)
        with database.reading(self.town.engine) as session:
            ids = set(session.execute(query).scalars())
        names = ("Rita", "Rob", "Ada", "Amir", "Ines", "Tomas", "Olu", "Mara", "Cora", "Frank", "Neva")
        return {name for name in names if self.town.member_id(name) in ids}


def tip(town: Town, urgency: Urgency = Urgency.ELEVATED, *evidence: Evidence, form: str = "form") -> Case:
    """A public tip, routed."""
    case = Case(
        town, builders.file_tip(town, urgency=urgency, evidence=evidence or (TEMPE,), form_key=form).id
    )
    case.route()
    return case


def forward(
    town: Town,
    urgency: Urgency = Urgency.ELEVATED,
    *evidence: Evidence,
    by: str = "dhs-nter",
    handling: str = "H0",
) -> Case:
    """A forward by a federal office, routed."""
    secret = town.settings.secret_key
    with database.transaction(town.engine) as session:
        recipient = filing.routing_recipient(session)
        sealed = filing.seal(
            content.documents({"what_happened": builders.WORDS}),
            deployment=town.settings.deployment,
            to=recipient,
        )
        record = Filing(
            source=Source.FORWARD,
            facts=Facts(urgency, originator=town.team[by], evidence=evidence or (TEMPE,)),
            language="en",
            submission_digest=receipts.submission_digest("a forward", secret),
            custodian_team_id=town.team[by],
            handling_code=handling,
        )
        filed = filing.file_referral(session, record, sealed, clock.now())
    case = Case(town, filed.id)
    case.route()
    return case


def sweep(town: Town) -> int:
    """One look of the clock at everything that is due."""
    return clocks.sweep(Duty(town.engine, town.settings, town.keys))


def run_jobs(town: Town) -> None:
    """Whatever is owed, but the deliveries: no provider is there."""
    perform = worker.perform(Duty(town.engine, town.settings, town.keys))

    def run(job: str, subject_id: str) -> datetime | None:
        return None if job == told.DELIVER else perform(job, subject_id)

    for urgent in (True, False):
        outbox.drain(town.engine, run, urgent=urgent)


def faults(town: Town) -> list[str]:
    """All that the doctor would say; the clock is made to live."""
    with database.transaction(town.engine) as session:
        now = database.now(session)
        heartbeat.beat(session, "clock", now)
        verdict = audit(session)
        broken = [verdict.broken] if verdict.broken else []
        return [*record.faults(session, now, whole=True), *soundness.faults(session, now), *broken]
