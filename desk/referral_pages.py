"""One referral: what is next, what was told, the facts, what was done, and its timeline."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import g, redirect, render_template, request, url_for
from sqlalchemy import Row
from sqlalchemy.orm import Session

from desk import (
    acting,
    answers,
    calls_page,
    giving_back,
    hand_on,
    lateness,
    next_step,
    places,
    reading,
    timeline,
    why,
    words,
)
from desk.answers import Page
from desk.forms import AcknowledgeForm
from desk.handing_forms import PressForm
from desk.lateness import Call
from desk.next_step import NextStep
from directory import members, permissions, teams
from directory.guards import freshly_proved, guard, signed_in
from foundation import clock, database, web
from ledger import verification
from referrals import grants
from referrals.casework import ACTIONS, DISPOSITIONS, Disposition, Entry
from referrals.facts import Facts, Setting
from referrals.filing import Mark, Source
from referrals.opening import OpenedPart
from referrals.sealing import CannotOpen
from referrals.states import State
from routing import disclosure, handoffs, snapshots
from routing.states import BASES, OPEN, TAKEN, HandoffState, Kind


@dataclass(frozen=True)
class Asked:
    """An open offer to one of the member's teams, and what answering it means."""

    id: str
    kind: str
    from_team: str
    because: str
    meaning: str
    due_at: datetime
    form: AcknowledgeForm


@dataclass(frozen=True)
class Handed:
    """A handoff of this referral, in words."""

    id: str
    kind: str
    from_team: str
    to_team: str
    state: str
    by: str | None
    at: datetime
    due_at: datetime | None
    parts: list[str]
    basis: str
    recall: AcknowledgeForm | None
    may_give_back: bool
    complete: PressForm | None
    may_call_back: bool


@dataclass(frozen=True)
class Done:
    """A note or an action in clear."""

    what: str
    by: str
    at: datetime
    words: str


@guard("referral.see")
def referral_page(reference: str) -> Page:
    """The referral: a preview for who is asked, everything disclosed for who takes part."""
    if not permissions.allowed(signed_in().member, "referral.read", g.standing):
        return _no_longer()
    with database.reading(web.engine()) as session:
        offers = answers.my_offers(session)
    if any(offer.state == HandoffState.OFFERED.value for offer in offers):
        with database.transaction(web.engine()) as session:
            answers.look(session, offers)
    return _page()


@guard("referral.open")
def open_told(reference: str) -> Page:
    """Opens what was told, after the password was typed a short while ago."""
    address = url_for("desk.referral", reference=reference)
    if not freshly_proved():
        return redirect(url_for("account.prove_page", next=address))
    reading.begin(g.referral.id, clock.now())
    return redirect(f"{address}#told")


@guard("referral.timeline")
def timeline_page(reference: str) -> Page:
    """The timeline alone, to be printed and read aloud, with the ledger's verdict on it."""
    with database.reading(web.engine()) as session:
        return render_template(
            "timeline.html",
            moments=timeline.moments(session, g.referral.id),
            places=timeline.places(session, g.referral.id),
            verdict=verification.verify(session, g.referral.id),
            **_head(session),
        )


def already_answered(fault: Exception) -> tuple[str, int]:
    """The loser of a race reads who was first."""
    return _refused("Somebody was first", str(fault)), 409


def forbidden(fault: Exception) -> tuple[str, int]:
    """The ground, or the originator's handling code, does not allow it."""
    return _refused("It may not go along", str(fault)), 403


def not_disclosed(fault: CannotOpen) -> tuple[str, int]:
    """Notes are sealed under a key that this member's team was not given."""
    sentence = "This was not disclosed to your team, so nothing was recorded. Tell the team that holds it"
    return _refused("This part is closed to you", sentence), 403


