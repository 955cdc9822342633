"""The database: declarative base, column types, and the one way to open a transaction."""

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement, WKTElement
from sqlalchemy import DateTime, Enum, MetaData, create_engine, func
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker
from sqlalchemy.types import UserDefinedType
from uuid6 import uuid7

from courier_api.errors import DomainError, Invalid
from courier_api.settings import settings

SRID = 4326
VIETNAM_METRES = 3405  # VN-2000 / UTM 48N: metres, for buffers and distances inside one province


class Base(DeclarativeBase):
    """All tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - SQLAlchemy's own name


def new_id() -> UUID:
    """A UUIDv7: unique without asking anyone, and in order of making."""
    return UUID(bytes=uuid7().bytes)


def now() -> datetime:
    """This server's time, with its zone."""
    return datetime.now(UTC)


Id = Annotated[UUID, mapped_column(primary_key=True, default=new_id)]
Created = Annotated[datetime, mapped_column(server_default=func.now())]
Point = Annotated[Any, mapped_column(Geometry("POINT", srid=SRID, spatial_index=True))]
OptionalPoint = Annotated[Any | None, mapped_column(Geometry("POINT", srid=SRID, spatial_index=True))]


class Xid8(UserDefinedType[int]):
    """PostgreSQL's full transaction id: what a feed in commit order is ordered by."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Name the type."""
        return "xid8"


def enum(kind: type[StrEnum], name: str | None = None) -> Enum:
    """Store an enum as its text with a CHECK, which a later migration can widen; `name` where a table has two."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=name or kind.__name__.lower(),
        values_callable=lambda members: [m.value for m in members],
    )


def point(lon: float, lat: float) -> WKTElement:
    """A WGS 84 point for a geometry column; raises Invalid for what is not on the globe."""
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise Invalid("bad_coordinates", "/point")
    return WKTElement(f"POINT({lon!r} {lat!r})", srid=SRID)


def lon_lat(element: WKBElement | WKTElement) -> tuple[float, float]:
    """Read longitude and latitude out of a point column's value."""
    if isinstance(element, WKTElement):
        lon, lat = element.data.removeprefix("POINT(").removesuffix(")").split()
        return float(lon), float(lat)
    # EWKB: byte order, type with the SRID flag, SRID, then two doubles.
    ewkb = bytes(element.data) if not isinstance(element.data, str) else bytes.fromhex(element.data)
    order = "<" if ewkb[0] == 1 else ">"
    kind = struct.unpack_from(f"{order}I", ewkb, 1)[0]
    found: tuple[float, float] = struct.unpack_from(f"{order}dd", ewkb, 9 if kind & 0x20000000 else 5)
    return found


_sessions: sessionmaker[Session] | None = None


def sessions() -> sessionmaker[Session]:
    """The process's session factory, made on first use (after a fork, never before)."""
    global _sessions
    if _sessions is None:
        engine = create_engine(settings().database_url, pool_size=8, max_overflow=8, pool_pre_ping=True)
        _sessions = sessionmaker(engine, expire_on_commit=False)
    return _sessions


def _leave_parents_connections() -> None:
    """After a fork the child must not use, and not even close, the connections that its parent holds."""
    if _sessions is not None:
        _sessions.kw["bind"].dispose(close=False)
        use_sessions(None)


os.register_at_fork(after_in_child=_leave_parents_connections)


def use_sessions(factory: sessionmaker[Session] | None) -> None:
    """Put another factory in place: tests bind one to their outer transaction."""
    global _sessions
    _sessions = factory


@contextmanager
def refused_by(session: Session, rule: str, refusal: DomainError) -> Iterator[None]:
    """Write in a savepoint; when the database's rule of this name stops it, undo the savepoint and raise `refusal`.

    The database decides between two who ask at the same moment, which no look beforehand can.
    """
    try:
        with session.begin_nested():
            yield
    except IntegrityError as error:
        if getattr(error.orig, "diag", None) is None or error.orig.diag.constraint_name != rule:  # type: ignore[union-attr]
            raise
        raise refusal from None


@contextmanager
def transaction() -> Iterator[Session]:
    """One unit of work: committed when the block ends well, undone when it raises. Only edges call this."""
    with sessions()() as session, session.begin():
        yield session
