"""Roads that are shut for a while: who shut them, why, and which are shut at a moment."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from geoalchemy2 import WKTElement
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from courier_api.db import SRID, new_id, now
from courier_api.errors import Invalid, NotFound, Refused
from courier_api.people.models import Person
from courier_api.places.models import RoadClosure

type Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Shut:
    """One closure: OSM ways from end to end, and what touches a polygon (lon, lat)."""

    id: UUID
    ways: frozenset[int]
    area: Ring | None


def close(
    session: Session,
    dispatcher: Person,
    area: Ring | None,
    ways: Sequence[int],
    reason: str,
    starts_at: datetime,
    ends_at: datetime | None,
) -> RoadClosure:
    """Shut an area or ways; raises Invalid for an area that is no polygon."""
    if not area and not ways:
        raise Invalid("nothing_to_close", "/area")
    if ends_at is not None and ends_at <= max(starts_at, now()):
        raise Invalid("ends_before_it_starts", "/ends_at")
    closure = RoadClosure(
        id=new_id(),
        area=_polygon(session, area) if area else None,
        ways=sorted(set(ways)),
        reason=reason,
        starts_at=starts_at,
        ends_at=ends_at,
        closed_by=dispatcher.id,
        created_at=now(),
    )
    session.add(closure)
    session.flush()
    return closure


def _polygon(session: Session, ring: Ring) -> WKTElement:
    closed = ring if ring[0] == ring[-1] else (*ring, ring[0])
    if len(set(closed)) < 3:
        raise Invalid("not_a_polygon", "/area")
    text = WKTElement(f"POLYGON(({', '.join(f'{lon!r} {lat!r}' for lon, lat in closed)}))", srid=SRID)
    if not session.scalar(select(func.ST_IsValid(text))) or not session.scalar(select(func.ST_Area(text))):
        raise Invalid("not_a_polygon", "/area")
    return text


def reopen(closure: RoadClosure) -> None:
    """Open a road again before its time; raises Refused when it is open."""
    if closure.ends_at is not None and closure.ends_at <= now():
        raise Refused("closure_over")
    closure.ends_at = max(now(), closure.starts_at)


def by_id(session: Session, closure_id: UUID) -> RoadClosure:
    """The closure, locked; raises NotFound."""
    closure = session.get(RoadClosure, closure_id, with_for_update=True)
    if closure is None:
        raise NotFound
    return closure


def not_over(session: Session) -> Sequence[RoadClosure]:
    """Closures that are in force or will be."""
    ending = or_(RoadClosure.ends_at.is_(None), RoadClosure.ends_at > now())
    return session.scalars(select(RoadClosure).where(ending).order_by(RoadClosure.starts_at, RoadClosure.id)).all()


def shut_now(session: Session) -> list[Shut]:
    """What is shut at this moment, closure by closure."""
    rows = session.execute(
        select(RoadClosure.id, RoadClosure.ways, func.ST_AsGeoJSON(RoadClosure.area))
        .where(_in_force())
        .order_by(RoadClosure.id)
    )
    return [Shut(id_, frozenset(ways), _ring(area)) for id_, ways, area in rows]


def _ring(geojson: str | None) -> Ring | None:
    return tuple((lon, lat) for lon, lat in json.loads(geojson)["coordinates"][0]) if geojson else None


def mark_applied(session: Session, known: Collection[UUID], faults: Mapping[UUID, str]) -> None:
    """Write down which closures the standing road graph knows, and which none can know."""
    for closure in session.scalars(select(RoadClosure).with_for_update()):
        closure.applied = closure.id in known
        closure.fault = faults[closure.id][:200] if closure.id in faults else None


def stale(session: Session) -> UUID | None:
    """A closure that began or ended since the road graph was made, None when the graph is right."""
    wrong = or_(RoadClosure.applied, RoadClosure.fault.is_(None))
    return session.scalar(select(RoadClosure.id).where(RoadClosure.applied != _in_force(), wrong).limit(1))


def _in_force() -> ColumnElement[bool]:
    ending = or_(RoadClosure.ends_at.is_(None), RoadClosure.ends_at > now())
    return and_(RoadClosure.starts_at <= now(), ending)
