"""Checks the inbox: our signed receipt for each operation, what became of it, and the cases that dispatchers decide."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from courier_api.custody import events
from courier_api.custody.audit.known import SECOND, Known
from courier_api.custody.audit.reading import fields_of
from courier_api.custody.audit.report import Report
from courier_api.custody.audit.snapshot import Snapshot, microseconds
from courier_api.custody.entries import readable
from courier_api.custody.events import Signed
from courier_api.custody.inbox import RECEIPT
from courier_api.proof.canonical import Malformed
from courier_api.proof.core import Kind
from courier_api.proof.keys import verify_operator

TABLE = "operation"
SOON_US = 60 * SECOND  # by then what came is done, or waits
DONE = frozenset({"retry", "record"})  # decisions by which a parked operation is done after all
LEFT = frozenset({None, "dismiss"})


class Row(NamedTuple):
    """An operation, and whether its entry is in the ledger."""

    id: str
    person_id: str
    kid: str | None
    counter: int | None
    digest: bytes
    content: bytes | None
    received_us: int
    state: str
    code: str | None
    detail: str | None
    receipt: str
    signature: bytes
    entry: bool
    core: bytes | None
    event: bool | None


class Case(NamedTuple):
    """What a dispatcher was asked."""

    kind: str
    code: str
    detail: str
    decision: str | None


_QUERY = f"""
SELECT s.id::text, s.person_id::text, s.kid, s.counter, s.digest, s.content, {microseconds("s.received_at")}, s.state,
    s.code, s.detail::text, s.receipt, s.receipt_signature, e.id IS NOT NULL, e.core, e.event IS NOT NULL
FROM operation s LEFT JOIN ledger_entry e ON e.id = s.id
WHERE get_byte(uuid_send(s.id), 15) %% %s = %s
"""  # noqa: S608


def check(snapshot: Snapshot, known: Known, report: Report, part: int, parts: int) -> None:
    """Check one part of the operations."""
    cases = _cases(snapshot)
    for row in _rows(snapshot, part, parts):
        report.count(TABLE)
        _check_receipt(row, known, report)
        _check_content(row, known, report)
        _check_state(row, cases.get(row.id, []), known, report)


def _rows(snapshot: Snapshot, part: int, parts: int) -> Iterator[Row]:
    return map(Row._make, snapshot.rows(_QUERY, [parts, part]))


def _cases(snapshot: Snapshot) -> dict[str, list[Case]]:
    query = "SELECT operation_id::text, kind, code, detail::text, decision FROM custody_case"
    found: dict[str, list[Case]] = {}
    for operation, *case in snapshot.rows(query):
        found.setdefault(operation, []).append(Case._make(case))
    return found


def _check_receipt(row: Row, known: Known, report: Report) -> None:
    text = row.receipt.encode()
    said = fields_of(text)
    public = known.operator.get(str(said.get("key")))
    if public is None or not verify_operator(public, row.signature, RECEIPT + text):
        report.find("receipt_wrong", TABLE, row.id)
        return
    try:
        at = events.time_ms(str(said.get("at")))
    except ValueError:
        at = -1
    named = (said.get("op"), said.get("sha256"), at)
    if named != (row.id, row.digest.hex(), row.received_us // 1000):
        report.find("receipt_differs", TABLE, row.id)


def _check_content(row: Row, known: Known, report: Report) -> None:
    if row.content is None:
        if row.state != "applied" and row.id not in known.erasures:
            report.find("operation_content_lost", TABLE, row.id)
        return
    content = row.content
    if hashlib.sha256(content).digest() != row.digest:
        report.find("operation_content_differs", TABLE, row.id)
    elif row.state != "rejected" or row.entry:
        _check_signed(row, content, report)


def _check_signed(row: Row, content: bytes, report: Report) -> None:
    """What came and what stands in the ledger are one; an event that is not there makes no sense, as it came."""
    try:
        signed = Signed.read(fields_of(content).get("signed") or {})
        core = signed.parsed_core()
    except Malformed:
        report.find("operation_differs", TABLE, row.id, what="what was signed")
        return
    if (row.kid, row.counter) != (core.kid.hex(), core.counter):
        report.find("operation_differs", TABLE, row.id, what="key or counter")
    if row.core is None or row.code == "id_reused":
        return
    if row.core != signed.core:
        report.find("operation_differs", TABLE, row.id, what="what was signed")
    elif not row.event:
        with suppress(Malformed):
            readable(signed, core)
            report.find("event_lost", "ledger_entry", row.id)


def _check_state(row: Row, cases: list[Case], known: Known, report: Report) -> None:
    device = known.devices.get(row.kid or "")
    if row.state != "rejected" and (device is None or device.person_id != row.person_id):
        report.find("operation_differs", TABLE, row.id, what="whose it is")
    asked = {case.kind: case for case in cases}
    match row.state:
        case "applied":
            agrees = _is_done(row, asked)
        case "parked":
            agrees = _is_parked(row, asked)
        case "rejected":
            agrees = row.code is not None and "parked" not in asked
        case _:
            agrees = _is_to_be_done(row, asked, known)
    if not agrees:
        report.find("operation_differs", TABLE, row.id, what="state")
    wanted = _wanted(row)
    if wanted is not None and wanted not in asked:
        report.find("case_missing", TABLE, row.id)
    if row.state in ("applied", "parked") and not row.entry:
        report.find("operation_without_entry", TABLE, row.id)


def _is_done(row: Row, asked: Mapping[str, Case]) -> bool:
    """Done at once, or in the end by a dispatcher's decision: then it still says why it was parked."""
    case = next((asked[kind] for kind in ("parked", "key_cloned") if kind in asked), None)
    agrees = row.code is None if case is None else case.decision in DONE and case.code == row.code
    return agrees and row.content is None


