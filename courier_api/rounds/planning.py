"""Between rows and `routing`: the only room that calls the planner. Nothing here touches the database."""

import fcntl
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from courier_api.errors import Refused
from courier_api.jobs.states import JobKind
from courier_api.places.closures import Shut
from courier_api.rounds.daywork import DayWork, JobToPlan, ShiftToPlan, back_by, end_of
from courier_api.rounds.experience import SETUP_S
from courier_api.rounds.states import RemedyKind
from courier_api.settings import settings
from routing import check, closures, solver
from routing.closures import Closures
from routing.explain import Constraint, Remedy, explain
from routing.graph import GraphError, build_graph
from routing.osrm import NoWay, Osrm
from routing.osrm_cache import CachedOsrm
from routing.plan import Plan, Route
from routing.problem import Courier, Location, Problem, Request, Stop, Task, TimeWindow
from routing.timetable import ride
from routing.travel import GreatCircle, Table, TravelTimes

log = logging.getLogger(__name__)

SAME_DOOR = 5  # decimals of a degree: about a metre
ITEM_NOT_AT_OFFICE = "item_not_at_office"
CURRENT_GRAPH = "current"
EXTRACT = "extract.osm.pbf"
AWAY_PRICE = 240  # seconds of riding that sending a courier to a commune he does not know must save
EXPLAINING_S = 5  # seconds for finding out what would let the jobs left out in

# What a dispatcher can change: a shift, an agreed window, what a courier takes along.
REMEDIES = {
    Constraint.SHIFT: RemedyKind.longer_shift,
    Constraint.WINDOW: RemedyKind.longer_window,
    Constraint.EARLIER: RemedyKind.earlier_window,
    Constraint.CAPACITY: RemedyKind.larger_load,
}

type Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """A job's place in a round; times in seconds since local midnight."""

    job_id: UUID
    arrival: int
    start: int
    departure: int


