"""Answering an offer: acknowledge by one press, or decline with a reason."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from sqlalchemy import Row
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from desk import acting, choices, reading
from desk.forms import AcknowledgeForm, DeclineForm
from directory.guards import guard, signed_in
from foundation import clock, database, web
from foundation.choosing import options
from ledger.entries import Actor
from routing import handoffs
from routing.states import OPEN, Decline, HandoffState, Kind

Page = Response | str | tuple[str, int]


@guard("referral.acknowledge")
def acknowledge(reference: str) -> Page:
    """Takes it, in the member's name."""
    form = AcknowledgeForm()
    if not form.validate():
        abort(400)
    with database.transaction(web.engine()) as session:
        offer = offer_to_me(session, form.handoff.data or "")
        handoffs.acknowledge(
            session, reading.keys(), offer.id, actor=_as_asked(offer), via="desk", now=clock.now()
        )
    flash(_THANKS[Kind(offer.kind)])
    return redirect(url_for("desk.referral", reference=reference))


_THANKS = {
    Kind.TRANSFER: "Your team has it now. Open what was told, and record what you do first.",
    Kind.CONSULT: "You work on it with them now. Open what was told.",
    Kind.SUPPORT: "They know that you help.",
    Kind.INFORM: "They know that you know.",
    Kind.REQUEST: "You agreed to pass it over. Now hand it on to them.",
}


@guard("referral.decline")
def decline_page(reference: str) -> Page:
    """Asks for the reason."""
    with database.reading(web.engine()) as session:
        offer = offer_to_me(session, request.args.get("handoff", ""))
        if offer.state not in OPEN:
            raise handoffs.AlreadyAnswered(handoffs.answered_sentence(session, offer.id))
        form = _decline_form(session, offer)
    return render_template("decline.html", form=form, offer=offer)


@guard("referral.decline")
def decline(reference: str) -> Page:
    """Says no; the next step is taken at once."""
    with database.transaction(web.engine()) as session:
        offer = offer_to_me(session, request.form.get("handoff", ""))
        form = _decline_form(session, offer)
        fits = form.validate()
        if fits:
            handoffs.decline(
                session,
                offer.id,
                reason=Decline(form.reason.data),
                better_team=form.better_team.data or None,
                actor=_as_asked(offer),
                via="desk",
                now=clock.now(),
            )
    if not fits:
        return render_template("decline.html", form=form, offer=offer), 400
    flash(f"You declined {reference}. {offer.as_then['from_team']} is told, and the next step is on its way.")
    return redirect(url_for("home"))


def offer_to_me(session: Session, handoff_id: str) -> Row[Any]:
    """The handoff of this referral to one of the member's teams, in any state; 404 for any other."""
    found = [row for row in handoffs.of_referral(session, g.referral.id) if row.id == handoff_id]
    if not found or found[0].to_team_id not in acting.my_teams():
        abort(404)
    return found[0]


def my_offers(session: Session) -> list[Row[Any]]:
    """The open offers of this referral to the member's teams, those that move custody first."""
    mine = acting.my_teams()
    offers = [row for row in handoffs.open_offers(session, g.referral.id) if row.to_team_id in mine]
    return sorted(offers, key=lambda row: list(Kind).index(Kind(row.kind)))


def look(session: Session, offers: list[Row[Any]]) -> None:
    """A named person of the asked team looks: marked once for each offer."""
    for offer in offers:
        if offer.state == HandoffState.OFFERED.value:
            handoffs.mark_opened(session, offer.id, _as_asked(offer), clock.now())


def _as_asked(offer: Row[Any]) -> Actor:
    return Actor(member_id=signed_in().member.id, team_id=offer.to_team_id)


def _decline_form(session: Session, offer: Row[Any]) -> DeclineForm:
    form = DeclineForm(handoff=offer.id)
    others = choices.teams_to_ask(session, without={offer.to_team_id, offer.from_team_id})
    form.better_team.choices = options([("", "I do not know"), *others])
    return form
