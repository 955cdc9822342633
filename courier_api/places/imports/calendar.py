"""Imports days that differ from what the holidays package knows."""

from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from courier_api.places.imports import reading
from courier_api.places.imports.report import BadRow, ImportReport, Progress, quiet
from courier_api.places.imports.tables import Table, import_table
from courier_api.places.models import CalendarDay

TABLE = Table("calendar", CalendarDay, ("day",), ("day", "working", "name"), {"day": ("date",)})


def import_calendar(session: Session, path: Path, *, force: bool = False, progress: Progress = quiet) -> ImportReport:
    """Bring override days in; a day stays until another file says otherwise."""

    def build(row: dict[str, str], report: ImportReport) -> dict[str, Any]:
        try:
            day = date.fromisoformat(row["day"])
        except ValueError:
            raise BadRow(f"day is not a date like 2026-01-31: {row['day']!r}") from None
        if not row["working"]:
            raise BadRow("working is empty")
        return {"day": day, "working": reading.yes_cell(row, "working"), "name": reading.text_cell(row, "name", 120)}

    report, _ = import_table(session, TABLE, path, build, force=force, progress=progress)
    return report
