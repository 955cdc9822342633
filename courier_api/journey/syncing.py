"""What came from a phone is done in the order in which its device signed it; what our rules refuse is parked."""

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from courier_api.custody import entries, events, inbox, uploads
from courier_api.custody.entries import Accepted
from courier_api.custody.events import Event, Signed
from courier_api.custody.models import Case, CaseKind, Entry, Operation, OperationState
from courier_api.db import now
from courier_api.errors import DomainError, FieldError, Invalid, Refused, Unavailable
from courier_api.journey import riding
from courier_api.people import devices
from courier_api.people.models import Device, Person, Role
from courier_api.proof.canonical import Malformed
from courier_api.rounds import changes

log = logging.getLogger(__name__)

UNAPPLIED = (OperationState.received, OperationState.waiting)
LEFT_AFTER = timedelta(seconds=20)  # the request that brought it is over by then, one way or the other
GAP_AFTER = timedelta(hours=24)  # an operation that is still missing then does not come any more
AT_ONCE = 500

# Faults of ours, not of what was sent: nothing is parked for them, all of it is tried again.
OURS = (OperationalError, InterfaceError, OSError, Unavailable)

type Perform = Callable[[Session, Person, Accepted, dict[str, Any], bytes], None]


class BadBody(ValueError):
    """What stands beside an event does not have the form that it needs."""


class _Read:
    """An operation's bytes taken apart, once; `event` is None for a malformed one, and `fault` says why."""

    __slots__ = ("core", "event", "fault", "sent", "signed")

    def __init__(self, operation: Operation) -> None:
        self.sent: dict[str, Any] = json.loads(operation.content or b"")
        self.signed = Signed.read(self.sent["signed"])
        self.core = self.signed.parsed_core()
        self.event: Event | None = None
        self.fault: str | None = None
        try:
            self.event = entries.readable(self.signed, self.core)
        except Malformed as malformed:
            self.fault = malformed.code


@dataclass(frozen=True, slots=True)
class _Authentic:
    """An operation whose event stands in the ledger's table, and is now to be done."""

    operation: Operation
    accepted: Accepted
    sent: dict[str, Any]


def apply(session: Session, courier: Person, kid: str, perform: Perform) -> int:
    """Do what waits of one device, in order, up to the first gap; `perform` does one. Return how many were dealt with.

    1. Take in, in the order of its counter, what the device signed: what is authentic is an entry of the ledger.
    2. Lock at once all the doors that it is about.
    3. Do it: all together, and where that does not go, one by one.
    """
    device = entries.locked(session, kid, courier, Role.courier)
    if device is None:
        return 0
    waiting = _unapplied(session, kid)
    if entries.refused(device) == "certificate_expired":
        for operation in waiting:
            operation.state, operation.code = OperationState.waiting, "certificate_expired"
        return 0
    written: list[Entry] = []
    ready: list[_Authentic] = []
    dealt = _take_all_in(session, device, waiting, written, ready)
    entries.add_all(session, written)
    with riding.at_doors(session, courier, _stops_of(ready)):
        if not _together(session, courier, ready, perform):
            for one in ready:
                _attempt(session, courier, one, perform)
    session.flush()
    uploads.bind(session, [one.operation.id for one in ready])
    return dealt + (apply(session, courier, kid, perform) if dealt == AT_ONCE else 0)


def _take_all_in(
    session: Session, device: Device, waiting: Sequence[Operation], written: list[Entry], ready: list[_Authentic]
) -> int:
    there = {e.id: e for e in session.scalars(select(Entry).where(Entry.id.in_([o.id for o in waiting])))}
    dealt = 0
    for operation in waiting:
        assert operation.counter is not None
        known = there.get(operation.id)
        if operation.content is None:
            operation.state, operation.code = OperationState.rejected, "bytes_missing"
        elif known is None and operation.counter > device.last_counter + 1 and device.quarantined_at is None:
            operation.state = OperationState.waiting
            continue
        else:
            _deal(session, device, operation, _Read(operation), known, written, ready)
        dealt += 1
    return dealt


