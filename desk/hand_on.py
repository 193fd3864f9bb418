"""Handing on: to whom and what is asked, what goes along and on which ground, a last look, sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from desk import acting, choices, reading, words
from desk.answers import Page
from desk.forms import AcknowledgeForm, HandOnForm
from directory import teams
from directory.guards import guard
from foundation import clock, database, web
from referrals import content, grants
from referrals.facts import Urgency
from referrals.opening import OpenedPart
from referrals.tables import sealed_parts
from routing import business_days, handoffs
from routing.handoffs import Offer
from routing.states import BASES, KINDS, STEPS, Basis, Kind, Reason

# Page → the fields that it asks for. `look` asks for none, and `send` is no page.
ASKED: dict[str, tuple[str, ...]] = {"whom": ("to_team", "kind"), "what": ("parts", "basis"), "look": ()}


@dataclass(frozen=True)
class LastLook:
    """What is about to happen, in words; `told` holds what goes along where the member has it open."""

    team: str
    holder: str
    kind: Kind
    meaning: str
    parts: list[str]
    names: dict[str, str]
    questions: dict[str, list[str]]
    basis: str
    answer_by: datetime
    at_once: bool
    told: list[OpenedPart] | None


@guard("referral.hand_on")
def hand_on_page(reference: str) -> Page:
    """The first page."""
    with database.reading(web.engine()) as session:
        form = _form(session)
    return render_template("hand_on_whom.html", form=form, kinds=_MEANINGS, carried=_carried(form, "whom"))


@guard("referral.hand_on")
def hand_on(reference: str) -> Page:
    """The page that was asked for, or the first one before it that has a fault; at the end, the offer."""
    with database.transaction(web.engine()) as session:
        form, now = _form(session), clock.now()
        wanted = request.form.get("step", "look")
        page = _page(form, wanted)
        if page == "send":
            _send(session, form, now)
        look = _last_look(session, form, now) if page == "look" else None
    if page == "send":
        flash(
            f"{g.referral.reference} was sent on. You keep responsibility until a named person acknowledges."
        )
        return redirect(url_for("desk.referral", reference=reference))
    status = 400 if form.errors else 200
    return (
        render_template(
            f"hand_on_{page}.html",
            form=form,
            kinds=_MEANINGS,
            look=look,
            always=[words.PARTS[part] for part in _always(form.kind.data)],
            carried=_carried(form, page),
        ),
        status,
    )


@guard("referral.recall")
def recall(reference: str) -> Page:
    """Takes back an offer that nobody answered yet."""
    form = AcknowledgeForm()
    form.validate()
    with database.transaction(web.engine()) as session:
        row = next(
            (row for row in handoffs.of_referral(session, g.referral.id) if row.id == form.handoff.data), None
        )
        if row is None or not is_holders(row):
            return redirect(url_for("desk.referral", reference=reference))
        handoffs.recall(session, row.id, actor=acting.as_holder(), now=clock.now())
    flash(f"You took back the offer to {row.as_then['to_team']}. Everybody who was asked is told.")
    return redirect(url_for("desk.referral", reference=reference))


def is_holders(offer: Row[Any]) -> bool:
    """Whether who holds the referral now may take the offer back: its own, and what was asked for it before."""
    own: bool = offer.from_team_id == g.standing.holder
    return own or not KINDS[Kind(offer.kind)].moves_custody


_MEANINGS = {kind.value: rule.words for kind, rule in KINDS.items()}


def _form(session: Session) -> HandOnForm:
    form = HandOnForm()
    form.to_team.choices = choices.grouped(session, g.referral.id, without={g.standing.holder})
    kind, disclosable = form.kind.data, _disclosable(session)
    free = [part for part in disclosable if part not in _always(kind)]
    form.parts.choices = [(part, words.PARTS[part]) for part in free]
    if kind in _MEANINGS and form.parts_for.data != kind:
        form.parts.data = [part for part in KINDS[Kind(kind)].parts if part in free]
        form.parts_for.data = kind
    form.parts.data = [part for part in form.parts.data or () if part not in _always(kind)]
    return form


def _always(kind: str | None) -> tuple[str, ...]:
    """What goes along unasked: whoever takes it over documents it, and that needs the key of the notes."""
    return ("notes",) if kind == Kind.TRANSFER else ()


def _chosen(form: HandOnForm) -> list[str]:
    return [*(form.parts.data or ()), *_always(form.kind.data)]


def _disclosable(session: Session) -> list[str]:
    """The parts that the holder can open and that somebody filled in; notes always can be."""
    granted = grants.granted_parts(session, g.referral.id, g.standing.holder)
    filled = set(
        session.execute(
            select(sealed_parts.c.part).where(sealed_parts.c.referral_id == g.referral.id)
        ).scalars()
    )
    return [part for part in words.PARTS if part in granted and (part in filled or part == "notes")]


def _page(form: HandOnForm, wanted: str) -> str:
    """`wanted`, or the first page before it with a fault at one of its fields."""
    before = list(ASKED)[: list(ASKED).index(wanted)] if wanted in ASKED else list(ASKED)
    form.validate()
    for page in before:
        if any(form[name].errors for name in ASKED[page]):
            _forgive(form, page)
            return page
    _forgive(form, "")
    return wanted if wanted in ASKED else "send"


def _forgive(form: HandOnForm, page: str) -> None:
    """Faults of fields that were not asked for yet are none."""
    for field in form:
        if field.name not in ASKED.get(page, ()) and field.name != "csrf_token":
            field.errors = ()


def _carried(form: HandOnForm, page: str) -> list[tuple[str, str]]:
    """Names and values of what other pages asked for: it goes along unseen."""
    names = [name for name in ("to_team", "kind", "parts", "parts_for", "basis") if name not in ASKED[page]]
    pairs: list[tuple[str, str]] = []
    for name in names:
        value = form[name].data
        pairs += [(name, one) for one in (value if isinstance(value, list) else [value]) if one]
    return pairs


def _send(session: Session, form: HandOnForm, now: datetime) -> None:
    proposal = Offer(
        referral_id=g.referral.id,
        kind=Kind(form.kind.data),
        from_team=g.standing.holder,
        to_team=form.to_team.data,
        reason=Reason.HANDED_ON,
        basis=Basis(form.basis.data),
        parts=tuple(_chosen(form)),
    )
    handoffs.offer(session, reading.keys(), proposal, actor=acting.as_holder(), now=now)


def _last_look(session: Session, form: HandOnForm, now: datetime) -> LastLook:
    urgency, kind = Urgency(g.referral.urgency), Kind(form.kind.data)
    receiver = teams.team(session, form.to_team.data)
    parts = _chosen(form)
    return LastLook(
        team=receiver.name,
        holder=teams.team(session, g.standing.holder).name,
        kind=kind,
        meaning=KINDS[kind].words,
        parts=parts,
        names=words.PARTS,
        questions={part: [told.question for told in content.FIELDS if told.part == part] for part in parts},
        basis=BASES[Basis(form.basis.data)],
        answer_by=business_days.due(now, STEPS[urgency][1].after, urgency, receiver.time_zone),
        at_once=urgency is Urgency.IMMINENT,
        told=_told(session, parts, now),
    )


def _told(session: Session, parts: list[str], now: datetime) -> list[OpenedPart] | None:
    if not parts or not reading.is_open(g.referral.id, now):
        return None
    return reading.told(session, g.referral.id, acting.as_holder(), now, parts)
