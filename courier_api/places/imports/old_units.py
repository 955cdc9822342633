"""Imports the communes of before 2025-07-01 and where their land lies now."""

from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import delete, tuple_
from sqlalchemy.orm import Session

from courier_api.places.imports import reading
from courier_api.places.imports.report import ImportReport, Progress, quiet
from courier_api.places.imports.tables import Table, commune_cell, import_table, known_communes
from courier_api.places.models import OldUnit
from courier_api.places.names import fold

TABLE = Table(
    kind="old_units",
    model=OldUnit,
    key=("old_code", "commune_code"),
    required=("old_code", "name", "district", "commune_code"),
    aliases={
        "old_code": ("wardCode",),
        "name": ("ward",),
        "commune_code": ("newWardCode", "new_code"),
        "divided": ("isDividedWard",),
    },
)


def import_old_units(session: Session, path: Path, *, force: bool = False, progress: Progress = quiet) -> ImportReport:
    """Bring old units in; a unit that the file names loses the successors that the file no longer gives it."""
    communes = known_communes(session)

    def build(row: dict[str, str], report: ImportReport) -> dict[str, Any]:
        name = reading.text_cell(row, "name", 80)
        district = reading.text_cell(row, "district", 80)
        return {
            "old_code": reading.digits_cell(row, "old_code", 5),
            "name": name,
            "search_name": fold(name),
            "district": district,
            "search_district": fold(district),
            "commune_code": commune_cell(row, communes),
            "divided": reading.yes_cell(row, "divided"),
        }

    report, rows = import_table(session, TABLE, path, build, force=force, progress=progress)
    if rows:
        _forget_former_successors(session, rows)
        _note_undeclared_divisions(rows, report)
    return report


def _forget_former_successors(session: Session, rows: list[dict[str, Any]]) -> None:
    session.execute(
        delete(OldUnit).where(
            OldUnit.old_code.in_({row["old_code"] for row in rows}),
            tuple_(OldUnit.old_code, OldUnit.commune_code).not_in([(r["old_code"], r["commune_code"]) for r in rows]),
        )
    )


def _note_undeclared_divisions(rows: list[dict[str, Any]], report: ImportReport) -> None:
    parts = Counter(row["old_code"] for row in rows)
    for row in rows:
        if row["divided"] != (parts[row["old_code"]] > 1):
            report.notes.append(
                f"{row['old_code']} {row['name']}: 'divided' does not fit its {parts[row['old_code']]} row(s)"
            )