def _deal(
    session: Session,
    device: Device,
    operation: Operation,
    read: _Read,
    known: Entry | None,
    written: list[Entry],
    ready: list[_Authentic],
) -> None:
    if known is not None:
        _is_there(session, operation, read, known)
    elif device.quarantined_at is not None:
        _set_aside(session, device, operation, read, written, CaseKind.parked, "key_quarantined")
    elif not _follows(session, device, read):
        _set_aside(session, device, operation, read, written, CaseKind.key_cloned, "key_cloned")
        devices.quarantine(session, device.kid)
        session.refresh(device, ["quarantined_at"])
    else:
        _take_in(session, device, operation, read, written, ready)


def _unapplied(session: Session, kid: str) -> Sequence[Operation]:
    return session.scalars(
        select(Operation)
        .where(Operation.kid == kid, Operation.state.in_(UNAPPLIED))
        .order_by(Operation.counter, Operation.received_at)
        .limit(AT_ONCE)
        .execution_options(populate_existing=True)
    ).all()


def _is_there(session: Session, operation: Operation, read: _Read, entry: Entry) -> None:
    """The event came before by another way: online, with its answer lost. The same bytes are done, others are not."""
    if entry.core != read.signed.core:
        _ask(session, operation, CaseKind.id_reused, "id_reused")
        operation.state = OperationState.parked
    else:
        _is_applied(operation)


def _follows(session: Session, device: Device, read: _Read) -> bool:
    """Whether an event is the next of its device, or fills a gap that was skipped; else two sign with one key."""
    core = read.core
    if core.counter > device.last_counter:
        return read.event is None or read.event.previous == device.last_digest
    beside = select(Entry).where(Entry.kid == device.kid, Entry.counter.in_((core.counter, core.counter + 1)))
    found = {e.counter: e for e in session.scalars(beside)}
    after = found.get(core.counter + 1)
    if core.counter in found or after is None:
        return False
    return after.event is None or events.read(after.event).previous == core.digest


def _take_in(
    session: Session,
    device: Device,
    operation: Operation,
    read: _Read,
    written: list[Entry],
    ready: list[_Authentic],
) -> None:
    """Give an authentic event its place in the ledger, whatever becomes of it; of a malformed one the core alone."""
    # Its certificate covers when we took it in: what waited for a new one was taken in now.
    at = None if operation.code == "certificate_expired" else operation.received_at
    if operation.state is OperationState.waiting:
        _close_gap(session, operation)
    entry = entries.next_of(device, read.core, read.signed, at, read.event.of if read.event is not None else None)
    written.append(entry)
    if read.event is None:
        entry.event = None
        operation.state = OperationState.rejected
        _ask(session, operation, CaseKind.malformed, read.fault or "event_malformed")
    else:
        ready.append(_Authentic(operation, Accepted(entry, read.event, read.signed), read.sent))


def _set_aside(
    session: Session,
    device: Device,
    operation: Operation,
    read: _Read,
    written: list[Entry],
    kind: CaseKind,
    code: str,
) -> None:
    """Keep an authentic event beside its device's chain: it may be true, and a dispatcher may record it."""
    of = read.event.of if read.event is not None else None
    entry = entries.entry_of(device, read.core, read.signed, operation.received_at, of=of)
    if read.event is None:
        entry.event = None
    written.append(entry)
    operation.state = OperationState.parked
    _ask(session, operation, kind, code)


def _ask(session: Session, operation: Operation, kind: CaseKind, code: str, **detail: Any) -> None:
    operation.code, operation.detail = code, detail or None
    session.flush()
    inbox.open_case(session, kind, operation, code, **detail)


def _close_gap(session: Session, operation: Operation) -> None:
    session.execute(
        update(Case)
        .where(Case.operation_id == operation.id, Case.kind == CaseKind.gap, Case.decision.is_(None))
        .values(decision="filled", decided_at=now())
    )


def _stops_of(ready: Sequence[_Authentic]) -> set[UUID]:
    stops = set()
    for one in ready:
        with suppress(ValueError, TypeError, AttributeError):
            stops.add(UUID(one.accepted.event.fields.get("stop")))
    return stops


