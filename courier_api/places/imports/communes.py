"""Imports communes: outlines from GeoJSON, and facts from its properties or from a CSV beside it."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courier_api.db import SRID
from courier_api.places.imports import reading
from courier_api.places.imports.report import BadFile, BadRow, ImportReport, Progress, quiet
from courier_api.places.imports.writing import already_in, digest, remember, upsert
from courier_api.places.models import Commune
from courier_api.places.names import fold

ALIASES = {
    "code": ("ma_xa", "ward_code", "wardCode", "gso_code"),
    "name": ("ten_xa", "ward", "ward_name"),
    "province_code": ("ma_tinh", "provinceCode"),
    "population": ("dan_so",),
}
_UNIT_NAMES = ("Xã ", "Phường ", "Thị trấn ", "Đặc khu ")
_WGS84 = ("CRS84", "4326")


def import_communes(
    session: Session, geojson: Path, facts: Path | None = None, *, force: bool = False, progress: Progress = quiet
) -> ImportReport:
    """Bring communes in by their GSO code; a fact in the CSV goes before the same fact in the GeoJSON."""
    report = ImportReport("communes", geojson.name)
    content = reading.read_bytes(geojson)
    csv_content = reading.read_bytes(facts) if facts else b""
    mark = digest(content, csv_content)
    if not force and already_in(session, report.kind, mark):
        report.skipped = True
        return report
    features = _features(reading.parse_json(content, geojson), geojson)
    known = _facts(csv_content, facts, report) if facts else {}
    rows: dict[str, dict[str, Any]] = {}
    for number, feature in enumerate(features, start=1):
        report.rows += 1
        code: object = ""
        try:
            row, code = _row(session, feature, known, report)
            if row["code"] in rows:
                raise BadRow("a commune of this code stands in the file already")
            rows[row["code"]] = row
        except BadRow as error:
            report.refuse(number, code or _code(feature), error)
        progress(number, len(features))
    report.added, report.changed = upsert(session, Commune, list(rows.values()), ["code"])
    remember(session, report, mark)
    return report


def _features(document: Any, path: Path) -> list[Any]:
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise BadFile("file_not_geojson", f"{path}: not a GeoJSON FeatureCollection.")
    crs = json.dumps(document.get("crs", "CRS84"))
    if not any(name in crs for name in _WGS84):
        raise BadFile("file_bad_crs", f"{path}: coordinates are not WGS 84 longitude and latitude: {crs}.")
    features = document.get("features")
    if not isinstance(features, list) or not features:
        raise BadFile("file_empty", f"{path}: there are no features.")
    return features


def _facts(content: bytes, path: Path, report: ImportReport) -> dict[str, dict[str, str]]:
    lines, bad = reading.parse_csv(content, path, ["code"], ALIASES)
    facts: dict[str, dict[str, str]] = {}
    report.notes += [f"{path.name}, line {line}: left out, {reason}" for line, reason in bad]
    for line, row, reason in reading.unique(lines, lambda row: row["code"]):
        if reason:
            report.notes.append(f"{path.name}, line {line}: left out, {reason}")
        else:
            facts[row["code"]] = row
    return facts


def _code(feature: Any) -> object:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    return reading.columns(properties, ALIASES).get("code", "") if isinstance(properties, dict) else ""


def _row(
    session: Session, feature: Any, known: dict[str, dict[str, str]], report: ImportReport
) -> tuple[dict[str, Any], str]:
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        raise BadRow("not a GeoJSON feature with properties")
    facts = reading.columns(feature["properties"], ALIASES)
    facts |= {name: value for name, value in known.get(str(facts.get("code")), {}).items() if value}
    code = reading.digits_cell(facts, "code", 5)
    name = reading.text_cell(facts, "name", 80)
    short = reading.text_cell(facts, "short_name", 80, optional=True)
    row = {
        "code": code,
        "postal_code": reading.digits_cell(facts, "postal_code", 5, optional=True),
        "name": name,
        "short_name": short or next((name.removeprefix(unit) for unit in _UNIT_NAMES if name.startswith(unit)), name),
        "search_name": fold(name),
        "province_code": reading.digits_cell(facts, "province_code", 2),
        "population": reading.whole_cell(facts, "population"),
        "outline": _outline(session, feature.get("geometry"), f"{code} {name}", report),
    }
    return row, str(code)


def _outline(session: Session, geometry: Any, name: str, report: ImportReport) -> str:
    """EWKT of a valid multipolygon; a crossing line is repaired and noted, an outline without area refused."""
    _check_rings(geometry)
    shape = func.ST_GeomFromGeoJSON(json.dumps({"type": geometry["type"], "coordinates": geometry["coordinates"]}))
    repaired = func.ST_Multi(func.ST_CollectionExtract(func.ST_MakeValid(shape), 3))
    reason, ewkt, area = session.execute(
        select(func.ST_IsValidReason(shape), func.ST_AsText(repaired, 15), func.ST_Area(repaired))
    ).one()
    if not area:
        raise BadRow(f"the outline has no area ({reason})")
    if reason != "Valid Geometry":
        report.notes.append(f"{name}: outline repaired, {reason}")
    return f"SRID={SRID};{ewkt}"


def _check_rings(geometry: Any) -> None:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise BadRow(f"the geometry is not a Polygon or MultiPolygon: {kind}")
    polygons = [geometry.get("coordinates")] if kind == "Polygon" else geometry.get("coordinates")
    try:
        rings = [ring for polygon in polygons for ring in polygon]
        corners = [[(corner[0], corner[1]) for corner in ring] for ring in rings]
    except (TypeError, IndexError, KeyError):
        raise BadRow("the coordinates are not rings of positions") from None
    if not corners:
        raise BadRow("the geometry has no coordinates")
    for ring in corners:
        if len(ring) < 4 or ring[0] != ring[-1]:
            raise BadRow("a ring of the outline is not closed or has fewer than four positions")
        for lon, lat in ring:
            if isinstance(lon, bool) or not isinstance(lon, int | float) or not isinstance(lat, int | float):
                raise BadRow(f"a position is not two numbers: {lon!r}, {lat!r}")
            reading.position(lon, lat)
