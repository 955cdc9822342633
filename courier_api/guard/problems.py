"""Every error leaves as RFC 9457 problem+json, in the caller's language."""

import logging
from typing import Any

from flask import Flask, Response, g, json, request
from flask_smorest import Api
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from courier_api import errors, messages
from courier_api.errors import DomainError, FieldError, TooMany
from courier_api.guard.audience import PreconditionMissing, Problem
from courier_api.guard.fields import BadJson, field_errors

log = logging.getLogger(__name__)

UNIQUE, EXCLUSION = "23505", "23P01"  # PostgreSQL's codes for what two who ask at once run into

STATUS: dict[type[DomainError], int] = {
    BadJson: 400,
    errors.NotSignedIn: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Refused: 409,
    errors.Stale: 412,
    errors.Invalid: 422,
    PreconditionMissing: 428,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}


class ProblemApi(Api):
    """flask-smorest's Api with our error format, in the answers and in the document."""

    ERROR_SCHEMA = Problem

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Turn werkzeug's and webargs' errors into problems."""
        data = getattr(error, "data", None) or {}
        found = field_errors(data.get("messages", {}))
        code = (
            "bad_fields"
            if found
            else {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.code or 500)
        )
        return problem(error.code or 500, code or ("bad_request" if (error.code or 500) < 500 else "fault"), found)


def register(app: Flask) -> None:
    """Let the app answer domain errors and faults as problems."""
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(StaleDataError, lambda _: problem(412, "stale"))
    app.register_error_handler(IntegrityError, _constraint)
    app.register_error_handler(Exception, _fault)


def _domain_error(error: DomainError) -> Response:
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    if error.code.startswith("idempotency_key_missing"):
        status = 400
    response = problem(status, error.code, error.fields, **error.values)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _constraint(error: IntegrityError) -> Response:
    # The database's own rule stopped what a check should have named: tell ourselves which rule, never the row.
    diagnosis = getattr(error.orig, "diag", None)
    log.error("stopped by the database: %s", diagnosis and diagnosis.constraint_name)
    if getattr(error.orig, "pgcode", None) in (UNIQUE, EXCLUSION):
        return problem(409, "conflict")
    return problem(500, "fault")


def _fault(error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return problem(error.code or 500, "not_found" if error.code == 404 else "bad_request")
    log.exception("fault in %s %s", request.method, request.path)
    return problem(500, "fault")


def language() -> str:
    """vi or en, whichever the caller likes better; Vietnamese when he does not say."""
    return request.accept_languages.best_match(["vi", "en"], default="vi")


def problem(status: int, code: str, fields: Any = (), **values: object) -> Response:
    """Build one problem+json answer."""
    tongue = language()
    body: dict[str, Any] = {
        "type": f"urn:problem:courier:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "detail": messages.say(code, tongue, **values),
    }
    if fields:
        body["errors"] = [_field(f, tongue, values) for f in fields]
    g.etag = None
    response = Response(json.dumps(body), status, mimetype="application/problem+json")
    response.headers["Content-Language"] = tongue
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept-Language")
    return response


def _field(field: FieldError, tongue: str, values: dict[str, object]) -> dict[str, str]:
    known = messages.known(field.code)
    return {
        "pointer": field.pointer,
        "code": field.code if known else "bad_value",
        "detail": messages.say(field.code if known else "bad_value", tongue, **{**values, **field.values}),
    }
