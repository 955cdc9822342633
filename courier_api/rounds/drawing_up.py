"""Writing planned rounds into rows, changing drafts, and publishing them."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload, undefer

from courier_api.db import SRID, new_id, now, refused_by
from courier_api.errors import Invalid, NotFound, Refused
from courier_api.jobs.models import Job
from courier_api.jobs.states import JobState
from courier_api.lifecycle import next_state
from courier_api.people.models import Person
from courier_api.places.models import ServicePoint
from courier_api.rounds.daywork import lock_half_day, time_of
from courier_api.rounds.models import DayPlan, Remedy, Round, Shift, Stop, UnplannedJob
from courier_api.rounds.planning import PlannedDay, PlannedRound
from courier_api.rounds.riding import LIVING
from courier_api.rounds.states import ROUND, STOP, Half, PlanState, RoundAction, StopAction, StopState


def define_shift(
    session: Session, courier: Person, office: ServicePoint, starts_at: object, ends_at: object, capacity: int
) -> Shift:
    """Give a courier a shift; raises Refused when it overlaps another of his."""
    shift = Shift(
        id=new_id(),
        courier_id=courier.id,
        courier=courier,
        office_id=office.id,
        office=office,
        starts_at=starts_at,
        ends_at=ends_at,
        capacity=capacity,
    )
    with refused_by(session, "ex_shift_overlap", Refused("shift_overlaps", "/starts_at")):
        session.add(shift)
    return shift


def request_plan(session: Session, dispatcher: Person, day: date, half: Half) -> DayPlan:
    """Put a plan in the queue; raises Refused while one for the same half-day is under way."""
    plan = DayPlan(
        id=new_id(),
        day=day,
        half=half,
        state=PlanState.queued,
        progress=0,
        requested_by=dispatcher.id,
        created_at=now(),
    )
    # One plan at a time, whatever the half-day: two at once would both take a job that any of them may do.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("request_plan"))))
    running = Refused("plan_running", day=day.isoformat(), half=half.value)
    if session.scalar(select(DayPlan.id).where(DayPlan.state.in_((PlanState.queued, PlanState.running))).limit(1)):
        raise running
    with refused_by(session, "ix_day_plan_one_running", running):
        session.add(plan)
    return plan


def write_rounds(session: Session, plan: DayPlan, planned: PlannedDay) -> None:
    """Store what was planned: rounds as drafts, and every job left out with its reason."""
    shifts = {s.id: s for s in session.scalars(select(Shift).where(Shift.id.in_([r.shift_id for r in planned.rounds])))}
    rounds = []
    for draft in planned.rounds:
        shift = shifts[draft.shift_id]
        round_ = Round(
            id=new_id(),
            plan_id=plan.id,
            shift_id=shift.id,
            courier_id=shift.courier_id,
            office_id=shift.office_id,
            day=plan.day,
            half=plan.half,
        )
        session.add(round_)
        write_times(session, round_, draft)
        rounds.append(round_)
    _cancel_stops_of_ended_jobs(session, rounds)
    for left_out in planned.left_out:
        remedies = [
            Remedy(kind=r.kind, shift_id=r.shift_id, amount=r.amount, riding_seconds=r.riding_s)
            for r in left_out.remedies
        ]
        session.add(
            UnplannedJob(
                plan_id=plan.id,
                job_id=left_out.job_id,
                reason=left_out.reason,
                detail=left_out.detail[:300],
                remedies=remedies,
            )
        )
    plan.travel_source = planned.travel_source
    plan.planned = sum(len(r.stops) for r in planned.rounds)
    plan.jobs = plan.planned + len(planned.left_out)
    plan.metres = sum(r.metres for r in planned.rounds)


def _cancel_stops_of_ended_jobs(session: Session, rounds: Sequence[Round]) -> None:
    """What was called off while it was planned gets the stop that it would have had a moment later."""
    stops = [stop for round_ in rounds for stop in round_.stops]
    # Locked: whoever calls a job off just now waits for us and then finds its stop.
    open_jobs = select(Job.id).where(Job.id.in_([s.job_id for s in stops]), Job.state == JobState.open).order_by(Job.id)
    still_open = set(session.scalars(open_jobs.with_for_update(read=True)))
    for stop in stops:
        if stop.job_id not in still_open:
            stop.state = StopState.cancelled
            stop.ended_at = now()
    session.flush()


def write_times(session: Session, round_: Round, planned: PlannedRound) -> None:
    """Give a round the stops, times and line of a plan; stops it had keep their identity, ended ones come last."""
    round_.departs_at = time_of(round_.day, planned.departs)
    round_.returns_at = time_of(round_.day, planned.returns)
    round_.travel_seconds = planned.travel_s
    round_.metres = planned.metres
    round_.line = _line(planned)
    known = {stop.job_id: stop for stop in round_.stops if stop.state in LIVING}
    ended = [stop for stop in round_.stops if stop.state not in LIVING]
    stops = []
    for position, planned_stop in enumerate(planned.stops, 1):
        stop = known.get(planned_stop.job_id) or Stop(id=new_id(), job_id=planned_stop.job_id, state=StopState.pending)
        stop.position = position
        stop.arrival = time_of(round_.day, planned_stop.arrival)
        stop.service_start = time_of(round_.day, planned_stop.start)
        stop.departure = time_of(round_.day, planned_stop.departure)
        stops.append(stop)
    for position, stop in enumerate(ended, len(stops) + 1):
        stop.position = position
    round_.stops = [*stops, *ended]
    session.flush()


def _line(planned: PlannedRound) -> str | None:
    if len(planned.line) < 2:
        return None
    return f"SRID={SRID};LINESTRING({', '.join(f'{lon:.6f} {lat:.6f}' for lon, lat in planned.line)})"


def round_by_id(session: Session, round_id: UUID, *, lock: bool = False) -> Round:
    """Any round, for the dispatcher; locked, nobody plans or changes its half-day meanwhile. Raises NotFound."""
    if lock:
        where = session.execute(select(Round.day, Round.half).where(Round.id == round_id)).one_or_none()
        if where is None:
            raise NotFound
        lock_half_day(session, where.day, where.half)
    query = select(Round).where(Round.id == round_id).options(selectinload(Round.stops).joinedload(Stop.job))
    found = session.scalar(query.with_for_update(of=Round) if lock else query)
    if found is None:
        raise NotFound
    return found


def rounds_on(session: Session, day: date, half: Half | None, limit: int, after: UUID | None) -> Sequence[Round]:
    """The rounds of a day in the order of their making."""
    query = select(Round).where(Round.day == day).options(undefer(Round.line_geojson)).order_by(Round.id).limit(limit)
    if half is not None:
        query = query.where(Round.half == half)
    if after is not None:
        query = query.where(Round.id > after)
    return session.scalars(query).all()


def withdraw(round_: Round) -> list[Stop]:
    """Take a round from its courier; return the stops that were still before him, cancelled, their jobs open."""
    round_.state = next_state(ROUND, round_.state, RoundAction.withdraw)
    left = [stop for stop in round_.stops if stop.state in LIVING]
    for stop in left:
        stop.state = next_state(STOP, stop.state, StopAction.cancel)
        stop.ended_at = now()
    return left


def publish(round_: Round) -> None:
    """Show a round to its courier."""
    round_.state = next_state(ROUND, round_.state, RoundAction.publish)


def latest_day(session: Session) -> tuple[date, Half] | None:
    """The last half-day that has rounds."""
    # "morning" sorts after "afternoon": the later half is the lesser word.
    row = session.execute(select(Round.day, Round.half).order_by(Round.day.desc(), Round.half).limit(1)).one_or_none()
    return (row.day, row.half) if row else None


def order_with(stops: Sequence[Stop], moved: Stop, position: int) -> list[Job]:
    """The jobs of a round in order, with one of them at a new 1-based place; raises Invalid for no such place."""
    others = [stop.job for stop in stops if stop.id != moved.id and stop.state in LIVING]
    if not 1 <= position <= len(others) + 1:
        raise Invalid("no_such_position", "/position")
    return [*others[: position - 1], moved.job, *others[position - 1 :]]
