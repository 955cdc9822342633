"""The dispatcher's part: plan a half-day, move a stop, publish, open a job again."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from courier_api import queue
from courier_api.custody import holding
from courier_api.custody.models import PartyRole
from courier_api.db import now
from courier_api.dossiers import cases
from courier_api.dossiers.models import Dossier
from courier_api.dossiers.states import DossierState, ItemKind, Service
from courier_api.errors import Invalid, NotFound, Refused
from courier_api.jobs import work
from courier_api.jobs.models import Job
from courier_api.jobs.states import JobKind, JobState
from courier_api.journey.booking import FARTHEST_BOOKING, checked_window
from courier_api.people.models import Person, Role
from courier_api.places import closures
from courier_api.places.models import Posting, RoadClosure
from courier_api.rounds import changes, daywork, drawing_up, planning
from courier_api.rounds.models import DayPlan, Round, Shift, Stop
from courier_api.rounds.riding import LIVING
from courier_api.rounds.states import Half, PlanState, RoundState, StopState
from courier_api.settings import settings

PICKUP_STATES = (DossierState.submitted,)
MOVABLE = (RoundState.draft, RoundState.published)
LONGEST_SHIFT = timedelta(hours=24)
WORTH_TELLING = timedelta(minutes=10)  # a smaller change of time is not announced
DELIVERY_STATES = (DossierState.result_ready, DossierState.not_received)


def plan_rounds(session: Session, dispatcher: Person, day: date, half: Half) -> DayPlan:
    """Ask for a plan of a half-day; a worker makes it."""
    end = daywork.half_day(day, half)[1]
    if end <= now():
        raise Invalid("day_in_the_past", "/day")
    if end > now() + FARTHEST_BOOKING:
        raise Invalid("day_too_far", "/day")
    plan = drawing_up.request_plan(session, dispatcher, day, half)
    queue.later(session, "plan_day", plan.id)
    return plan


def close_road(session: Session, dispatcher: Person, **closure: Any) -> RoadClosure:
    """Shut a road or an area for a while; a worker builds the road graph anew."""
    shut = closures.close(session, dispatcher, **closure)
    queue.later(session, "rebuild_roads", shut.id)
    return shut


def reopen_road(session: Session, closure_id: UUID) -> RoadClosure:
    """Open a road again before its time."""
    closure = closures.by_id(session, closure_id)
    closures.reopen(closure)
    session.flush()
    queue.later(session, "rebuild_roads", closure.id)
    return closure


def keep_roads_true(session: Session) -> bool:
    """Ask for a new road graph when a closure has begun or ended since the last; return whether it was needed."""
    closure_id = closures.stale(session)
    if closure_id is not None:
        queue.later(session, "rebuild_roads", closure_id)
    return closure_id is not None


def claim_plan(session: Session, plan_id: UUID) -> daywork.DayWork | None:
    """Begin a plan: drop the drafts before it and read the work; None when it has been made already."""
    plan = session.get(DayPlan, plan_id, with_for_update=True)
    if plan is None or plan.state in (PlanState.done, PlanState.failed):
        return None
    plan.state = PlanState.running
    daywork.lock_half_day(session, plan.day, plan.half)
    daywork.drop_drafts(session, plan.day, plan.half)
    session.flush()
    return daywork.gather(session, plan, holding.items_held_by_role(session, PartyRole.office))


def record_progress(session: Session, plan_id: UUID, per_cent: int) -> None:
    """Let whoever waits see how far it is."""
    plan = session.get(DayPlan, plan_id, with_for_update=True)
    if plan is not None and plan.state is PlanState.running:
        plan.progress = max(plan.progress, per_cent)


def record_plan(session: Session, plan_id: UUID, planned: planning.PlannedDay, seconds: float) -> None:
    """Write the rounds as drafts, unless another worker was first."""
    plan = session.get(DayPlan, plan_id, with_for_update=True)
    if plan is None or plan.state is not PlanState.running:
        return
    drawing_up.write_rounds(session, plan, planned)
    plan.seconds = round(seconds, 2)
    plan.state = PlanState.done
    plan.progress = 100
    plan.finished_at = now()


def record_failed_plan(session: Session, plan_id: UUID, fault: str) -> None:
    """A plan that could not be made says so, and makes room for the next try."""
    plan = session.get(DayPlan, plan_id, with_for_update=True)
    if plan is not None and plan.state is not PlanState.done:
        plan.state = PlanState.failed
        plan.fault = fault[:2000]
        plan.finished_at = now()


def move_stop(session: Session, source: Round, stop_id: UUID, to_round_id: UUID, position: int) -> Round:
    """Put a stop of a locked round at another place, in it or in another; the judge must agree. Raises Refused."""
    stop = next((s for s in source.stops if s.id == stop_id), None)
    if stop is None:
        raise NotFound
    target = source if to_round_id == source.id else drawing_up.round_by_id(session, to_round_id)
    here, there = ((r.day, r.half, r.office_id) for r in (source, target))
    if here != there:
        raise Refused("round_of_another_office", "/round_id")
    if source is not target:
        # The lock on the half-day, taken with the source, keeps others from moving stops crosswise.
        target = drawing_up.round_by_id(session, to_round_id, lock=True)
    if stop.state is not StopState.pending or any(r.state not in MOVABLE for r in (source, target)):
        raise Refused("round_under_way")
    expected = {s.id: s.arrival for r in (source, target) for s in r.stops}
    planned = {target: _retimed(session, target, drawing_up.order_with(target.stops, stop, position))}
    if source is not target:
        rest = [s.job for s in source.stops if s.id != stop.id and s.state in LIVING]
        planned[source] = _retimed(session, source, rest)
        stop.round = target
    for round_, times in planned.items():
        drawing_up.write_times(session, round_, times)
        if round_.state is RoundState.published:
            changes.add(session, round_.courier_id, "round_changed", round_.id)
            _announce(session, [s for s in round_.stops if abs(s.arrival - expected[s.id]) >= WORTH_TELLING])
    session.flush()
    return target


def _retimed(session: Session, round_: Round, order: list[Job]) -> planning.PlannedRound:
    day, half = round_.day, round_.half
    job_rows, shift = daywork.for_round(session, round_, [job.id for job in order])
    return planning.retime(daywork.DayWork(day, half, (), ()), shift, job_rows)


def publish_round(session: Session, round_: Round) -> Round:
    """Show a round to its courier and tell each citizen when to expect him."""
    if daywork.half_day(round_.day, round_.half)[1] <= now():
        raise Refused("day_in_the_past")
    _publish(session, round_)
    session.flush()
    return round_


def _publish(session: Session, round_: Round) -> None:
    drawing_up.publish(round_)
    changes.add(session, round_.courier_id, "round_published", round_.id)
    _announce(session, round_.stops)


def _announce(session: Session, stops: Sequence[Stop]) -> None:
    zone = settings().timezone
    for stop in stops:
        if stop.state in LIVING:
            expected = stop.arrival.astimezone(zone).isoformat(timespec="minutes")
            cases.tell(
                session,
                stop.job.dossier,
                "pickup_planned" if stop.job.kind is JobKind.pickup else "delivery_planned",
                expected=expected,
            )


def withdraw_round(session: Session, round_: Round) -> Round:
    """Take a round from its courier: the doors before him can be planned anew, what he holds goes back to the clerk."""
    for stop in drawing_up.withdraw(round_):
        cases.tell(session, stop.job.dossier, "visit_withdrawn")
    changes.add(session, round_.courier_id, "round_withdrawn", round_.id)
    session.flush()
    return round_


def publish_plan(session: Session, plan_id: UUID) -> list[Round]:
    """Publish every draft of a plan; raises Refused when the plan is not done."""
    plan = plan_by_id(session, plan_id)
    if plan.state is not PlanState.done:
        raise Refused("plan_not_done", state=plan.state.value)
    daywork.lock_half_day(session, plan.day, plan.half)
    drafts = session.scalars(
        select(Round)
        .where(Round.plan_id == plan.id, Round.state == RoundState.draft)
        .options(selectinload(Round.stops).joinedload(Stop.job))
        .order_by(Round.id)
        .with_for_update(of=Round)
    ).all()
    with session.no_autoflush:  # all of it is written in one go at the end
        for round_ in drafts:
            if daywork.half_day(round_.day, round_.half)[1] <= now():
                raise Refused("day_in_the_past")
            _publish(session, round_)
    session.flush()
    return list(drafts)


def plan_by_id(session: Session, plan_id: UUID) -> DayPlan:
    """A plan; raises NotFound."""
    plan = session.get(DayPlan, plan_id)
    if plan is None:
        raise NotFound
    return plan


def plans_on(session: Session, day: date | None, limit: int, after: UUID | None) -> list[DayPlan]:
    """The plans of a day, or of all days, newest first."""
    query = select(DayPlan).order_by(DayPlan.id.desc()).limit(limit)
    if day is not None:
        query = query.where(DayPlan.day == day)
    if after is not None:
        query = query.where(DayPlan.id < after)
    return list(session.scalars(query))


def reopen_job(session: Session, dossier_id: UUID, kind: JobKind, window: tuple[datetime, datetime] | None) -> Job:
    """Open a job for a leg whose last one failed, or give one whose window passed a new one.

    Raises Refused while one is still to come, or when the dossier is elsewhere.
    """
    dossier = session.scalar(select(Dossier).where(Dossier.id == dossier_id).with_for_update(of=Dossier))
    if dossier is None:
        raise NotFound
    renewed = work.renew_expired(session, dossier, kind, window)
    if renewed is not None:
        if window is not None:
            checked_window(window)
        return renewed
    if work.open_job_of(session, dossier, kind) is not None:
        raise Refused("job_already_open", kind=kind.value)
    expected = PICKUP_STATES if kind is JobKind.pickup else DELIVERY_STATES
    if window is not None:
        checked_window(window)
    if dossier.state not in expected:
        raise Refused("wrong_state", state=dossier.state.value, action=kind.value)
    wanted = ItemKind.result if dossier.state is DossierState.result_ready else ItemKind.send
    item = cases.item_of(dossier, wanted)
    if item is None:  # a return-only dossier has nothing to collect
        raise Refused("wrong_state", state=dossier.state.value, action=kind.value)
    return work.open_job(session, dossier, item, kind, window)


def stranded(session: Session, limit: int, after: UUID | None) -> list[Dossier]:
    """Dossiers that wait for a decision: a leg is to be done, its last job failed, and nobody opened another."""
    none_open = ~exists().where(Job.dossier_id == Dossier.id, Job.state == JobState.open)
    to_collect = and_(Dossier.state.in_(PICKUP_STATES), Dossier.service != Service.return_)
    query = select(Dossier).where(none_open, or_(to_collect, Dossier.state.in_(DELIVERY_STATES)))
    if after is not None:
        query = query.where(Dossier.id > after)
    return list(session.scalars(query.options(*cases.SHOWN).order_by(Dossier.id).limit(limit)))


def shifts_on(session: Session, day: date, limit: int, after: UUID | None) -> list[Shift]:
    """The shifts that begin on a day."""
    start = daywork.midnight(day)
    query = select(Shift).where(Shift.starts_at >= start, Shift.starts_at < daywork.time_of(day, 86_400))
    if after is not None:
        query = query.where(Shift.id > after)
    return list(session.scalars(query.order_by(Shift.id).limit(limit)))


def couriers(session: Session) -> list[Posting]:
    """All couriers with the post offices that they ride from."""
    query = select(Posting).where(Posting.role == Role.courier).order_by(Posting.person_id)
    return list(session.scalars(query.options(joinedload(Posting.person), joinedload(Posting.service_point))))


def define_shift(session: Session, courier_id: UUID, starts_at: datetime, ends_at: datetime, capacity: int) -> Shift:
    """Give a courier a shift from his post office; raises Invalid for who is no courier."""
    if ends_at - starts_at > LONGEST_SHIFT:
        raise Invalid("shift_too_long", "/ends_at")
    if ends_at <= now():
        raise Invalid("shift_in_the_past", "/ends_at")
    posting = session.get(Posting, (courier_id, Role.courier))
    if posting is None:
        raise Invalid("not_a_courier", "/courier_id")
    return drawing_up.define_shift(session, posting.person, posting.service_point, starts_at, ends_at, capacity)


def open_jobs(session: Session, kind: JobKind | None, limit: int, after: UUID | None) -> list[Job]:
    """The jobs still to be done, oldest first."""
    query = select(Job).where(Job.state == JobState.open).order_by(Job.id).limit(limit)
    if kind is not None:
        query = query.where(Job.kind == kind)
    if after is not None:
        query = query.where(Job.id > after)
    return list(session.scalars(query))