def _page() -> str:
    now, member = clock.now(), signed_in().member
    opened, entries = _words(now)
    with database.reading(web.engine()) as session:
        disclosed = _disclosed(session)
        takes_part = permissions.allowed(member, "referral.timeline", g.standing)
        return render_template(
            "referral.html",
            asked=[_asked(session, offer) for offer in answers.my_offers(session)],
            calls=calls_page.to_make(session),
            facts=_facts(session),
            disclosed=disclosed,
            openable=words.parts(
                [part for part in words.PARTS if part in disclosed], disclosure.filled(session, g.referral.id)
            ),
            opened=opened,
            done=_done(session, entries, takes_part=takes_part),
            takes_part=takes_part,
            handed=_handed(session, takes_part=takes_part),
            moments=timeline.moments(session, g.referral.id) if takes_part else [],
            **_head(session),
        )


def _refused(title: str, sentence: str) -> str:
    """Why it did not happen, with the words that were typed, to copy."""
    kept = [typed for name, typed in request.form.items() if name in {"words", "reason"} and len(typed) > 1]
    reference = (request.view_args or {}).get("reference")
    return render_template("refused.html", title=title, sentence=sentence, reference=reference, kept=kept)


def _words(now: datetime) -> tuple[list[OpenedPart] | None, list[Entry] | None]:
    """What was told, and what was done, in clear; None for what is not open."""
    if not reading.is_open(g.referral.id, now):
        return None, None
    with database.transaction(web.engine()) as session:
        reader = reading.reader(session, g.referral.id)
        if reader is None:
            return None, None
        return reading.told(session, g.referral.id, reader, now), reading.documented(
            session, g.referral.id, reader
        )


def _no_longer() -> str:
    """For who was asked once: what became of it, and nothing else."""
    mine = acting.my_teams()
    with database.reading(web.engine()) as session:
        last = [
            row
            for row in handoffs.of_referral(session, g.referral.id)
            if {row.to_team_id, row.from_team_id} & mine
        ][-1]
        who = members.names(session, [last.answered_by]).get(last.answered_by)
    state = words.HANDOFF_STATES[HandoffState(last.state)]
    return render_template("no_longer.html", last=last, who=who, state=state)


def _head(session: Session) -> dict[str, Any]:
    """What the head shows: always the same four things."""
    row = g.referral
    offers, facts = answers.my_offers(session), Facts.from_json(g.referral.facts)
    call = _call(session)
    step: NextStep = next_step.find(
        row,
        g.standing,
        signed_in().member,
        offers,
        may_write="notes" in _disclosed(session),
        call=call,
    )
    return {
        "row": row,
        "call": call,
        "holder": teams.team(session, g.standing.holder).name,
        "due_at": offers[0].due_at if offers else row.due_at,
        "due_for": "your answer" if offers else words.DUE.get(row.due_reason, ""),
        "step": step,
        "state": words.STATES[State(row.state)],
        "place": places.in_words(facts, snapshots.current(session, clock.now()).boundaries),
        "acts": words.acts(facts.behaviours),
    }


def _call(session: Session) -> Call | None:
    """Whom to call, for the hub above; None for who holds it, or has to answer first."""
    mine = acting.my_teams()
    hubs = g.standing.above & mine
    if not hubs or g.referral.state == State.CLOSED.value or mine & {g.standing.holder, *g.standing.asked}:
        return None
    return lateness.call(session, g.referral, hubs, clock.now())


def _asked(session: Session, offer: Row[Any]) -> Asked:
    sender = offer.as_then["from_team"]
    return Asked(
        id=offer.id,
        kind=offer.kind,
        from_team=sender,
        because=why.asked_because(session, offer),
        meaning=words.ACKNOWLEDGING[offer.kind].format(from_team=sender),
        due_at=offer.due_at,
        form=AcknowledgeForm(formdata=None, handoff=offer.id),
    )


