"""Forms of importing: which file, and whether to make the draft."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, HiddenField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from foundation.choosing import options
from routing.importing.changes import Changes
from routing.importing.mapping import LAYERS, READY, AreaMapping, MappingFault, mapping_named, ready
from routing.importing.reading import KINDS
from routing.importing.report import Report

_HELD = {
    "school": "Schools",
    "campus": "Campuses",
    "district": "School districts",
    "place": "Cities and towns",
    "tribal": "Tribal areas",
    "military": "Military areas",
    "custom": "Areas of our own",
}
_OWN = "own"


def _fits(name: str) -> str:
    """Which files a ready mapping fits: those of a publisher, or whoever's with these columns."""
    mapping = mapping_named(name)
    return mapping.source or f"columns {', '.join(mapping.columns)}"


class UploadForm(FlaskForm):  # type: ignore[misc]
    """A file and what it holds."""

    file = FileField(
        "The file",
        description="GeoJSON, GeoPackage, a zipped shapefile, or CSV. At most 50 MB.",
        validators=[FileRequired("Choose a file.")],
    )
    holds = SelectField(
        "What does it hold?",
        choices=options(
            [
                ("", "Choose"),
                *((layer, _HELD[layer]) for layer in LAYERS),
                ("rules", "Coverage rules (CSV)"),
            ]
        ),
        validators=[InputRequired("Choose what the file holds.")],
    )
    mapping = SelectField(
        "How is it written?",
        description="A mapping says which column is the name, the code, the state. Rules need none.",
        choices=options(
            [
                ("", "Choose"),
                *((name, f"{name} ({_fits(name)})") for name in ready()),
                (_OWN, "By a mapping of our own, below"),
            ]
        ),
    )
    own_mapping = TextAreaField(
        "A mapping of our own",
        description="TOML, as the handbook for importing shows it. Leave empty for a ready one.",
        validators=[Length(max=20_000, message="A mapping has at most 20,000 characters.")],
    )

    def validate_file(self, field: Any) -> None:
        """Its ending says what it is."""
        if PurePath(field.data.filename or "").suffix.lower() not in KINDS:
            raise ValidationError(
                f"The file's name must end with one of {', '.join(KINDS)}. Save a spreadsheet as CSV UTF-8."
            )

    def validate_mapping(self, field: Any) -> None:
        """Areas need a mapping that fits them."""
        if self.holds.data not in LAYERS:
            return
        if not field.data:
            raise ValidationError("Choose how the file is written.")
        try:
            AreaMapping.from_toml(self.mapping_text()).for_layer(self.holds.data)
        except MappingFault as fault:
            raise ValidationError(f"{fault}.") from None

    def mapping_text(self) -> str:
        """The mapping as TOML; "" for rules."""
        if self.holds.data not in LAYERS:
            return ""
        if self.mapping.data == _OWN:
            return self.own_mapping.data or ""
        return (READY / f"{self.mapping.data}.toml").read_text(encoding="utf-8")


class DraftForm(FlaskForm):  # type: ignore[misc]
    """The press that makes the draft. `base` names what was in force when the member looked."""

    base = HiddenField()
    leave_out = BooleanField("Leave out the faulty rows and take the others")
    whole = BooleanField("The file is complete: what is in force and not in it ends")

    def check(self, report: Report, changes: Changes, base: str) -> None:
        """Tells the form what the file says now, so that it can refuse."""
        self._report, self._changes, self._now_in_force = report, changes, base

    def validate_base(self, field: Any) -> None:
        """What is in force must be what was looked at."""
        if field.data != self._now_in_force:
            field.data = self._now_in_force
            raise ValidationError(
                "Something else was published since you looked. Look again at what would change."
            )

    def validate_leave_out(self, field: Any) -> None:
        """Faulty rows are left out only knowingly."""
        if self._report.faulty_rows and not field.data:
            raise ValidationError("Some rows are faulty. Mend the file, or leave those rows out.")

    def validate_whole(self, field: Any) -> None:
        """A draft that changes nothing is none."""
        if not self._changes.any(ends=bool(field.data)):
            raise ValidationError("Nothing would change, so there is nothing to draft.")
