"""A record is filed once, however often the button is pressed."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from foundation import clock, database, web
from referrals import attachments, filing
from referrals.filing import Filed, Filing, Sealed

# A new reference is taken once in a thousand times where there are a million referrals.
_TRIES = 3


def file_once(record: Filing, sealed: Sealed, tries: int = _TRIES) -> Filed:
    """Files and commits it; or finds what an earlier press filed, and drops the files that came again. Raises what
    the database says where it did neither: that is no receipt."""
    try:
        with database.transaction(web.engine()) as session:
            return filing.file_referral(session, record, sealed, clock.now())
    except IntegrityError:
        with database.reading(web.engine()) as session:
            before = filing.filed_before(session, record.submission_digest)
        if before:
            attachments.discard(attachments.blobs_of(web.settings()), sealed.files)
            return before
        if tries == 1:
            raise
    return file_once(record, sealed, tries - 1)
