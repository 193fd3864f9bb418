"""One draft of rules: what it changes, what its dry run found, and the presses that bring it into force or end it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, flash, g, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from sqlalchemy import Row
from sqlalchemy.orm import Session
from wtforms import DateTimeLocalField, StringField
from wtforms.validators import Length, Optional

from desk import trial
from desk.acting import as_member
from desk.answers import Page
from desk.rule_form import RuleForm, shown
from desk.rules import team_names
from desk.trial import Trial
from directory import guards, members, teams
from directory.guards import guard
from directory.teams import TeamKind
from foundation import clock, database, web
from foundation.identifiers import new_id
from routing import comparing, drafts, dry_run, publishing
from routing.comparing import Told
from routing.drafts import Draft, DraftFault, DraftState, Entry, NoSuchDraft
from routing.rule import Rule
from routing.snapshots import Snapshot


class DraftForm(FlaskForm):  # type: ignore[misc]
    """What goes with a press: a time, or a reason."""

    at = DateTimeLocalField(
        "When does it come into force?",
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        description="Empty: now. On your own clock.",
        validators=[Optional()],
    )
    reason = StringField(
        "Why does it end?",
        description="For whoever approves it, and for whoever reads it in three years.",
        validators=[Length(max=1000)],
    )


# A person reads no more ways in which places are answered otherwise; a change of everything has thousands.
_MOST_LINES = 200


@dataclass(frozen=True)
class ChangeLine:
    """One changed rule, in words, with who wrote it and why. `theirs` is what was published meanwhile instead."""

    rule: str
    sentence: str
    reason: str
    author: str
    ends: bool
    disputed: bool
    theirs: str


@dataclass(frozen=True)
class DraftPage:
    """All that the page says. `stale`: others were published meanwhile. `next` is the one step that is due."""

    draft: Draft
    begun_by: str
    lines: Sequence[ChangeLine]
    areas: str
    faults: Sequence[str]
    stale: bool
    trial: Trial | None
    under_way: Row[Any] | None
    approved_by: str
    mine: bool
    needs_second: bool
    next: str


@guard("rules.see")
def draft_page(draft_id: str) -> Page:
    """The draft as it stands."""
    return _shown(draft_id, DraftForm(formdata=None))


@guard("rules.draft")
def act(draft_id: str, step: str) -> Page:
    """One press on the page: a step of the table below."""
    form, one = DraftForm(), _STEPS.get(step)
    if one is None:
        abort(404)
    if not form.validate():
        form.at.errors = ("Give a day and a time, such as 2026-12-01 08:00.",) if form.at.errors else ()
        return _shown(draft_id, form), 400
    try:
        with database.transaction(web.engine()) as session:
            one.act(session, _read(session, draft_id), form)
    except DraftFault as fault:
        _show(form, fault)
        return _shown(draft_id, form), 400
    flash(one.done)
    return redirect(url_for("desk.draft", draft_id=draft_id))


@guard("rules.draft")
def rule_page(draft_id: str) -> Page:
    """The form of one rule: of an existing one, or of a new one."""
    with database.reading(web.engine()) as session:
        found = _open(session, draft_id)
        _, after = drafts.before_and_after(session, found)
        rule = _rule(after, request.args.get("rule", ""))
        entry = found.changes.get(rule.id) if rule else None
        given = {**shown(rule, after.boundaries), "reason": entry.reason if entry else ""} if rule else None
        form = RuleForm(formdata=None, data=given)
        _choose(session, form, after)
        return render_template("draft_rule.html", form=form, draft=found, rule=rule.id if rule else "")


@guard("rules.draft")
def put_rule(draft_id: str) -> Page:
    """Writes the rule into the draft, or shows its faults at their fields."""
    form, id = RuleForm(), request.args.get("rule", "")
    try:
        with database.transaction(web.engine()) as session:
            found = _open(session, draft_id)
            _, after = drafts.before_and_after(session, found)
            _choose(session, form, after)
            zone = next((t.time_zone for t in teams.all_teams(session) if t.id == form.team.data), "UTC")
            rule = form.rule(
                id or f"rule-{new_id()[:12]}", zone, after.boundaries, guards.signed_in().member.name
            )
            if rule is not None:
                reason = form.reason.data or ""
                drafts.put_rule(session, found, rule, reason=reason, by=as_member(), now=clock.now())
    except DraftFault as fault:
        form.show_fault(fault.field, str(fault))
        rule = None
    if rule is None:
        return render_template("draft_rule.html", form=form, draft=found, rule=id), 400
    flash("It is in the draft. Nothing is in force yet.")
    return redirect(url_for("desk.draft", draft_id=draft_id))


def _read(session: Session, draft_id: str) -> Draft:
    try:
        return drafts.read(session, draft_id)
    except NoSuchDraft:
        abort(404)


def _open(session: Session, draft_id: str) -> Draft:
    found = _read(session, draft_id)
    if found.state is not DraftState.OPEN:
        abort(404)
    return found


def _rule(snapshot: Snapshot, rule_id: str) -> Rule | None:
    return next((rule for rule in snapshot.rules.rules if rule.id == rule_id), None)


def _choose(session: Session, form: RuleForm, snapshot: Snapshot) -> None:
    every = teams.all_teams(session)
    offices = {team.id: team.name for team in every if team.kind == TeamKind.OFFICE.value}
    answering = {team.id: team.name for team in every if team.id not in offices}
    form.choose(answering, offices, snapshot.rules.calendars)


def _show(form: DraftForm, fault: DraftFault) -> None:
    if fault.field == "at":
        form.at.errors = (str(fault),)
    else:
        form.form_errors.append(str(fault))


@dataclass(frozen=True)
class _Step:
    """What a press does, and what is said afterwards."""

    act: Callable[[Session, Draft, DraftForm], Any]
    done: str


def _named() -> str:
    return request.form.get("rule", "")


def _end(session: Session, found: Draft, form: DraftForm) -> None:
    if not (form.reason.data or "").strip():
        raise DraftFault("Say why the rule ends.")
    drafts.end_rule(session, found, _named(), reason=form.reason.data or "", by=as_member(), now=clock.now())


def _publish(session: Session, found: Draft, form: DraftForm) -> None:
    zone = ZoneInfo(g.get("time_zone") or "UTC")
    at = form.at.data.replace(tzinfo=zone) if form.at.data else None
    publishing.publish(session, found, by=as_member(), now=clock.now(), effective_at=at)


def _settle(ours: bool) -> Callable[[Session, Draft, DraftForm], None]:
    def settle(session: Session, found: Draft, form: DraftForm) -> None:
        drafts.settle(session, found, _named(), ours=ours, by=as_member(), now=clock.now())

    return settle


# Every press of the page.
_STEPS: Mapping[str, _Step] = {
    "end": _Step(_end, "The rule ends with this draft."),
    "take-back": _Step(
        lambda session, found, form: drafts.take_back(
            session, found, _named(), by=as_member(), now=clock.now()
        ),
        "The draft leaves that rule as it is.",
    ),
    "keep-ours": _Step(_settle(True), "The draft’s own change holds."),
    "keep-theirs": _Step(_settle(False), "What was published meanwhile holds."),
    "rebase": _Step(
        lambda session, found, form: drafts.rebase(session, found, by=as_member(), now=clock.now()),
        "The draft now starts from the rules that were published last.",
    ),
    "dry-run": _Step(
        lambda session, found, form: dry_run.ask(session, found, clock.now()),
        "The dry run is asked for. Look again in a moment.",
    ),
    "approve": _Step(
        lambda session, found, form: publishing.approve(session, found, by=as_member(), now=clock.now()),
        "You approved this draft as it is now.",
    ),
    "publish": _Step(_publish, "It is published."),
    "withdraw": _Step(
        lambda session, found, form: publishing.withdraw(session, found, by=as_member(), now=clock.now()),
        "The draft is withdrawn. Nothing of it comes into force.",
    ),
}


def _shown(draft_id: str, form: DraftForm) -> str:
    now = clock.now()
    with database.reading(web.engine()) as session:
        page = _page(session, _read(session, draft_id), now)
    return render_template("draft.html", page=page, form=form, steps=trial.STEPS, most_lines=_MOST_LINES)


def _page(session: Session, found: Draft, now: datetime) -> DraftPage:
    names = team_names(session)
    before, after = drafts.before_and_after(session, found)
    people = members.names(session, sorted({*found.authors, found.approved_by or ""} - {""}))
    tried, newest = dry_run.finished(session, found), dry_run.latest(session, found.id)
    running = newest if newest is not None and dry_run.is_under_way(newest, now) else None
    stale = found.state is DraftState.OPEN and not drafts.is_current(session, found)
    faults = tuple(after.rules.faults(after.boundaries)) if found.state is DraftState.OPEN else ()
    needs = publishing.needs_second_person(session, found)
    told = comparing.compare(before, after, names, now)
    return DraftPage(
        draft=found,
        begun_by=people.get(found.begun_by, "an import"),
        lines=_lines(found, told, after, names, people),
        areas=comparing.areas_sentence(before, after),
        faults=faults,
        stale=stale,
        trial=trial.tell(tried.result, after.boundaries, names, tried.finished_at) if tried else None,
        under_way=running,
        approved_by=people.get(found.approved_by or "", ""),
        mine=guards.signed_in().member.id in found.authors,
        needs_second=needs,
        next=_next(found, stale, bool(faults), tried is not None, running is not None, needs),
    )


def _next(found: Draft, stale: bool, faulty: bool, tried: bool, running: bool, needs: bool) -> str:
    """The one step that is due: the first that fits."""
    empty = not found.changes and found.areas_id == found.base_areas_id
    tests = (
        (found.state is not DraftState.OPEN, "over"),
        (stale, "rebase"),
        (bool(found.disputes), "settle"),
        (empty, "change"),
        (faulty, "mend"),
        (running, "wait"),
        (not tried, "dry-run"),
        (needs and found.approved_digest != found.digest, "approve"),
    )
    return next((step for holds, step in tests if holds), "publish")


def _lines(
    found: Draft,
    told: Sequence[Told],
    after: Snapshot,
    names: Mapping[str, str],
    people: Mapping[str, str],
) -> list[ChangeLine]:
    sentences = {one.rule: one.sentence for one in told}
    return [
        ChangeLine(
            rule=name,
            sentence=sentences.get(name, "The rules have it so already."),
            reason=entry.reason,
            author=people.get(entry.by, "an import"),
            ends=entry.rule is None,
            disputed=entry.disputed,
            theirs=_theirs(entry, after, names),
        )
        for name, entry in sorted(found.changes.items())
    ]


def _theirs(entry: Entry, after: Snapshot, names: Mapping[str, str]) -> str:
    if entry.theirs is None:
        return "It has ended." if entry.disputed else ""
    return comparing.says(Rule.from_json(entry.theirs), after, names)
