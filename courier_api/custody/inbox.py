"""The inbox: operations from phones, committed as they came before anything is done with them, and receipted."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courier_api.custody import entries, events
from courier_api.custody.events import Signed
from courier_api.custody.models import Case, CaseKind, Operation, OperationState
from courier_api.db import new_id, now
from courier_api.errors import Alarm, NotFound
from courier_api.people import devices
from courier_api.people.models import Device, Person, Role
from courier_api.proof import canonical
from courier_api.proof.canonical import Malformed
from courier_api.proof.core import Core
from courier_api.proof.files import OperatorKey, operator_key

RECEIPT = b"courier receipt v1\n"
# Bytes that no key of the sender vouches for are kept under an id of their content: an id is taken by who proves it.
_UNPROVEN = UUID("5b1f7f5e-6d0c-4a8e-9c57-0c1d2e3f4a5b")


@dataclass(frozen=True, slots=True)
class Kept:
    """An operation in the inbox; `again` when it was there before, `fault` when its id was there with other bytes."""

    operation: Operation
    again: bool
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    id: UUID
    kid: str | None
    counter: int | None
    fault: str | None


def receive(session: Session, person: Person, role: Role, sent: Sequence[dict[str, Any]]) -> list[Kept]:
    """Write operations down, each with our signed word that we have it; the caller commits before he does more."""
    at, key = now(), operator_key()
    known = {d.kid: d for d in devices.of_person(session, person) if d.role is role}
    rows = []
    for operation in sent:
        content = bytes_of(operation)
        seen = _look(operation, content, known)
        rows.append(_row(person, seen, content, at, key))
    written = _write(session, rows)
    there = {row["id"]: Operation(**row) for row in reversed(rows) if row["id"] in written}
    known_ids = [row["id"] for row in rows if row["id"] not in written]
    if known_ids:
        there |= {o.id: o for o in session.scalars(select(Operation).where(Operation.id.in_(known_ids)))}
    answer = []
    for row in rows:
        first = there[row["id"]]
        if first.digest == row["digest"]:
            answer.append(Kept(first, again=first.id not in written))
            written.discard(first.id)
        else:
            answer.append(_reused(session, person, first, row))
    return answer


def bytes_of(operation: dict[str, Any]) -> bytes:
    """The bytes by which an operation is the same one again."""
    return json.dumps(operation, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def _look(operation: dict[str, Any], content: bytes, known: dict[str, Device]) -> _Seen:
    """Whose operation it is, and what keeps us from believing it."""
    unproven = uuid5(_UNPROVEN, hashlib.sha256(content).hexdigest())
    try:
        signed = Signed.read(operation.get("signed") or {})
        core = signed.parsed_core()
    except Malformed as malformed:
        return _Seen(unproven, None, None, malformed.code)
    device = known.get(core.kid.hex())
    if device is None or device.revoked_at is not None:
        return _Seen(unproven, core.kid.hex(), None, "key_unknown" if device is None else "key_revoked")
    # A key that ran out or was copied still vouches for its bytes: what becomes of them is decided when they are done.
    fault = entries.disbelieved(device, signed, core) or _other_id(operation, core)
    if fault is not None:
        return _Seen(unproven, core.kid.hex(), None, fault)
    return _Seen(core.event_id, core.kid.hex(), core.counter, None)


def _other_id(operation: dict[str, Any], core: Core) -> str | None:
    try:
        return None if UUID(str(operation.get("id"))) == core.event_id else "id_differs"
    except ValueError:
        return "id_differs"


def _row(person: Person, seen: _Seen, content: bytes, at: datetime, key: OperatorKey) -> dict[str, Any]:
    digest = hashlib.sha256(content).digest()
    receipt = canonical.write(
        {
            "v": 1,
            "typ": "sync.receipt",
            "op": str(seen.id),
            "sha256": digest.hex(),
            "at": events.moment(at),
            "key": key.id.hex(),
        }
    )
    return {
        "id": seen.id,
        "person_id": person.id,
        "kid": seen.kid,
        "counter": seen.counter,
        "digest": digest,
        "content": content,
        "received_at": at,
        "state": OperationState.rejected if seen.fault else OperationState.received,
        "code": seen.fault,
        "receipt": receipt.decode(),
        "receipt_signature": key.sign(RECEIPT + receipt),
    }


def _write(session: Session, rows: list[dict[str, Any]]) -> set[UUID]:
    if not rows:
        return set()
    # In the order of ids: two that bring the same operations wait for each other, never in a circle.
    once = {row["id"]: row for row in reversed(rows)}
    ordered = [once[i] for i in sorted(once)]
    return set(session.scalars(insert(Operation).on_conflict_do_nothing().returning(Operation.id), ordered))


def _reused(session: Session, person: Person, first: Operation, row: dict[str, Any]) -> Kept:
    """The id of one operation with the bytes of another: both are kept, and a dispatcher is told."""
    other = uuid5(_UNPROVEN, row["digest"].hex())
    again = session.get(Operation, other)
    if again is not None:
        return Kept(again, again=True, fault="id_reused")
    key = operator_key()
    seen = _Seen(other, row["kid"], None, "id_reused")
    kept = Operation(**_row(person, seen, row["content"], row["received_at"], key))
    session.add(kept)
    session.flush()
    open_case(session, CaseKind.id_reused, kept, "id_reused", first=str(first.id))
    return Kept(kept, again=False, fault="id_reused")


def keep_refused(session: Session, person: Person, alarm: Alarm) -> None:
    """Keep what an online request was refused for: signed bytes that cannot be right are evidence too."""
    sent = alarm.evidence if isinstance(alarm.evidence, dict) else {}
    content = bytes_of({"signed": sent})
    kid = _kid_of(sent)
    operation_id = uuid5(_UNPROVEN, hashlib.sha256(content).hexdigest())
    if session.get(Operation, operation_id) is not None:
        return
    seen = _Seen(operation_id, kid, None, alarm.code)
    session.add(kept := Operation(**_row(person, seen, content, now(), operator_key())))
    session.flush()
    if alarm.code in ("counter_reused", "chain_broken") and kid is not None:
        cloned(session, kept)


def _kid_of(sent: dict[str, Any]) -> str | None:
    try:
        return Signed.read(sent).parsed_core().kid.hex()
    except Malformed:
        return None


def cloned(session: Session, operation: Operation) -> None:
    """Two devices sign with one key: nothing more is taken from it, and a dispatcher is told."""
    assert operation.kid is not None
    devices.quarantine(session, operation.kid)
    open_case(session, CaseKind.key_cloned, operation, "key_cloned")


def open_case(session: Session, kind: CaseKind, operation: Operation, code: str, **detail: Any) -> None:
    """Ask a dispatcher to decide; asked before, it changes nothing."""
    session.execute(
        insert(Case)
        .values(
            id=new_id(),
            kind=kind,
            operation_id=operation.id,
            kid=operation.kid,
            person_id=operation.person_id,
            code=code,
            detail=detail,
        )
        .on_conflict_do_nothing()
    )


def of_person(session: Session, person: Person, operation_id: UUID) -> Operation:
    """A person's own operation; raises NotFound."""
    found = session.scalar(select(Operation).where(Operation.id == operation_id, Operation.person_id == person.id))
    if found is None:
        raise NotFound
    return found
