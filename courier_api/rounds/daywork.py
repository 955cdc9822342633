"""What a half-day's planning needs to know, read in a few queries into plain values."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, case, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from courier_api.db import now
from courier_api.jobs.models import Job
from courier_api.jobs.states import JobKind, JobState
from courier_api.places.calendar import OFFICE_HOURS
from courier_api.places.models import Commune, ServicePoint
from courier_api.rounds import experience
from courier_api.rounds.experience import SETUP_S
from courier_api.rounds.models import DayPlan, Round, Shift, Stop
from courier_api.rounds.riding import LIVING
from courier_api.rounds.states import Half, RoundState
from courier_api.settings import settings

# When rounds may be ridden; the morning ends with the agencies' morning (domain.md, "A courier's day").
HALF_DAYS = {Half.morning: (time(7, 20), time(11, 30)), Half.afternoon: (time(13, 30), time(19, 0))}
# Between a courier's return and the agency's closing a clerk counts the papers and takes them over.
HANDING_OVER = timedelta(minutes=30)
SAME_DOOR_M = 15
METRIC = 32648  # UTM zone 48N, metres
WINDOW_PAST = "window_past"
IN_ANOTHER_DRAFT = "in_another_draft"


@dataclass(frozen=True, slots=True)
class JobToPlan:
    """An open job; its window is in seconds since local midnight, None where any time of the half-day will do."""

    id: UUID
    kind: JobKind
    office_id: UUID
    lon: float
    lat: float
    window: tuple[int, int] | None
    service_s: int
    at_office: bool
    commune: str = ""
    neighbour: tuple[float, float] | None = None

    @property
    def door(self) -> tuple[float, float]:
        """Where the courier parks, lon and lat: neighbours within SAME_DOOR_M share one place."""
        return self.neighbour or (self.lon, self.lat)


@dataclass(frozen=True, slots=True)
class ShiftToPlan:
    """A courier's shift clipped to the half-day, in seconds since local midnight."""

    id: UUID
    courier_id: UUID
    office_id: UUID
    lon: float
    lat: float
    window: tuple[int, int]
    capacity: int
    communes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Unready:
    """An open job that cannot be planned now, with a reason for programs and a sentence for people."""

    job_id: UUID
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class DayWork:
    """All that is to be planned for one half-day, and the open jobs that cannot be."""

    day: date
    half: Half
    jobs: tuple[JobToPlan, ...]
    shifts: tuple[ShiftToPlan, ...]
    unready: tuple[Unready, ...] = ()


def midnight(day: date) -> datetime:
    """The start of a day in the operator's time zone."""
    return datetime.combine(day, time(), settings().timezone)


def half_day(day: date, half: Half) -> tuple[datetime, datetime]:
    """From when to when rounds of a half-day may be ridden."""
    start, end = HALF_DAYS[half]
    zone = settings().timezone
    return datetime.combine(day, start, zone), datetime.combine(day, end, zone)


def seconds_of(day: date, at: datetime) -> int:
    """Seconds of `at` since local midnight of `day`, by elapsed time (a clock change does not bend it)."""
    return round((at.astimezone(UTC) - midnight(day).astimezone(UTC)).total_seconds())


def time_of(day: date, seconds: int) -> datetime:
    """The moment that is so many seconds after local midnight of `day`."""
    return (midnight(day).astimezone(UTC) + timedelta(seconds=seconds)).astimezone(settings().timezone)


def end_of(half: Half) -> int:
    """When a half-day's rounds end, in seconds since midnight."""
    _, end = HALF_DAYS[half]
    return end.hour * 3600 + end.minute * 60


def back_by(half: Half) -> int:
    """By when a courier with papers for an agency must be back, in seconds since midnight."""
    start, end = HALF_DAYS[half]
    closing = max(closes for opens, closes in OFFICE_HOURS if opens < end and closes > start)
    return closing.hour * 3600 + closing.minute * 60 - round(HANDING_OVER.total_seconds())


def lock_half_day(session: Session, day: date, half: Half) -> None:
    """Let one at a time plan, publish or change the rounds of a half-day; taken before any lock on a round."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"half-day {day} {half.value}"))))


def drop_drafts(session: Session, day: date, half: Half) -> None:
    """Take away the rounds of earlier plans that nobody has been shown, and drafts whose day is over."""
    today = now().astimezone(settings().timezone).date()
    stale = or_(and_(Round.day == day, Round.half == half), Round.day < today)
    drafts = select(Round.id).where(stale, Round.state == RoundState.draft)
    session.execute(delete(Stop).where(Stop.round_id.in_(drafts)))
    session.execute(delete(Round).where(Round.id.in_(drafts)))


def gather(session: Session, plan: DayPlan, at_office: set[UUID]) -> DayWork:
    """Read the open jobs that may be done in the plan's half-day, and the shifts that cover it.

    `at_office` holds the items that are in the hands of a post office: only those can be delivered.
    """
    start, end = half_day(plan.day, plan.half)
    return DayWork(
        plan.day,
        plan.half,
        tuple(_jobs(session, plan.day, start, end, at_office)),
        tuple(_shifts(session, plan.day, plan.half, start, end)),
        tuple(_unready(session, start)),
    )


def for_round(session: Session, round_: Round, order: list[UUID]) -> tuple[list[JobToPlan], ShiftToPlan]:
    """Read a round's shift, and jobs in the order given, for timing the round anew as plans time it."""
    start, end = half_day(round_.day, round_.half)
    jobs = {job.id: job for job in _ready(session, round_.day, _job_columns().where(Job.id.in_(order)), set())}
    shift_rows = session.execute(_shift_columns().where(Shift.id == round_.shift_id))
    shift = next(_shift_to_plan(round_.day, row, start, end) for row in shift_rows)
    return [replace(jobs[job_id], at_office=True) for job_id in order], shift


