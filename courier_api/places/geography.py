"""Answers of the map: which commune, which office, which centre. PostGIS does the work."""

from typing import Any

from geoalchemy2 import Geography
from sqlalchemy import cast, func, select
from sqlalchemy.orm import Session

from courier_api.db import point
from courier_api.errors import Invalid, NotFound
from courier_api.places.models import Commune, ServicePoint, ServicePointKind


def commune_at(session: Session, lon: float, lat: float) -> Commune | None:
    """The commune at a point, its border included; where outlines overlap, the smaller one."""
    here = point(lon, lat)
    return session.scalars(
        select(Commune)
        .where(func.ST_Covers(Commune.outline, here))
        .order_by(func.ST_Area(Commune.outline), Commune.code)
        .limit(1)
    ).first()


def require_inside(session: Session, lon: float, lat: float) -> Commune:
    """The commune at a point; raises Invalid `outside_province` where none of the imported ones is."""
    commune = commune_at(session, lon, lat)
    if commune is None:
        raise Invalid("outside_province", "/point")
    return commune


def nearest_office(session: Session, lon: float, lat: float) -> tuple[ServicePoint, float]:
    """The post office nearest to a point, and how many metres away it is as the crow flies."""
    here: Any = cast(point(lon, lat), Geography)
    metres = func.ST_Distance(cast(ServicePoint.point, Geography), here)
    # The index gives the nearest in degrees; among a handful of those the metres decide.
    near = (
        select(ServicePoint.id)
        .where(ServicePoint.kind == ServicePointKind.post_office)
        .order_by(ServicePoint.point.op("<->")(point(lon, lat)))
        .limit(10)
    )
    row = session.execute(
        select(ServicePoint, metres).where(ServicePoint.id.in_(near)).order_by(metres, ServicePoint.code).limit(1)
    ).first()
    if row is None:
        raise NotFound("no_office")
    return row[0], float(row[1])


def centre_for(session: Session, commune_code: str, level: str) -> ServicePoint:
    """The one-stop unit that receives a commune's dossiers of a level: `commune`, or `province` for all of them."""
    units = select(ServicePoint).where(ServicePoint.kind == ServicePointKind.one_stop_unit, ServicePoint.level == level)
    if level == "commune":
        units = units.where(ServicePoint.commune_code == commune_code)
    else:
        province = select(Commune.province_code).where(Commune.code == commune_code).scalar_subquery()
        units = units.join(ServicePoint.commune).where(Commune.province_code == province)
    unit = session.scalars(units.order_by(ServicePoint.code).limit(1)).first()
    if unit is None:
        raise NotFound("no_centre")
    return unit
