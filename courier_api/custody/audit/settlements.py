"""Checks what was paid in at post offices: each settlement with its vouchers and originals against its event."""

from typing import Any, NamedTuple

from courier_api.custody.audit.applied import DONE, same_id, signed_us
from courier_api.custody.audit.reading import fields_of, loads
from courier_api.custody.audit.report import Report
from courier_api.custody.audit.snapshot import Snapshot, microseconds
from courier_api.people.models import LETTERS, Role
from courier_api.proof.core import Kind

TABLE = "settlement"


class Row(NamedTuple):
    """A settlement, its event, and what points to it; one of the first two may be missing."""

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


_QUERY = f"""
SELECT e.id::text, t.id::text, e.event, {microseconds("e.received_at")}, d.person_id::text, t.courier_id::text,
    t.amount, {microseconds("t.device_at")}, {microseconds("t.at")}, p.code, c.staff_number,
    ARRAY(SELECT v.handover_id::text FROM voucher v WHERE v.settlement_id = t.id),
    (SELECT coalesce(sum(v.amount), 0)::bigint FROM voucher v WHERE v.settlement_id = t.id),
    ARRAY(SELECT DISTINCT r.handover_id::text FROM recalled r WHERE r.settlement_id = t.id)
FROM (
        SELECT e.* FROM ledger_entry e LEFT JOIN operation s ON s.id = e.id
        WHERE e.kind = {int(Kind.settlement)} AND e.event IS NOT NULL AND {DONE}
    ) e
    FULL JOIN settlement t ON t.id = e.id
    LEFT JOIN device d ON d.kid = e.kid
    LEFT JOIN service_point p ON p.id = t.office_id
    LEFT JOIN person c ON c.id = t.clerk_id
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
        "amount": row.amount == said.get("amount") == row.paid,
        "device_at": row.device_us == signed_us(said),
        "at": row.at_us == row.received_us,
        "vouchers": sorted(row.vouchers) == _ids(said.get("handovers")),
        "recalled": sorted(row.recalled) == _ids(said.get("recalled")),
    }
    return [column for column, agrees in stored.items() if not agrees]


def _ids(said: object) -> list[str]:
    return sorted(same_id(one) for one in said) if isinstance(said, list) else []


def _in_order(said: object) -> list[Any] | None:
    try:
        return sorted(said) if isinstance(said, list) else None
    except TypeError:
        return None