@dataclass(frozen=True, slots=True)
class PlannedRound:
    """A round as planned: its stops, its line (lon, lat) and its length; `line` is empty without a road graph."""

    shift_id: UUID
    stops: tuple[PlannedStop, ...]
    departs: int
    returns: int
    travel_s: int
    metres: int
    line: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class PlannedRemedy:
    """A change that would let a job into a courier's round, tried by the planner.

    `amount` is items for larger_load, else seconds; `riding_s` is what it adds.
    """

    kind: RemedyKind
    shift_id: UUID
    amount: int
    riding_s: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A job that is in no round, with a reason for programs, a sentence for people, and what would let it in."""

    job_id: UUID
    reason: str
    detail: str
    remedies: tuple[PlannedRemedy, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """What came out: every job is in a round or left out."""

    rounds: tuple[PlannedRound, ...]
    left_out: tuple[LeftOut, ...]
    travel_source: str


def install_roads(pbf: Path) -> Path:
    """Build the road graph of an OSM extract, all roads open, and make it the one that planning uses."""
    folder = settings().graph_dir
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f".{EXTRACT}.new"
    shutil.copyfile(pbf, kept)
    kept.replace(folder / EXTRACT)
    return _install(folder, Closures())


@contextmanager
def graph_lock() -> Iterator[None]:
    """Let one process at a time build a road graph and say what it knows."""
    folder = settings().graph_dir
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def rebuild_roads(shut: Sequence[Shut]) -> dict[UUID, str]:
    """Build the road graph anew from the extract installed last, with what is shut, and use it from now on.

    What stood before is used until then. Returns the closures that cannot be shut, with the reason; the others are.
    Raises GraphError where no extract was installed or the build fails, ClosureError for closures that only together
    leave no road. Called under `graph_lock`.
    """
    folder = settings().graph_dir
    if not (folder / EXTRACT).exists():
        raise GraphError(f"no roads were installed in {folder}")
    each = [Closures(x.ways, (x.area,) if x.area else ()) for x in shut]
    wrong = closures.faults(folder / EXTRACT, each) if each else {}
    sound = [x for place, x in enumerate(each) if place not in wrong]
    together = Closures(
        frozenset[int]().union(*(x.ways for x in sound)), tuple(ring for x in sound for ring in x.polygons)
    )
    _install(folder, together)
    return {shut[place].id: reason for place, reason in wrong.items()}


def _install(folder: Path, closures: Closures) -> Path:
    base = build_graph(folder / EXTRACT, folder, closures=closures)
    current, mark = folder / CURRENT_GRAPH, folder / f".{CURRENT_GRAPH}.new"
    kept = {base.parent.name, current.read_text().partition("/")[0] if current.exists() else ""}
    mark.write_text(str(base.relative_to(folder)))
    mark.replace(current)
    # The one before may be being opened just now; older ones nobody needs.
    for old in folder.glob(f"{EXTRACT.partition('.')[0]}-*"):
        if old.name not in kept:
            shutil.rmtree(old, ignore_errors=True)
    return base


def travel_times() -> TravelTimes:
    """The road graph that was installed last; straight lines with a detour factor where there is none."""
    mark = settings().graph_dir / CURRENT_GRAPH
    if not mark.exists():
        log.warning("no road graph in %s: planning by great-circle distances", settings().graph_dir)
        return GreatCircle()
    return _opened(mark.parent / mark.read_text().strip())


@lru_cache(maxsize=1)
def _opened(base: Path) -> CachedOsrm:
    return CachedOsrm(base)


def plan_day(work: DayWork, on_progress: Callable[[int], None]) -> PlannedDay:
    """Plan a half-day; `on_progress` hears per cents. Raises RuntimeError if the independent judge finds a fault."""
    travel = travel_times()
    jobs = {str(job.id): job for job in work.jobs if job.kind is JobKind.pickup or job.at_office}
    waiting = [
        LeftOut(job.id, ITEM_NOT_AT_OFFICE, "the item is not at the post office yet")
        for job in work.jobs
        if str(job.id) not in jobs
    ]
    waiting += [LeftOut(unready.job_id, unready.reason, unready.detail) for unready in work.unready]
    problem = _problem(work, list(jobs.values()))
    table = travel.table(problem.locations)
    on_progress(10)
    seconds = settings().planning_seconds
    plan = solver.solve(
        problem,
        table,
        time_limit_s=seconds,
        on_progress=lambda p: on_progress(10 + round(80 * min(1.0, p.elapsed_s / seconds))),
    )
    _judge(problem, plan, table)
    on_progress(90)
    places = {location.id: (location.lon, location.lat) for location in problem.locations}
    shifts = {str(shift.id): shift for shift in work.shifts}
    rounds = tuple(_planned(route, shifts[route.courier], places, travel) for route in plan.routes)
    remedies = _remedies(work, problem, plan, table)
    left_out = [
        LeftOut(jobs[u.request].id, u.reason.value, u.detail, remedies.get(u.request, ())) for u in plan.unassigned
    ]
    return PlannedDay(rounds, tuple(left_out + waiting), travel.source)


def retime(work: DayWork, shift: ShiftToPlan, order: Sequence[JobToPlan]) -> PlannedRound:
    """Time one round in a given order; raises Refused with the first rule that the order breaks."""
    travel = travel_times()
    problem = _problem(DayWork(work.day, work.half, tuple(order), (shift,)), list(order))
    table = travel.table(problem.locations)
    index = {location.id: row for row, location in enumerate(problem.locations)}
    stops = [Stop(str(job.id), "pickup" if job.kind is JobKind.pickup else "delivery") for job in order]
    route = ride(problem, table, index, problem.couriers[0], stops)
    # A dispatcher breaks no rule by choosing what is dear: only the rules are judged.
    found = check.violations(problem, Plan((route,) if order else (), (), 0), table)
    found = [violation for violation in found if violation.code is not check.Code.COST]
    if found:
        raise Refused("move_breaks_round", "/position", rule=found[0].code, detail=found[0].detail)
    places = {location.id: (location.lon, location.lat) for location in problem.locations}
    return _planned(route, shift, places, travel)


def _judge(problem: Problem, plan: Plan, table: Table) -> None:
    found = check.violations(problem, plan, table)
    if found:
        raise RuntimeError(f"the plan breaks {len(found)} rules, first: {found[0]}")


def _remedies(work: DayWork, problem: Problem, plan: Plan, table: Table) -> dict[str, tuple[PlannedRemedy, ...]]:
    """Find out for the jobs left out, as many as the time allows, what would let each in."""
    collecting = _collecting(work.jobs)
    latest = {str(shift.id): _back_by(work, shift, collecting) for shift in work.shifts}
    ends = {courier.id: courier.shift.end for courier in problem.couriers}

    def can_be_done(remedy: Remedy) -> bool:
        """No shift is longer than its half-day, and agencies close when they close."""
        if remedy.constraint is Constraint.SHIFT:
            return ends[remedy.courier] + remedy.amount <= latest[remedy.courier]
        return remedy.constraint in REMEDIES

    return {
        why.request: tuple(
            PlannedRemedy(REMEDIES[r.constraint], UUID(r.courier), r.amount, r.extra)
            for r in why.remedies
            if can_be_done(r)
        )
        for why in explain(problem, plan, table, EXPLAINING_S)
    }


def _collecting(jobs: Iterable[JobToPlan]) -> set[UUID]:
    return {job.office_id for job in jobs if job.kind is JobKind.pickup}


def _back_by(work: DayWork, shift: ShiftToPlan, collecting: set[UUID]) -> int:
    """By when a round must be back, however long the shift: before the agencies close if it collects for them."""
    return back_by(work.half) if shift.office_id in collecting else end_of(work.half)


def _problem(work: DayWork, jobs: Sequence[JobToPlan]) -> Problem:
    """Put a half-day into the planner's words: deliveries start on board, pickups end on board, each at its office."""
    collecting = _collecting(jobs)
    locations: dict[str, Location] = {}

    def place(lon: float, lat: float) -> str:
        lon, lat = round(lon, SAME_DOOR), round(lat, SAME_DOOR)
        name = f"{lon:.5f} {lat:.5f}"
        locations.setdefault(name, Location(name, lon, lat))
        return name

    couriers = []
    for shift in work.shifts:
        start, end = shift.window
        end = max(start, min(end, _back_by(work, shift, collecting)))
        office = place(shift.lon, shift.lat)
        couriers.append(
            Courier(
                str(shift.id),
                office,
                office,
                TimeWindow(start, end),
                (shift.capacity,),
                _at(shift.office_id),
                territories=shift.communes,
                # A newcomer knows no commune: he is nowhere better placed than who does.
                away_price=AWAY_PRICE,
            )
        )
    requests = []
    for job in jobs:
        windows = (TimeWindow(*job.window),) if job.window else (TimeWindow(0, 2 * 86_400),)
        task = Task(place(*job.door), windows, job.service_s, SETUP_S)
        pickup, delivery = (task, None) if job.kind is JobKind.pickup else (None, task)
        requests.append(Request(str(job.id), pickup, delivery, (1,), _at(job.office_id), territory=job.commune))
    return Problem(tuple(locations.values()), tuple(requests), tuple(couriers))


