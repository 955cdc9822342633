"""Checks what was paid in at post offices: each settlement with its vouchers and originals against its event."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from courier_api.custody.audit.applied import DONE, same_id, signed_us
from courier_api.custody.audit.reading import fields_of, loads
from courier_api.custody.audit.report import Report
from courier_api.custody.audit.snapshot import Snapshot, microseconds
from courier_api.people.models import LETTERS, Role
from courier_api.proof.core import Kind

TABLE = "settlement"
MEANWHILE = "1 minute"  # what was being written as a dispatcher decided, he did not see


class Row(NamedTuple):
    """A settlement, its event, and what points to it; one of the first two may be missing.

    One that was `recorded` by a dispatcher's decision took in what was there of what its event names; `left` are the
    courier's unsettled vouchers that were there by then.
    """

    event_id: str | None
    id: str | None
    event: bytes | None
    received_us: int
    signer: str | None
    courier: str
    amount: int
    device_us: int
    at_us: int
    office: str | None
    clerk: int | None
    vouchers: list[str]
    paid: int
    recalled: list[str]
    recorded: bool
    left: list[str]


_QUERY = f"""
SELECT e.id::text, t.id::text, e.event, {microseconds("e.received_at")}, d.person_id::text, t.courier_id::text,
    t.amount, {microseconds("t.device_at")}, {microseconds("t.at")}, p.code, w.staff_number,
    ARRAY(SELECT v.handover_id::text FROM voucher v WHERE v.settlement_id = t.id),
    (SELECT coalesce(sum(v.amount), 0)::bigint FROM voucher v WHERE v.settlement_id = t.id),
    ARRAY(SELECT DISTINCT r.handover_id::text FROM recalled r WHERE r.settlement_id = t.id),
    c.id IS NOT NULL,
    CASE WHEN c.id IS NULL THEN '{{}}' ELSE ARRAY(
        SELECT v.handover_id::text FROM voucher v WHERE v.courier_id = t.courier_id AND v.settlement_id IS NULL
            AND v.created_at < c.decided_at - interval '{MEANWHILE}'
    ) END
FROM (
        SELECT e.* FROM ledger_entry e LEFT JOIN operation s ON s.id = e.id
        WHERE e.kind = {int(Kind.settlement)} AND e.event IS NOT NULL AND {DONE}
    ) e
    FULL JOIN settlement t ON t.id = e.id
    LEFT JOIN device d ON d.kid = e.kid
    LEFT JOIN service_point p ON p.id = t.office_id
    LEFT JOIN person w ON w.id = t.clerk_id
    LEFT JOIN custody_case c ON c.operation_id = e.id AND c.kind IN ('parked', 'key_cloned')
        AND c.decision = 'record' AND c.correction_id IS NOT NULL
"""  # noqa: S608

_RECALLED = f"""
SELECT coalesce(e.id, r.handover_id)::text, e.event, r.said::text, r.couriers, h.recorded_by::text
FROM (
        SELECT e.id, e.event FROM ledger_entry e JOIN handover h ON h.id = e.id
        WHERE e.kind = {int(Kind.handover)} AND position(convert_to('"recalled":', 'UTF8') IN e.event) > 0
    ) e
    FULL JOIN (
        SELECT handover_id, jsonb_agg(jsonb_build_array("position", originals) ORDER BY "position") AS said,
            array_agg(DISTINCT courier_id::text) AS couriers
        FROM recalled GROUP BY handover_id
    ) r ON r.handover_id = e.id
    LEFT JOIN handover h ON h.id = coalesce(e.id, r.handover_id)
"""  # noqa: S608


def check(snapshot: Snapshot, report: Report) -> None:
    """Check all settlements, and all originals that were recalled."""
    for row in map(Row._make, snapshot.rows(_QUERY)):
        if row.id is None:
            report.find("settlement_missing", TABLE, row.event_id)
            continue
        report.count(TABLE)
        if row.event_id is None:
            report.find("settlement_unsigned", TABLE, row.id)
            continue
        for column in _differing(row, fields_of(row.event)):
            report.find("settlement_differs", TABLE, row.id, column=column)
    for handover, event, stored, couriers, by in snapshot.rows(_RECALLED):
        report.count("recalled", len(loads(stored) or ()))
        if loads(stored) != _in_order(fields_of(event).get("recalled")) or couriers != [by]:
            report.find("recalled_differs", "recalled", handover)


def _differing(row: Row, said: dict[str, Any]) -> list[str]:
    stored = {
        "courier_id": row.courier == row.signer,
        "office_id": row.office is not None and row.office == said.get("office"),
        "clerk_id": f"{LETTERS[Role.clerk]}-{row.clerk or 0:05d}" == said.get("by"),
        "amount": row.amount == said.get("amount") and (row.recorded or row.amount == row.paid),
        "device_at": row.device_us == signed_us(said),
        "at": row.at_us == row.received_us,
        "vouchers": _agree(row, row.vouchers, _ids(said.get("handovers")), row.left),
        "recalled": _agree(row, row.recalled, _ids(said.get("recalled")), ()),
    }
    return [column for column, agrees in stored.items() if not agrees]


def _agree(row: Row, taken: Sequence[str], named: Sequence[str], left: Sequence[str]) -> bool:
    """What a settlement took in is what was signed; of what a dispatcher had recorded, all that was there of it."""
    if row.recorded:
        return set(taken) <= set(named) and not set(left) & set(named)
    return sorted(taken) == named


def _ids(said: object) -> list[str]:
    return sorted(same_id(one) for one in said) if isinstance(said, list) else []


def _in_order(said: object) -> list[Any] | None:
    try:
        return sorted(said) if isinstance(said, list) else None
    except TypeError:
        return None
