"""All addresses of the desk, in one table; the views stand beside their nouns."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, render_template, request
from flask.blueprints import BlueprintSetupState

from desk import (
    answer_link,
    answers,
    board,
    calendar,
    calls_page,
    clocks_page,
    closing,
    contacts,
    coverage,
    documenting,
    drafts,
    drills,
    export,
    files,
    finding,
    gap_report,
    giving_back,
    guest,
    hand_on,
    importing,
    keys_page,
    outside_pages,
    people,
    quiet,
    records,
    referral_pages,
    rules,
    schedule,
    status,
    what_if,
    why,
)
from directory import permissions, teams
from directory.guards import guard, signed_in
from foundation import clock, database, heartbeat, web
from referrals.facts import Urgency
from referrals.kinds import KINDS
from referrals.moves import NotNow
from referrals.sealing import CannotOpen
from routing.disclosure import NotDisclosable
from routing.guests import NoEntry
from routing.handling import NeedsPermission
from routing.handoffs import AlreadyAnswered

desk = Blueprint("desk", __name__)


@guard("desk.enter")
def board_page() -> str:
    """What waits for my teams: to answer, held, with others, late below us."""
    member = signed_in().member
    urgency = next((urgency for urgency in Urgency if urgency.value == request.args.get("urgency")), None)
    with database.reading(web.engine()) as session:
        groups = {
            name: query(session, member.team_ids, urgency, request.args.get(name))
            for name, query in board.GROUPS.items()
        }
        return render_template(
            "board.html",
            groups=groups,
            chosen=urgency,
            urgencies=list(Urgency),
            mine=", ".join(teams.names(session, member.team_ids).values()),
            swept=heartbeat.last(session, "clock"),
        )


def _use_zone() -> None:
    """Times are shown in the zone of the member's first team."""
    who = g.get("signed_in")
    if who and who.member.team_ids:
        with database.reading(web.engine()) as session:
            g.time_zone = teams.team(session, who.member.team_ids[0]).time_zone


def _for_templates() -> dict[str, Any]:
    def may(action: str) -> bool:
        who = g.get("signed_in")
        return bool(who) and permissions.allowed(who.member, action, g.get("standing"))

    return {"may": may, "now": clock.now, "file_kinds": KINDS}


