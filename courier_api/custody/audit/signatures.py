"""Checks entries: bytes, core, columns and place in the tree agree, and the key that signed was good then."""

import hashlib
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from courier_api.custody import events
from courier_api.custody.audit import handovers, openings, reading
from courier_api.custody.audit.chains import Chain
from courier_api.custody.audit.known import SECOND, Known, KnownDevice
from courier_api.custody.audit.reading import Read
from courier_api.custody.audit.report import Report
from courier_api.custody.audit.rows import Row, of_keys
from courier_api.custody.audit.snapshot import Snapshot
from courier_api.custody.entries import EXPIRED_GRACE, SIGNS
from courier_api.people.models import Role
from courier_api.proof import tree
from courier_api.proof.canonical import Malformed
from courier_api.proof.core import SIZE, Core, Kind
from courier_api.proof.keys import verify_device, verify_operator

TABLE = "ledger_entry"
LATE_US = 60 * SECOND  # a place in the tree is given within 10 s
SLACK_US = 60 * SECOND  # between a revocation and what another server was taking in at that moment
GRACE_US = round(EXPIRED_GRACE.total_seconds() * SECOND)
OPERATORS = frozenset({int(Kind.evidence), int(Kind.erasure)})
ASIDE = frozenset({"key_cloned", "key_quarantined"})
ABOUT_OTHERS = frozenset({int(Kind.evidence), int(Kind.correction), int(Kind.remark)})


def check(snapshot: Snapshot, known: Known, report: Report, kids: Sequence[str]) -> None:
    """Check all entries of some keys, each with what hangs on it, and that each key's form a chain."""
    for kid, rows in groupby(of_keys(snapshot, kids), attrgetter("kid")):
        chain = None if kid in known.operator else Chain(kid, known.devices.get(kid), known.skips.get(kid, ()))
        for row in rows:
            _check(row, known, report, chain)
        if chain is not None:
            chain.end(report)


def _check(row: Row, known: Known, report: Report, chain: Chain | None) -> None:
    report.count(TABLE)
    _check_place(row, known, report)
    core = row.core
    if len(core) != SIZE or core[0] != 1:
        report.find("core_malformed", TABLE, row.id)
        return
    _check_key(row, core, known, report)
    if row.kind == Kind.countersignature:
        _check_countersignature(row, core, report)
        return
    _check_columns(row, core, report)
    read = _read(row, core, report)
    if chain is not None:
        chain.follow(row, core[82:], read, report)
    if read is not None:
        _check_of(row, read, report)
        _check_anchor(row, read, known, report)
        openings.check(row, read, known, report)
        handovers.check(row, read, known, report)