def _together(session: Session, courier: Person, ready: Sequence[_Authentic], perform: Perform) -> bool:
    """Do all in one savepoint, which saves most statements; False when one cannot be done, and nothing is."""
    try:
        with session.begin_nested():
            for one in ready:
                perform(session, courier, one.accepted, one.sent, one.operation.digest)
    except OURS:
        raise
    except Exception:
        return False  # which one, and why, is found out by doing them one by one
    for one in ready:
        _is_applied(one.operation)
    return True


def _attempt(session: Session, courier: Person, one: _Authentic, perform: Perform) -> None:
    """Do one in a savepoint of its own: what cannot be done is put aside and holds up none behind it."""
    operation = one.operation
    session.flush()
    try:
        with session.begin_nested():
            perform(session, courier, one.accepted, one.sent, operation.digest)
    except OURS:
        raise
    except BadBody as bad:
        _park(session, courier, operation, "bad_fields", {"fields": _printable(bad.args[0])})
    except DomainError as refusal:
        _park(session, courier, operation, refusal.code, _told(refusal))
    except Exception as fault:
        log.exception("operation %s", operation.id)
        _park(session, courier, operation, "fault", {"fault": type(fault).__name__})
    else:
        _is_applied(operation)


def _is_applied(operation: Operation) -> None:
    # Its bytes live in the entry and the opening now: what is personal is in one place only.
    operation.state, operation.code, operation.content = OperationState.applied, None, None


def _park(session: Session, courier: Person, operation: Operation, code: str, detail: dict[str, Any]) -> None:
    operation.state = OperationState.parked
    _ask(session, operation, CaseKind.parked, code, **detail)
    changes.add(session, courier.id, "operation_parked", operation.id, code=code)


def _told(refusal: DomainError) -> dict[str, Any]:
    """What a dispatcher needs to see of a refusal; values only, the words are made when it is read."""
    values = {name: value for field in refusal.fields for name, value in field.values.items()} | refusal.values
    return {
        "values": {name: _printable(str(value)) for name, value in values.items()},
        "fields": [[_printable(f.pointer), f.code] for f in refusal.fields],
    }


def _printable(value: Any) -> Any:
    """Text that PostgreSQL can keep; anything nested in lists as well."""
    if isinstance(value, list):
        return [_printable(inner) for inner in value]
    return value.encode("utf-8", "replace").decode().replace("\0", "?") if isinstance(value, str) else value


def again(session: Session, courier: Person, operation: Operation, perform: Perform) -> None:
    """Do a parked operation after all, because the world has been put right; raises the refusal that still stands."""
    read = _Read(operation)
    if read.event is None:
        raise Refused(read.fault or "event_malformed")
    entry = session.get_one(Entry, operation.id)
    accepted = Accepted(entry, read.event, read.signed)
    try:
        perform(session, courier, accepted, read.sent, operation.digest)
    except BadBody as bad:
        raise Invalid("bad_fields", *(FieldError(pointer, code) for pointer, code in bad.args[0])) from None
    uploads.bind(session, [entry.id])
    operation.state, operation.content = OperationState.applied, None


def left(session: Session) -> list[tuple[UUID, str]]:
    """The people and devices of whom something lies in the inbox that could be done and that no request deals with."""
    next_one = and_(Operation.state == OperationState.waiting, Operation.counter == Device.last_counter + 1)
    renewed = and_(next_one, Device.certified_until > now())
    rows = session.execute(
        select(Operation.person_id, Operation.kid)
        .join(Device, Device.kid == Operation.kid)
        .where(
            or_(Operation.state == OperationState.received, renewed),
            Operation.received_at < now() - LEFT_AFTER,
            Device.revoked_at.is_(None),
        )
        .distinct()
    )
    return [(person, kid) for person, kid in rows if kid is not None]


def report_gaps(session: Session) -> None:
    """Tell the dispatcher of operations that have waited too long for one that never came."""
    first = (
        select(func.min(Operation.counter).label("counter"), Operation.kid)
        .where(Operation.state == OperationState.waiting, Operation.received_at < now() - GAP_AFTER)
        .group_by(Operation.kid)
        .subquery()
    )
    stuck = select(Operation).join(first, (Operation.kid == first.c.kid) & (Operation.counter == first.c.counter))
    for operation in session.scalars(stuck):
        inbox.open_case(session, CaseKind.gap, operation, "operation_missing", counter=operation.counter)
