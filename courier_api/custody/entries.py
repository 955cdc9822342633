"""Taking signed events into the ledger's table: whose key, does it hold, is it the next of its device."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select
from sqlalchemy.orm import Session

from courier_api.custody import events
from courier_api.custody.events import Event, Signed
from courier_api.custody.models import Entry, Opening, Waiting
from courier_api.db import new_id, now
from courier_api.errors import Alarm
from courier_api.people.models import Device, Person, Role
from courier_api.proof import canonical
from courier_api.proof.canonical import Malformed
from courier_api.proof.core import Core, Kind
from courier_api.proof.files import operator_key
from courier_api.proof.keys import device_key, verify_device

# What each role may sign; anything else with its key is not taken for an event of ours.
SIGNS = {
    Role.courier: {
        *(Kind.handover, Kind.arrival, Kind.failure, Kind.start, Kind.finish),
        *(Kind.seen, Kind.settlement, Kind.remark),
    },
    Role.clerk: {Kind.handover},
    Role.officer: {Kind.handover},
    Role.dispatcher: {Kind.correction},
}
MOST_EVENTS = 2**31 - 1  # of one device
EXPIRED_GRACE = timedelta(hours=24)  # a phone may have signed before, and found no network until now
POINTER = "/signed"


@dataclass(frozen=True, slots=True)
class Accepted:
    """An event that stands in the ledger's table, and the entry that it is."""

    entry: Entry
    event: Event
    signed: Signed


def accept(session: Session, sent: Mapping[str, Any], person: Person, role: Role) -> Accepted:
    """Take in an event that its device signs now, online; raises Alarm for anything that is not right with it."""
    try:
        signed = Signed.read(sent)
        device, core = authenticate(session, signed, person, role)
        event = readable(signed, core)
        _must_be_next(session, device, event)
    except Malformed as malformed:
        raise Alarm(malformed.code, POINTER, evidence=dict(sent)) from None
    except Alarm as alarm:
        alarm.evidence = dict(sent)  # as it came, salts and all
        raise
    return Accepted(append(session, device, core, signed, of=event.of), event, signed)


def authenticate(session: Session, signed: Signed, person: Person, role: Role) -> tuple[Device, Core]:
    """Find, locked, the device that signed, and check that the signature holds; raises Alarm or Malformed."""
    core = signed.parsed_core()
    device = locked(session, core.kid.hex(), person, role)
    fault = refused(device)
    if device is not None and fault is None:
        fault = disbelieved(device, signed, core)
    if device is None or fault is not None:
        raise Alarm(fault or "key_unknown", POINTER)
    return device, core


def disbelieved(device: Device, signed: Signed, core: Core) -> str | None:
    """Why a core is not taken for this device's word; None when it is."""
    if core.kind not in SIGNS[device.role]:
        return "kind_not_signed_here"
    if not 1 <= core.counter <= MOST_EVENTS:
        return "counter_out_of_range"
    if not core.has_own_id:
        return "id_of_another_key"
    return verify_device(key_of(device.public_key), signed.signature, signed.core)


def locked(session: Session, kid: str, person: Person, role: Role) -> Device | None:
    """A person's device in a role, held until the transaction ends: its events come one after the other."""
    return session.scalar(
        select(Device)
        .where(Device.kid == kid, Device.person_id == person.id, Device.role == role)
        .with_for_update(of=Device)
        .execution_options(populate_existing=True)
    )


def refused(device: Device | None) -> str | None:
    """Why nothing is taken from a device; None when it is in good standing."""
    if device is None:
        return "key_unknown"
    if device.revoked_at is not None:
        return "key_revoked"
    if device.quarantined_at is not None:
        return "key_quarantined"
    return "certificate_expired" if device.certified_until + EXPIRED_GRACE < now() else None


def readable(signed: Signed, core: Core) -> Event:
    """Read the event and hold it against the core that was signed; raises Malformed."""
    event = events.read(signed.event)
    if events.core_of(event.fields, core.digest) != core:
        raise Malformed("core_differs")
    return event


def _must_be_next(session: Session, device: Device, event: Event) -> None:
    if session.get(Entry, event.id) is not None:
        raise Alarm("id_reused", POINTER)
    fault = None
    if event.counter <= device.last_counter:
        fault = "counter_reused"
    elif event.counter > device.last_counter + 1:
        fault = "counter_gap"
    elif event.previous != device.last_digest:
        fault = "chain_broken"
    if fault is not None:
        raise Alarm(fault, POINTER, expected=device.last_counter + 1)


