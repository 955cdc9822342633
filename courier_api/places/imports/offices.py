"""Imports post offices, makes the one-stop units of communes and province, and gives each commune its office."""

from pathlib import Path
from typing import Any

from sqlalchemy import Float, bindparam, cast, func, select, text
from sqlalchemy.orm import Session

from courier_api.db import SRID
from courier_api.places.imports import reading
from courier_api.places.imports.report import BadFile, BadRow, ImportReport, Progress, quiet
from courier_api.places.imports.tables import Table, commune_cell, import_table, known_communes
from courier_api.places.imports.writing import digest, remember, upsert
from courier_api.places.models import Commune, PointQuality, ServicePoint, ServicePointKind

TABLE = Table(
    kind="offices",
    model=ServicePoint,
    key=("code",),
    required=("code", "name", "address", "commune_code"),
    aliases={
        "code": ("pos_code",),
        "commune_code": ("new_code",),
        "lon": ("lon_approx", "longitude"),
        "lat": ("lat_approx", "latitude"),
        "quality": ("position_quality",),
    },
)
_QUALITIES = {
    "": PointQuality.commune,
    "old_commune_interior_point": PointQuality.old_commune,
    "new_commune_centroid": PointQuality.commune,
} | {quality.value: quality for quality in PointQuality}
_FARTHEST = 5_000  # metres from its commune; published positions are off by up to three kilometres


def import_offices(session: Session, path: Path, *, force: bool = False, progress: Progress = quiet) -> ImportReport:
    """Bring post offices in by their code, then give every commune its nearest one."""
    communes = known_communes(session)

    def build(row: dict[str, str], report: ImportReport) -> dict[str, Any]:
        code = reading.text_cell(row, "code", 20)
        commune = commune_cell(row, communes)
        point, quality = _point(session, row, commune)
        return {
            "kind": ServicePointKind.post_office,
            "code": code,
            "name": reading.text_cell(row, "name", 120),
            "address": reading.text_cell(row, "address", 200),
            "commune_code": commune,
            "level": None,
            "point": point,
            "point_quality": quality,
        }

    report, _ = import_table(session, TABLE, path, build, force=force, progress=progress)
    if not report.skipped:
        assign_offices(session)
    return report


def make_centres(session: Session, province: str, name: str = "", seat: str | None = None) -> ImportReport:
    """Make a one-stop unit for each commune of the province and one for the province itself, at its seat.

    Positions are somewhere inside the commune until somebody surveys them; a better one is kept.
    """
    report = ImportReport("centres", province)
    communes = session.execute(
        select(Commune.code, Commune.name, func.ST_AsEWKT(func.ST_PointOnSurface(Commune.outline)))
        .where(Commune.province_code == province)
        .order_by(Commune.population.desc().nulls_last(), Commune.code)
    ).all()
    if not communes:
        raise BadFile("no_communes", f"Province {province} has no communes; import them first.", province=province)
    seats = [row for row in communes if row.code == seat] if seat else communes[:1]
    if not seats:
        raise BadFile("no_such_seat", f"Commune {seat} is not in province {province}.", seat=seat)
    rows = [
        _centre(f"MC-{code}", f"Trung tâm Phục vụ hành chính công {n}", n, code, "commune", p)
        for code, n, p in communes
    ]
    code, commune, point = seats[0]
    whole = f"Trung tâm Phục vụ hành chính công tỉnh {name}".strip()
    rows.append(_centre(f"MC-{province}", whole, commune, code, "province", point))
    report.rows = len(rows)
    kept = set(
        session.scalars(
            select(ServicePoint.code).where(
                ServicePoint.code.in_([row["code"] for row in rows]), ServicePoint.point_quality != PointQuality.commune
            )
        )
    )
    report.notes += [f"{code}: kept, its position is better than a guess" for code in sorted(kept)]
    new = [row for row in rows if row["code"] not in kept]
    report.added, report.changed = upsert(session, ServicePoint, new, ["code"])
    if report.added or report.changed:
        remember(session, report, digest(province, name, seat or ""))
    return report


def assign_offices(session: Session) -> None:
    """Give each commune the nearest post office: one inside it if there is one, else the nearest to its middle."""
    session.flush()
    session.execute(
        text("""
        UPDATE commune SET post_office_id = (
            SELECT office.id FROM service_point office WHERE office.kind = :kind
            ORDER BY office.commune_code <> commune.code,
                     office.point::geography <-> ST_PointOnSurface(commune.outline)::geography, office.code
            LIMIT 1)
        """).bindparams(bindparam("kind", ServicePointKind.post_office.value))
    )
    session.expire_all()


def _centre(code: str, name: str, commune: str, commune_code: str, level: str, point: str) -> dict[str, Any]:
    return {
        "kind": ServicePointKind.one_stop_unit,
        "code": code,
        "name": name[:120],
        "address": commune,
        "commune_code": commune_code,
        "level": level,
        "point": point,
        "point_quality": PointQuality.commune,
    }


def _point(session: Session, row: dict[str, str], commune: str) -> tuple[str, PointQuality]:
    """Where the row says, if that is near its commune; somewhere inside the commune when it does not say."""
    lon, lat = row.get("lon", ""), row.get("lat", "")
    inside = select(func.ST_AsEWKT(func.ST_PointOnSurface(Commune.outline))).where(Commune.code == commune)
    if not lon and not lat:
        return session.scalars(inside).one(), PointQuality.commune
    quality = _QUALITIES.get(row.get("quality", "").casefold())
    if quality is None:
        raise BadRow(f"quality is none of {', '.join(q.value for q in PointQuality)}: {row['quality']!r}")
    x, y = reading.position(lon, lat)
    point = f"SRID={SRID};POINT({x!r} {y!r})"
    away = select(cast(text("ST_Distance(outline::geography, ST_GeogFromText(:point))"), Float)).where(
        Commune.code == commune
    )
    metres = session.execute(away, {"point": point}).scalar_one()
    if metres > _FARTHEST:
        raise BadRow(f"the position is {metres / 1000:.0f} km from commune {commune}")
    return point, quality
