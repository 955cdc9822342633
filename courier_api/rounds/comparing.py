"""A round as it was ridden beside the round as it was planned."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from geoalchemy2 import Geography
from sqlalchemy import case, cast, extract, func, select
from sqlalchemy.orm import Session

from courier_api.rounds.models import Round, Stop
from courier_api.rounds.states import StopState


@dataclass(frozen=True, slots=True)
class RiddenStop:
    """One stop: its place in the order planned and ridden, and how far it was from the plan in time and space."""

    stop_id: UUID
    job_id: UUID
    state: StopState
    planned_position: int
    ridden_position: int | None
    planned_arrival: datetime
    arrived_at: datetime | None
    late_seconds: int | None
    planned_service_seconds: int
    service_seconds: int | None
    off_line_metres: int | None
    from_door_metres: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A round's figures; what was not ridden yet is None."""

    stops: tuple[RiddenStop, ...]
    planned_seconds: int
    ridden_seconds: int | None
    median_late_seconds: int | None
    out_of_order: int


def compare(session: Session, round_: Round) -> Comparison:
    """Compare a round with what its courier recorded; PostGIS measures how far from the planned line he stood."""
    ridden = func.rank().over(order_by=Stop.arrived_at.nulls_last())
    late = extract("epoch", Stop.arrived_at - Stop.arrival)
    off_line = func.ST_Distance(cast(Round.line, Geography), cast(Stop.arrived_point, Geography))
    rows = session.execute(
        select(
            Stop,
            case((Stop.arrived_at.is_not(None), ridden)).label("ridden"),
            late.label("late"),
            extract("epoch", Stop.ended_at - Stop.arrived_at).label("service"),
            off_line.label("off_line"),
        )
        .join(Round, Round.id == Stop.round_id)
        .where(Stop.round_id == round_.id)
        .order_by(Stop.position)
    ).all()
    stops = tuple(
        RiddenStop(
            row.Stop.id,
            row.Stop.job_id,
            row.Stop.state,
            row.Stop.position,
            row.ridden,
            row.Stop.arrival,
            row.Stop.arrived_at,
            _whole(row.late),
            round((row.Stop.departure - row.Stop.service_start).total_seconds()),
            _whole(row.service),
            _whole(row.off_line),
            row.Stop.arrived_metres,
        )
        for row in rows
    )
    lateness = sorted(stop.late_seconds for stop in stops if stop.late_seconds is not None)
    order = [stop.ridden_position for stop in stops if stop.ridden_position is not None]
    took = round_.finished_at - round_.started_at if round_.started_at and round_.finished_at else None
    return Comparison(
        stops,
        round((round_.returns_at - round_.departs_at).total_seconds()),
        round(took.total_seconds()) if took else None,
        lateness[len(lateness) // 2] if lateness else None,
        sum(later < earlier for earlier, later in pairwise(order)),
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
