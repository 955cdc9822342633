"""Turns a problem into a plan: a first full plan at once, then better ones until the limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from routing.incumbent import Incumbent
from routing.layout import table_for
from routing.plan import Plan
from routing.problem import Break, Courier, Location, Problem, Request, Stop, Task, TimeWindow
from routing.travel import GreatCircle, Table, TravelTimes

CHUNK_S = 0.01
"""Seconds between two looks at the clock."""

ITERATIONS_PER_CHUNK = 64
ITERATIONS_AT_ONCE_MAX = 5000
SMALL_PROBLEM = 12
ITERATIONS_PER_SMALL_REQUEST = 2000
"""A problem of so few requests is not searched longer than this: it has long been solved to the optimum."""

HOT, COLD = 1.0, 0.01
"""First and last temperature, as shares of what a request costs on average in the first full plan."""

CYCLE_PER_REQUEST = 2000
CYCLES_MAX = 6
REHEAT = 0.3
"""A run with more than so many iterations for each request cools down that much more often, at most CYCLES_MAX times.

From the second time on it starts from the best plan, at a share of the first temperature. One long cooling ends in
some valley; several look into valleys near the best.
"""

LUKEWARM = 0.05
"""First temperature where a plan is improved that is good already."""

REPORT_S = 0.1
"""Seconds between two calls of `on_progress`."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search has come: seconds and iterations so far, the best plan's cost and requests left out.

    `plan()` writes the best plan so far; it is good only during the call that brought it.
    """

    elapsed_s: float
    iterations: int
    cost: int
    unassigned: int
    plan: Callable[[], Plan]


def solve(
    problem: Problem,
    travel: TravelTimes | Table,
    *,
    time_limit_s: float = 10.0,
    seed: int = 0,
    iterations: int | None = None,
    start: Plan | None = None,
    workers: int = 1,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Plan:
    """Plan a day at the lowest cost found within the limit.

    Every request ahead is in exactly one route or among the unassigned, with a reason. The limit counts from the call,
    table included; the search stops within 50 ms of it or of `cancel` being set, but never before there is a first
    full plan. With `iterations` the search also ends after so many, and is the same for the same seed and workers as
    long as the limit does not cut it short. `start` is a plan to begin from; what in it breaks a rule is taken out.
    `workers` searches run at once, each on a core. Travel times should keep the triangle inequality; where they do not,
    the plan is still sound but may leave out a request that only a detour reaches. `on_progress` is called once there
    is a first full plan and then about every tenth of a second. Raises ValueError where prices by the metre meet
    travel times without distances.
    """
    started = time.perf_counter()
    incumbent = Incumbent(problem, table_for(problem, travel), seed)
    if start:
        incumbent.load(start)
        incumbent.insert_absent()
    else:
        incumbent.construct()
    deadline = started + time_limit_s - _writing_s(len(incumbent.layout.stops))
    clock = _Clock(started, deadline, cancel)
    report = _Reporter(incumbent, clock, on_progress)
    report.now(0)
    budget = _budget(len(incumbent.layout.kept), iterations)
    if workers > 1 and incumbent.can_be_shared:
        _anneal_together(incumbent, clock, budget, report, seed)
    else:
        _anneal(incumbent, clock, budget, report)
    incumbent.finish()
    return incumbent.plan()


def polish(incumbent: Incumbent, time_limit_s: float, cancel: threading.Event | None = None) -> None:
    """Improve a plan that is good already: a search that hardly ever accepts anything worse."""
    started = time.perf_counter()
    clock = _Clock(started, started + time_limit_s, cancel)
    _anneal(incumbent, clock, _budget(len(incumbent.layout.kept), None), _Reporter(incumbent, clock, None), LUKEWARM)
    incumbent.finish()


def warm_up() -> None:
    """Compile the search, or load it from numba's cache: most of a minute the first time on a machine, then 1 s."""
    place = Location("a", 0.0, 0.0)
    task = Task("a", (TimeWindow(0, 9),), 1, due=3, late_price=1)
    requests = (Request("p", task, None), Request("d", None, task), Request("pd", task, task), Request("x", task, None))
    rest = Break(TimeWindow(0, 9), 1)
    shown = (Stop("p", "pickup"), Stop("d", "delivery"))
    courier = Courier("c", "a", "a", TimeWindow(0, 99), (2,), breaks=(rest,), shown=shown, move_price=1)
    problem = Problem((place,), requests, (courier, replace(courier, id="e", shown=())))
    plan = solve(problem, GreatCircle(), iterations=8, time_limit_s=600.0)
    plan = solve(problem, GreatCircle(), iterations=8, time_limit_s=600.0, start=plan)
    Incumbent(problem, GreatCircle().table(problem.locations)).rehearse(plan)


