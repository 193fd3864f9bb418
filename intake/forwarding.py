"""Filing a forward: what was told, sealed and stored in its office's custody. The portal and the API both end here."""

from __future__ import annotations

from collections.abc import Sequence

from flask import current_app
from flask_babel import get_locale

from directory.members import Member
from foundation import web
from intake.filed import file_once
from intake.forward_form import ForwardForm
from referrals import attachments, filing
from referrals.attachments import Kept
from referrals.content import documents
from referrals.filing import Filed, Filing, Source
from referrals.receipts import submission_digest


def file_forward(
    form: ForwardForm,
    member: Member,
    form_key: str,
    *,
    files: Sequence[Kept] = (),
    api_key_id: str | None = None,
) -> Filed:
    """Seals and stores a forward in its office's custody, once however often it is sent with the same `form_key`.

    `form` was found sound; `member` answers for it; `files` were received with it; `api_key_id` is the key by which
    it came, None by the portal.
    """
    told = form.forward()
    office_id = str(form.office.data)
    record = Filing(
        source=Source.FORWARD,
        # Coverage rules name a forwarding office by its team.
        facts=told.facts(form.evidence, originator=office_id),
        language=str(get_locale()),
        submission_digest=submission_digest(
            told.submission(form_key + attachments.fingerprint(files)), web.settings().secret_key
        ),
        custodian_team_id=office_id,
        originator_organisation_id=member.organisation_id,
        originator_member_id=member.id,
        originator_case_number=told.case_number or None,
        originator_api_key_id=api_key_id,
        handling_code=told.handling.value,
    )
    sealed = filing.seal(
        documents(told.told()),
        deployment=web.settings().deployment,
        to=current_app.extensions["routing_key"](),
        files=files,
    )
    return file_once(record, sealed)
