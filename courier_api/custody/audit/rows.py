"""The rows that a check of one entry looks at, read in one go: the entry and whatever hangs on it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from courier_api.custody.audit.snapshot import Snapshot, microseconds


class Row(NamedTuple):
    """An entry with its leaf, its opening, its operation, its handover and the item of that."""

    id: str
    kind: int
    kid: str
    counter: int | None
    event: bytes | None
    of: str | None
    core: bytes
    signature: bytes
    received_us: int
    # ledger_leaf
    leaf: int | None
    leaf_hash: bytes | None
    # what a countersignature or a correction is of
    of_core: bytes | None
    # opening
    opened: bool
    content: str | None
    erased_by: str | None
    # evidence
    evidence: list[str]
    proven: bool  # by this entry, evidence that is there
    # operation
    operation_state: str | None
    operation_kid: str | None
    operation_counter: int | None
    operation_code: str | None
    operation_digest: bytes | None
    operation_received_us: int | None
    # handover
    handover: str | None
    item_id: str
    leg: int
    from_role: str
    from_id: str
    to_role: str
    to_id: str
    recorded_by: str
    recorded_role: str
    device_us: int
    at_us: int
    lon: float | None
    lat: float | None
    accuracy_m: int | None
    identity_check: str | None
    receiver: str | None
    fee_collected: int
    request_digest: bytes
    tracking_number: str | None
    citizen_id: str | None


# In the order of the columns above. What few entries have is looked up for them only.
_QUERY = f"""
SELECT e.id::text, e.kind, e.kid, e.counter, e.event, e.of::text, e.core, e.signature, {microseconds("e.received_at")},
    l.index, l.hash,
    CASE WHEN e.of IS NOT NULL THEN (SELECT core FROM ledger_entry WHERE id = e.of) END,
    o.entry_id IS NOT NULL, o.content::text, o.erased_by::text,
    ARRAY(SELECT v.kind::text FROM evidence v WHERE v.entry_id = e.id),
    e.kind = 8 AND EXISTS (SELECT FROM evidence v WHERE v.entry_id = e.of AND v.proof_id = e.id),
    s.state, s.kid, s.counter, s.code, s.digest, {microseconds("s.received_at")},
    h.id::text, h.item_id::text, h.leg, h.from_role, h.from_id::text, h.to_role, h.to_id::text,
    h.recorded_by::text, h.recorded_role, {microseconds("h.device_at")}, {microseconds("h.at")},
    ST_X(h.point), ST_Y(h.point), h.accuracy_m, h.identity_check, h.receiver, h.fee_collected, h.request_digest,
    i.tracking_number, d.citizen_id::text
FROM ledger_entry e
    LEFT JOIN ledger_leaf l ON l.entry_id = e.id
    LEFT JOIN opening o ON o.entry_id = e.id
    LEFT JOIN operation s ON s.id = e.id
    LEFT JOIN handover h ON h.id = e.id
    LEFT JOIN postal_item i ON i.id = h.item_id
    LEFT JOIN dossier d ON d.id = i.dossier_id
WHERE e.kid = ANY(%s)
ORDER BY e.kid, e.counter
"""  # noqa: S608


def of_keys(snapshot: Snapshot, kids: Sequence[str]) -> Iterator[Row]:
    """The entries that these keys signed: key by key, by counter, what has none (countersignatures) last."""
    return map(Row._make, snapshot.rows(_QUERY, [list(kids)]))