def _jobs(session: Session, day: date, start: datetime, end: datetime, at_office: set[UUID]) -> list[JobToPlan]:
    jobs = _job_columns().where(
        Job.state == JobState.open,
        ~_TAKEN,
        or_(Job.window_start.is_(None), and_(Job.window_start < end, Job.window_end > start)),
    )
    return _ready(session, day, jobs, at_office)


def _ready(session: Session, day: date, jobs: Select[Any], at_office: set[UUID]) -> list[JobToPlan]:
    """Read jobs with what was learnt about their communes, and the doors that they share."""
    learnt = experience.service_seconds(session)
    planned = []
    for row in session.execute(_with_doors(jobs)):
        job = _job_to_plan(day, row, at_office=row.item_id in at_office)
        # What was learnt is from arrival to the end: planning adds the set-up itself.
        known = learnt.get((row.commune, row.kind))
        service_s = job.service_s if known is None else max(1, known - SETUP_S)
        planned.append(
            replace(job, service_s=service_s, commune=row.commune or "", neighbour=(row.door_lon, row.door_lat))
        )
    return planned


def _with_doors(jobs: Select[Any]) -> Select[Any]:
    """Add to each job its commune and its door: that of the first job of the cluster if it is within SAME_DOOR_M.

    A cluster may be a whole row of houses, each within metres of the next; only those near its first share a door.
    """
    place = func.ST_Transform(Job.point, METRIC)
    cluster = func.ST_ClusterDBSCAN(place, SAME_DOOR_M, 1).over().label("cluster")
    job = jobs.add_columns(Job.point, place.label("place"), cluster).subquery()

    def of_first(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.first_value(column).over(partition_by=job.c.cluster, order_by=job.c.id)

    shares = func.ST_DWithin(job.c.place, of_first(job.c.place), SAME_DOOR_M)
    commune = (
        select(Commune.code)
        .where(func.ST_Covers(Commune.outline, job.c.point))
        .order_by(func.ST_Area(Commune.outline), Commune.code)
        .limit(1)
        .scalar_subquery()
    )
    return select(
        *job.c,
        commune.label("commune"),
        case((shares, of_first(job.c.lon)), else_=job.c.lon).label("door_lon"),
        case((shares, of_first(job.c.lat)), else_=job.c.lat).label("door_lat"),
    ).order_by(job.c.id)


def _unready(session: Session, start: datetime) -> list[Unready]:
    """Open jobs that would otherwise be forgotten: their window is over, or a draft of another half-day has them."""
    past = session.scalars(select(Job.id).where(Job.state == JobState.open, ~_TAKEN, Job.window_end <= start))
    drafted = session.execute(
        select(Stop.job_id, Round.day, Round.half)
        .join(Round, Round.id == Stop.round_id)
        .where(Round.state == RoundState.draft, Stop.state.in_(LIVING))
    )
    return [
        *(Unready(job_id, WINDOW_PAST, "its window is over: agree on a new one") for job_id in past),
        *(Unready(r.job_id, IN_ANOTHER_DRAFT, f"it stands in the draft of {r.day}, {r.half.value}") for r in drafted),
    ]


_TAKEN = exists().where(Stop.job_id == Job.id, Stop.state.in_(LIVING))


def _job_columns() -> Select[Any]:
    return select(
        Job.id,
        Job.kind,
        Job.office_id,
        Job.item_id,
        func.ST_X(Job.point).label("lon"),
        func.ST_Y(Job.point).label("lat"),
        Job.window_start,
        Job.window_end,
        Job.service_seconds,
    )


def _job_to_plan(day: date, row: Row[Any], *, at_office: bool) -> JobToPlan:
    window = (seconds_of(day, row.window_start), seconds_of(day, row.window_end)) if row.window_start else None
    return JobToPlan(row.id, row.kind, row.office_id, row.lon, row.lat, window, row.service_seconds, at_office)


def _shifts(session: Session, day: date, half: Half, start: datetime, end: datetime) -> list[ShiftToPlan]:
    out = exists().where(Round.shift_id == Shift.id, Round.half == half, Round.state != RoundState.withdrawn)
    rows = session.execute(
        _shift_columns().where(Shift.starts_at < end, Shift.ends_at > start, ~out).order_by(Shift.id)
    )
    known = experience.known_communes(session)
    shifts = [_shift_to_plan(day, row, start, end) for row in rows]
    return [replace(shift, communes=known.get(shift.courier_id, frozenset())) for shift in shifts]


def _shift_columns() -> Select[Any]:
    return select(Shift, func.ST_X(ServicePoint.point).label("lon"), func.ST_Y(ServicePoint.point).label("lat")).join(
        ServicePoint, ServicePoint.id == Shift.office_id
    )


def _shift_to_plan(day: date, row: Row[Any], start: datetime, end: datetime) -> ShiftToPlan:
    shift, lon, lat = row.Shift, row.lon, row.lat
    window = (seconds_of(day, max(shift.starts_at, start)), seconds_of(day, min(shift.ends_at, end)))
    return ShiftToPlan(shift.id, shift.courier_id, shift.office_id, lon, lat, window, shift.capacity)
