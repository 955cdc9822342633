"""Writes rows in batches, changing only what differs, and remembers which bytes are in."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from itertools import batched
from typing import Any

from sqlalchemy import Boolean, Table, column, literal_column, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import TypedReturnsRows

from courier_api.db import Base, new_id
from courier_api.places.imports.report import ImportReport, Progress, quiet
from courier_api.places.models import ImportRun

BATCH = 1000

# What a file's rows stand on: after one of these was loaded anew, the same bytes may give another result.
STANDS_ON: dict[str, tuple[str, ...]] = {
    "old_units": ("communes",),
    "offices": ("communes",),
    "centres": ("communes",),
    "hamlets": ("communes",),
    "procedures": ("procedures",),
}


def digest(*parts: bytes | str) -> str:
    """SHA-256 over the parts, each with its length, so that no two lists run together."""
    total = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        total.update(len(content).to_bytes(8, "big") + content)
    return total.hexdigest()


def already_in(session: Session, kind: str, content: str) -> bool:
    """Whether the last file of this kind had these bytes, and nothing under it was loaded since."""
    last = session.scalars(
        select(ImportRun).where(ImportRun.kind == kind).order_by(ImportRun.id.desc()).limit(1)
    ).first()
    if last is None or last.digest != content:
        return False
    below = STANDS_ON.get(kind, ())
    newer = select(ImportRun.id).where(ImportRun.kind.in_(below), ImportRun.kind != kind, ImportRun.id > last.id)
    return session.scalars(newer.limit(1)).first() is None


def remember(session: Session, report: ImportReport, content: str, *, synthetic: bool = False) -> None:
    """Note that these bytes are in."""
    session.add(
        ImportRun(
            kind=report.kind,
            source=report.source[-200:],
            digest=content,
            rows_in=report.rows_in,
            rows_refused=len(report.refused),
            synthetic=synthetic,
        )
    )
    session.flush()


def synthetic_kinds(session: Session) -> set[str]:
    """The kinds of ground (`roads`, `hamlets`) with anything invented in them: every screen that shows them says so.

    A later file of real ones does not take the mark away, for what was invented is still among them.
    """
    return set(session.scalars(select(ImportRun.kind).where(ImportRun.synthetic).distinct()))


def upsert(
    session: Session,
    model: type[Base],
    rows: Sequence[dict[str, Any]],
    key: Iterable[str],
    progress: Progress = quiet,
) -> tuple[int, int]:
    """Insert rows or bring those with the same key up to date; give how many were added and how many changed."""
    added = changed = done = 0
    keys = tuple(key)
    has_id = "id" in model.__table__.columns
    for batch in batched(rows, BATCH):
        values = [{"id": str(new_id()), **row} for row in batch] if has_id else list(batch)
        new: Sequence[Any] = session.scalars(
            _upsert(model, tuple(batch[0]), keys, has_id), {"rows": json.dumps(values, default=str)}
        ).all()
        added += sum(new)
        changed += len(new) - sum(new)
        done += len(batch)
        progress(done, len(rows))
    session.expire_all()
    return added, changed


def _upsert(
    model: type[Base], names: tuple[str, ...], keys: tuple[str, ...], has_id: bool
) -> TypedReturnsRows[tuple[bool]]:
    """One statement with one parameter, the batch as JSON: far faster than a parameter for each value."""
    table = model.__table__
    assert isinstance(table, Table)
    inserted = ("id", *names) if has_id else names
    source = text(f"jsonb_populate_recordset(NULL::{table.name}, CAST(:rows AS jsonb))")
    statement = insert(table).from_select(
        inserted, select(*(column(name) for name in inserted)).select_from(source), include_defaults=False
    )
    differing = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(
        index_elements=keys,
        set_=differing,
        where=or_(*(table.columns[name].is_distinct_from(value) for name, value in differing.items())),
    ).returning(literal_column("(xmax = 0)", Boolean))  # xmax is 0 on a row that this statement inserted
