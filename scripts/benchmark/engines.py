"""The engines: each takes a problem, travel times, seconds and a seed, and gives the order of each courier's visits.

Ours gives a plan; the others' orders are timed by the same writer and judged by the same judge.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from routing.plan import Plan, Reason, Unassigned
from routing.problem import Courier, Problem, Request, Stop
from routing.timetable import ride
from routing.travel import Table

type Orders = dict[str, list[Stop]]
type Trace = list[tuple[float, float]]

ORTOOLS_STOPS_MAX = 3000
"""Above it the matrix that OR-Tools wants as lists of Python integers takes gigabytes."""


VROOM_DEEPEST = 5
"""Its deepest level of exploration."""


@dataclass
class Answer:
    """A plan, the seconds it took, and how the best cost fell over time."""

    plan: Plan
    wall_s: float
    trace: Trace = field(default_factory=list)


def written(problem: Problem, table: Table, orders: Orders) -> Plan:
    """Time the orders and count what they cost."""
    index = {location.id: i for i, location in enumerate(problem.locations)}
    routes = tuple(ride(problem, table, index, c, orders[c.id]) for c in problem.couriers if orders.get(c.id))
    served = {visit.request for route in routes for visit in route.visits}
    left_out = [request for request in problem.requests if request.id not in served]
    cost = sum(route.travel_s for route in routes) + sum(request.unassigned_price for request in left_out)
    return Plan(routes, tuple(Unassigned(r.id, Reason.CROWDED_OUT, "left out") for r in left_out), cost)


def ours(problem: Problem, table: Table, seconds: float, seed: int) -> Answer:
    from routing.solver import solve, warm_up

    warm_up()
    trace: Trace = []
    started = time.perf_counter()
    plan = solve(
        problem,
        table,
        time_limit_s=seconds,
        seed=seed,
        on_progress=lambda p: trace.append((p.elapsed_s, p.cost)),
    )
    return Answer(plan, time.perf_counter() - started, trace)


def _vroom_rank(solution) -> tuple[int, int]:
    return len(solution.unassigned), solution.summary.cost


def vroom(problem: Problem, table: Table, seconds: float, seed: int) -> Answer:
    import vroom as engine

    started = time.perf_counter()
    index = {location.id: i for i, location in enumerate(problem.locations)}
    number = {skill: i for i, skill in enumerate(sorted({s for x in problem.requests for s in x.skills}))}
    model = engine.Input()
    model.set_durations_matrix("car", np.minimum(table.durations, 2**31 - 2).astype(np.uint32))
    for v, courier in enumerate(problem.couriers):
        model.add_vehicle(
            engine.Vehicle(
                v + 1,
                start=index[courier.start],
                end=index[courier.end],
                capacity=list(courier.capacity),
                skills={number[s] for s in courier.skills if s in number},
                time_window=engine.TimeWindow(courier.shift.start, courier.shift.end),
            )
        )
    for r, request in enumerate(problem.requests):
        skills = {number[s] for s in request.skills}
        ends = []
        for offset, task in ((1, request.pickup), (2, request.delivery)):
            windows = [engine.TimeWindow(w.start, w.end) for w in task.windows] if task else []
            ends.append(task and (2 * r + offset, index[task.location], task.service_s, windows))
        pickup, delivery = ends
        if pickup and delivery:
            steps = [
                engine.ShipmentStep(i, location=place, default_service=service, time_windows=windows)
                for i, place, service, windows in (pickup, delivery)
            ]
            model.add_job(engine.Shipment(*steps, amount=list(request.amounts), skills=skills))
        else:
            i, place, service, windows = pickup or delivery
            amount = {"pickup" if pickup else "delivery": list(request.amounts)}
            job = engine.Job(i, location=place, default_service=service, skills=skills, time_windows=windows, **amount)
            model.add_job(job)
    # A deep level that time cuts short is worse than a shallow one that ends: the best of all there is time for.
    solution = None
    for level in range(VROOM_DEEPEST + 1):
        left = seconds - (time.perf_counter() - started)
        if solution is not None and left <= 0:
            break
        found = model.solve(exploration_level=level, nb_threads=1, timeout=timedelta(seconds=max(0.1, left)))
        if solution is None or _vroom_rank(found) < _vroom_rank(solution):
            solution = found
    orders: Orders = {}
    for v, kind, i in zip(solution.routes["vehicle_id"], solution.routes["type"], solution.routes["id"], strict=True):
        if kind in ("job", "pickup", "delivery"):
            request = problem.requests[(int(i) - 1) // 2]
            end = "pickup" if (int(i) - 1) % 2 == 0 else "delivery"
            orders.setdefault(problem.couriers[int(v) - 1].id, []).append(Stop(request.id, end))
    wall = time.perf_counter() - started
    plan = written(problem, table, orders)
    return Answer(plan, wall, [(wall, plan.cost)])


def pyvrp(problem: Problem, table: Table, seconds: float, seed: int) -> Answer:
    import pyvrp as engine
    from pyvrp.stop import MaxRuntime

    started = time.perf_counter()
    index = {location.id: i for i, location in enumerate(problem.locations)}
    skills = sorted({s for x in problem.requests for s in x.skills})
    depots = sorted({index[c.start] for c in problem.couriers} | {index[c.end] for c in problem.couriers})
    depot = {place: d for d, place in enumerate(depots)}
    matrix = np.ascontiguousarray(table.durations.astype(np.int64))

    def load(request: Request) -> list[int]:
        return [*request.amounts, *(int(s in request.skills) for s in skills)]

    kinds: dict[tuple, list[Courier]] = {}
    for courier in problem.couriers:
        key = (courier.start, courier.end, courier.shift, courier.capacity, courier.skills)
        kinds.setdefault(key, []).append(courier)
    vehicles = [
        engine.VehicleType(
            len(group),
            capacity=[*capacity, *(10**6 if s in has else 0 for s in skills)],
            start_depot=depot[index[start]],
            end_depot=depot[index[end]],
            tw_early=shift.start,
            tw_late=shift.end,
        )
        for (start, end, shift, capacity, has), group in kinds.items()
    ]
    clients, shipments, lone, paired = [], [], [], []
    for request in problem.requests:
        # All that is measured here can be served, and PyVRP is far better when it must be than when it may be.
        common = {"required": True}
        pickup, delivery = request.pickup, request.delivery
        if pickup and delivery:
            paired.append(request)
            shipments.append(
                engine.Shipment(
                    index[pickup.location],
                    index[delivery.location],
                    pickup.windows[0].start,
                    pickup.windows[0].end,
                    pickup.service_s,
                    delivery.windows[0].start,
                    delivery.windows[0].end,
                    delivery.service_s,
                    amount=load(request),
                    **common,
                )
            )
        else:
            task = pickup or delivery
            lone.append(request)
            clients.append(
                engine.Client(
                    index[task.location],
                    delivery=load(request) if delivery else [0] * len(load(request)),
                    pickup=load(request) if pickup else [0] * len(load(request)),
                    service_duration=task.service_s,
                    tw_early=task.windows[0].start,
                    tw_late=task.windows[0].end,
                    **common,
                )
            )
    data = engine.ProblemData(
        locations=[engine.Location(x.lon * 1e4, x.lat * 1e4) for x in problem.locations],
        clients=clients,
        depots=[engine.Depot(place) for place in depots],
        vehicle_types=vehicles,
        distance_matrices=[matrix],
        duration_matrices=[matrix],
        shipments=shipments,
    )
    building = time.perf_counter() - started
    result = engine.solve(data, MaxRuntime(max(0.1, seconds - building)), seed=seed, display=False)
    wall = time.perf_counter() - started
    used = [iter(group) for group in kinds.values()]
    orders: Orders = {}
    for route in result.best.routes():
        order = orders.setdefault(next(used[route.vehicle_type()]).id, [])
        for step in route.schedule():
            if step.is_client():
                request = lone[step.idx]
                order.append(Stop(request.id, "pickup" if request.pickup else "delivery"))
            elif step.is_pickup() or step.is_delivery():
                order.append(Stop(paired[step.idx].id, "pickup" if step.is_pickup() else "delivery"))
    times = building + np.cumsum(result.stats.runtimes)
    trace = [(float(t), float(x.best_cost)) for t, x in zip(times, result.stats.data, strict=True) if x.best_feas]
    return Answer(written(problem, table, orders), wall, trace[:: max(1, len(trace) // 200)])


def ortools(problem: Problem, table: Table, seconds: float, seed: int) -> Answer:
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    started = time.perf_counter()
    index = {location.id: i for i, location in enumerate(problem.locations)}
    stops = [(r, k, t) for r in problem.requests for k, t in (("pickup", r.pickup), ("delivery", r.delivery)) if t]
    if len(stops) > ORTOOLS_STOPS_MAX:
        raise ValueError(f"OR-Tools is run on at most {ORTOOLS_STOPS_MAX} stops")
    places = [index[t.location] for _, _, t in stops]
    ends = [index[c.start] for c in problem.couriers] + [index[c.end] for c in problem.couriers]
    n, v = len(stops), len(problem.couriers)
    manager = pywrapcp.RoutingIndexManager(n + 2 * v, v, list(range(n, n + v)), list(range(n + v, n + 2 * v)))
    model = pywrapcp.RoutingModel(manager)
    travel = np.minimum(table.durations[np.ix_(places + ends, places + ends)].astype(np.int64), 2**40)
    service = np.array([t.service_s for _, _, t in stops] + [0] * (2 * v))
    riding = model.RegisterTransitMatrix(travel.tolist())
    model.SetArcCostEvaluatorOfAllVehicles(riding)
    horizon = max(c.shift.end for c in problem.couriers)
    model.AddDimension(
        model.RegisterTransitMatrix((travel + service[:, None]).tolist()), horizon, horizon, False, "time"
    )
    clock = model.GetDimensionOrDie("time")
    for i, courier in enumerate(problem.couriers):
        clock.CumulVar(model.Start(i)).SetRange(courier.shift.start, courier.shift.end)
        clock.CumulVar(model.End(i)).SetRange(courier.shift.start, courier.shift.end)
    signs = [1 if k == "pickup" else -1 for _, k, _ in stops]
    for d in range(problem.dimensions):
        amounts = [s * r.amounts[d] for s, (r, _, _) in zip(signs, stops, strict=True)] + [0] * (2 * v)
        model.AddDimensionWithVehicleCapacity(
            model.RegisterUnaryTransitVector(amounts), 0, [c.capacity[d] for c in problem.couriers], False, f"load{d}"
        )
    node = {(r.id, k): manager.NodeToIndex(i) for i, (r, k, _) in enumerate(stops)}
    for r, k, t in stops:
        clock.CumulVar(node[r.id, k]).SetRange(t.windows[0].start, t.windows[0].end)
    for request in problem.requests:
        mine = [node[request.id, k] for k in ("pickup", "delivery") if (request.id, k) in node]
        model.AddDisjunction(mine, request.unassigned_price, len(mine))
        able = [i for i, c in enumerate(problem.couriers) if request.skills <= c.skills]
        for i in mine:
            model.VehicleVar(i).SetValues([-1, *able])
        if len(mine) == 2:
            model.AddPickupAndDelivery(*mine)
            model.solver().Add(model.VehicleVar(mine[0]) == model.VehicleVar(mine[1]))
            model.solver().Add(clock.CumulVar(mine[0]) <= clock.CumulVar(mine[1]))
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(max(100, int(1000 * (seconds - (time.perf_counter() - started)))))
    trace: Trace = []
    model.AddAtSolutionCallback(lambda: trace.append((time.perf_counter() - started, model.CostVar().Max())))
    solution = model.SolveWithParameters(parameters)
    wall = time.perf_counter() - started
    orders: Orders = {}
    if solution:
        for i, courier in enumerate(problem.couriers):
            at = solution.Value(model.NextVar(model.Start(i)))
            while not model.IsEnd(at):
                request, kind, _ = stops[manager.IndexToNode(at)]
                orders.setdefault(courier.id, []).append(Stop(request.id, kind))
                at = solution.Value(model.NextVar(at))
    return Answer(written(problem, table, orders), wall, trace)


ENGINES: dict[str, Callable[[Problem, Table, float, int], Answer]] = {
    "ours": ours,
    "pyvrp": pyvrp,
    "vroom": vroom,
    "ortools": ortools,
}