def _at(office_id: UUID) -> frozenset[str]:
    """A result lies at one office and only that office's couriers can take it along."""
    return frozenset({f"office {office_id}"})


def _planned(route: Route, shift: ShiftToPlan, places: dict[str, Point], travel: TravelTimes) -> PlannedRound:
    office = (shift.lon, shift.lat)
    points = [office, *(places[visit.location] for visit in route.visits), office]
    metres, line = _ridden(points, travel)
    stops = tuple(PlannedStop(UUID(v.request), v.arrival, v.start, v.departure) for v in route.visits)
    return PlannedRound(shift.id, stops, route.start, route.end, route.travel_s, metres, line)


def _ridden(points: Sequence[Point], travel: TravelTimes) -> tuple[int, tuple[Point, ...]]:
    """Length in metres and line along the roads; nothing is drawn where there is no graph to draw it from."""
    if not isinstance(travel, Osrm):
        return 0, ()
    try:
        legs = travel.geometry(points)
    except NoWay:
        return 0, ()
    line: list[Point] = []
    for leg in legs:
        line += leg.points if not line else leg.points[1:]
    return sum(leg.distance_m for leg in legs), tuple(line)


def warm_up() -> None:
    """Load what the first plan would otherwise wait for: the compiled search and the road graph."""
    solver.warm_up()
    travel_times()
