"""What each kind of operation from a phone does: its event says what, the fields beside it open its commitments."""

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from marshmallow import Schema, ValidationError, fields
from sqlalchemy.orm import Session

from courier_api.api.couriers import DoorHandoverIn
from courier_api.api.evidence import proof
from courier_api.api.fields import Text
from courier_api.custody import entries, events
from courier_api.custody.entries import Accepted
from courier_api.db import transaction
from courier_api.errors import FieldError, Invalid
from courier_api.guard.fields import field_errors
from courier_api.jobs.states import FailureReason, NextAction
from courier_api.journey import riding as journey
from courier_api.journey import syncing
from courier_api.people.models import Person
from courier_api.rounds import riding

log = logging.getLogger(__name__)

PHOTO = frozenset({"photo"})


class OperationIn(Schema):
    """What every operation has: the id of its event, and the event."""

    id = fields.UUID(required=True)


class NothingBeside(OperationIn):
    """An operation whose event says all."""


class NoteBeside(OperationIn):
    """An operation with a note, to which its event commits."""

    note = Text(300, load_default=None, allow_none=True)


class HandoverBeside(DoorHandoverIn):
    """A handover at a door, as `recordHandover` takes it."""

    id = fields.UUID(required=True)

    class Meta:
        exclude = ("signed",)


def _handover(session: Session, courier: Person, accepted: Accepted, body: dict[str, Any], digest: bytes) -> None:
    lines = [journey.CountedLine(**line) for line in body["lines"]]
    door = journey.DoorHandover(accepted.event.id, body["stop_id"], lines, proof(body, accepted), digest)
    journey.hand_over(session, courier, door)


def _arrival(session: Session, courier: Person, accepted: Accepted, body: dict[str, Any], digest: bytes) -> None:
    place = accepted.event.place
    if place is None:
        raise Invalid("event_malformed", "/signed/event")
    _opened(session, accepted, {})
    journey.arrive(session, courier, _id(accepted, "stop"), accepted.event.device_at, *place)


def _failure(session: Session, courier: Person, accepted: Accepted, body: dict[str, Any], digest: bytes) -> None:
    said = accepted.event.fields
    try:
        reason, next_action = FailureReason(said["reason"]), NextAction(said["next"])
        missing = [journey.CountedLine(*line) for line in said.get("missing") or ()]
        if any(type(n) is not int or not 0 <= n <= 1000 for line in said.get("missing") or () for n in line):
            raise ValueError
    except (KeyError, ValueError, TypeError):
        raise Invalid("event_malformed", "/signed/event") from None
    _opened(session, accepted, {"note": body["note"] or None})
    event = accepted.event
    journey.fail_stop(
        session,
        courier,
        _id(accepted, "stop"),
        reason,
        next_action,
        body["note"] or "",
        event.device_at,
        event.place,
        missing,
        event.id,
    )


def _start(session: Session, courier: Person, accepted: Accepted, body: dict[str, Any], digest: bytes) -> None:
    _opened(session, accepted, {})
    journey.start_round(session, courier, riding.round_of(session, courier, _id(accepted, "round"), lock=True))


def _finish(session: Session, courier: Person, accepted: Accepted, body: dict[str, Any], digest: bytes) -> None:
    _opened(session, accepted, {})
    journey.finish_round(session, riding.round_of(session, courier, _id(accepted, "round"), lock=True))


def _id(accepted: Accepted, name: str) -> UUID:
    try:
        return UUID(accepted.event.fields[name])
    except (KeyError, ValueError, AttributeError, TypeError):
        raise Invalid("event_malformed", "/signed/event") from None


def _opened(session: Session, accepted: Accepted, values: dict[str, Any]) -> None:
    """Hold what stands beside the event against its commitments, and keep it; a photo may come by itself."""
    wrong = events.unopened(accepted.event, values, accepted.signed.salts, PHOTO)
    if wrong is not None:
        raise Invalid("event_differs", FieldError("/signed/event", "event_differs", {"field": wrong}), field=wrong)
    if accepted.event.commitments:
        entries.open_with(session, accepted.entry, accepted.signed, values)


KINDS: dict[str, tuple[Schema, Callable[[Session, Person, Accepted, dict[str, Any], bytes], None]]] = {
    "custody.handover": (HandoverBeside(), _handover),
    "courier.arrival": (NothingBeside(), _arrival),
    "courier.failure": (NoteBeside(), _failure),
    "courier.start": (NothingBeside(), _start),
    "courier.finish": (NothingBeside(), _finish),
}


def perform(session: Session, courier: Person, accepted: Accepted, sent: dict[str, Any], digest: bytes) -> None:
    """Do one operation; raises syncing.BadBody for a wrong form, and whatever the journey refuses."""
    kind = KINDS.get(accepted.event.fields["typ"])
    if kind is None:
        raise Invalid("not_a_couriers_event", "/signed/event")
    schema, do = kind
    do(session, courier, accepted, _loaded(schema, sent), digest)


def _loaded(schema: Schema, sent: dict[str, Any]) -> dict[str, Any]:
    try:
        body: dict[str, Any] = schema.load({name: value for name, value in sent.items() if name != "signed"})
    except ValidationError as error:
        faults = field_errors({"json": error.messages})
        raise syncing.BadBody([[f.pointer, f.code] for f in faults]) from None
    return body


def perform_anyway(session: Session, courier: Person, accepted: Accepted, sent: dict[str, Any], digest: bytes) -> None:
    """Record a handover that no plan knows of, as a dispatcher decided; other operations change nothing by force."""
    if accepted.event.fields["typ"] != "custody.handover":
        raise Invalid("nothing_to_record", "/decision")
    body = _loaded(HandoverBeside(), sent)
    lines = [journey.CountedLine(**line) for line in body["lines"]]
    door = journey.DoorHandover(accepted.event.id, body["stop_id"], lines, proof(body, accepted), digest)
    journey.record_anyway(session, courier, door, _id(accepted, "item"))


def apply_left() -> int:
    """Do what a request put into the inbox and did not live to do; return how many operations that were."""
    with transaction() as session:
        left = syncing.left(session)
        syncing.report_gaps(session)
    dealt = 0
    for person_id, kid in left:
        try:
            with transaction() as session:
                dealt += syncing.apply(session, session.get_one(Person, person_id), kid, perform)
        except Exception:
            log.exception("operations of %s stay in the inbox", kid)  # and those of others are done
    return dealt
