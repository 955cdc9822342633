"""Checks evidence: what lies in the store opens, and is what was signed for; what came by upload is there."""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from courier_api.custody.audit.known import Known
from courier_api.custody.audit.reading import commitments, fields_of, salts_of
from courier_api.custody.audit.report import Report
from courier_api.custody.audit.snapshot import Snapshot
from courier_api.custody.evidence_receipts import RECEIPT
from courier_api.custody.sealing import MasterKeys, Sealed, Tampered, UnknownKey, unseal
from courier_api.custody.stores import Missing, Store
from courier_api.proof.canonical import SALT_BYTES
from courier_api.proof.core import Kind
from courier_api.proof.keys import verify_operator

TABLE = "evidence"


class Row(NamedTuple):
    """A row of evidence, the event that it belongs to, and the operator's word for what became of a photo."""

    id: str
    name: str
    entry_id: str
    kind: str
    digest: bytes
    size: int
    key_id: str
    wrapped_key: bytes | None
    proof_id: str | None
    erased_by: str | None
    event: bytes | None
    content: str | None
    proof_kind: int | None
    proof_of: str | None
    proof_event: bytes | None


_QUERY = """
SELECT v.id::text, replace(v.id::text, '-', ''), v.entry_id::text, v.kind, v.digest, v.size, v.key_id, v.wrapped_key,
    v.proof_id::text, v.erased_by::text, e.event, o.content::text, p.kind, p.of::text, p.event
FROM evidence v
    LEFT JOIN ledger_entry e ON e.id = v.entry_id
    LEFT JOIN opening o ON o.entry_id = v.entry_id
    LEFT JOIN ledger_entry p ON p.id = v.proof_id
WHERE get_byte(uuid_send(v.id), 15) %% %s = %s
"""


class Receipted(NamedTuple):
    """An upload that a phone has a receipt for."""

    id: str
    entry: str
    kind: str
    length: int
    complete: bool
    digest: bytes | None
    receipt: str | None
    signature: bytes | None


def check(snapshot: Snapshot, known: Known, report: Report, part: int, parts: int) -> None:
    """Check one part of the evidence; raises OSError when the store does not answer."""
    opened = known.trust.open_evidence()
    for row in _rows(snapshot, part, parts):
        report.count(TABLE)
        if row.event is None:
            report.find("evidence_differs", TABLE, row.id, what="its event is not there")
            continue
        _check_digest(row, report)
        erased = known.erased(row.entry_id, row.erased_by)
        if row.erased_by is not None and not erased:
            report.find("erasure_unknown", TABLE, row.id, erasure=row.erased_by)
        if row.wrapped_key is None:
            if row.erased_by is None:
                report.find("evidence_key_lost", TABLE, row.id)
        elif erased:
            report.find("evidence_not_erased", TABLE, row.id)
        elif opened is not None:
            fault = _fault(row, *opened)
            if fault:
                report.find(fault, TABLE, row.id)


def _rows(snapshot: Snapshot, part: int, parts: int) -> Iterator[Row]:
    return map(Row._make, snapshot.rows(_QUERY, [parts, part]))


def _check_digest(row: Row, report: Report) -> None:
    """A signature by hand is what the event commits to; of a photo, the operator signed what became of it."""
    committed = _committed(row)
    digest = row.digest.hex()
    if row.kind != "photo":
        if row.proof_id is not None or digest != committed:
            report.find("evidence_differs", TABLE, row.id, what="the event commits to something else")
        return
    proof = fields_of(row.proof_event)
    said = (proof.get("kind"), proof.get("original"), proof.get("stored"))
    if row.proof_kind != Kind.evidence or row.proof_of != row.entry_id or said != (row.kind, committed, digest):
        report.find("evidence_differs", TABLE, row.id, what="the operator's word is for something else")


def _committed(row: Row) -> object:
    """What the event commits to; whether its bytes are what was signed is checked with its entry."""
    try:
        return commitments(fields_of(row.event)).get(row.kind)
    except (ValueError, TypeError):
        return None


def _fault(row: Row, store: Store, keys: MasterKeys) -> str | None:
    try:
        sealed = Sealed(row.key_id, row.wrapped_key or b"", store.get(row.name))
        content = unseal(keys, sealed, bytes.fromhex(row.name))
    except Missing:
        return "evidence_file_missing"
    except UnknownKey:
        return "evidence_key_unknown"
    except Tampered:
        return "evidence_tampered"
    salt = salts_of(fields_of(row.content)).get(row.kind, b"")
    same = len(salt) == SALT_BYTES and hashlib.sha256(salt + content).digest() == row.digest
    return None if same and len(content) == row.size else "evidence_content_differs"


def check_uploads(snapshot: Snapshot, known: Known, report: Report) -> None:
    """What was uploaded and kept is there; what was not what was signed has a case; receipts say what rows say."""
    kept = """SELECT u.id::text, u.entry_id::text FROM upload u
        LEFT JOIN evidence v ON v.entry_id = u.entry_id AND v.kind = u.kind
        WHERE u.kept_at IS NOT NULL AND v.id IS NULL"""
    for upload, entry in snapshot.rows(kept):
        report.find("evidence_lost", "upload", upload, proof=entry)
    refused = """SELECT u.id::text FROM upload u LEFT JOIN custody_case c
        ON c.operation_id = u.entry_id AND c.kind = 'evidence' WHERE u.fault IS NOT NULL AND c.id IS NULL"""
    for (upload,) in snapshot.rows(refused):
        report.find("case_missing", "upload", upload)
    receipted = """SELECT id::text, entry_id::text, kind, length, "offset" = length, digest, receipt, receipt_signature
        FROM upload WHERE num_nonnulls(digest, receipt, receipt_signature) > 0"""
    for row in snapshot.rows(receipted):
        fault = _receipt_fault(Receipted._make(row), known)
        if fault is not None:
            report.find(fault, "upload", row[0])


def _receipt_fault(row: Receipted, known: Known) -> str | None:
    text = (row.receipt or "").encode()
    said = fields_of(text)
    public = known.operator.get(str(said.get("key")))
    if public is None or not verify_operator(public, row.signature or b"", RECEIPT + text):
        return "receipt_wrong"
    named = (said.get("event"), said.get("kind"), said.get("size"), said.get("sha256"))
    of = (row.entry, row.kind, row.length, row.digest.hex() if row.digest else None)
    return None if row.complete and named == of else "receipt_differs"