def append(
    session: Session,
    device: Device,
    core: Core,
    signed: Signed,
    received_at: datetime | None = None,
    of: UUID | None = None,
) -> Entry:
    """Add an authentic event to the ledger's table, and move its device on; what it means is another question."""
    return add(session, next_of(device, core, signed, received_at, of))


def next_of(
    device: Device, core: Core, signed: Signed, received_at: datetime | None = None, of: UUID | None = None
) -> Entry:
    """Move a device on by an authentic event, and make its entry; whoever calls adds it, or several at once."""
    if core.counter > device.last_counter:  # else it fills a gap that was skipped
        device.last_counter, device.last_digest = core.counter, core.digest
    return entry_of(device, core, signed, received_at, counter=core.counter, of=of)


def entry_of(
    device: Device,
    core: Core,
    signed: Signed,
    received_at: datetime | None = None,
    *,
    counter: int | None = None,
    event: bytes | None = None,
    of: UUID | None = None,
) -> Entry:
    """Make the entry of an authentic core; without a counter it stands beside its device's chain."""
    return Entry(
        id=core.event_id,
        kind=core.kind,
        kid=device.kid,
        counter=counter,
        event=signed.event if event is None else event or None,
        of=of,
        core=signed.core,
        signature=signed.signature,
        received_at=received_at or now(),
    )


def add(session: Session, entry: Entry) -> Entry:
    """Write an entry, and with it that it waits for its place in the tree."""
    add_all(session, [entry])
    return entry


def add_all(session: Session, written: Sequence[Entry]) -> None:
    """Write entries, and with each that it waits for its place in the tree."""
    session.add_all(written)
    session.flush()
    session.add_all(Waiting(entry_id=entry.id) for entry in written)


def open_with(session: Session, entry: Entry, signed: Signed, values: dict[str, object]) -> None:
    """Keep the salts and contents behind an entry's commitments."""
    session.add(
        Opening(
            entry_id=entry.id,
            content={"salts": _salts(entry, signed)}
            | {name: value for name, value in values.items() if value is not None},
        )
    )


def _salts(entry: Entry, signed: Signed) -> dict[str, str]:
    # Only those of its own commitments: what else a sender puts there is not kept.
    committed = events.read(entry.event or b"").commitments
    return {name: signed.salts[name].hex() for name in sorted(committed) if len(signed.salts.get(name, b"")) == 32}


def by_operator(session: Session, typ: str, of: UUID | None = None, **fields: object) -> Entry:
    """Add an event of the operator's own, signed with the operator's key."""
    key = operator_key()
    at = now()
    event_id = new_id()
    body = {
        "v": events.VERSION,
        "typ": typ,
        "eid": str(event_id),
        "dev": {"kid": key.id.hex(), "ctr": 1, "prev": events.NO_EVENT.hex()},
        "t": events.moment(at),
        "app": "server",
    } | fields
    if of is not None:
        body["of"] = str(of)
    content = canonical.write(body)
    core = events.core_of(body, hashlib.sha256(content).digest())
    packed = core.pack()
    return add(
        session,
        Entry(
            id=event_id,
            kind=core.kind,
            kid=key.id.hex(),
            event=content,
            of=of,
            core=packed,
            signature=key.sign(packed),
            received_at=at,
        ),
    )


def countersign(session: Session, entry: Entry, device: Device | None, signature: bytes) -> Entry:
    """Add the other side's signature over the same core, once; raises Alarm when it does not hold."""
    if device is None:
        raise Alarm("key_unknown", "/countersignature", evidence={"of": str(entry.id), "signature": signature.hex()})
    known = session.scalar(
        select(Entry).where(Entry.of == entry.id, Entry.kid == device.kid, Entry.kind == Kind.countersignature)
    )
    if known is not None:
        return known
    content = Core.unpack(entry.core).countersigned_by(bytes.fromhex(device.kid))
    fault = refused(device) or verify_device(key_of(device.public_key), signature, content)
    if fault:
        said = {"of": str(entry.id), "kid": device.kid, "signature": signature.hex()}
        raise Alarm(fault, "/countersignature", evidence=said)
    return add(
        session,
        Entry(
            id=new_id(),
            kind=Kind.countersignature,
            kid=device.kid,
            of=entry.id,
            core=content,
            signature=signature,
            received_at=now(),
        ),
    )


@lru_cache(4096)
def key_of(public: bytes) -> ec.EllipticCurvePublicKey:
    """A device's public key, ready to verify with."""
    return device_key(public)
