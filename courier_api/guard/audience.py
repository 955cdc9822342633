"""One blueprint for each audience: every endpoint on it is behind its role, in a transaction, and documented alike."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, current_app, g, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from courier_api.custody import inbox
from courier_api.db import transaction
from courier_api.errors import Alarm, DomainError, NotAllowed, NotFound, NotSignedIn, Stale
from courier_api.guard import answers, limits
from courier_api.guard.fields import StrictParser
from courier_api.people import signing_in
from courier_api.people.models import Person, Role
from courier_api.places.models import Posting, ServicePoint

type View = Callable[..., Any]
type Answer = Callable[[View, Any, Any], Response]

DEADLOCK_TRIES = 3


class PreconditionMissing(DomainError):
    """A write that needs `If-Match` came without it."""


class ProblemField(Schema):
    """One bad field."""

    pointer = fields.String(metadata={"description": "JSON pointer into the request", "example": "/window/start"})
    code = fields.String(metadata={"example": "window_in_the_past"})
    detail = fields.String(metadata={"example": "The window begins in the past."})


class Problem(Schema):
    """An RFC 9457 problem: `type` is stable for programs, `detail` is for the person."""

    type = fields.String(required=True, metadata={"example": "urn:problem:courier:window_in_the_past"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.List(fields.Nested(ProblemField))


WHAT = {
    400: "The request lacks its Idempotency-Key",
    401: "Not signed in",
    403: "Signed in, but not in this role",
    404: "Not there, or not yours",
    409: "Against the rules or the present state",
    412: "You have seen an older version: read again",
    422: "A value is wrong; `errors` names it",
    428: "If-Match is missing",
    429: "Too many requests; see Retry-After",
}


class Audience(Blueprint):
    """A blueprint whose every endpoint is for one role (None: for the public)."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, role: Role | None, description: str) -> None:
        super().__init__(name, name, url_prefix=f"/api/v1/{name}", description=description)
        self.role = role

    def endpoint(
        self,
        method: str,
        rule: str,
        operation: str,
        *,
        creates: bool = False,
        matches: bool = False,
        limited: Callable[[], limits.Allowance | None] | None = None,
        by_itself: bool = False,
        secret: bool = False,
    ) -> Callable[[View], View]:
        """Register a view: `creates` asks for an Idempotency-Key, `matches` for If-Match, `limited` counts the call.

        The answer of one that creates a `secret` is not stored: it reads the key, and answers it alike by itself.
        A view that works `by_itself` opens its own transactions, one after the other; only the caller is looked up.
        """

        def register(view: View) -> View:
            documented = _document(
                self, view, operation, self.role, creates=creates, matches=matches, limited=limited is not None
            )
            once = _once if creates and not secret else _answer
            guarded = self._guarded(documented, once, limited=limited, by_itself=by_itself)
            self.route(rule, methods=[method], endpoint=operation)(guarded)
            return view

        return register

    def _guarded(
        self, view: View, answer: Answer, *, limited: Callable[[], limits.Allowance | None] | None, by_itself: bool
    ) -> View:
        @wraps(view)
        def call(*args: Any, **kwargs: Any) -> Any:
            if any(isinstance(value, str) and not value.isprintable() for value in kwargs.values()):
                raise NotFound  # nothing has such a name, and PostgreSQL cannot even be asked for a NUL
            allowance = limited() if limited else None
            person_id = None
            if not by_itself:
                request.get_data()  # all of it before a transaction is open: the line may be slow
            for attempt in range(DEADLOCK_TRIES):
                try:
                    with transaction() as session:
                        g.session = session
                        g.person, g.role = self._caller(session)
                        person_id = g.person.id if g.person else None  # known still when all of it is undone
                        if not by_itself:
                            response = answer(view, args, kwargs)
                    if by_itself:
                        response = _answer(view, args, kwargs)
                    break
                except Alarm as alarm:
                    # What was refused is undone, and what it was refused for is kept.
                    with transaction() as session:
                        inbox.keep_refused(session, session.get_one(Person, person_id), alarm)
                    raise
                except OperationalError as error:
                    # PostgreSQL ended one of two that waited for each other; nothing of it is left, so try again.
                    if getattr(error.orig, "pgcode", None) not in ("40P01", "40001") or attempt == DEADLOCK_TRIES - 1:
                        raise
            if allowance:
                response.headers.update(allowance.headers())
            response.headers["Cache-Control"] = "no-store"
            return response

        return call

    def _caller(self, session: Session) -> tuple[Person | None, Role | None]:
        if self.role is None:
            return None, None
        person, role = signing_in.who_is(session, bearer())
        if role is not self.role:
            raise NotAllowed("wrong_role", role=self.role.value)
        return person, role


def bearer() -> str:
    """The token of the request; raises NotSignedIn."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn
    return token.strip()


def db() -> Session:
    """The session of this request."""
    session: Session = g.session
    return session


def caller() -> Person:
    """Who is calling."""
    person: Person = g.person
    return person


def caller_place() -> ServicePoint:
    """Where the caller holds his role; raises NotAllowed for staff that is posted nowhere."""
    posting = db().get(Posting, (caller().id, g.role))
    if posting is None:
        raise NotAllowed("posted_nowhere")
    return posting.service_point


def show_version(version: int) -> None:
    """Send the version of what is shown as a strong ETag."""
    g.etag = f'"{version}"'


def must_match(version: int) -> None:
    """Refuse a write by someone who has seen another version than this."""
    given = request.headers.get("If-Match")
    if given is None:
        raise PreconditionMissing("if_match_missing")
    if given.strip() not in ("*", f'"{version}"'):
        raise Stale("stale")


def _answer(view: View, args: Any, kwargs: Any) -> Response:
    g.etag = None
    response = current_app.make_response(view(*args, **kwargs))
    if g.etag:
        response.headers["ETag"] = g.etag
    return response


def _once(view: View, args: Any, kwargs: Any) -> Response:
    key, digest, session = answers.key_of(request), answers.digest_of(request), db()
    stored = answers.find(session, caller().id, key, digest)
    if stored is not None:
        return stored
    response = _answer(view, args, kwargs)
    answers.keep(session, caller().id, key, digest, response)
    return response


def _document(
    blueprint: Blueprint, view: View, operation: str, role: Role | None, *, creates: bool, matches: bool, limited: bool
) -> View:
    statuses = {422, 404} | ({401, 403} if role else set()) | ({429} if limited else set())
    writes = operation[:3] not in ("get", "lis", "fin")
    statuses |= {409} if writes else set()
    statuses |= {400} if creates else set()
    statuses |= {412, 428} if matches else set()
    for status in sorted(statuses):
        view = blueprint.alt_response(
            status, schema=Problem, content_type="application/problem+json", description=WHAT[status]
        )(view)
    headers = []
    if creates:
        headers.append(_header(answers.HEADER, "8 to 100 characters of your own, the same when you try again"))
    if matches:
        headers.append(_header("If-Match", "The ETag that you were last shown"))
    documentation: dict[str, Any] = {"operationId": operation}
    if headers:
        documentation["parameters"] = headers
    if role:
        documentation["security"] = [{"bearer": []}]
    documented: View = blueprint.doc(**documentation)(view)
    return documented


def _header(name: str, description: str) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": True, "schema": {"type": "string"}, "description": description}
