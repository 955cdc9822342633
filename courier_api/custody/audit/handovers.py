"""Checks handovers: every column of a row is what the signed event says, and no event is without its row."""

from collections.abc import Mapping
from typing import Any

from courier_api.custody import events
from courier_api.custody.audit.known import Known
from courier_api.custody.audit.reading import Read
from courier_api.custody.audit.report import Report
from courier_api.custody.audit.rows import Row
from courier_api.proof.core import Kind

TABLE = "handover"
NOT_DONE = frozenset({"parked", "rejected"})


def check(row: Row, read: Read, known: Known, report: Report) -> None:
    """Check the handover of one entry."""
    if row.handover is None:
        if row.kind == Kind.handover and row.operation_state not in NOT_DONE:
            report.find("handover_missing", TABLE, row.id)
        return
    report.count(TABLE)
    if row.kind != Kind.handover:
        report.find("handover_differs", TABLE, row.id, column="id")
        return
    for column in _differing(row, read.fields, known):
        report.find("handover_differs", TABLE, row.id, column=column)
    if row.operation_state is not None:
        _check_operation(row, report)


def _differing(row: Row, said: Mapping[str, Any], known: Known) -> list[str]:
    device = known.devices.get(row.kid)
    geo = said.get("geo")
    place = (geo["lon"], geo["lat"], geo.get("acc")) if geo else (None, None, None)
    stored = {
        "item_id": (row.item_id, row.tracking_number) == (said.get("item"), said.get("no")),
        "leg": row.leg == said.get("leg"),
        "from_id": _names(said.get("from"), row.from_role, row.from_id, row, known),
        "to_id": _names(said.get("to"), row.to_role, row.to_id, row, known),
        "recorded_by": device is not None and row.recorded_by == device.person_id,
        "recorded_role": device is not None and row.recorded_role == device.role,
        "device_at": row.device_us == events.time_ms(said["t"]) * 1000,
        "at": row.at_us == row.received_us,
        "point": (_e7(row.lon), _e7(row.lat)) == place[:2],
        "accuracy_m": row.accuracy_m == place[2],
        "identity_check": row.identity_check == said.get("identity"),
        "receiver": row.receiver == said.get("receiver"),
        "fee_collected": row.fee_collected == said.get("fee"),
    }
    return [column for column, agrees in stored.items() if not agrees]


def _names(party: Any, role: str, id_: str, row: Row, known: Known) -> bool:
    """Whether an event's party is the one in the row; a citizen has no code, and is whose dossier it is."""
    if not isinstance(party, dict) or party.get("r") != role:
        return False
    if role == "citizen":
        return id_ == row.citizen_id
    code = known.codes.get((role, id_))
    return code is not None and party.get("id") == code


def _e7(degrees: float | None) -> int | None:
    return None if degrees is None else round(degrees * 1e7)


def _check_operation(row: Row, report: Report) -> None:
    if row.operation_state != "applied" and row.operation_code != "id_reused":
        report.find("operation_differs", "operation", row.id, what="state")
    # What came online before it came by sync was recorded by that request.
    synced = row.operation_state == "applied" and row.operation_received_us == row.received_us
    if synced and row.operation_digest != row.request_digest:
        report.find("handover_differs", TABLE, row.id, column="request_digest")
