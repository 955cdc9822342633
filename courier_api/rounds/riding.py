"""A courier's rounds and stops while they are ridden."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from uuid import UUID

from geoalchemy2 import Geography
from sqlalchemy import and_, bindparam, cast, func, or_, select, update
from sqlalchemy.orm import Session, contains_eager, joinedload, lazyload, object_session, selectinload, undefer

from courier_api.db import now, point
from courier_api.dossiers.models import Document, Dossier, PostalItem
from courier_api.errors import Invalid, NotFound, Refused
from courier_api.jobs.models import Job
from courier_api.jobs.states import JobKind
from courier_api.lifecycle import next_state
from courier_api.people.models import Person
from courier_api.places.models import ServicePoint
from courier_api.procedures.models import ProcedureVersion
from courier_api.rounds import changes
from courier_api.rounds.models import Round, Stop
from courier_api.rounds.states import ROUND, STOP, ArrivedWhy, RoundAction, RoundState, StopAction, StopState
from courier_api.settings import settings

LIVING = (StopState.pending, StopState.arrived)
EARLY = timedelta(hours=2)  # nobody leaves longer before his shift
TAKEN = "stops taken"  # in a session's info
SHOWN = (RoundState.published, RoundState.started, RoundState.finished)


def rounds_of(session: Session, courier: Person, day: date) -> Sequence[Round]:
    """The rounds of a courier on a day, drafts left out: what is not published is not yet his."""
    return session.scalars(
        select(Round)
        .where(Round.courier_id == courier.id, Round.day == day, Round.state.in_(SHOWN))
        .order_by(Round.departs_at)
    ).all()


def next_day_of(session: Session, courier: Person) -> date | None:
    """The first day from today on that has a round for this courier; what he began yesterday and did not end counts."""
    today = now().astimezone(settings().timezone).date()
    ahead = or_(Round.day >= today, and_(Round.state == RoundState.started, Round.day >= today - timedelta(days=1)))
    return session.scalar(
        select(func.min(Round.day)).where(Round.courier_id == courier.id, Round.state.in_(SHOWN), ahead)
    )


def round_of(session: Session, courier: Person, round_id: UUID, *, lock: bool = False) -> Round:
    """A published round of this courier; raises NotFound."""
    query = select(Round).where(Round.id == round_id, Round.courier_id == courier.id, Round.state.in_(SHOWN))
    found = session.scalar(query.with_for_update(of=Round) if lock else query)
    if found is None:
        raise NotFound
    return found


def stop_of(session: Session, courier: Person, stop_id: UUID, *, lock: bool = False) -> Stop:
    """A stop of a published round of this courier; raises NotFound for another's as for none."""
    held: dict[UUID, Stop] = session.info.get(TAKEN, {})
    if stop_id in held:
        return held[stop_id]
    query = (
        select(Stop)
        .join(Round)
        .where(Stop.id == stop_id, Round.courier_id == courier.id, Round.state.in_(SHOWN))
        .execution_options(populate_existing=True)
    )
    found = session.scalar(query.with_for_update(of=Stop) if lock else query)
    if found is None:
        raise NotFound
    return found


# Made once: it is asked with each batch of operations.
_DOORS = (
    select(Stop)
    .join(Stop.round)
    .join(Stop.job)
    .join(Job.dossier)
    .join(Job.item)
    .where(
        Stop.id.in_(bindparam("stops", expanding=True)),
        Round.courier_id == bindparam("courier"),
        Round.state.in_(SHOWN),
    )
    .order_by(Dossier.id, Stop.id)
    .with_for_update(of=(Dossier, Stop, PostalItem))
    .options(
        lazyload("*"),
        contains_eager(Stop.round).defer(Round.stop_count),  # type: ignore[attr-defined]
        contains_eager(Stop.job).contains_eager(Job.item),
        contains_eager(Stop.job)
        .contains_eager(Job.dossier)
        .options(
            selectinload(Dossier.documents).joinedload(Document.requirement),
            selectinload(Dossier.procedure_version).selectinload(ProcedureVersion.requirements),
        ),
    )
    .execution_options(populate_existing=True)
)


def doors_of(session: Session, round_: Round) -> Sequence[Stop]:
    """The stops of a round in order, with what is shown of a door, in the same few queries for any number of them."""
    job = joinedload(Stop.job)
    dossier = job.joinedload(Job.dossier)
    return session.scalars(
        select(Stop)
        .where(Stop.round_id == round_.id)
        .order_by(Stop.position)
        .options(
            job.joinedload(Job.item),
            job.selectinload(Job.attempts),
            dossier.joinedload(Dossier.centre),
            dossier.selectinload(Dossier.documents).joinedload(Document.requirement),
            dossier.joinedload(Dossier.procedure_version).selectinload(ProcedureVersion.requirements),
        )
    ).all()


@contextmanager
def taken(session: Session, courier: Person, stop_ids: Collection[UUID]) -> Iterator[Collection[Stop]]:
    """Lock stops of a courier with their dossiers and items and all that is read at a door, in a few queries for all.

    Until the block ends, `stop_of` gives these. Dossier, then stop, then item: the order that everybody keeps.
    """
    asked = {"stops": list(stop_ids), "courier": courier.id}
    session.info[TAKEN] = {stop.id: stop for stop in session.scalars(_DOORS, asked)} if stop_ids else {}
    try:
        yield session.info[TAKEN].values()
    finally:
        del session.info[TAKEN]


