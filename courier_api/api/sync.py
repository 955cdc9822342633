"""For couriers' phones: operations signed without a network, what changed meanwhile, and where each stands."""

import logging
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields, validate
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from courier_api.api import operations
from courier_api.api.couriers import blp
from courier_api.custody import inbox, ledger
from courier_api.custody.inbox import Kept
from courier_api.custody.models import Operation, OperationState
from courier_api.db import now, transaction
from courier_api.guard import limits
from courier_api.guard.audience import DEADLOCK_TRIES, caller, db
from courier_api.guard.problems import language
from courier_api.journey import syncing
from courier_api.messages import say
from courier_api.people.models import Person, Role
from courier_api.rounds import changes

MOST_OPERATIONS = 100
PER_HOUR = 3600  # requests of one courier
log = logging.getLogger(__name__)


class SyncIn(Schema):
    """Operations, oldest first."""

    operations = fields.List(
        fields.Dict(),
        required=True,
        validate=validate.Length(1, MOST_OPERATIONS),
        metadata={
            "description": "Each has `id` (of its event), `signed` as handovers have it, and beside it what its kind"
            " needs: a handover the fields of recordHandover, a failure or a remark `note`. docs/custody.md, Sync.",
            "example": [{"id": "01932f60-0000-7000-8000-000000000001", "signed": {"event": "e30=", "core": "AQ=="}}],
        },
    )


class ReceiptShown(Schema):
    """Our signed word that we have these bytes: Ed25519 over 'courier receipt v1', a line feed and the text."""

    text = fields.String(required=True)
    signature = fields.String(required=True, metadata={"description": "base64, 64 bytes"})


class ResultShown(Schema):
    """What became of one operation."""

    id = fields.String(required=True, allow_none=True, metadata={"description": "As it was sent"})
    result = fields.String(
        required=True,
        validate=validate.OneOf(["applied", "waiting", "parked", "rejected", "duplicate"]),
        metadata={"description": "duplicate: these bytes were here before, and the receipt is the first one's"},
    )
    state = fields.Enum(OperationState, by_value=True, required=True, metadata={"description": "Where it stands now"})
    status = fields.Integer(required=True, metadata={"description": "200, or 422 for what was rejected"})
    code = fields.String(required=True, allow_none=True)
    detail = fields.String(required=True, allow_none=True)
    errors = fields.List(
        fields.List(fields.String()), required=True, metadata={"description": "Pointer and code of each wrong field"}
    )
    receipt = fields.Nested(ReceiptShown, required=True)


class SyncOut(Schema):
    """A result for each operation, in the order in which they were sent."""

    results = fields.List(fields.Nested(ResultShown), required=True)
    server_time = fields.AwareDateTime(
        required=True, metadata={"description": "For a phone whose clock is wrong: it is told so, and still works"}
    )
    anchor = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Hash of the newest checkpoint: an event that names it is not older"},
    )


@blp.endpoint("POST", "/sync", "sync", by_itself=True)
@blp.arguments(SyncIn)
@blp.response(200, SyncOut)
def sync(body: dict[str, Any]) -> Any:
    """Take operations in, do them in the order of their devices, and say of each what became of it."""
    sent = body["operations"]
    person_id = caller().id
    limits.spend("sync", str(person_id), PER_HOUR, 3600)
    kept = take_in(person_id, sent)
    with transaction() as session:
        stand = standing(session, kept)
        anchor = ledger.anchor(session)
    results = [_result(one, k, stand[k.operation.id]) for one, k in zip(sent, kept, strict=True)]
    return {"results": results, "server_time": now(), "anchor": anchor}


def take_in(person_id: UUID, sent: Sequence[dict[str, Any]]) -> list[Kept]:
    """Keep operations of a courier, commit, and then do what can be done of them."""
    kept = _in_one(lambda session: inbox.receive(session, session.get_one(Person, person_id), Role.courier, sent))
    # From here on nothing is lost: whatever happens now, the operations are done later.
    for kid in sorted({k.operation.kid for k in kept if k.operation.kid and k.operation.state in syncing.UNAPPLIED}):
        try:
            _in_one(partial(_apply, person_id, kid))
        except Exception:
            # They are in the inbox: the keeper does them. The phone gets its receipts, and one device stops no other.
            log.exception("operations of %s were left in the inbox", kid)
    return kept


