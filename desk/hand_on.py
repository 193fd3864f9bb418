"""Handing on: to whom and what is asked, what goes along and on which ground, a last look, sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, g, redirect, render_template, request, url_for
from sqlalchemy import Row
from sqlalchemy.orm import Session

from desk import acting, choices, grounds, reading, words
from desk.answers import Page
from desk.forms import AcknowledgeForm
from desk.grounds import Condition
from desk.handing_forms import HandOnForm
from directory import teams
from directory.guards import guard
from foundation import clock, database, web
from foundation.choosing import options
from referrals import content, grants
from referrals.facts import Urgency
from referrals.opening import OpenedPart
from routing import disclosure, handoffs, permission, timetable
from routing.handoffs import Offer
from routing.states import BASES, KINDS, Basis, Kind, Reason

# Page → the fields that it asks for. `look` asks for none, and `send` is no page.
ASKED: dict[str, tuple[str, ...]] = {
    "whom": ("to_team", "kind"),
    "what": ("parts", "need", "overlap_until", "basis", "threat", "danger", "conditions_met"),
    "look": (),
}
_FIELDS = (*ASKED["whom"], "parts_for", *ASKED["what"])


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
    overlap_until: datetime | None


@guard("referral.hand_on")
def hand_on_page(reference: str) -> Page:
    """The first page."""
    with database.reading(web.engine()) as session:
        form = _form(session)
    if request.args.get("to"):
        form.to_team.data, form.kind.data = request.args["to"], Kind.TRANSFER.value
    return render_template("hand_on_whom.html", form=form, kinds=_MEANINGS, carried=_carried(form, "whom"))


@guard("referral.hand_on")
def hand_on(reference: str) -> Page:
    """The page that was asked for, or the first one before it that has a fault; at the end, the offer."""
    with database.transaction(web.engine()) as session:
        form, now = _form(session), clock.now()
        condition = _condition(session, form)
        page = _page(session, form, request.form.get("step", "look"), condition)
        if page == "send":
            _send(session, form, condition, now)
        look = _last_look(session, form, now) if page == "look" else None
    if page == "send":
        flash(_SENT[Kind(form.kind.data)].format(reference=g.referral.reference))
        return redirect(url_for("desk.referral", reference=reference))
    status = 400 if form.errors else 200
    return (
        render_template(
            f"hand_on_{page}.html",
            form=form,
            kinds=_MEANINGS,
            look=look,
            condition=condition,
            always=[words.PARTS[part] for part in _always(form.kind.data) if part != "need"],
            carried=_carried(form, page),
        ),
        status,
    )


_SENT = {
    Kind.TRANSFER: "{reference} was sent on. You keep responsibility until a named person acknowledges.",
    Kind.CONSULT: "{reference}: they are asked to work on it with you. You keep responsibility.",
    Kind.SUPPORT: "{reference}: they are asked to help. You keep responsibility.",
    Kind.INFORM: "{reference}: they are told. You keep responsibility.",
}


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


@guard("referral.permission")
def ask_permission(reference: str) -> Page:
    """Asks the originator whether it may go to the team that was chosen."""
    about = request.form.get("about", "")
    with database.transaction(web.engine()) as session:
        names = dict(choices.teams_to_ask(session, without={g.standing.holder}))
        if about in names:
            permission.ask(
                session, reading.keys(), g.referral, about, actor=acting.as_holder(), now=clock.now()
            )
            flash(f"The originator is asked whether it may go to {names[about]}. You are told the answer.")
    return redirect(url_for("desk.referral", reference=reference))


def is_holders(offer: Row[Any]) -> bool:
    """Whether who holds the referral now may take the offer back: its own, and what was asked for it before."""
    own: bool = offer.from_team_id == g.standing.holder
    return own or offer.kind not in (Kind.TRANSFER.value, Kind.REQUEST.value)


_MEANINGS = {kind.value: rule.words for kind, rule in KINDS.items()}


def _form(session: Session) -> HandOnForm:
    form = HandOnForm()
    form.to_team.choices = choices.grouped(session, g.referral.id, without={g.standing.holder})
    kind = form.kind.data
    free = [part for part in disclosable(session) if part not in _always(kind)]
    form.parts.choices = options((part, words.PARTS[part]) for part in free)
    if kind in _MEANINGS and form.parts_for.data != kind:
        chosen = set(KINDS[Kind(kind)].parts) - disclosure.ORIGINS.keys()
        form.parts.data = [part for part in free if part in chosen]
        form.parts_for.data = kind
    form.parts.data = [part for part in form.parts.data or () if part not in _always(kind)]
    return form


def _always(kind: str | None) -> tuple[str, ...]:
    """What goes along unasked: whoever takes it over documents it, and a supporter sees the need."""
    return KINDS[Kind(kind)].always if kind in _MEANINGS else ()


def _chosen(form: HandOnForm) -> list[str]:
    return [*(form.parts.data or ()), *_always(form.kind.data)]


def disclosable(session: Session) -> list[str]:
    """Parts that the holder can open and in which there is something; notes always can be."""
    granted = grants.granted_parts(session, g.referral.id, g.standing.holder)
    return [
        part
        for part in words.PARTS
        if part in granted
        and part != "need"
        and (part == "notes" or disclosure.is_filled(session, g.referral.id, part))
    ]


def _condition(session: Session, form: HandOnForm) -> Condition | None:
    """What the originator's handling code asks for, once it is known where it would go."""
    may_be_asked = dict(choices.teams_to_ask(session, without={g.standing.holder}))
    if form.to_team.data not in may_be_asked or form.kind.data not in _MEANINGS:
        return None
    return grounds.condition(session, Kind(form.kind.data), form.to_team.data, form.basis.data)


