"""Twilio's Lookup API, version 2, as its published description says: what kind of line a number is."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from notifications.standin import behaviours
from notifications.standin.twilio_api import E164, error, known_account

blueprint = Blueprint("lookups_api", __name__, url_prefix="/v2/PhoneNumbers")


@blueprint.before_request
def _authenticate() -> Response | None:
    return None if known_account() else error(401, 20003)


@blueprint.get("/<number>")
def look_up(number: str) -> Response:
    """One number; the kind of its line only if that is asked for, as Twilio charges for it."""
    if not E164.fullmatch(number):
        return error(404, 20404)
    asked = request.args.get("Fields", "").split(",")
    return jsonify(
        {
            "calling_country_code": "1",
            "country_code": "US",
            "phone_number": number,
            "national_format": number,
            "valid": True,
            "validation_errors": [],
            "line_type_intelligence": _line(number) if "line_type_intelligence" in asked else None,
            "url": f"https://lookups.twilio.com/v2/PhoneNumbers/{number}",
        }
    )


def _line(number: str) -> dict[str, str | None]:
    return {"carrier_name": "The stand-in", "type": behaviours.of_number(number).line}
