"""Many dossiers quickly: those of a day lived through the API, copied row by row inside the database."""

from sqlalchemy import text
from sqlalchemy.orm import Session

# Tables in the order of their foreign keys, with the columns that hold ids of copied rows.
COPIED: dict[str, tuple[str, ...]] = {
    "dossier": ("id",),
    "document": ("id", "dossier_id"),
    "postal_item": ("id", "dossier_id"),
    "charge": ("dossier_id",),
    "job": ("id", "dossier_id", "item_id"),
    "attempt": ("id", "job_id"),
    "dossier_event": ("id", "dossier_id"),
    "ledger_entry": ("id", "of"),
    "opening": ("entry_id",),
    "handover": ("id", "item_id"),
    "voucher": ("id", "handover_id", "dossier_id"),
}
COPIED_PREFIX = "ZZ"  # copies have numbers of no range, and no check digit
# Unique texts get a value of their own; `serial` is unique over all copies of a table.
OWN = {
    "tracking_number": f"'{COPIED_PREFIX}' || lpad(serial::text, 9, '0') || 'VN'",
    "link_secret": "md5(link_secret || n) || 'copied'",
    "number": "md5(number || n)::varchar(24)",
    "counter": "NULL",  # no device signed a copy, and it has no place in the ledger
}
_OF_HANDOVER = "(SELECT dossier_id FROM handover h JOIN postal_item p ON p.id = h.item_id WHERE h.id = {})"
# Where the rows of each table hang on a dossier that is copied.
OF_DOSSIER = {
    "dossier": "id",
    "attempt": "(SELECT dossier_id FROM job WHERE job.id = job_id)",
    "handover": "(SELECT dossier_id FROM postal_item WHERE postal_item.id = item_id)",
    "ledger_entry": _OF_HANDOVER.format('coalesce(t."of", t.id)'),
    "opening": _OF_HANDOVER.format("t.entry_id"),
}


def copy_dossiers(session: Session, wanted: int) -> int:
    """Copy the dossiers without open work until there are `wanted` in all; return how many there are then."""
    session.execute(
        text(
            "CREATE TEMPORARY TABLE template ON COMMIT DROP AS SELECT id FROM dossier d "
            "WHERE NOT EXISTS (SELECT FROM job WHERE job.dossier_id = d.id AND job.state = 'open') ORDER BY id"
        )
    )
    there = session.scalar(text("SELECT count(*) FROM dossier")) or 0
    templates = session.scalar(text("SELECT count(*) FROM template")) or 0
    copies = max(0, -(-(wanted - there) // templates))
    for table, ids in COPIED.items():
        _copy(session, table, ids, copies)
    session.execute(text("ANALYZE"))
    return session.scalar(text("SELECT count(*) FROM dossier")) or 0


def _copy(session: Session, table: str, ids: tuple[str, ...], copies: int) -> None:
    columns = session.scalars(
        text(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = :table "
            "AND is_identity = 'NO' ORDER BY ordinal_position"
        ),
        {"table": table},
    ).all()
    quoted = ", ".join(f'"{c}"' for c in columns)
    values = ", ".join(_value(c, ids) for c in columns)
    dossier = OF_DOSSIER.get(table, "dossier_id")
    # Names come from the catalogue above, never from outside.
    session.execute(
        text(
            f"INSERT INTO {table} ({quoted}) SELECT {values} FROM ("  # noqa: S608
            f"SELECT t.*, n, row_number() OVER () AS serial FROM {table} t, generate_series(1, :copies) n "
            f"WHERE {dossier} IN (SELECT id FROM template)) rows"
        ),
        {"copies": copies},
    )


def _value(column: str, ids: tuple[str, ...]) -> str:
    if column in ids:
        return f"md5(\"{column}\"::text || '-' || n)::uuid"
    return OWN.get(column, f'"{column}"')
