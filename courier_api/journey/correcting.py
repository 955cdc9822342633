"""The dispatcher's part in custody: cases that our rules have no place for, each ended by a signed correction."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from courier_api.custody import entries, events
from courier_api.custody.entries import Accepted
from courier_api.custody.events import Signed
from courier_api.custody.models import Case, CaseKind, Entry, Opening, Operation, OperationState
from courier_api.db import now
from courier_api.errors import FieldError, Invalid, NotFound, Refused
from courier_api.journey import syncing
from courier_api.people.models import Device, Person, Role
from courier_api.proof.core import Kind
from courier_api.rounds import changes

EVENT = "/signed/event"
# What may be decided of what: `retry` does it now that the world is put right, `record` moves custody although no plan
# knows of it, or takes in cash that is not what its vouchers come to, `skip` goes on without what never came, `dismiss`
# leaves everything as it is.
DECISIONS: dict[CaseKind, tuple[str, ...]] = {
    CaseKind.parked: ("retry", "record", "dismiss"),
    CaseKind.gap: ("skip",),
    CaseKind.id_reused: ("dismiss",),
    CaseKind.key_cloned: ("record", "dismiss"),
    CaseKind.malformed: ("dismiss",),
    CaseKind.evidence: ("dismiss",),
    CaseKind.remark: ("dismiss",),  # noted: what was signed stays
}

type Do = Callable[[Session, Person, Accepted, dict[str, Any], bytes], None]


def listed(session: Session, *, open_only: bool, limit: int, after: UUID | None) -> list[Case]:
    """Cases, oldest first."""
    query = select(Case).order_by(Case.id).limit(limit)
    if open_only:
        query = query.where(Case.decision.is_(None))
    if after is not None:
        query = query.where(Case.id > after)
    return list(session.scalars(query))


def one(session: Session, case_id: UUID, *, lock: bool = False) -> Case:
    """A case; raises NotFound."""
    query = select(Case).where(Case.id == case_id)
    found = session.scalar(query.with_for_update(of=Case) if lock else query)
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A case with what a dispatcher needs to decide it."""

    case: Case
    event: Mapping[str, Any] | None
    skip: Mapping[str, Any] | None
    received_at: datetime | None
    note: str | None

    @property
    def id(self) -> UUID:
        """The case's id, by which lists are paged."""
        return self.case.id

    @property
    def summary(self) -> Mapping[str, Any] | None:
        """What the event says of itself, for a list."""
        return {"no": None} | dict(self.event) if self.event is not None else None


def looked_at(session: Session, case: Case) -> LookedAt:
    """Add to a case its event, when it came, and what a `skip` of it must say."""
    operation = session.get(Operation, case.operation_id) if case.operation_id else None
    skip = None
    if case.kind is CaseKind.gap and operation is not None and operation.state is OperationState.waiting:
        device = session.get_one(Device, operation.kid)
        skip = _gap(device, operation)
    at = operation.received_at if operation else None
    return LookedAt(case, what_was_signed(session, case), skip, at, _note(session, case))


def _note(session: Session, case: Case) -> str | None:
    """What a courier wrote beside an event that was done; of one that was not it is in the operation, unopened."""
    openings = [session.get(Opening, id_) for id_ in _asked_by(case)]
    notes = [(opening.content or {}).get("note") for opening in openings if opening is not None]
    return "\n".join(note for note in notes if isinstance(note, str)) or None


def _asked_by(case: Case) -> list[UUID]:
    """The operation that a case is about, and those that asked the same again."""
    first = [case.operation_id] if case.operation_id is not None else []
    return [*first, *map(UUID, case.detail.get("again", ()))]


def _gap(device: Device, operation: Operation) -> dict[str, Any]:
    return {"kid": device.kid, "after": device.last_counter, "before": operation.counter}


def what_was_signed(session: Session, case: Case) -> Mapping[str, Any] | None:
    """The event that a case is about, as its fields stand; None where it cannot be read."""
    operation = session.get(Operation, case.operation_id) if case.operation_id else None
    entry = session.get(Entry, case.operation_id) if case.operation_id else None
    content = entry.event if entry is not None else None
    if content is None and operation is not None and operation.content is not None:
        try:
            content = Signed.read(json.loads(operation.content)["signed"]).event
        except (ValueError, KeyError, TypeError):
            return None
    try:
        return events.read(content).fields if content is not None else None
    except ValueError:
        return None


def decide(
    session: Session,
    dispatcher: Person,
    case_id: UUID,
    decision: str,
    note: str,
    signed: Mapping[str, Any],
    perform: Do,
    perform_anyway: Do,
) -> Case:
    """End a case by a correction that the dispatcher's device signs; the same decision again changes nothing.

    Raises Refused for a decided case, or with what still stands in the way of the operation; Invalid for a decision
    that this kind of case does not have, or an event that says something else.
    """
    case = one(session, case_id, lock=True)
    if case.decision is not None:
        if case.decision == decision:
            return case
        raise Refused("case_decided", decision=case.decision)
    if decision not in DECISIONS[case.kind]:
        raise Invalid("no_such_decision", "/decision", choices=", ".join(DECISIONS[case.kind]))
    accepted = entries.accept(session, signed, dispatcher, Role.dispatcher)
    _must_say(accepted, case, decision, note)
    entries.open_with(session, accepted.entry, accepted.signed, {"note": note})
    _carry_out(session, case, decision, accepted, perform, perform_anyway)
    case.decision, case.decided_at, case.correction_id = decision, now(), accepted.entry.id
    for id_ in _asked_by(case):
        changes.add(session, case.person_id, "operation_decided", id_, decision=decision)
    session.flush()
    return case


def _must_say(accepted: Accepted, case: Case, decision: str, note: str) -> None:
    event = accepted.event
    expected = {"typ": "custody.correction", "case": str(case.id), "decision": decision, "of": str(case.operation_id)}
    wrong = "typ" if event.kind is not Kind.correction else events.differing(event, expected)
    wrong = wrong or events.unopened(event, {"note": note}, accepted.signed.salts, frozenset())
    if wrong is not None:
        raise Invalid("event_differs", FieldError(EVENT, "event_differs", {"field": wrong}), field=wrong)


def _carry_out(
    session: Session, case: Case, decision: str, accepted: Accepted, perform: Do, perform_anyway: Do
) -> None:
    if decision == "dismiss":
        return
    operation = session.get(Operation, case.operation_id, with_for_update=True)
    assert operation is not None
    courier = session.get_one(Person, operation.person_id)
    if decision == "skip":
        if operation.state is not OperationState.waiting:
            raise Refused("operation_not_waiting", state=operation.state.value)
        _skip(session, operation, accepted)
        syncing.apply(session, courier, operation.kid or "", perform)
    elif operation.state is not OperationState.parked:
        raise Refused("operation_not_parked", state=operation.state.value)
    else:
        syncing.again(session, courier, operation, perform if decision == "retry" else perform_anyway)


def _skip(session: Session, operation: Operation, accepted: Accepted) -> None:
    """Go on behind what never came; the correction says from which counter to which, and the auditor holds us to it."""
    device = session.scalars(select(Device).where(Device.kid == operation.kid).with_for_update(of=Device)).one()
    event = events.read(Signed.read(json.loads(operation.content or b"{}")["signed"]).event)
    if accepted.event.fields.get("skip") != _gap(device, operation):
        raise Invalid("event_differs", FieldError(EVENT, "event_differs", {"field": "skip"}), field="skip")
    device.last_counter, device.last_digest = event.counter - 1, event.previous
    session.flush()
