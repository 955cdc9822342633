"""The plan as it stands, laid out for the search: to be built, improved, asked what a change costs, and written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from routing.kernel import annealing, routes
from routing.kernel.arrays import ABSENT, BEST_ABSENT, BEST_COST, COST, NEVER, NONE, USED, Ints, Search, new_search
from routing.kernel.insertion import insertion
from routing.layout import Layout, lay_out
from routing.plan import Plan, Route
from routing.problem import Break, Problem, Stop
from routing.reasons import unassigned
from routing.timetable import ride
from routing.travel import Table

SHARED_FROM = 8
"""Used routes from which two searches can share a plan."""


@dataclass(frozen=True, slots=True)
class Insertion:
    """The cheapest place for a request: the courier, and what it adds to the cost."""

    courier: str
    extra: int


class Incumbent:
    """A problem's routes as they stand; nothing here is safe to share between threads."""

    def __init__(self, problem: Problem, table: Table, seed: int = 0) -> None:
        self.problem = problem
        self.seed = seed
        self.layout: Layout = lay_out(problem, table)
        self.model = self.layout.model
        self.search: Search = new_search(self.model, seed)
        self._row = {request.id: r for r, request in enumerate(self.layout.kept)}
        self._node = {Stop(request.id, kind): i for i, (request, kind, _) in enumerate(self.layout.stops)}
        self._answer = np.zeros(4, dtype=np.int64)
        routes.clear(self.model, self.search)

    # --- building and improving -------------------------------------------------------------------------------------

    def construct(self) -> None:
        """Build the first full plan: dear requests first, those that close early before the others."""
        routes.construct(self.model, self.search, self._dear_first(np.arange(len(self.layout.kept))))

    def load(self, plan: Plan) -> None:
        """Take a plan's routes over, without what breaks a rule: that is left out, as is what the plan leaves out."""
        routes.clear(self.model, self.search)
        row = {courier.id: v for v, courier in enumerate(self.problem.couriers)}
        free = set(row.values())
        for route in plan.routes:
            stops = [Stop(visit.request, visit.kind) for visit in route.visits]
            nodes = [self._node[stop] for stop in stops if stop in self._node]
            if row.get(route.courier) in free:
                free.remove(row[route.courier])
                routes.load(self.model, self.search, row[route.courier], _ints(self._whole(nodes)))
        routes.settle_absent(self.model, self.search)
        routes.remember(self.model, self.search)

    def _whole(self, nodes: list[int]) -> Iterator[int]:
        """Leave away the stops of a pair whose other stop is not there, or comes in the wrong order, or twice."""
        at: dict[int, int] = {}
        for i, node in enumerate(nodes):
            at.setdefault(node, i)
        for i, node in enumerate(nodes):
            r = self.model.nodes[node].request
            first, second = int(self.model.requests[r].first), int(self.model.requests[r].second)
            whole = second == NONE or (first in at and second in at and at[first] < at[second])
            free = self.search.requests[r].courier == NONE
            if whole and free and at[node] == i:
                yield node

    def insert_absent(self) -> None:
        """Insert what still fits anywhere, dearest first, until nothing does."""
        while True:
            absent = self.search.requests.absent[: self.search.total[ABSENT]].copy()
            if not routes.insert(self.model, self.search, self._dear_first(absent)):
                return

    def improve(self, iterations: int, done: int, total: int, hot: float, cold: float) -> None:
        """Run iterations number done, done + 1, ... of `total`, the temperature falling from hot to cold."""
        annealing.improve(self.model, self.search, iterations, done, total, hot, cold)

    def back_to_best(self) -> None:
        """Go back to the best routes seen, or as loaded."""
        routes.restore_best(self.model, self.search)

    def finish(self) -> None:
        """Go back to the best routes seen, with everything that has room."""
        self.back_to_best()
        self.insert_absent()

    def _dear_first(self, requests: Ints) -> Ints:
        closes = self.model.nodes.last_close[self.model.requests.first[requests]]
        return np.ascontiguousarray(
            requests[np.lexsort((closes, -self.model.requests.price[requests]))], dtype=np.int64
        )

    # --- two searches -----------------------------------------------------------------------------------------------

    @property
    def can_be_shared(self) -> bool:
        """Whether there are enough routes for two searches."""
        return bool(self.search.total[USED] >= SHARED_FROM)

    def partner(self, seed: int) -> Incumbent:
        """Return another search over the same arrays."""
        other = object.__new__(Incumbent)
        other.__dict__.update(self.__dict__)
        other.search = new_search(self.model, seed)
        routes.clear(self.model, other.search)
        return other

    def halve(self, partner: Incumbent, chance: np.random.Generator) -> None:
        """Give the partner the routes far from a random place and every other request that is left out."""
        routes.copy_routes(self.model, partner.search, self.search)
        given, mine, theirs = self.model, self.search, partner.search
        pole = given.nodes.place[given.requests.first[chance.integers(len(self.layout.kept))]]
        couriers = len(given.couriers)
        starts = np.arange(len(given.nodes) - 2 * couriers, len(given.nodes) - couriers)
        firsts = mine.nodes.following[starts]
        stands = np.where(mine.couriers.stops > 0, mine.nodes.place[firsts], given.nodes.place[starts])
        order = np.argsort(given.durations_to[pole, stands], kind="stable")
        stops = np.cumsum(mine.couriers.stops[order])
        near = order[: int(np.searchsorted(stops, stops[-1] / 2)) + 1]
        mine.couriers.mine = False
        mine.couriers.mine[near] = True
        theirs.couriers.mine = ~mine.couriers.mine
        absent = mine.requests.absent[: mine.total[ABSENT]].copy()
        for one, share in ((mine, absent[::2]), (theirs, absent[1::2])):
            one.requests.absent[: len(share)] = share
            one.total[ABSENT] = len(share)
            one.requests.is_absent = False
            one.requests.is_absent[share] = True

    def rejoin(self, partner: Incumbent) -> None:
        """Take over what the partner made of its routes."""
        routes.take_routes(self.model, self.search, partner.search)
        self.search.couriers.mine = True
        routes.settle_absent(self.model, self.search)
        if self.search.total[COST] < self.search.total[BEST_COST]:
            routes.remember(self.model, self.search)

    # --- asking and changing ----------------------------------------------------------------------------------------

    def insertion(self, request: str, courier: str | None = None) -> Insertion | None:
        """Return the cheapest place for a request left out, at one courier or anywhere; None if it fits nowhere.

        Exact for the routes as they stand; whatever it costs, even above the price of leaving it out.
        """
        r = self._row.get(request)
        if r is None:
            return None
        v = NONE if courier is None else self._courier(courier)
        insertion(self.model, self.search, r, v, self._answer)
        extra, where_v = int(self._answer[0]), int(self._answer[1])
        return None if extra >= NEVER else Insertion(self.problem.couriers[where_v].id, extra)

    def insert(self, request: str) -> bool:
        """Insert a request that is left out where it costs least, if that is below its price; nothing else moves."""
        r = self._row.get(request)
        return r is not None and bool(routes.insert(self.model, self.search, _ints([r])))

    def remove(self, request: str) -> None:
        """Take a request out of its route, and what no longer fits there without it; nothing else moves."""
        r = self._row[request]
        if self.search.requests[r].courier != NONE:
            routes.remove(self.model, self.search, r)

    def serving(self, request: str) -> str | None:
        """Return the courier who serves a request in the routes as they stand."""
        r = self._row.get(request)
        v = NONE if r is None else int(self.search.requests[r].courier)
        return None if v == NONE else self.problem.couriers[v].id

    @property
    def left_out(self) -> frozenset[str]:
        """The requests that could be served and that the routes as they stand leave out."""
        return frozenset(x.id for x, v in zip(self.layout.kept, self.search.requests.courier, strict=True) if v == NONE)

    def _courier(self, name: str) -> int:
        return next(v for v, courier in enumerate(self.problem.couriers) if courier.id == name)

    # --- figures and plans ------------------------------------------------------------------------------------------

    @property
    def standing_cost(self) -> int:
        """Cost of the routes as they stand, with what is left out."""
        return int(self.search.total[COST]) + self.layout.price_of_hopeless

    @property
    def cost(self) -> int:
        """Cost of the best routes seen, with what is left out."""
        return int(self.search.total[BEST_COST]) + self.layout.price_of_hopeless

    @property
    def unassigned(self) -> int:
        """Number of requests that the best routes seen leave out."""
        return int(self.search.total[BEST_ABSENT]) + len(self.layout.ahead) - len(self.layout.kept)

    @property
    def mean_cost(self) -> float:
        """What a served request costs on average, at least 1."""
        served = len(self.layout.kept) - int(self.search.total[ABSENT])
        return max(1.0, float(self.search.couriers.cost.sum()) / max(1, served))

    def plan(self) -> Plan:
        """Write the routes as they stand."""
        return self._write(self.search.nodes.following, self.search.requests.courier, self.standing_cost)

    def best_plan(self) -> Plan:
        """Write the best routes seen."""
        return self._write(self.search.nodes.best_following, self.search.requests.best_courier, self.cost)

    def _write(self, following: Ints, courier: Ints, cost: int) -> Plan:
        layout, links = self.layout, following.tolist()
        couriers = len(self.problem.couriers)
        starts = len(links) - 2 * couriers
        ridden: list[Route] = []
        for v, rider in enumerate(self.problem.couriers):
            order: list[Stop | Break] = []
            node = links[starts + v]
            while node != starts + couriers + v:
                order.append(self._item(node))
                node = links[node]
            if any(isinstance(item, Stop) for item in order):
                ridden.append(ride(self.problem, layout.table, layout.index, rider, order))
        served = {layout.kept[r].id for r in np.flatnonzero(courier != NONE)}
        left_out = []
        for row, request in enumerate(layout.ahead):
            if request.id not in served:
                place = self.insertion(request.id)
                left_out.append(unassigned(layout, row, place.extra if place else NEVER))
        return Plan(tuple(ridden), tuple(left_out), cost)

    def _item(self, node: int) -> Stop | Break:
        stops = len(self.layout.stops)
        if node < stops:
            request, kind, _ = self.layout.stops[node]
            return Stop(request.id, kind)
        return self.layout.rests[node - stops][1]

    def rehearse(self, plan: Plan) -> None:
        """Call everything once, so that all of it is compiled; leaves the routes empty."""
        partner = self.partner(1)
        self.load(plan)
        if self.layout.kept:
            self.halve(partner, np.random.default_rng(0))
            self.rejoin(partner)
        for request in self.layout.kept:
            self.remove(request.id)
            self.insertion(request.id)
            self.insert(request.id)
        self.finish()


def _ints(values: object) -> Ints:
    return np.array(list(values), dtype=np.int64)  # type: ignore[call-overload]  # any iterable of integers
