"""Checks that nothing refers to a row that is gone: a superuser can delete what foreign keys would keep."""

from courier_api.custody.audit.report import Report
from courier_api.custody.audit.snapshot import Snapshot

# table, its primary key as SQL, column, the table and column that it names
REFERENCES = (
    ("ledger_leaf", "index::text", "entry_id", "ledger_entry", "id"),
    ("ledger_waiting", "entry_id::text", "entry_id", "ledger_entry", "id"),
    ("opening", "entry_id::text", "entry_id", "ledger_entry", "id"),
    ("opening", "entry_id::text", "erased_by", "ledger_entry", "id"),
    ("evidence", "id::text", "entry_id", "ledger_entry", "id"),
    ("evidence", "id::text", "proof_id", "ledger_entry", "id"),
    ("evidence", "id::text", "erased_by", "ledger_entry", "id"),
    ("handover", "id::text", "id", "ledger_entry", "id"),
    ("handover", "id::text", "item_id", "postal_item", "id"),
    ("handover", "id::text", "recorded_by", "person", "id"),
    ("postal_item", "id::text", "dossier_id", "dossier", "id"),
    ("dossier", "id::text", "citizen_id", "person", "id"),
    ("cosignature", "size || ' ' || witness", "size", "checkpoint", "size"),
    ("device", "kid", "person_id", "person", "id"),
    ("device_certificate", "kid || ' ' || issued_at", "kid", "device", "kid"),
    ("operation", "id::text", "person_id", "person", "id"),
    ("custody_case", "id::text", "person_id", "person", "id"),
    ("custody_case", "id::text", "correction_id", "ledger_entry", "id"),
    ("voucher", "id::text", "handover_id", "handover", "id"),
    ("voucher", "id::text", "dossier_id", "dossier", "id"),
    ("voucher", "id::text", "settlement_id", "settlement", "id"),
    ("settlement", "id::text", "id", "ledger_entry", "id"),
    ("recalled", "handover_id || ' ' || a.\"position\"", "handover_id", "handover", "id"),
    ("recalled", "handover_id || ' ' || a.\"position\"", "settlement_id", "settlement", "id"),
)


def check(snapshot: Snapshot, report: Report) -> None:
    """Look for rows whose other end is gone."""
    for table, key, column, target, named in REFERENCES:
        query = f"""SELECT {key} FROM {table} a
            WHERE a.{column} IS NOT NULL AND NOT EXISTS (SELECT FROM {target} b WHERE b.{named} = a.{column})"""  # noqa: S608
        for (row,) in snapshot.rows(query):
            report.find("reference_lost", table, row, column=column, target=target)
