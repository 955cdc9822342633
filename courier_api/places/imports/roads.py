"""Imports the lines of a road network from OpenStreetMap's binary form, for drawing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import osmium
from sqlalchemy.orm import Session

from courier_api.db import SRID
from courier_api.places.imports import reading
from courier_api.places.imports.report import BadFile, BadRow, ImportReport, Progress, quiet
from courier_api.places.imports.writing import already_in, digest, remember, upsert
from courier_api.places.models import Road
from courier_api.places.names import nfc


def import_roads(
    session: Session, path: Path, *, synthetic: bool, force: bool = False, progress: Progress = quiet
) -> ImportReport:
    """Bring every way with a `highway` tag in by its id; the `line` of a refused way in the report is that id."""
    report = ImportReport("roads", path.name)
    mark = digest(reading.read_bytes(path), "synthetic" if synthetic else "")
    if not force and already_in(session, report.kind, mark):
        report.skipped = True
        return report
    rows: dict[int, dict[str, Any]] = {}
    try:
        for way in _highways(path):
            report.rows += 1
            try:
                if way.id in rows:
                    raise BadRow("a way of this id stands in the file already")
                rows[way.id] = _row(way)
            except BadRow as error:
                report.refuse(way.id, way.tags.get("name", ""), error)
    except (RuntimeError, ValueError) as error:
        raise BadFile("file_not_osm", f"{path}: not a readable OpenStreetMap file ({error}).") from None
    if not report.rows:
        raise BadFile("file_empty", f"{path}: there is no way with a highway tag.")
    report.added, report.changed = upsert(session, Road, list(rows.values()), ["osm_id"], progress)
    remember(session, report, mark, synthetic=synthetic)
    return report


def _highways(path: Path) -> Iterator[Any]:
    ways = osmium.FileProcessor(str(path)).with_locations().with_filter(osmium.filter.KeyFilter("highway"))
    return (thing for thing in ways if isinstance(thing, osmium.osm.Way))


def _row(way: Any) -> dict[str, Any]:
    highway, name = way.tags["highway"], nfc(way.tags.get("name", ""))
    if len(highway) > 30:
        raise BadRow("the highway tag is longer than 30 letters")
    corners: list[str] = []
    for node in way.nodes:
        if not node.location.valid():
            raise BadRow(f"node {node.ref} is not in the file")
        lon, lat = reading.position(node.lon, node.lat)
        if not corners or corners[-1] != f"{lon!r} {lat!r}":
            corners.append(f"{lon!r} {lat!r}")
    if len(corners) < 2:
        raise BadRow("fewer than two different positions")
    line = f"SRID={SRID};LINESTRING({','.join(corners)})"
    return {"osm_id": way.id, "highway": highway, "name": name[:120] or None, "line": line}