def standing(session: Session, kept: Sequence[Kept]) -> dict[UUID, Operation]:
    """Where operations stand by now, by their ids in the inbox."""
    ids = [k.operation.id for k in kept]
    return {o.id: o for o in session.scalars(select(Operation).where(Operation.id.in_(ids)))}


def _apply(person_id: UUID, kid: str, session: Session) -> int:
    return syncing.apply(session, session.get_one(Person, person_id), kid, operations.perform)


def _in_one(work: Callable[[Session], Any]) -> Any:
    """Work in a transaction, again when PostgreSQL ended it for the sake of another."""
    for tries_left in reversed(range(DEADLOCK_TRIES)):
        try:
            with transaction() as session:
                return work(session)
        except OperationalError as error:
            if getattr(error.orig, "pgcode", None) not in ("40P01", "40001") or not tries_left:
                raise
            time.sleep(0.01)
    raise AssertionError


def _result(sent: dict[str, Any], kept: Kept, operation: Operation) -> dict[str, Any]:
    state, code = operation.state, kept.fault or operation.code
    if state is OperationState.received:
        state = OperationState.waiting  # it is here, and somebody else is at it
    rejected = state is OperationState.rejected
    named = sent.get("id")
    return shown(operation) | {
        "id": named if isinstance(named, str) else None,
        "result": "rejected" if kept.fault else "duplicate" if kept.again else state.value,
        "status": 422 if rejected else 200,
        "code": code,
        "state": state,
    }


def shown(operation: Operation) -> dict[str, Any]:
    """An operation with its words and its receipt."""
    values = (operation.detail or {}).get("values", {})
    return {
        "id": str(operation.id),
        "result": operation.state.value,
        "state": operation.state,
        "status": 422 if operation.state is OperationState.rejected else 200,
        "code": operation.code,
        "errors": (operation.detail or {}).get("fields", []),
        "detail": say(operation.code, language(), **values) if operation.code else None,
        "receipt": {"text": operation.receipt, "signature": b64encode(operation.receipt_signature).decode()},
    }


@blp.endpoint("GET", "/operations/<uuid:operation_id>", "getOperation")
@blp.response(200, ResultShown)
def get_operation(operation_id: UUID) -> Any:
    """Say where one of one's own operations stands."""
    return shown(inbox.of_person(db(), caller(), operation_id))


class Cursor(fields.String):
    """Where a feed was left: as it was given, to be given back."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        txid, _, last = super()._deserialize(value, attr, data, **kwargs).partition(".")
        try:
            if not (txid.isascii() and txid.isdecimal() and len(txid) < 20):
                raise ValueError
            return int(txid), UUID(last)
        except ValueError:
            raise ValidationError("wrong_form") from None


class ChangesQuery(Schema):
    """From where."""

    cursor = Cursor(load_default=None, metadata={"description": "Of the last answer; from the beginning without it"})
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 200))


class ChangeShown(Schema):
    """One thing that changed behind the courier's back."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True, metadata={"example": "round_changed"})
    subject_id = fields.UUID(required=True, metadata={"description": "A round's, a stop's or an operation's id"})
    detail = fields.Dict(required=True)
    at = fields.AwareDateTime(required=True)


class ChangesShown(Schema):
    """Some changes, oldest first, and from where to ask on."""

    items = fields.List(fields.Nested(ChangeShown), required=True)
    cursor = fields.String(required=True)
    more = fields.Boolean(required=True)


@blp.endpoint("GET", "/changes", "listChanges")
@blp.arguments(ChangesQuery, location="query")
@blp.response(200, ChangesShown)
def list_changes(query: dict[str, Any]) -> Any:
    """List what changed in one's rounds, in commit order, none left out."""
    return changes.since(db(), caller().id, query["cursor"], query["limit"])
