"""What each kind of operation from a phone does: its event says what, the fields beside it open its commitments."""

import logging
from collections.abc import Callable
from typing import Any

from marshmallow import Schema, ValidationError, fields
from sqlalchemy.orm import Session

from courier_api.api import at_office, said
from courier_api.api.at_office import OfficeBeside, SettlementBeside
from courier_api.api.couriers import DoorHandoverIn, door_handover
from courier_api.api.evidence import proof
from courier_api.api.fields import Text
from courier_api.api.said import OperationIn
from courier_api.custody.entries import Accepted
from courier_api.custody.models import RemarkWhy
from courier_api.db import transaction
from courier_api.errors import Invalid
from courier_api.guard.fields import field_errors
from courier_api.jobs.states import FailureReason, NextAction
from courier_api.journey import remarking, syncing
from courier_api.journey import riding as journey
from courier_api.people.models import Person
from courier_api.proof.core import Kind
from courier_api.rounds import riding
from courier_api.rounds.states import ArrivedWhy

log = logging.getLogger(__name__)


class NothingBeside(OperationIn):
    """An operation whose event says all."""


class NoteBeside(OperationIn):
    """An operation with a note, to which its event commits."""

    note = Text(300, load_default=None, allow_none=True)


class RemarkBeside(OperationIn):
    """What a courier has to say of something that he signed."""

    note = Text(300, required=True)


class HandoverBeside(DoorHandoverIn):
    """A handover at a door, as `recordHandover` takes it."""

    id = fields.UUID(required=True)

    class Meta:
        exclude = ("signed",)


def _handover(session: Session, courier: Person, accepted: Accepted, body: dict[str, Any], digest: bytes) -> None:
    journey.hand_over(session, courier, door_handover(body, accepted.event.id, proof(body, accepted), digest))


def _arrival(session: Session, courier: Person, accepted: Accepted, body: dict[str, Any], digest: bytes) -> None:
    event, why = accepted.event, said.one_of(ArrivedWhy, accepted, "why")
    said.opened(session, accepted, {})
    journey.arrive(session, courier, said.id_in(accepted, "stop"), event.device_at, event.place, why)


def _failure(session: Session, courier: Person, accepted: Accepted, body: dict[str, Any], digest: bytes) -> None:
    event = accepted.event
    try:
        reason, next_action = FailureReason(event.fields["reason"]), NextAction(event.fields["next"])
        missing = [journey.CountedLine(*line) for line in event.fields.get("missing") or ()]
        if any(type(n) is not int or not 0 <= n <= 1000 for line in event.fields.get("missing") or () for n in line):
            raise ValueError
    except (KeyError, ValueError, TypeError):
        raise said.malformed() from None
    called, wished = said.times_in(accepted, "called"), said.half_in(accepted, "wished")
    said.opened(session, accepted, {"note": body["note"] or None})
    journey.fail_stop(
        session,
        courier,
        said.id_in(accepted, "stop"),
        reason,
        next_action,
        body["note"] or "",
        event.device_at,
        event.place,
        missing,
        called,
        event.id,
        wished,
    )


def _start(session: Session, courier: Person, accepted: Accepted, body: dict[str, Any], digest: bytes) -> None:
    said.opened(session, accepted, {})
    round_ = riding.round_of(session, courier, said.id_in(accepted, "round"), lock=True)
    journey.leave_office(session, round_, accepted.event.device_at)


def _finish(session: Session, courier: Person, accepted: Accepted, body: dict[str, Any], digest: bytes) -> None:
    said.opened(session, accepted, {})
    round_ = riding.round_of(session, courier, said.id_in(accepted, "round"), lock=True)
    journey.finish_round(session, round_, accepted.event.device_at)


def _seen(session: Session, courier: Person, accepted: Accepted, body: dict[str, Any], digest: bytes) -> None:
    version = said.whole_in(accepted, "version")
    said.opened(session, accepted, {})
    journey.see_plan(session, courier, said.id_in(accepted, "round"), version, accepted.entry.received_at)


def _remark(session: Session, courier: Person, accepted: Accepted, body: dict[str, Any], digest: bytes) -> None:
    why = said.one_of(RemarkWhy, accepted, "why")
    if why is None:
        raise said.malformed()
    said.opened(session, accepted, {"note": body["note"]})
    remarking.ask(session, courier, accepted.entry, why)


KINDS: dict[str, tuple[Schema, Callable[[Session, Person, Accepted, dict[str, Any], bytes], None]]] = {
    "custody.handover": (HandoverBeside(), _handover),
    "courier.arrival": (NothingBeside(), _arrival),
    "courier.failure": (NoteBeside(), _failure),
    "courier.start": (NothingBeside(), _start),
    "courier.finish": (NothingBeside(), _finish),
    "courier.seen": (NothingBeside(), _seen),
    "courier.settlement": (SettlementBeside(), at_office.settle),
    "courier.remark": (RemarkBeside(), _remark),
}
TO_OFFICE = OfficeBeside()


def perform(session: Session, courier: Person, accepted: Accepted, sent: dict[str, Any], digest: bytes) -> None:
    """Do one operation; raises syncing.BadBody for a wrong form, and whatever the journey refuses."""
    kind = KINDS.get(accepted.event.fields["typ"])
    if kind is None:
        raise Invalid("not_a_couriers_event", "/signed/event")
    schema, do = (TO_OFFICE, at_office.hand_over) if _is_for_office(accepted) else kind
    do(session, courier, accepted, _loaded(schema, sent), digest)


def _loaded(schema: Schema, sent: dict[str, Any]) -> dict[str, Any]:
    try:
        body: dict[str, Any] = schema.load({name: value for name, value in sent.items() if name != "signed"})
    except ValidationError as error:
        faults = field_errors({"json": error.messages})
        raise syncing.BadBody([[f.pointer, f.code] for f in faults]) from None
    return body


def perform_anyway(session: Session, courier: Person, accepted: Accepted, sent: dict[str, Any], digest: bytes) -> None:
    """Record a handover that no plan knows of, or cash that is not what its vouchers come to, as a dispatcher decided.

    Other operations change nothing by force.
    """
    if accepted.event.kind is Kind.settlement:
        at_office.settle(session, courier, accepted, _loaded(SettlementBeside(), sent), digest, anyway=True)
        return
    if accepted.event.kind is not Kind.handover:
        raise Invalid("nothing_to_record", "/decision")
    if _is_for_office(accepted):
        at_office.hand_over_anyway(session, courier, accepted, _loaded(TO_OFFICE, sent), digest)
        return
    body = _loaded(HandoverBeside(), sent)
    door = door_handover(body, accepted.event.id, proof(body, accepted), digest)
    journey.record_anyway(session, courier, door, said.id_in(accepted, "item"))


def _is_for_office(accepted: Accepted) -> bool:
    taker = accepted.event.fields.get("to")
    return accepted.event.kind is Kind.handover and isinstance(taker, dict) and taker.get("r") == "office"


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