_ONE = "/referrals/<reference>"
# Address → endpoint, view for GET, view for POST.
_PAGES: tuple[tuple[str, str, Any, Any], ...] = (
    ("/find", "find", finding.find_page, None),
    ("/teams", "teams", people.teams_page, None),
    ("/teams/<slug>/turns", "schedule", schedule.schedule_page, schedule.add_rotation),
    ("/teams/<slug>/turns/remove", "schedule_remove", None, schedule.remove_rotation),
    ("/teams/<slug>/turns/order", "schedule_order", None, schedule.set_order),
    ("/teams/<slug>/clocks", "clocks", clocks_page.clocks_page, clocks_page.change_clocks),
    ("/teams/<slug>/exchanges", "schedule_exchange", None, schedule.exchange),
    ("/teams/<slug>/exchanges/<exchange_id>/undo", "schedule_undo", None, schedule.undo_exchange),
    ("/calendar", "calendar", calendar.calendar_page, calendar.make_address),
    ("/calendar/<token>.ics", "calendar_feed", calendar.calendar_feed, None),
    # For who has no account: the link's secret and a code are what lets them in.
    ("/guest/<token>", "guest", guest.enter_page, guest.enter),
    ("/guest/<token>/answer", "guest_answer", None, guest.answer),
    ("/guest/<token>/decline", "guest_decline", None, guest.decline),
    ("/guest/<token>/read", "guest_read", None, guest.read),
    ("/guest/<token>/files/<int:number>", "guest_file", None, guest.take_file),
    ("/answer/<token>", "answer_link", answer_link.link_page, answer_link.answer),
    ("/records", "records", records.records_page, None),
    ("/contacts", "contacts", contacts.contacts_page, contacts.add),
    ("/contacts/out-of-use", "contacts_out_of_use", contacts.out_of_use_page, None),
    ("/contacts/quiet", "quiet", quiet.quiet_page, quiet.set_quiet),
    ("/contacts/<contact_id>", "contact", contacts.contact_page, contacts.prove),
    ("/contacts/<contact_id>/code", "contact_code", None, contacts.send_code),
    ("/contacts/<contact_id>/key", "contact_key", None, contacts.set_key),
    ("/contacts/<contact_id>/remove", "contact_remove", None, contacts.remove),
    ("/keys", "keys", keys_page.keys_page, keys_page.make_key),
    ("/keys/<key_id>/end", "key_end", None, keys_page.end_key),
    ("/status", "status", status.status_page, None),
    ("/drills", "drills", drills.drills_page, drills.plan),
    ("/drills/<drill_id>", "drill", drills.drill_page, None),
    ("/drills/<drill_id>/cancel", "drill_cancel", None, drills.cancel),
    ("/import", "import", importing.import_page, importing.send_import),
    ("/import/<upload>", "import_look", importing.look_page, importing.make_draft),
    ("/coverage", "coverage", coverage.coverage_page, None),
    ("/coverage/<letters>", "coverage_state", coverage.state_page, None),
    ("/what-if", "what_if", what_if.what_if_page, what_if.what_if),
    ("/rules", "rules", rules.rules_page, None),
    ("/rules/gaps", "gaps", gap_report.gaps_page, None),
    ("/rules/drafts", "drafts", rules.drafts_page, rules.begin),
    ("/rules/drafts/<draft_id>", "draft", drafts.draft_page, None),
    ("/rules/drafts/<draft_id>/rule", "draft_rule", drafts.rule_page, drafts.put_rule),
    ("/rules/drafts/<draft_id>/<step>", "draft_step", None, drafts.act),
    (_ONE, "referral", referral_pages.referral_page, None),
    (f"{_ONE}/open", "open", None, referral_pages.open_told),
    (f"{_ONE}/timeline", "timeline", referral_pages.timeline_page, None),
    (f"{_ONE}/timeline/document", "timeline_document", None, export.document),
    (f"{_ONE}/timeline.json", "timeline_file", None, export.file),
    (f"{_ONE}/receipts", "receipts", export.receipts_page, None),
    (f"{_ONE}/receipts/<handoff>", "receipt", None, export.receipt),
    (f"{_ONE}/why", "why", why.why_page, why.decide_again),
    (f"{_ONE}/acknowledge", "acknowledge", None, answers.acknowledge),
    (f"{_ONE}/decline", "decline", answers.decline_page, answers.decline),
    (f"{_ONE}/hand-on", "hand_on", hand_on.hand_on_page, hand_on.hand_on),
    (f"{_ONE}/recall", "recall", None, hand_on.recall),
    (f"{_ONE}/permission", "permission", None, hand_on.ask_permission),
    (f"{_ONE}/give-back", "give_back", giving_back.give_back_page, giving_back.give_back),
    (f"{_ONE}/complete", "complete", None, giving_back.complete),
    (f"{_ONE}/step-aside", "step_aside", giving_back.step_aside_page, giving_back.step_aside),
    (f"{_ONE}/request", "request", giving_back.request_page, giving_back.send_request),
    (f"{_ONE}/outside", "outside", outside_pages.outside_page, outside_pages.hand_out),
    (f"{_ONE}/call-back", "call_back", outside_pages.call_back_page, outside_pages.call_back),
    (f"{_ONE}/calls", "calls", calls_page.calls_page, calls_page.record_call),
    (f"{_ONE}/files/<int:number>", "file", files.file_page, files.original),
    (f"{_ONE}/files/<int:number>/picture", "picture", files.picture, None),
    (f"{_ONE}/note", "note", documenting.note_page, documenting.note),
    (f"{_ONE}/action", "action", documenting.action_page, documenting.action),
    (f"{_ONE}/place", "place", documenting.place_page, documenting.place),
    (f"{_ONE}/close", "close", closing.close_page, closing.close),
    (f"{_ONE}/outside/<handoff_id>/link", "guest_link", guest.link_page, guest.make_link),
    (f"{_ONE}/outside/<handoff_id>/link/end", "guest_link_end", None, guest.end_link),
    (f"{_ONE}/record", "record", records.record_page, None),
    (f"{_ONE}/record/hold", "hold", None, records.hold),
    (f"{_ONE}/record/holds/<hold_id>/lift", "hold_lift", None, records.lift),
    (f"{_ONE}/record/erase", "erase", None, records.ask),
    (f"{_ONE}/record/erasure", "erasure", None, records.answer),
    (f"{_ONE}/closing", "closing", closing.closing_page, closing.answer_closing),
    (f"{_ONE}/closing/withdraw", "withdraw_closing", None, closing.withdraw_closing),
)
for _address, _endpoint, _show, _send in _PAGES:
    if _show:
        desk.add_url_rule(_address, _endpoint, _show, methods=["GET"])
    if _send:
        desk.add_url_rule(_address, f"send_{_endpoint}", _send, methods=["POST"])


@desk.record_once
def _register(state: BlueprintSetupState) -> None:
    # Sign-in leads to `home` at either door.
    state.app.add_url_rule("/", "home", board_page, methods=["GET"])


desk.before_app_request(_use_zone)
desk.app_context_processor(_for_templates)
for _race in (NotNow, AlreadyAnswered):
    desk.app_errorhandler(_race)(referral_pages.already_answered)
for _forbidden in (NotDisclosable, NeedsPermission):
    desk.app_errorhandler(_forbidden)(referral_pages.forbidden)
desk.app_errorhandler(NoEntry)(guest.no_entry)
desk.app_errorhandler(CannotOpen)(referral_pages.not_disclosed)