def _check_place(row: Row, known: Known, report: Report) -> None:
    if row.leaf is None:
        if row.id not in known.waiting:
            report.find("leaf_missing", TABLE, row.id)
        elif known.at_us - row.received_us > LATE_US:
            report.find("not_logged", TABLE, row.id, seconds=(known.at_us - row.received_us) // SECOND)
        return
    report.count("ledger_leaf")
    if row.id in known.waiting:
        report.find("waiting_logged", "ledger_waiting", row.id)
    try:
        expected = tree.ledger_leaf(row.core, row.signature, row.received_us)
    except OverflowError:  # a time before 1970
        expected = b""
    if expected != row.leaf_hash:
        report.find("leaf_differs", "ledger_leaf", row.leaf, entry=row.id)


def _check_key(row: Row, core: bytes, known: Known, report: Report) -> None:
    signature = row.signature
    if row.kind in OPERATORS or row.kid in known.operator:
        public = known.operator.get(row.kid)
        if public is None or row.kind not in OPERATORS or not verify_operator(public, signature, core):
            report.find("signature_wrong", TABLE, row.id, fault="signature_wrong" if public else "key_unknown")
        return
    device = known.devices.get(row.kid)
    if device is None or device.key is None:
        report.find("signature_wrong", TABLE, row.id, fault="key_unknown")
        return
    fault = verify_device(device.key, signature, core)
    if fault is None and row.kind != Kind.countersignature and row.kind not in SIGNS[Role(device.role)]:
        fault = "kind_not_signed_here"
    if fault:
        report.find("signature_wrong", TABLE, row.id, fault=fault)
    if not _stands_aside(row):
        _check_standing(row, device, report)


def _stands_aside(row: Row) -> bool:
    """Whether an event was kept beside the chain of its device: two sign with its key, so it counts for nothing yet."""
    return row.counter is None and row.kind != Kind.countersignature and row.operation_code in ASIDE


def _check_standing(row: Row, device: KnownDevice, report: Report) -> None:
    at = row.received_us
    if not any(start <= at <= until + GRACE_US for start, until in device.certified):
        report.find("not_certified", TABLE, row.id, kid=row.kid)
    for end, what in ((device.revoked_us, "revoked"), (device.quarantined_us, "quarantined")):
        if end is not None and at > end + SLACK_US:
            report.find("key_was_refused", TABLE, row.id, kid=row.kid, what=what)


def _check_countersignature(row: Row, core: bytes, report: Report) -> None:
    columns = (row.kind, row.counter, core[1], core[2:10].hex())
    if columns != (int(Kind.countersignature), None, int(Kind.countersignature), row.kid):
        report.find("columns_differ", TABLE, row.id, columns="kind, kid, counter")
    try:
        same = row.of_core is not None and Core.unpack(row.of_core).countersigned_by(core[2:10]) == core
    except ValueError:
        same = False
    if not same or row.of is None or UUID(row.of).bytes != core[14:30]:
        report.find("countersigned_differs", TABLE, row.id, of=row.of)


def _check_columns(row: Row, core: bytes, report: Report) -> None:
    counter = int.from_bytes(core[10:14])
    stored = {
        "id": UUID(row.id).bytes == core[14:30],
        "kind": row.kind == core[1],
        "kid": row.kid == core[2:10].hex(),
        "counter": row.counter == (None if row.kind in OPERATORS else counter) or _stands_aside(row),
    }
    wrong = [name for name, agrees in stored.items() if not agrees]
    if wrong:
        report.find("columns_differ", TABLE, row.id, columns=", ".join(wrong))
    of_it = row.operation_state is not None and row.operation_code != "id_reused"
    if of_it and (row.operation_kid, row.operation_counter) != (row.kid, counter):
        report.find("operation_differs", "operation", row.id, what="key or counter")


def _read(row: Row, core: bytes, report: Report) -> Read | None:
    """The event, when it is what was signed; one that makes no sense is kept in the inbox only."""
    if row.event is None:
        if row.of is not None:
            report.find("of_differs", TABLE, row.id, of=None, stored=row.of)
        if row.operation_state != "rejected" and not (row.operation_state == "parked" and _stands_aside(row)):
            report.find("event_lost", TABLE, row.id)
        return None
    content = row.event
    digest = hashlib.sha256(content).digest()
    if digest != core[82:]:
        report.find("event_differs", TABLE, row.id)
        return None
    try:
        read = reading.read(content, digest)
    except Malformed as fault:
        report.find("event_malformed", TABLE, row.id, fault=fault.code)
        return None
    if read.core != core:
        report.find("core_differs", TABLE, row.id)
        return None
    return read


def _check_anchor(row: Row, read: Read, known: Known, report: Report) -> None:
    """The newest checkpoint that a device had seen is here still, and is older than what it signed then."""
    anchor = read.fields.get("anchor")
    if anchor is None:
        return
    size = known.anchors.get(str(anchor))
    if size is None:
        report.find("anchor_unknown", TABLE, row.id, kid=row.kid)
    elif row.leaf is not None and row.leaf < size:
        report.find("anchor_later", TABLE, row.id, size=size)


def _check_of(row: Row, read: Read, report: Report) -> None:
    said = read.fields.get("of") if row.kind in ABOUT_OTHERS else None
    if row.of != said and (row.of is not None or row.operation_state != "parked"):
        report.find("of_differs", TABLE, row.id, of=said, stored=row.of)
    if row.kind not in OPERATORS:
        return
    # The operator's own events are written in the moment in which they are received.
    if events.time_ms(read.fields["t"]) != row.received_us // 1000:
        report.find("columns_differ", TABLE, row.id, columns="received_at")
    if row.kind == Kind.evidence and not row.proven:
        report.find("evidence_lost", "evidence", row.of, proof=row.id)
