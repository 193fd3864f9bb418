"""Giving back what was acknowledged, saying that one's part is done, stepping aside, and asking for a referral."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from sqlalchemy import Row
from sqlalchemy.orm import Session

from desk import acting, reading
from desk.answers import Page
from desk.handing_forms import GiveBackForm, PressForm, StepAsideForm
from directory import teams
from directory.guards import guard, signed_in
from directory.teams import TeamKind
from foundation import clock, database, web
from ledger.entries import Actor
from referrals import casework, grants
from referrals.moves import NotNow
from routing import conflicts, handoffs
from routing.handoffs import Offer
from routing.states import Act, Basis, HandoffState, Kind, Reason, follows

_MEANS = {
    Kind.TRANSFER: "Your team gives up responsibility. It goes back to {from_team}, or to the desk above you where "
    "that office cannot hold it. What was disclosed to your team is closed to it.",
    Kind.CONSULT: "Your team stops working on it with {from_team}, who is told. What was disclosed to your team is "
    "closed to it.",
    Kind.SUPPORT: "Your team stops helping. {from_team} is told. What was disclosed to your team is closed to it.",
}


@guard("referral.see")
def give_back_page(reference: str) -> Page:
    """Says what giving it back means, and asks why."""
    with database.reading(web.engine()) as session:
        row = _mine(session, request.args.get("handoff", ""), Act.GIVE_BACK)
    return _give_back_page(GiveBackForm(formdata=None, handoff=row.id), row)


@guard("referral.see")
def give_back(reference: str) -> Page:
    """Gives it back, with the reason sealed where the team can seal one."""
    form = GiveBackForm()
    fits = form.validate()
    with database.transaction(web.engine()) as session:
        row = _mine(session, form.handoff.data or "", Act.GIVE_BACK)
        if fits:
            actor, now = _as_asked(row), clock.now()
            if casework.NOTES in grants.granted_parts(session, g.referral.id, row.to_team_id):
                casework.record(
                    session,
                    reading.keys(),
                    g.referral.id,
                    kind="note",
                    action=None,
                    words=form.reason.data or "",
                    actor=actor,
                    now=now,
                )
            handoffs.give_back(session, reading.keys(), row.id, actor=actor, now=now)
    if not fits:
        return _give_back_page(form, row), 400
    flash(f"You gave {reference} back. They are told.")
    return redirect(url_for("home"))


@guard("referral.complete")
def complete(reference: str) -> Page:
    """What was asked is done."""
    with database.transaction(web.engine()) as session:
        row = _mine(session, PressForm().handoff.data or "", Act.COMPLETE)
        if row.kind == Kind.TRANSFER.value:
            raise NotNow("a referral that your team holds ends by closing it")
        handoffs.complete(session, row.id, actor=_as_asked(row), now=clock.now())
    flash(f"Your part in {reference} is done. Thank you.")
    return redirect(url_for("desk.referral", reference=reference))


@guard("referral.recuse")
def step_aside_page(reference: str) -> Page:
    """Asks who steps aside."""
    return render_template("step_aside.html", form=StepAsideForm())


@guard("referral.recuse")
def step_aside(reference: str) -> Page:
    """A conflict of interest: whoever steps aside finds nothing of it any more."""
    form = StepAsideForm()
    if not form.validate():
        return render_template("step_aside.html", form=form), 400
    actor, now = acting.as_party(), clock.now()
    with database.transaction(web.engine()) as session:
        if form.who.data == "team":
            conflicts.recuse_team(session, reading.keys(), g.referral.id, actor=actor, now=now)
            stays = False
        else:
            stays = conflicts.recuse_member(session, reading.keys(), g.referral.id, actor=actor, now=now)
    others = "Your team goes on without you." if stays else "Your team has nothing to do with it any more."
    flash(f"You stepped aside from {reference}. {others}")
    return redirect(url_for("home"))


@guard("referral.request")
def request_page(reference: str) -> Page:
    """Says what asking means."""
    with database.reading(web.engine()) as session:
        holder = _askable(session)
    return render_template("request.html", form=PressForm(), holder=holder)


@guard("referral.request")
def send_request(reference: str) -> Page:
    """Asks the custodian to pass it over."""
    with database.transaction(web.engine()) as session:
        holder = _askable(session)
        proposal = Offer(
            referral_id=g.referral.id,
            kind=Kind.REQUEST,
            from_team=str(acting.as_once().team_id),
            to_team=g.standing.holder,
            reason=Reason.REQUESTED,
            basis=Basis.INTAKE_ROUTING,
            parts=(),
        )
        handoffs.offer(session, reading.keys(), proposal, actor=acting.as_once(), now=clock.now())
    flash(f"{holder} is asked to pass {reference} over to your team. You are told the answer.")
    return redirect(url_for("desk.referral", reference=reference))


def can_give_back(row: Row[Any]) -> bool:
    """Whether a team of the member may give this handoff back now."""
    return _allows(row, Act.GIVE_BACK) and row.kind != Kind.EXTERNAL.value


def can_complete(row: Row[Any]) -> bool:
    """Whether a team of the member may say now that its part is done."""
    return _allows(row, Act.COMPLETE) and row.kind in (Kind.CONSULT.value, Kind.SUPPORT.value)


def _allows(row: Row[Any], act: Act) -> bool:
    mine = row.to_team_id in acting.my_teams()
    return mine and follows(Kind(row.kind), HandoffState(row.state), act) is not None


def _mine(session: Session, handoff_id: str, act: Act) -> Row[Any]:
    """The handoff to one of the member's teams; 404 for any other, the race's sentence where it is over."""
    found = [row for row in handoffs.of_referral(session, g.referral.id) if row.id == handoff_id]
    if not found or found[0].to_team_id not in acting.my_teams():
        abort(404)
    if not _allows(found[0], act):
        raise handoffs.AlreadyAnswered(handoffs.answered_sentence(session, handoff_id))
    return found[0]


def _as_asked(row: Row[Any]) -> Actor:
    return Actor(member_id=signed_in().member.id, team_id=row.to_team_id)


def _askable(session: Session) -> str:
    holder = teams.team(session, g.standing.holder)
    if holder.kind == TeamKind.OFFICE.value:
        raise NotNow("no team holds it yet: routing is asking")
    return str(holder.name)


def _give_back_page(form: GiveBackForm, row: Row[Any]) -> str:
    meaning = _MEANS[Kind(row.kind)].format(from_team=row.as_then["from_team"])
    return render_template("give_back.html", form=form, meaning=meaning)