def _facts(session: Session) -> list[tuple[str, str]]:
    """Names and values, in the order in which people ask: what, where, how it came."""
    row = g.referral
    facts, boundaries = Facts.from_json(row.facts), snapshots.current(session, clock.now()).boundaries
    found = [("What was done or said", "\n".join(words.acts(facts.behaviours)) or "Nothing from the list")]
    for relation, label in words.RELATIONS.items():
        told = [places.words(piece, boundaries) for piece in facts.evidence if piece.relation is relation]
        found += [(label, "\n".join(told))] if told else []
    if not facts.evidence:
        found.append(("Where", "Place not known"))
    if facts.setting is not Setting.UNKNOWN:
        found.append(("Kind of place", words.SETTINGS[facts.setting]))
    found.append(
        ("How it came", "A drill" if row.mark == Mark.DRILL.value else words.SOURCES[Source(row.source)])
    )
    if row.handling_code != "H0":
        found.append((f"Handling {row.handling_code}", words.HANDLING.get(row.handling_code, "")))
    if row.disposition:
        found.append(("How it ended", DISPOSITIONS[Disposition(row.disposition)]))
    return found


def _disclosed(session: Session) -> frozenset[str]:
    """The parts that a team of the member can open, those without words too."""
    reader = reading.reader(session, g.referral.id)
    if reader is None:
        return frozenset()
    return grants.granted_parts(session, g.referral.id, str(reader.team_id))


def _done(session: Session, entries: list[Entry] | None, *, takes_part: bool) -> list[Done] | None:
    """What was written down; for who only helps, what they are asked for, and nothing that another helper is."""
    if entries is None:
        return None
    if not takes_part:
        mine = acting.my_teams()
        asked = [row for row in handoffs.of_referral(session, g.referral.id) if row.to_team_id in mine]
        needs = {row.need_id for row in asked}
        entries = [entry for entry in entries if entry.part != "need" or entry.id in needs]
    names = members.names(session, [entry.member_id for entry in entries])
    return [Done(_what(entry), names.get(entry.member_id, ""), entry.at, entry.words) for entry in entries]


def _what(entry: Entry) -> str:
    plain = {
        "note": "Note" if entry.part == "notes" else f"Note ({words.PARTS[entry.part].lower()})",
        "closing": "Reason for closing",
        "ground": "The threat behind an emergency",
        "override": "Why the handling code was set aside",
        "need": "What a supporter was asked",
    }
    return ACTIONS.get(entry.action or "", "") or plain.get(entry.kind, entry.kind)


def _handed(session: Session, *, takes_part: bool) -> list[Handed]:
    """All handoffs for who takes part; for who only helps, what they were asked themselves."""
    mine = acting.my_teams()
    rows = [
        row
        for row in handoffs.of_referral(session, g.referral.id)
        if takes_part or (row.to_team_id in mine and row.state in TAKEN)
    ]
    names = members.names(session, [row.answered_by for row in rows if row.answered_by])
    may_recall = permissions.allowed(signed_in().member, "referral.recall", g.standing)
    filled = disclosure.filled(session, g.referral.id)
    return [_handed_row(row, names.get(row.answered_by), filled, may_recall) for row in rows]


def _handed_row(row: Row[Any], by: str | None, filled: Collection[str], may_recall: bool) -> Handed:
    recallable = may_recall and row.state in OPEN and hand_on.is_holders(row)
    return Handed(
        id=row.id,
        kind=row.kind,
        from_team=row.as_then["from_team"],
        to_team=row.as_then["to_team"],
        state=words.HANDOFF_STATES[HandoffState(row.state)],
        by=by,
        at=row.ended_at or row.answered_at or row.opened_at or row.offered_at,
        due_at=row.due_at,
        parts=words.parts(row.parts, filled),
        basis=BASES.get(row.basis, row.basis),
        recall=AcknowledgeForm(formdata=None, handoff=row.id) if recallable else None,
        may_give_back=giving_back.can_give_back(row),
        complete=PressForm(formdata=None, handoff=row.id) if giving_back.can_complete(row) else None,
        may_call_back=recallable and row.kind == Kind.EXTERNAL.value,
    )
