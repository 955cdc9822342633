"""The way every CSV of the ground comes in: read, check row by row, write what is good, report the rest."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from courier_api.db import Base
from courier_api.places.imports import reading
from courier_api.places.imports.report import BadRow, ImportReport, Progress, quiet
from courier_api.places.imports.writing import already_in, digest, remember, upsert
from courier_api.places.models import Commune

type Build = Callable[[dict[str, str], ImportReport], dict[str, Any]]  # raises BadRow


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of CSV: its columns, where they go, and what makes two rows the same thing."""

    kind: str
    model: type[Base]
    key: tuple[str, ...]
    required: tuple[str, ...]
    aliases: reading.Aliases = field(default_factory=dict)


def import_table(
    session: Session,
    table: Table,
    path: Path,
    build: Build,
    *,
    synthetic: bool = False,
    force: bool = False,
    progress: Progress = quiet,
) -> tuple[ImportReport, list[dict[str, Any]]]:
    """Bring one CSV in; give the report and the rows that were good (none when the file is in already)."""
    report = ImportReport(table.kind, path.name)
    content = reading.read_bytes(path)
    mark = digest(content, "synthetic" if synthetic else "")
    if not force and already_in(session, table.kind, mark):
        report.skipped = True
        return report, []
    lines, bad = reading.parse_csv(content, path, table.required, table.aliases)
    report.rows = len(lines) + len(bad)
    for line, reason in bad:
        report.refuse(line, "", reason)
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    first: dict[tuple[Any, ...], int] = {}
    for done, (line, cells) in enumerate(lines, start=1):
        try:
            row = build(cells, report)
            key = tuple(row[name] for name in table.key)
            if key in rows:
                raise BadRow(f"the same {' and '.join(table.key)} stand on line {first[key]} already")
            rows[key], first[key] = row, line
        except BadRow as error:
            report.refuse(line, cells.get(table.required[0], ""), error)
        progress(done, len(lines))
    report.refused.sort(key=lambda refused: refused.line)
    good = list(rows.values())
    report.added, report.changed = upsert(session, table.model, good, table.key)
    remember(session, report, mark, synthetic=synthetic)
    return report, good


def known_communes(session: Session) -> set[str]:
    """Codes that rows may refer to."""
    return set(session.scalars(select(Commune.code)))


def commune_cell(row: dict[str, str], communes: Collection[str]) -> str:
    """The code of an imported commune."""
    code = reading.digits_cell(row, "commune_code", 5)
    if code is None or code not in communes:
        raise BadRow(f"there is no commune {code}; import the communes first")
    return code
