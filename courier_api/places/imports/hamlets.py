"""Imports hamlets: named settlements with a point and a share of the people."""

from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from courier_api.db import SRID
from courier_api.places.imports import reading
from courier_api.places.imports.report import BadRow, ImportReport, Progress, quiet
from courier_api.places.imports.tables import Table, commune_cell, import_table, known_communes
from courier_api.places.models import Hamlet
from courier_api.places.names import fold, plain

TABLE = Table(
    kind="hamlets",
    model=Hamlet,
    key=("commune_code", "name", "old_commune"),
    required=("name", "commune_code", "lon", "lat"),
    aliases={
        "name": ("name_synthetic",),
        "old_commune": ("legacy_commune",),
        "weight": ("population_weight",),
        "lon": ("longitude",),
        "lat": ("latitude",),
    },
)


def import_hamlets(
    session: Session, path: Path, *, synthetic: bool, force: bool = False, progress: Progress = quiet
) -> ImportReport:
    """Bring hamlets in; `synthetic` marks each as invented."""
    communes = known_communes(session)

    def build(row: dict[str, str], report: ImportReport) -> dict[str, Any]:
        name = reading.text_cell(row, "name", 120)
        old = reading.text_cell(row, "old_commune", 80, optional=True)
        weight = reading.whole_cell(row, "weight")
        lon, lat = reading.position(row["lon"], row["lat"])
        if not any(letter.isalnum() for letter in name):
            raise BadRow(f"name has no letters: {name!r}")
        return {
            "name": name,
            "search_name": plain(name),
            "old_commune": old,
            "search_old_commune": fold(old),
            "commune_code": commune_cell(row, communes),
            "point": f"SRID={SRID};POINT({lon!r} {lat!r})",
            "weight": 1 if weight is None else weight,
            "synthetic": synthetic,
        }

    report, _ = import_table(session, TABLE, path, build, synthetic=synthetic, force=force, progress=progress)
    return report