def _is_to_be_done(row: Row, asked: Mapping[str, Case], known: Known) -> bool:
    """It came just now, or waits for one before it; its bytes are there, and nobody is erased who stands in them."""
    late = known.at_us - row.received_us > SOON_US
    fits = row.content is not None and row.code in (None, "certificate_expired")
    return fits and "parked" not in asked and not (row.entry and late)


def _is_parked(row: Row, asked: Mapping[str, Case]) -> bool:
    """It waits for a decision, or stays as it is by one; the case says why, as the row does."""
    case = asked.get(_wanted(row) or "")
    if case is None:
        return row.code is not None
    same = (case.code, fields_of(case.detail)) == (row.code, fields_of(row.detail))
    return same and case.decision in LEFT


def _wanted(row: Row) -> str | None:
    """What kind of case there must be."""
    if row.state == "parked":
        return row.code if row.code in ("key_cloned", "id_reused") else "parked"
    if row.state == "rejected":
        return "malformed" if row.entry else "id_reused" if row.code == "id_reused" else None
    return None


def check_cases(snapshot: Snapshot, report: Report) -> None:
    """Check that every decision stands in the ledger, signed by who made it."""
    query = """SELECT c.id::text, c.kind, c.operation_id::text, c.decision, c.correction_id::text, e.kind, e.event,
        s.id IS NOT NULL FROM custody_case c LEFT JOIN ledger_entry e ON e.id = c.correction_id
        LEFT JOIN operation s ON s.id = c.operation_id"""
    for id_, kind, operation, decision, correction, entry_kind, event, known in snapshot.rows(query):
        report.count("custody_case")
        if kind != "evidence" and operation is not None and not known:
            report.find("reference_lost", "custody_case", id_, column="operation_id", target=TABLE)
        filled = (kind, decision) == ("gap", "filled")  # it came after all, and nobody had to decide
        if (decision is None or filled) != (correction is None):
            report.find("decision_differs", "custody_case", id_)
        elif correction is not None:
            said = fields_of(event)
            named = (entry_kind, said.get("case"), said.get("decision"), said.get("of"))
            if named != (int(Kind.correction), id_, decision, str(operation)):
                report.find("decision_differs", "custody_case", id_)
