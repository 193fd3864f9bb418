"""My contacts, the same at both doors: the forms, and how a contact stands in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy import Row
from wtforms import BooleanField, HiddenField, RadioField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, ValidationError

from directory import contacts
from directory.contacts import CONSENT, Proof
from directory.members import Channel
from foundation.choosing import options

CHANNELS = {
    Channel.SMS.value: lazy_gettext("Text message"),
    Channel.VOICE.value: lazy_gettext("Telephone call, for a number that takes no texts"),
    Channel.EMAIL.value: lazy_gettext("E-mail"),
}
REFUSED = {
    Proof.WRONG: lazy_gettext("That is not the code. Look at the newest message."),
    Proof.OVER: lazy_gettext(
        "That code is over: too old, used, or typed wrong too often. Let us send a new one."
    ),
}


class AddForm(FlaskForm):  # type: ignore[misc]
    """A new way to reach me, and that I agree to it, in the words of that version."""

    channel = RadioField(
        lazy_gettext("How?"),
        choices=options(CHANNELS.items()),
        validators=[InputRequired(lazy_gettext("Choose how we reach you."))],
    )
    address = StringField(
        lazy_gettext("Telephone number or e-mail address"),
        validators=[DataRequired(lazy_gettext("Write the number or the address.")), Length(max=254)],
    )
    agreed = BooleanField(validators=[DataRequired(lazy_gettext("We may write only where you agree."))])
    # The words that were on the page, should they change while it is open.
    consent = HiddenField()

    def __init__(self, version: str) -> None:
        super().__init__(data={"consent": version})
        self.agreed.label.text = CONSENT.get(self.consent.data or "", CONSENT[version])

    def validate_consent(self, field: HiddenField) -> None:
        """Nobody agreed to words that never were."""
        if field.data not in CONSENT:
            raise ValidationError


class CodeForm(FlaskForm):  # type: ignore[misc]
    """The six digits that came."""

    code = StringField(
        lazy_gettext("Six-digit code"),
        validators=[DataRequired(lazy_gettext("Write the code that we sent.")), Length(max=20)],
    )


@dataclass(frozen=True)
class Way:
    """One of my contacts as the page tells it: `channel` is a value of Channel, `stands` a sentence, `works` whether
    notices go there."""

    id: str
    channel: str
    address: str
    stands: str
    works: bool

    @classmethod
    def of(cls, row: Row[Any], now: datetime) -> Way:
        """Of a row of the contacts."""
        works = bool(row.verified_at) and not (row.opted_out_at or row.disabled_at)
        return cls(row.id, row.channel, row.address, stands(row, now), works)


def stands(row: Row[Any], now: datetime) -> str:
    """How a contact stands, as a sentence for its owner and for the administrators."""
    if row.opted_out_at:
        said = gettext("STOP was written from it. Write START from it to our number to be reached again.")
    elif row.disabled_reason == contacts.STALE:
        said = gettext("Not used: nobody proved it for half a year.")
    elif row.disabled_at:
        said = gettext(
            "Not used: nothing arrives there (%(why)s). Prove it again once it works.",
            why=row.disabled_reason,
        )
    elif not row.verified_at:
        said = gettext("Not proved yet: type the code that we sent.")
    elif row.verified_at < now - contacts.PROVE_AGAIN_AFTER:
        said = gettext("Works, but its proof is half a year old: please prove it again.")
    else:
        said = gettext("Works.")
    return str(said)
