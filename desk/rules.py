"""The rules desk: the coverage rules in force as sentences, and the drafts of what may come after them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from flask import redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional

from desk.acting import as_member
from desk.answers import Page
from directory import members, teams
from directory.guards import guard
from foundation import clock, database, web
from foundation.choosing import options
from routing import comparing, drafts, gazetteer, snapshots
from routing.drafts import Draft, DraftState, Entry, NoSuchDraft
from routing.rule import Rule
from routing.snapshots import Snapshot

# A screen of rules; the rest is a press away.
PAGE = 50


class RulesFilter(FlaskForm):  # type: ignore[misc]
    """Which rules are looked for."""

    class Meta:
        """A question that changes nothing and can be kept as an address."""

        csrf = False

    # A hint of its own would stand between the label and the box, and push it out of the line of the others.
    area = StringField("Area: part of a name, or an id", validators=[Length(max=100)])
    state = SelectField("State", validators=[Optional()])
    team = SelectField("Team", validators=[Optional()])


class TitleForm(FlaskForm):  # type: ignore[misc]
    """What a new draft is called."""

    title = StringField(
        "What is it about?",
        description="A few words for the others, such as: new agreement with Mesa.",
        validators=[DataRequired("Give it a name."), Length(max=200)],
    )


@dataclass(frozen=True)
class RuleLine:
    """A rule in the list. `fate` says what the draft makes of it, "" if nothing."""

    id: str
    sentence: str
    reason: str
    author: str
    fate: str


@dataclass(frozen=True)
class DraftLine:
    """A draft in the list."""

    draft: Draft
    begun_by: str
    changes: int


_FATES = {True: "Changed in this draft", False: "Ends with this draft"}


@guard("rules.see")
def rules_page() -> Page:
    """The rules in force, or those that a draft starts from, with what it makes of them."""
    with database.reading(web.engine()) as session:
        names = team_names(session)
        draft = _chosen_draft(session)
        snapshot = (
            drafts.before_and_after(session, draft)[0] if draft else snapshots.current(session, clock.now())
        )
        form = _filter(names)
        found = _matching(snapshot, form)
        page, after = _page(found, request.args.get("after", ""))
        return render_template(
            "rules.html",
            form=form,
            draft=draft,
            lines=[_line(rule, snapshot, names, draft.changes if draft else {}) for rule in page],
            after=after,
            count=len(found),
            all_of_them=len(snapshot.rules.rules),
            titles=TitleForm(formdata=None),
        )


@guard("rules.see")
def drafts_page() -> Page:
    """The drafts, newest first."""
    return _drafts(TitleForm(formdata=None))


@guard("rules.draft")
def begin() -> Page:
    """Starts a draft."""
    form = TitleForm()
    if not form.validate():
        return _drafts(form), 400
    with database.transaction(web.engine()) as session:
        id = drafts.begin(session, title=form.title.data or "", by=as_member(), now=clock.now())
    return redirect(url_for("desk.draft", draft_id=id))


def team_names(session: Session) -> dict[str, str]:
    """Every team's name by id."""
    return {team.id: str(team.name) for team in teams.all_teams(session)}


def _drafts(form: TitleForm) -> str:
    with database.reading(web.engine()) as session:
        found = drafts.listed(session, request.args.get("after"))
        named = members.names(session, [one.begun_by for one in found])
        lines = [DraftLine(one, named.get(one.begun_by, "an import"), len(one.changes)) for one in found]
    after = found[-1].id if len(found) == drafts.PAGE else None
    return render_template("drafts.html", form=form, lines=lines, after=after, states=_STATES)


_STATES = {
    DraftState.OPEN: "open",
    DraftState.PUBLISHED: "published",
    DraftState.WITHDRAWN: "withdrawn",
}


def _chosen_draft(session: Session) -> Draft | None:
    try:
        found = drafts.read(session, request.args.get("draft", ""))
    except NoSuchDraft:
        return None
    return found if found.state is DraftState.OPEN else None


def _filter(names: Mapping[str, str]) -> RulesFilter:
    form = RulesFilter(request.args)
    states = sorted((state.name, code) for code, state in gazetteer.load().states.items())
    form.state.choices = options([("", "Every state"), *((code, name) for name, code in states)])
    form.team.choices = options([("", "Every team"), *sorted(names.items(), key=lambda pair: pair[1])])
    form.validate()
    return form


def _matching(snapshot: Snapshot, form: RulesFilter) -> list[Rule]:
    """By id. What is wrong with a field asks nothing."""
    tests = tuple(_tests(snapshot, form))
    return [rule for rule in snapshot.rules.rules if all(test(rule) for test in tests)]


def _tests(snapshot: Snapshot, form: RulesFilter) -> Iterator[Callable[[Rule], bool]]:
    team, state = (None if field.errors else field.data for field in (form.team, form.state))
    words = (form.area.data or "").strip().lower()
    if team:
        yield lambda rule: rule.team == team
    if state:
        yield lambda rule: any(above == f"state:{state}" for above, _ in snapshot.boundaries.widen(rule.area))
    if words:
        yield lambda rule: words in rule.area.lower() or words in snapshot.boundaries.name(rule.area).lower()


def _page(found: list[Rule], after: str) -> tuple[list[Rule], str | None]:
    start = bisect_right([rule.id for rule in found], after)
    page = found[start : start + PAGE]
    return page, page[-1].id if start + PAGE < len(found) else None


def _line(rule: Rule, snapshot: Snapshot, names: Mapping[str, str], changes: Mapping[str, Entry]) -> RuleLine:
    entry = changes.get(rule.id)
    fate = _FATES[entry.rule is not None] if entry else ""
    return RuleLine(rule.id, comparing.says(rule, snapshot, names), rule.reason, rule.author, fate)
