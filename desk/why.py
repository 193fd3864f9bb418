"""Why here: the newest decision in sentences, on a small map, and rule by rule."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, url_for
from sqlalchemy import Row
from sqlalchemy.orm import Session

from desk import acting, explained, places, words
from desk.answers import Page
from desk.handing_forms import PressForm
from directory import teams
from directory.guards import guard
from directory.teams import TeamKind
from foundation import clock, database, web
from referrals import moves
from referrals.facts import Facts
from referrals.moves import NotNow
from referrals.states import State
from routing import jobs, naming, snapshots
from routing.decision import Decision
from routing.states import Reason
from routing.weighing import Outcome


@guard("referral.read")
def why_page(reference: str) -> Page:
    """The explanation of this referral."""
    with database.reading(web.engine()) as session:
        boundaries = snapshots.current(session, clock.now()).boundaries
        row = jobs.latest(session, g.referral.id)
        told = explained.tell(session, Decision.from_json(row.explanation), boundaries) if row else None
        place = places.in_words(Facts.from_json(g.referral.facts), boundaries)
        form = PressForm() if row and _can_be_decided(session, g.referral) else None
        changed = row is not None and row.rules_id != snapshots.current(session, clock.now()).rules_id
    made_at = row.made_at if row else None
    return render_template("why.html", told=told, made_at=made_at, place=place, form=form, changed=changed)


@guard("referral.decide_again")
def decide_again(reference: str) -> Page:
    """Has it decided by the rules of today, though nothing new is known of it."""
    with database.transaction(web.engine()) as session:
        if not _can_be_decided(session, moves.lock(session, g.referral.id)):
            raise NotNow("a team works on this referral already; hand it on instead")
        jobs.decide_again(session, g.referral.id, actor=acting.as_second_person(), now=clock.now())
    flash("It is being decided again, by the rules of today.")
    return redirect(url_for("desk.why", reference=reference))


def _can_be_decided(session: Session, referral: Row[Any]) -> bool:
    """Whether routing would still move it: until a team works on it, or while a hub holds it."""
    if referral.state != State.HELD.value:
        return referral.state in _UNHELD
    return teams.team(session, referral.custodian_team_id).kind in (TeamKind.HUB.value, TeamKind.ROOT.value)


_UNHELD = {State.FILED.value, State.OFFERED.value, State.AT_DESK.value}


def asked_because(session: Session, offer: Row[Any]) -> str:
    """Why a team was asked, in one sentence."""
    if offer.reason == Reason.ROUTED.value and (row := jobs.latest(session, offer.referral_id)):
        decision = Decision.from_json(row.explanation)
        boundaries = snapshots.current(session, clock.now()).boundaries
        leads = [entry for entry in decision.considered if entry.team == offer.to_team_id]
        if leads and leads[0].outcome in {Outcome.LEAD, Outcome.TIED}:
            return (
                f"You were asked because the place named lies in {naming.named(leads[0].area, boundaries)}."
            )
    because = words.ASKED_BECAUSE[Reason(offer.reason)].format(from_team=offer.as_then["from_team"])
    return f"You were asked because {because}."
