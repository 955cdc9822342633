"""Checks what custody leaves behind elsewhere: the state of each dossier, and a voucher for each sum of money taken."""

from typing import NamedTuple

from courier_api.custody.audit.report import Report
from courier_api.custody.audit.snapshot import Snapshot
from courier_api.dossiers.states import DossierState, Service

_S = DossierState

# The last leg of the papers, and of the result: where that leaves the dossier. A courier who has papers from the post
# office brings them back to the citizen, one who has them from the citizen has collected them.
PAPERS = {
    ("citizen", "courier"): _S.collected,
    ("office", "courier"): _S.out_for_delivery,
    ("courier", "citizen"): _S.returned,
}
RESULT = {
    ("agency", "office"): _S.result_ready,
    ("office", "courier"): _S.out_for_delivery,
    ("courier", "office"): _S.result_ready,
    ("courier", "citizen"): _S.delivered,
    ("citizen", "courier"): _S.out_for_delivery,  # by a dispatcher's decision only
}
# Papers at the post office: what the agency said to the manifest line says whether they are to go there or back home.
LISTED = {None: _S.at_office, "pending": _S.handed_over, "refused": _S.not_received}


class Way(NamedTuple):
    """A dossier and how far its items have come."""

    id: str
    service: str
    state: str
    papers_from: str | None
    papers_to: str | None
    papers_leg: int | None
    result_item: bool
    result_from: str | None
    result_to: str | None
    line: str | None
    cancelled: bool


_WAYS = """
SELECT d.id::text, d.service, d.state, a.from_role, a.to_role, a.leg, r.id IS NOT NULL, b.from_role, b.to_role, m.state,
    a.from_role IS NULL AND EXISTS (SELECT FROM dossier_event v WHERE v.dossier_id = d.id AND v.kind = 'cancelled')
FROM dossier d
    LEFT JOIN postal_item p ON p.dossier_id = d.id AND p.kind = 'send'
    LEFT JOIN postal_item r ON r.dossier_id = d.id AND r.kind = 'result'
    LEFT JOIN LATERAL (
        SELECT from_role, to_role, leg FROM handover WHERE item_id = p.id ORDER BY leg DESC LIMIT 1
    ) a ON true
    LEFT JOIN LATERAL (
        SELECT from_role, to_role FROM handover WHERE item_id = r.id ORDER BY leg DESC LIMIT 1
    ) b ON true
    LEFT JOIN (
        SELECT DISTINCT ON (item_id) item_id, state FROM manifest_line ORDER BY item_id, manifest_id DESC
    ) m ON m.item_id = p.id
"""


def check(snapshot: Snapshot, report: Report) -> None:
    """Check the state of every dossier against its handovers."""
    for way in map(Way._make, snapshot.rows(_WAYS)):
        report.count("dossier")
        expected = expected_states(way)
        if way.state not in expected:
            report.find(
                "dossier_differs", "dossier", way.id, state=way.state, expected=" or ".join(expected) or "none of ours"
            )


def expected_states(way: Way) -> tuple[DossierState, ...]:
    """The state that follows; none where handovers went a way that there is not."""
    found = _expected(way)
    if found is _S.not_received and (way.papers_leg or 0) > 2:
        return found, _S.at_office  # refused, and collected once more by a dispatcher's decision
    return () if found is None else (found,)


def _expected(way: Way) -> DossierState | None:
    if way.result_to is not None:
        at_agency = way.papers_to == "agency" or way.service == Service.return_
        return RESULT.get((way.result_from or "", way.result_to)) if at_agency else None
    if way.papers_to is None:
        return _S.cancelled if way.cancelled else _S.submitted
    if way.papers_to == "agency":
        if way.line != "accepted" or way.result_item != (way.service == Service.both):
            return None
        return _S.closed if way.service == Service.send else _S.received
    if way.papers_to == "office":
        return LISTED.get(way.line) if way.papers_from == "courier" else None
    return PAPERS.get((way.papers_from or "", way.papers_to))


def check_vouchers(snapshot: Snapshot, report: Report) -> None:
    """Check that there is a voucher for exactly the handovers with money, and that it says the same."""
    query = """
    SELECT h.id::text, v.id::text, v.handover_id::text, v.amount = h.fee_collected, v.dossier_id = i.dossier_id,
        v.courier_id = h.recorded_by, v.number = 'BL-' || upper(substr(encode(sha256(uuid_send(h.id)), 'hex'), 1, 8) ||
        '-' || substr(encode(sha256(uuid_send(h.id)), 'hex'), 9, 8)),
        date_trunc('milliseconds', v.taken_at) = h.device_at
    FROM (SELECT * FROM handover WHERE fee_collected > 0) h FULL JOIN voucher v ON v.handover_id = h.id
        LEFT JOIN postal_item i ON i.id = h.item_id"""
    columns = ("amount", "dossier_id", "courier_id", "number", "taken_at")
    for handover, voucher, named, *agree in snapshot.rows(query):
        if voucher is None:
            report.find("voucher_missing", "voucher", handover)
            continue
        report.count("voucher")
        if handover is None:
            report.find("voucher_without_money", "voucher", voucher, handover=named)
            continue
        for column, agrees in zip(columns, agree, strict=True):
            if not agrees:
                report.find("voucher_differs", "voucher", voucher, column=column, handover=handover)