def _page(session: Session, form: HandOnForm, wanted: str, condition: Condition | None) -> str:
    """`wanted`, or the first page before it with a fault at one of its fields."""
    before = list(ASKED)[: list(ASKED).index(wanted)] if wanted in ASKED else list(ASKED)
    form.validate()
    grounds.check(session, form, condition)
    if form.overlap_until.data and form.kind.data != Kind.TRANSFER.value:
        form.overlap_until.errors = ("Two teams work until a day only with a transfer.",)
    elif form.overlap_until.data and form.overlap_until.data <= clock.now().date():
        form.overlap_until.errors = ("Choose a day that is still to come.",)
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
    pairs: list[tuple[str, str]] = []
    for name in (name for name in _FIELDS if name not in ASKED[page]):
        value = form[name].data
        pairs += [(name, _typed(one)) for one in (value if isinstance(value, list) else [value]) if one]
    return pairs


def _typed(value: Any) -> str:
    return "y" if value is True else str(value)


def _send(session: Session, form: HandOnForm, condition: Condition | None, now: datetime) -> None:
    kind, actor = Kind(form.kind.data), acting.as_holder()
    # The ground is sealed before the offer that rests on it, in the same transaction.
    ground = grounds.seal(session, "ground", form.threat.data, actor, now)
    danger = grounds.seal(session, "override", form.danger.data, actor, now) if condition else None
    need = grounds.seal(session, "need", form.need.data, actor, now) if kind is Kind.SUPPORT else None
    overlap_until = _overlap(session, form)
    proposal = Offer(
        referral_id=g.referral.id,
        kind=kind,
        from_team=g.standing.holder,
        to_team=form.to_team.data,
        reason=Reason.SUBJECT_MOVED if overlap_until else Reason.HANDED_ON,
        basis=Basis(form.basis.data),
        parts=tuple(_chosen(form)),
        ground_id=ground,
        need_id=need,
        override_id=danger,
        conditions_met=bool(form.conditions_met.data),
        overlap_until=overlap_until,
    )
    id = handoffs.offer(session, reading.keys(), proposal, actor=actor, now=now)
    if danger:
        permission.override(session, handoffs.handoff(session, id), danger, actor=actor, now=now)


def _overlap(session: Session, form: HandOnForm) -> datetime | None:
    """The end of the last day, where the sending team is."""
    if not form.overlap_until.data:
        return None
    zone = ZoneInfo(teams.team(session, g.standing.holder).time_zone)
    return datetime.combine(form.overlap_until.data, time(23, 59), zone)


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
        answer_by=timetable.of(session, receiver.id).step_due(now, kind, urgency, 1),
        at_once=urgency is Urgency.IMMINENT,
        told=_told(session, parts, now),
        overlap_until=_overlap(session, form),
    )


def _told(session: Session, parts: list[str], now: datetime) -> list[OpenedPart] | None:
    if not parts or not reading.is_open(g.referral.id, now):
        return None
    return reading.told(session, g.referral.id, acting.as_holder(), now, parts)
