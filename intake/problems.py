"""Faults as the API answers them: problem details (RFC 9457), with a sentence for each fault of the body."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, NoReturn

from flask import Response, abort, current_app
from werkzeug.exceptions import HTTPException

from intake.api_body import Faults

Headers = dict[str, str]
# For what is not there and for what is somebody else's.
NOT_YOURS = "There is nothing here, or it is not yours to see."


def problem(
    status: int, detail: str, *, errors: Faults | None = None, headers: Headers | None = None
) -> Response:
    """The answer that says what is wrong. `errors` by JSON pointer."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = [{"pointer": pointer, "detail": errors[pointer]} for pointer in sorted(errors)]
    response = current_app.response_class(json.dumps(body), status, mimetype="application/problem+json")
    response.headers.update(headers or {})
    return response


def refuse(
    status: int, detail: str, *, errors: Faults | None = None, headers: Headers | None = None
) -> NoReturn:
    """Ends the request with that answer."""
    abort(problem(status, detail, errors=errors, headers=headers))


def of_fault(fault: HTTPException) -> Response:
    """The answer for what Flask or a broken store says."""
    status = fault.code or 500
    details = {
        404: NOT_YOURS,
        405: "This address does not take that method.",
        413: "The body is too large. Send fewer or smaller files, or shorten the text.",
        503: "We cannot do this right now. Send the same again in a minute: it is done once.",
    }
    kept = {
        name: value
        for name, value in fault.get_headers()
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}
    }
    unknown = "Something broke on our side. Send the same again: it is done once."
    return problem(status, details.get(status, unknown), headers=kept)
