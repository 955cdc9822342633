"""Tables of the ground: communes, old names, service points, hamlets, roads, calendar."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, func
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from courier_api.db import SRID, Base, Created, Id, Point, enum
from courier_api.people.models import Person, Role


def trigram_index(table: str, column: str) -> Index:
    """Finds names that are nearly right, whatever the number of rows."""
    return Index(f"ix_{table}_{column}_trgm", column, postgresql_using="gin", postgresql_ops={column: "gin_trgm_ops"})


class PointQuality(StrEnum):
    """How much a point can be trusted, best first."""

    surveyed = "surveyed"
    pinned = "pinned"  # the citizen put the pin
    hamlet = "hamlet"  # middle of the named hamlet
    old_commune = "old_commune"  # somewhere inside the commune's old outline
    commune = "commune"  # somewhere inside the commune


class ServicePointKind(StrEnum):
    """Who keeps a service point."""

    post_office = "post_office"
    one_stop_unit = "one_stop_unit"  # một cửa: where the state receives dossiers


class Commune(Base):
    """An administrative unit of the lowest level (xã, phường), known by its GSO code."""

    __tablename__ = "commune"
    __table_args__ = (trigram_index("commune", "search_name"),)

    code: Mapped[str] = mapped_column(String(5), primary_key=True)
    postal_code: Mapped[str | None] = mapped_column(String(5))
    name: Mapped[str] = mapped_column(String(80))
    short_name: Mapped[str] = mapped_column(String(80))
    search_name: Mapped[str] = mapped_column(String(80), index=True)  # see places.names.fold
    province_code: Mapped[str] = mapped_column(String(2))
    population: Mapped[int | None]
    outline: Mapped[Any] = mapped_column(Geometry("MULTIPOLYGON", srid=SRID, spatial_index=True), deferred=True)
    post_office_id: Mapped[UUID | None] = mapped_column(ForeignKey("service_point.id", use_alter=True))

    post_office: Mapped["ServicePoint | None"] = relationship(foreign_keys=[post_office_id])


class OldUnit(Base):
    """A commune of before 2025-07-01 and where its land lies now; a divided one has several rows."""

    __tablename__ = "old_unit"
    __table_args__ = (UniqueConstraint("old_code", "commune_code"), trigram_index("old_unit", "search_name"))

    id: Mapped[Id]
    old_code: Mapped[str] = mapped_column(String(5))
    name: Mapped[str] = mapped_column(String(80))
    search_name: Mapped[str] = mapped_column(String(80), index=True)
    district: Mapped[str] = mapped_column(String(80))
    search_district: Mapped[str] = mapped_column(String(80), index=True)
    commune_code: Mapped[str] = mapped_column(ForeignKey("commune.code"), index=True)
    divided: Mapped[bool]

    commune: Mapped[Commune] = relationship()


class ServicePoint(Base):
    """A place with a counter: a post office, or the one-stop unit of an agency."""

    __tablename__ = "service_point"

    id: Mapped[Id]
    kind: Mapped[ServicePointKind] = mapped_column(enum(ServicePointKind))
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(String(200))
    commune_code: Mapped[str] = mapped_column(ForeignKey("commune.code"), index=True)
    level: Mapped[str | None] = mapped_column(String(10))  # of a one-stop unit: commune or province
    point: Mapped[Point]
    point_quality: Mapped[PointQuality] = mapped_column(enum(PointQuality))

    commune: Mapped[Commune] = relationship(foreign_keys=[commune_code])


class Posting(Base):
    """Where a person holds a role: a courier's or clerk's post office, an officer's one-stop unit."""

    __tablename__ = "posting"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(enum(Role), primary_key=True)
    service_point_id: Mapped[UUID] = mapped_column(ForeignKey("service_point.id"), index=True)
    created_at: Mapped[Created]

    person: Mapped[Person] = relationship()
    service_point: Mapped[ServicePoint] = relationship()


class Hamlet(Base):
    """A named settlement inside a commune (thôn, khu phố); `weight` is its share of people."""

    __tablename__ = "hamlet"
    __table_args__ = (
        UniqueConstraint("commune_code", "name", "old_commune"),
        CheckConstraint("weight >= 0", name="weight"),
        trigram_index("hamlet", "search_name"),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(120))
    search_name: Mapped[str] = mapped_column(String(120), index=True)
    old_commune: Mapped[str] = mapped_column(String(80))
    search_old_commune: Mapped[str] = mapped_column(String(80))
    commune_code: Mapped[str] = mapped_column(ForeignKey("commune.code"), index=True)
    point: Mapped[Point]
    weight: Mapped[int]
    synthetic: Mapped[bool]


class RoadClosure(Base):
    """A stretch of road or an area that nobody can ride through for a while; without `ends_at` until it is opened."""

    __tablename__ = "road_closure"
    __table_args__ = (
        CheckConstraint("area IS NOT NULL OR cardinality(ways) > 0", name="closes_something"),
        CheckConstraint("ends_at >= starts_at", name="period"),
    )

    id: Mapped[Id]
    area: Mapped[Any | None] = mapped_column(Geometry("POLYGON", srid=SRID, spatial_index=True), deferred=True)
    ways: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))  # OSM ids
    reason: Mapped[str] = mapped_column(String(200))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    closed_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    applied: Mapped[bool] = mapped_column(default=False)  # the standing road graph knows it
    fault: Mapped[str | None] = mapped_column(String(200))  # why no road graph can
    created_at: Mapped[Created]

    area_geojson: Mapped[str | None] = column_property(func.ST_AsGeoJSON(area, 6))


class Road(Base):
    """A line of the imported network, for drawing; travel times come from the routing graph."""

    __tablename__ = "road"

    osm_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    highway: Mapped[str] = mapped_column(String(30))
    name: Mapped[str | None] = mapped_column(String(120))
    line: Mapped[Any] = mapped_column(Geometry("LINESTRING", srid=SRID, spatial_index=True))


class CalendarDay(Base):
    """A day that differs from what the holidays package says: a government swap, a local closure."""

    __tablename__ = "calendar_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    working: Mapped[bool]
    name: Mapped[str] = mapped_column(String(120))


class ImportRun(Base):
    """What was imported, from which bytes: the same bytes again change nothing."""

    __tablename__ = "import_run"
    __table_args__ = (
        CheckConstraint("rows_in >= 0 AND rows_refused >= 0", name="counts"),
        Index(None, "kind", "digest"),
    )

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(30))
    source: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    rows_in: Mapped[int]
    rows_refused: Mapped[int]
    synthetic: Mapped[bool] = mapped_column(default=False)
    finished_at: Mapped[Created]
