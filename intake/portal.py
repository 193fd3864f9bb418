"""The agencies' portal: a list of the office's forwards, the form for a new one, the custody of each; my contacts."""

from __future__ import annotations

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response

from directory import guards
from directory.api_keys import SOON
from directory.guards import guard
from directory.permissions import allowed
from foundation import clock, database, web
from foundation.identifiers import is_reference
from intake import contacts, custody, custody_receipts, forward_words, forwards, keys, permissions, uploads
from intake.forward_form import ForwardForm
from intake.forwarding import file_forward
from routing.boundaries import Boundaries

portal = Blueprint("portal", __name__, url_prefix="/portal")
_FINGERPRINTS = "fingerprints"


@portal.record_once
def _lead_here(state: BlueprintSetupState) -> None:
    # At the public door only members of offices sign in, and this is their page.
    state.app.extensions["after_sign_in"] = "portal.list"


@portal.before_request
def _know_offices() -> None:
    """The offices of the member, whose zone the times are shown in, and whether the portal keeps their contacts."""
    member = guards.signed_in().member
    with database.reading(web.engine()) as session:
        g.offices = forwards.offices_of(session, member)
    g.keeps_contacts = allowed(member, "portal.contacts")
    g.time_zone = g.offices[0].time_zone


@portal.get("", endpoint="list", strict_slashes=False)
@guard("portal.list")
def list_forwards() -> str:
    """What this office forwarded, newest first, with who has it now."""
    after = request.args.get("after", "")
    with database.reading(web.engine()) as session:
        page = forwards.page_of(session, _organisation_id(), after if is_reference(after) else None)
        asked = permissions.waiting(session, [office.id for office in g.offices])
        our_keys = keys.in_force(session)
    return render_template(
        "portal/list.html",
        page=page,
        asked=asked,
        keys=our_keys,
        soon=clock.now() + SOON,
        custody=custody,
        boundaries=_boundaries(),
    )


@portal.get("/forward")
@guard("portal.forward")
def forward() -> tuple[str, int]:
    """The empty form."""
    return _form_page(ForwardForm(g.offices))


@portal.post("/forward")
@guard("portal.forward")
def send_forward() -> Response | tuple[str, int]:
    """Files what was typed and leads to its custody; or the form again, with every word and each fault at its
    field."""
    form = ForwardForm(g.offices)
    if not form.is_sound(_boundaries()):
        return _form_page(form, 400)
    if uploads.refused():
        return _form_page(form, uploads.status())
    if guards.FILES_LEFT_OUT in request.form:
        return _form_page(form, 400)
    files = uploads.received()
    filed = file_forward(form, guards.signed_in().member, form.form_key.data or "", files=files)
    # Whoever sent it sees them once. The portal opens nothing and could not show them again.
    cookie[_FINGERPRINTS] = {filed.reference: uploads.fingerprints(files)} if files else {}
    return redirect(url_for("portal.see", reference=filed.reference), 303)


portal.add_url_rule("/keys", "keys", keys.keys_page)
portal.add_url_rule("/forwards/<reference>/permission", "permit", permissions.answer, methods=["POST"])
for _path, _name, _view, _send in (
    ("/keys/<key_id>/end", "key_end", None, keys.end_key),
    ("/contacts", "contacts", contacts.contacts_page, contacts.add),
    ("/contacts/<contact_id>", "contact", contacts.contact_page, contacts.prove),
    ("/contacts/<contact_id>/code", "contact_code", None, contacts.send_code),
    ("/contacts/<contact_id>/remove", "contact_remove", None, contacts.remove),
):
    if _view:
        portal.add_url_rule(_path, _name, _view)
    portal.add_url_rule(_path, f"send_{_name}", _send, methods=["POST"])
portal.add_url_rule(
    "/forwards/<reference>/receipts/<handoff>", "receipt", custody_receipts.receipt, methods=["POST"]
)


@portal.get("/forwards/<reference>")
@guard("portal.see")
def see(reference: str) -> str:
    """One forward: where it was sent and why, and its custody line by line."""
    with database.reading(web.engine()) as session:
        forwarded = forwards.one(session, _organisation_id(), reference)
        route = custody.route(session, forwarded, _boundaries())
    files = (cookie.pop(_FINGERPRINTS, None) or {}).get(reference, [])
    return render_template(
        "portal/see.html",
        files=files,
        forwarded=forwarded,
        route=route,
        custody=custody,
        boundaries=_boundaries(),
    )


def _form_page(form: ForwardForm, status: int = 200) -> tuple[str, int]:
    form.make_showable()
    page = render_template(
        "portal/forward.html",
        form=form,
        groups=forward_words.act_groups(),
        files_left_out=guards.FILES_LEFT_OUT in request.form,
        urgency_means=forward_words.urgency_means(),
        handling_means=forward_words.HANDLING_MEANS,
        idle_time=forward_words.idle_time(),
    )
    return page, status


def _organisation_id() -> str:
    return guards.signed_in().member.organisation_id


def _boundaries() -> Boundaries:
    found: Boundaries = current_app.extensions["known_places"]()
    return found