def is_taken(session: Session, stop_id: UUID) -> bool:
    """Whether a stop and its dossier are locked already."""
    return stop_id in session.info.get(TAKEN, {})


def has_started(session: Session, courier: Person) -> bool:
    """Whether the courier is out on a round already."""
    return (
        session.scalar(select(Round.id).where(Round.courier_id == courier.id, Round.state == RoundState.started))
        is not None
    )


def to_deliver(session: Session, round_: Round) -> dict[UUID, str]:
    """The items of a round that are to be delivered and not yet seen to, with their tracking numbers, in its order."""
    query = (
        select(PostalItem.id, PostalItem.tracking_number)
        .join(Job, Job.item_id == PostalItem.id)
        .join(Stop, Stop.job_id == Job.id)
        .where(Stop.round_id == round_.id, Stop.state == StopState.pending, Job.kind == JobKind.delivery)
        .order_by(Stop.position)
    )
    return dict(session.execute(query).all())


def start(round_: Round, device_at: datetime | None) -> None:
    """The courier leaves the office."""
    at = _when(device_at, round_.shift.starts_at - EARLY)  # read first: reading writes what has changed so far
    round_.state = next_state(ROUND, round_.state, RoundAction.start)
    round_.started_at = at


def _when(device_at: datetime | None, earliest: datetime) -> datetime:
    """When something was done: as the device says where that can be, else now that we hear of it."""
    heard = now()
    return device_at if device_at is not None and earliest <= device_at <= heard else heard


def finish(round_: Round, device_at: datetime | None) -> None:
    """The courier is back; every stop must have its end."""
    session = object_session(round_)
    assert session is not None
    left = session.scalar(select(func.count(Stop.id)).where(Stop.round_id == round_.id, Stop.state.in_(LIVING)))
    if left:
        raise Refused("stops_left", count=left)
    round_.state = next_state(ROUND, round_.state, RoundAction.finish)
    round_.finished_at = _when(device_at, round_.started_at or now())


def see(session: Session, round_: Round, version: int, at: datetime) -> None:
    """The courier has signed that he knows this version of his round; an older one than he knows changes nothing."""
    if not 1 <= version <= round_.version:
        raise Refused("no_such_version", version=round_.version)
    if round_.seen_version is None or round_.seen_version < version:
        # Not by way of the row: what its courier has seen makes no new version of it.
        session.execute(update(Round).where(Round.id == round_.id).values(seen_version=version, seen_at=at))


def arrive(stop: Stop, device_at: datetime, place: tuple[float, float] | None, why: ArrivedWhy | None) -> None:
    """The courier is at the door; PostGIS says how many metres from it, where his phone knows its place."""
    require_riding(stop)
    if place is None and why is not ArrivedWhy.no_signal:
        raise Invalid("place_missing", "/place")
    stop.state = next_state(STOP, stop.state, StopAction.arrive)
    stop.arrived_at = now()
    stop.arrived_device_at = device_at
    stop.arrived_why = why
    if place is None:
        return
    lon, lat = place
    stop.arrived_point = point(lon, lat)
    # Reckoned with the write itself, and read only by who shows it.
    stop.arrived_metres = (
        select(func.round(func.ST_Distance(cast(Job.point, Geography), cast(point(lon, lat), Geography))))
        .where(Job.id == stop.job_id)
        .scalar_subquery()
    )


def end(stop: Stop, action: StopAction) -> None:
    """A stop is completed or has failed."""
    require_riding(stop)
    stop.state = next_state(STOP, stop.state, action)
    stop.ended_at = now()


def require_riding(stop: Stop) -> None:
    """Refuse what is done at a stop while its round is not under way."""
    if stop.round.state is not RoundState.started:
        raise Refused("round_not_started", state=stop.round.state.value)


def cancel_stop_of(session: Session, job: Job) -> None:
    """Take a job that is called off out of the round it stands in."""
    stop = session.scalar(select(Stop).where(Stop.job_id == job.id, Stop.state.in_(LIVING)).with_for_update(of=Stop))
    if stop is None:
        return
    stop.state = next_state(STOP, stop.state, StopAction.cancel)
    stop.ended_at = now()
    if stop.round.state in SHOWN:
        changes.add(session, stop.round.courier_id, "stop_cancelled", stop.id, round=str(stop.round_id))
    # Whoever edits the round from an older view must look again.
    session.execute(update(Round).where(Round.id == stop.round_id).values(version=Round.version + 1))


def rounds_of_office(session: Session, office: ServicePoint, day: date) -> Sequence[Round]:
    """The published rounds of a post office on a day."""
    return session.scalars(
        select(Round)
        .where(Round.office_id == office.id, Round.day == day, Round.state.in_(SHOWN))
        .options(selectinload(Round.stops), undefer(Round.line_geojson))
        .order_by(Round.departs_at)
    ).all()
