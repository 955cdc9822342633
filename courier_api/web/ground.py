"""The ground as the map shows it: which import it is, where it lies, and what of it is invented."""

from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from courier_api.places.imports.writing import synthetic_kinds
from courier_api.places.models import Commune, ImportRun, ServicePoint, ServicePointKind
from courier_api.places.models import PointQuality as Quality


@dataclass(frozen=True, slots=True)
class Ground:
    """What a page must know before it draws."""

    version: str  # the latest import; empty where nothing was imported
    bounds: tuple[float, float, float, float] | None  # west, south, east, north
    synthetic: bool  # roads or hamlets are invented: every picture says so
    approximate: bool  # the post offices' positions are


def version(session: Session) -> str:
    """The id of the latest import: what was drawn from an older one is out of date."""
    latest = session.scalar(select(ImportRun.id).order_by(ImportRun.id.desc()).limit(1))
    return latest.hex if latest else ""


def ground(session: Session) -> Ground:
    """The ground as it is now."""
    mark = version(session)
    west, south, east, north = session.execute(
        select(*(f(func.ST_Extent(Commune.outline)) for f in (func.ST_XMin, func.ST_YMin, func.ST_XMax, func.ST_YMax)))
    ).one()
    rough = select(ServicePoint.id).where(
        ServicePoint.kind == ServicePointKind.post_office, ServicePoint.point_quality != Quality.surveyed
    )
    return Ground(
        mark,
        None if west is None else (west, south, east, north),
        bool(synthetic_kinds(session) & {"roads", "hamlets"}),
        session.scalar(rough.limit(1)) is not None,
    )


LAYERS = text("""
WITH tile AS (
    SELECT ST_TileEnvelope(:z, :x, :y) AS square,
           ST_Transform(ST_TileEnvelope(:z, :x, :y, margin => 64.0 / 4096), 4326) AS area
),
communes AS (
    SELECT c.code, c.name, ST_AsMVTGeom(ST_Transform(c.outline, 3857), tile.square, 4096, 64) AS geom
    FROM commune c, tile WHERE c.outline && tile.area
),
commune_names AS (
    SELECT c.short_name AS name, c.population,
           ST_AsMVTGeom(ST_Transform(ST_PointOnSurface(c.outline), 3857), tile.square, 4096, 64) AS geom
    FROM commune c, tile WHERE c.outline && tile.area
),
chosen AS (
    -- The ends of a line stay where they are, so lines still meet after they are simplified.
    SELECT r.highway AS class, CASE WHEN :z >= 11 THEN r.name END AS name,
           ST_Simplify(ST_Transform(r.line, 3857), :tolerance) AS line
    FROM road r, tile WHERE r.line && tile.area AND r.highway = ANY(:classes)
),
roads AS (
    SELECT class, name, ST_AsMVTGeom(ST_LineMerge(ST_Collect(line)), tile.square, 4096, 64) AS geom
    FROM chosen, tile GROUP BY class, name, tile.square
),
service_points AS (
    SELECT s.kind, s.code, s.name, s.level, s.point_quality AS quality,
           ST_AsMVTGeom(ST_Transform(s.point, 3857), tile.square, 4096, 64) AS geom
    FROM service_point s, tile WHERE s.point && tile.area
),
hamlets AS (
    SELECT h.name, h.weight, ST_AsMVTGeom(ST_Transform(h.point, 3857), tile.square, 4096, 64) AS geom
    FROM hamlet h, tile WHERE :z >= 12 AND h.point && tile.area
)
SELECT coalesce((SELECT ST_AsMVT(communes, 'communes') FROM communes WHERE geom IS NOT NULL), '')
    || coalesce((SELECT ST_AsMVT(roads, 'roads') FROM roads WHERE geom IS NOT NULL), '')
    || coalesce((SELECT ST_AsMVT(hamlets, 'hamlets') FROM hamlets WHERE geom IS NOT NULL), '')
    || coalesce((SELECT ST_AsMVT(service_points, 'service_points') FROM service_points WHERE geom IS NOT NULL), '')
    || coalesce((SELECT ST_AsMVT(commune_names, 'commune_names') FROM commune_names WHERE geom IS NOT NULL), '')
""")

# From which zoom on a class of road is drawn; a class that is not named is a lane.
FIRST_ZOOM = {
    "motorway": 0, "motorway_link": 10, "trunk": 0, "trunk_link": 10, "primary": 0, "primary_link": 10,
    "secondary": 8, "secondary_link": 10, "tertiary": 9, "tertiary_link": 11, "unclassified": 11,
    "residential": 12, "living_street": 12, "road": 12, "service": 13, "track": 13, "path": 14, "footway": 14,
}  # fmt: skip
EARTH_M = 40_075_016.686  # once around, in the metres of Web Mercator
HALF_A_PIXEL = 1 / 1024


def draw_tile(session: Session, z: int, x: int, y: int) -> bytes:
    """The vector tile as PostGIS encodes it; empty where there is nothing."""
    found = session.scalar(
        LAYERS,
        {
            "z": z,
            "x": x,
            "y": y,
            "classes": [name for name, first in FIRST_ZOOM.items() if z >= first],
            "tolerance": EARTH_M / 2**z * HALF_A_PIXEL,
        },
    )
    return bytes(found or b"")