@dataclass(frozen=True, slots=True)
class _Clock:
    started: float
    deadline: float
    cancel: threading.Event | None

    def elapsed(self) -> float:
        return time.perf_counter() - self.started

    def left(self) -> float:
        if self.cancel is not None and self.cancel.is_set():
            return 0.0
        return self.deadline - time.perf_counter()


class _Reporter:
    """Tells the caller how far the search is, about every REPORT_S."""

    def __init__(self, incumbent: Incumbent, clock: _Clock, told: Callable[[Progress], None] | None) -> None:
        self.incumbent, self.clock, self.told, self.last = incumbent, clock, told, 0.0

    def now(self, iterations: int) -> None:
        if self.told:
            best = self.incumbent
            self.last = self.clock.elapsed()
            self.told(Progress(self.last, iterations, best.cost, best.unassigned, best.best_plan))

    def perhaps(self, iterations: int) -> None:
        if self.told and self.clock.elapsed() - self.last >= REPORT_S:
            self.now(iterations)


def _budget(requests: int, iterations: int | None) -> int | None:
    """Return how many iterations to run at most, None for as many as the time allows."""
    if requests == 0:
        return 0
    small = ITERATIONS_PER_SMALL_REQUEST * requests if requests <= SMALL_PROBLEM else None
    if iterations is None or small is None:
        return small if iterations is None else iterations
    return min(iterations, small)


@dataclass(slots=True)
class _Cooling:
    """Says how warm the search is, in cycles of equal length over the whole run."""

    hot: float
    cycles: int = 1
    cycle: int = 0

    def begin(self, share: float, incumbent: Incumbent) -> float:
        """Return how far (0 to 1) the cycle is when this share of the run is over; a new one begins at the best."""
        cycle = min(int(share * self.cycles), self.cycles - 1)
        if cycle > self.cycle:
            self.cycle = cycle
            incumbent.back_to_best()
        return share * self.cycles - cycle

    @property
    def range(self) -> tuple[float, float]:
        """First and last temperature of the cycle."""
        return self.hot if self.cycle == 0 else self.hot * REHEAT, self.hot * COLD

    def plan_cycles(self, incumbent: Incumbent, iterations: float) -> None:
        """Divide a run that will have about so many iterations into cycles; only while it is in the first of them."""
        whole = CYCLE_PER_REQUEST * len(incumbent.layout.kept)
        self.cycles = max(1, min(CYCLES_MAX, int(iterations / whole)))


SPEED_KNOWN = 0.02
"""Share of a timed run after which it is known how many iterations it will have."""


