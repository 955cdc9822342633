"""What came from a phone is done in the order in which its device signed it; what our rules refuse is parked."""

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from courier_api.custody import entries, inbox
from courier_api.custody.entries import Accepted
from courier_api.custody.events import Event, Signed
from courier_api.custody.models import CaseKind, Entry, Operation, OperationState
from courier_api.db import now
from courier_api.errors import DomainError
from courier_api.people.models import Device, Person, Role
from courier_api.proof.canonical import Malformed
from courier_api.rounds import changes, riding

log = logging.getLogger(__name__)

UNAPPLIED = (OperationState.received, OperationState.waiting)
LEFT_AFTER = timedelta(seconds=20)  # the request that brought it is over by then, one way or the other
GAP_AFTER = timedelta(hours=24)  # an operation that is still missing then does not come any more
AT_ONCE = 500

type Perform = Callable[[Session, Person, Accepted, dict[str, Any], bytes], None]


class BadBody(ValueError):
    """What stands beside an event does not have the form that it needs."""


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
    dealt = 0
    written: list[Entry] = []
    ready: list[_Authentic] = []
    for operation in _unapplied(session, kid):
        if operation.counter is None or _is_taken(session, device, operation.counter):
            _cloned(session, operation)
        elif operation.counter > device.last_counter + 1:
            operation.state = OperationState.waiting
            continue
        else:
            _take_in(session, device, operation, written, ready)
        dealt += 1
    entries.add_all(session, written)
    with riding.taken(session, courier, _stops_of(ready)):
        if not _together(session, courier, ready, perform):
            for one in ready:
                _attempt(session, courier, one, perform)
    session.flush()
    return dealt


def _is_taken(session: Session, device: Device, counter: int) -> bool:
    """Whether the device has signed something else under this counter; one that was skipped may still come."""
    if counter > device.last_counter:
        return False
    return session.scalar(select(Entry.id).where(Entry.kid == device.kid, Entry.counter == counter)) is not None


def _unapplied(session: Session, kid: str) -> Sequence[Operation]:
    return session.scalars(
        select(Operation)
        .where(Operation.kid == kid, Operation.state.in_(UNAPPLIED))
        .order_by(Operation.counter, Operation.received_at)
        .limit(AT_ONCE)
        .execution_options(populate_existing=True)
    ).all()


def _take_in(
    session: Session, device: Device, operation: Operation, written: list[Entry], ready: list[_Authentic]
) -> None:
    sent = json.loads(operation.content or b"{}")
    signed = Signed.read(sent["signed"])
    core = signed.parsed_core()
    try:
        event: Event | None = entries.readable(signed, core)
        fault = None
    except Malformed as malformed:
        event, fault = None, malformed.code
    follows = core.counter == device.last_counter + 1
    if event is not None and follows and event.previous != device.last_digest:
        _cloned(session, operation)
        return
    # Authentic, so it has its place in the ledger, whatever becomes of it.
    entry = entries.next_of(device, core, signed, operation.received_at)
    session.add(entry)
    written.append(entry)
    if event is None:
        operation.state, operation.code = OperationState.rejected, fault
    else:
        ready.append(_Authentic(operation, Accepted(entry, event, signed), sent))


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
    except OperationalError:
        raise  # a deadlock, or the database is gone: all of it is tried again
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
    except BadBody as bad:
        operation.state, operation.code, operation.detail = (
            OperationState.rejected,
            "bad_fields",
            {"fields": bad.args[0]},
        )
    except DomainError as refusal:
        _park(session, courier, operation, refusal.code, _told(refusal))
    except OperationalError:
        raise
    except Exception as fault:
        log.exception("operation %s", operation.id)
        _park(session, courier, operation, "fault", {"fault": type(fault).__name__})
    else:
        _is_applied(operation)


def _is_applied(operation: Operation) -> None:
    # Its bytes live in the entry and the opening now: what is personal is in one place only.
    operation.state, operation.code, operation.content = OperationState.applied, None, None


def _park(session: Session, courier: Person, operation: Operation, code: str, detail: dict[str, Any]) -> None:
    operation.state, operation.code, operation.detail = OperationState.parked, code, detail
    session.flush()
    inbox.open_case(session, CaseKind.parked, operation, code, **detail)
    changes.add(session, courier.id, "operation_parked", operation.id, code=code)


def _told(refusal: DomainError) -> dict[str, Any]:
    """What a dispatcher needs to see of a refusal; values only, the words are made when it is read."""
    return {
        "values": {name: str(value) for name, value in refusal.values.items()},
        "fields": [[f.pointer, f.code] for f in refusal.fields],
    }


def _cloned(session: Session, operation: Operation) -> None:
    operation.state, operation.code = OperationState.parked, "key_cloned"
    session.flush()
    inbox.cloned(session, operation)


def again(session: Session, courier: Person, operation: Operation, perform: Perform) -> None:
    """Do a parked operation after all, because the world has been put right; raises the refusal that still stands."""
    sent = json.loads(operation.content or b"{}")
    signed = Signed.read(sent["signed"])
    entry = session.get_one(Entry, operation.id)
    event = entries.readable(signed, signed.parsed_core())
    perform(session, courier, Accepted(entry, event, signed), sent, operation.digest)
    operation.state, operation.content = OperationState.applied, None


def left(session: Session) -> list[tuple[UUID, str]]:
    """The people and devices of whom something lies in the inbox that no request is dealing with."""
    rows = session.execute(
        select(Operation.person_id, Operation.kid)
        .where(Operation.state == OperationState.received, Operation.received_at < now() - LEFT_AFTER)
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