def _anneal(incumbent: Incumbent, clock: _Clock, budget: int | None, report: _Reporter, warmth: float = HOT) -> None:
    """Run the search in chunks until budget or time is spent.

    With a budget the temperature follows the iterations, so that the result does not depend on the machine's speed;
    without one it follows the time.
    """
    cooling = _Cooling(warmth * incumbent.mean_cost)
    if budget:
        cooling.plan_cycles(incumbent, budget)
    done, chunk, begun = 0, ITERATIONS_PER_CHUNK // 8, clock.elapsed()
    whole = max(clock.left(), 1e-3)
    while clock.left() > 0 and (budget is None or done < budget):
        if budget is None:
            share = 1 - clock.left() / whole
            if share < SPEED_KNOWN:
                cooling.plan_cycles(incumbent, done / max(share, 1e-6))
            total = int(chunk * whole / cooling.cycles / CHUNK_S) + 1
            at = int(total * cooling.begin(share, incumbent))
        else:
            total = -(-budget // cooling.cycles)
            cooling.begin(done // total / cooling.cycles, incumbent)
            at = done % total
            chunk = min(chunk, budget - done, total - at)
        incumbent.improve(chunk, at, total, *cooling.range)
        done += chunk
        now = clock.elapsed()
        chunk = _next_chunk(chunk, now - begun)
        report.perhaps(done)
        begun = clock.elapsed()
    report.now(done)


def _next_chunk(chunk: int, took: float) -> int:
    """Return how many iterations will take about CHUNK_S, never growing more than fourfold at once."""
    return int(min(max(1, chunk * CHUNK_S / max(took, 1e-6)), 4 * chunk, ITERATIONS_AT_ONCE_MAX))


def _writing_s(stops: int) -> float:
    """Return seconds to keep for the end: last chunk, final insertion, writing the plan."""
    return 0.005 + stops * 1.5e-5


EPOCH_S = 0.25
"""Seconds that two searches work apart before they put their routes together."""

EPOCH_ITERATIONS = 2000
"""The same where iterations are counted."""


def _anneal_together(incumbent: Incumbent, clock: _Clock, budget: int | None, report: _Reporter, seed: int) -> None:
    """Let two searches improve one half of the routes each, put them together, halve them anew, and so on.

    An iteration touches a few neighbouring routes only, so two at once on different routes do in one second what one
    search does in two. They are threads: compiled code holds no lock, and each writes its own arrays.
    """
    cooling = _Cooling(HOT * incumbent.mean_cost)
    if budget:
        cooling.plan_cycles(incumbent, budget)
    partner = incumbent.partner(seed + 1)
    chance = np.random.default_rng(seed)
    whole, done = max(clock.left(), 1e-3), 0
    while clock.left() > 0 and (budget is None or done < budget):
        share = min(1.0, done / budget) if budget is not None else 1 - clock.left() / whole
        if budget is None and cooling.cycle == 0 and done:
            cooling.plan_cycles(incumbent, done / share)
        within = cooling.begin(share, incumbent)
        incumbent.halve(partner, chance)
        count = None if budget is None else max(1, min(EPOCH_ITERATIONS, budget - done) // 2)
        hot, cold = cooling.range
        epoch = _Epoch(clock, clock.elapsed() + EPOCH_S, count, hot * (cold / hot) ** within)
        with ThreadPoolExecutor(1) as pool:
            theirs = pool.submit(epoch.run, partner)
            done += epoch.run(incumbent)
            done += theirs.result()
        incumbent.rejoin(partner)
        report.perhaps(done)
    report.now(done)


@dataclass(frozen=True, slots=True)
class _Epoch:
    """A quarter of a second at one temperature, or so many iterations where they are counted."""

    clock: _Clock
    ends: float
    count: int | None
    temperature: float

    def run(self, incumbent: Incumbent) -> int:
        """Improve one search's routes; return the number of iterations made."""
        done, chunk = 0, ITERATIONS_PER_CHUNK
        while self.clock.left() > 0 and (self.clock.elapsed() < self.ends if self.count is None else done < self.count):
            if self.count is not None:
                chunk = min(chunk, self.count - done)
            begun = self.clock.elapsed()
            incumbent.improve(chunk, 0, 1, self.temperature, self.temperature)
            done += chunk
            chunk = _next_chunk(chunk, self.clock.elapsed() - begun)
        return done
