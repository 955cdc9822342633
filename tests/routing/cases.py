"""Problems by chance and by hand for the routing tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from routing.problem import Break, Courier, Done, Location, Problem, Request, Stop, Task, TimeWindow
from routing.travel import UNREACHABLE, Table


class Matrix:
    """TravelTimes from a written matrix."""

    source = "matrix"

    def __init__(self, durations: Sequence[Sequence[int]], distances: Sequence[Sequence[int]] | None = None) -> None:
        self.durations = np.array(durations, dtype=np.int32).reshape(len(durations), len(durations))
        self.distances = None if distances is None else np.array(distances, dtype=np.int32).reshape(len(durations), -1)

    def table(self, locations: Sequence[Location], distances: bool = False) -> Table:
        assert len(locations) == len(self.durations)
        metres = self.distances if distances and self.distances is not None else None
        return Table(self.durations.copy(), np.zeros(len(locations), dtype=np.int32), metres)


def line(*metres: int) -> Matrix:
    """Places along a straight road, a metre a second."""
    return Matrix([[abs(a - b) for b in metres] for a in metres])


def places(n: int) -> tuple[Location, ...]:
    return tuple(Location(f"L{i}", 106.0 + i / 100, 20.6) for i in range(n))


def task(place: int, *windows: tuple[int, int], service_s: int = 10, setup_s: int = 0) -> Task:
    return Task(f"L{place}", tuple(TimeWindow(*w) for w in windows or ((0, 1000),)), service_s, setup_s)


def courier(
    name: str = "c", start: int = 0, end: int = 0, shift: tuple[int, int] = (0, 1000), **more: object
) -> Courier:
    values: dict[str, object] = {"capacity": (10,)} | more
    return Courier(name, f"L{start}", f"L{end}", TimeWindow(*shift), **values)  # type: ignore[arg-type]  # test brevity


@st.composite
def matrices(draw: st.DrawFn, n: int, holes: bool = True) -> Matrix:
    """One-way times that keep the triangle inequality; with holes, some places cannot be reached or left."""
    weights = np.array(draw(st.lists(st.integers(1, 60), min_size=n * n, max_size=n * n)), dtype=np.int64).reshape(n, n)
    np.fill_diagonal(weights, 0)
    for k in range(n):
        weights = np.minimum(weights, weights[:, k : k + 1] + weights[k])
    if holes and n > 1 and draw(st.integers(0, 5)) == 0:
        weights[n - 1, : n - 1] = UNREACHABLE
        weights[: n - 1, n - 1] = UNREACHABLE
    return Matrix(weights.tolist())


def windows() -> st.SearchStrategy[tuple[TimeWindow, ...]]:
    """One to three windows in ascending order inside 0..400."""
    return st.lists(st.integers(0, 400), min_size=2, max_size=6, unique=True).map(
        lambda xs: tuple(TimeWindow(a, b) for a, b in zip(sorted(xs)[::2], sorted(xs)[1::2], strict=False))
    )


@st.composite
def problems(
    draw: st.DrawFn, max_requests: int = 4, max_couriers: int = 2, setups: bool = True
) -> tuple[Problem, Matrix]:
    """A small problem of every shape, often with things that do not fit, and its travel times."""
    n, dimensions = draw(st.integers(1, 6)), draw(st.integers(1, 2))
    skills = st.frozensets(st.sampled_from(["cash", "seal"]), max_size=1)
    place = st.integers(0, n - 1).map(lambda i: f"L{i}")
    setup = st.sampled_from([0, 0, 15]) if setups else st.just(0)
    job = st.builds(Task, location=place, windows=windows(), service_s=st.integers(0, 20), setup_s=setup)
    requests = []
    for i in range(draw(st.integers(0, max_requests))):
        shape = draw(st.sampled_from(["pickup", "delivery", "pair"]))
        requests.append(
            Request(
                f"R{i}",
                draw(job) if shape != "delivery" else None,
                draw(job) if shape != "pickup" else None,
                tuple(draw(st.integers(0, 3)) for _ in range(dimensions)),
                draw(skills),
                draw(st.sampled_from([1_000_000, 1_000_000, 100_000, 40])),
            )
        )
    couriers = tuple(
        Courier(
            f"C{i}",
            draw(place),
            draw(place),
            TimeWindow(draw(st.integers(0, 50)), draw(st.integers(50, 500))),
            tuple(draw(st.integers(2, 5)) for _ in range(dimensions)),
            draw(st.frozensets(st.sampled_from(["cash", "seal"]))),
            draw(st.sampled_from([0, 1, 3])),
            draw(st.sampled_from([0, 0, 25])),
        )
        for i in range(draw(st.integers(0, max_couriers)))
    )
    return Problem(places(n), tuple(requests), couriers), draw(matrices(n))


@st.composite
def rich_problems(draw: st.DrawFn, max_requests: int = 3, max_couriers: int = 2) -> tuple[Problem, Matrix]:
    """A small problem that also has some of breaks, deadlines, lengths, territories, fair work, and a day under way."""
    problem, matrix = draw(problems(max_requests, max_couriers))
    n = len(problem.locations)
    distances = draw(matrices(n, holes=False)).durations if draw(st.booleans()) else None
    few, sometimes = st.integers(0, 5), st.integers(0, 3).map(lambda x: x == 0)

    def enrich_task(task: Task | None) -> Task | None:
        if task is None or not draw(sometimes):
            return task
        return replace(task, due=draw(st.integers(-50, 400)), late_price=draw(few))

    requests = []
    for request in problem.requests:
        request = replace(
            request,
            pickup=enrich_task(request.pickup),
            delivery=enrich_task(request.delivery),
            territory=draw(st.sampled_from(["", "north", "south"])),
        )
        if request.pickup is None and problem.couriers and draw(sometimes):
            request = replace(request, on_board=draw(st.sampled_from(problem.couriers)).id)
        requests.append(request)
    couriers = []
    for courier in problem.couriers:
        start, end = courier.shift.start, courier.shift.end
        breaks: tuple[Break, ...] = ()
        if draw(sometimes) and end - start > 20:
            opens = draw(st.integers(start, end - 10))
            closes = draw(st.integers(opens, end - 1))
            breaks = (Break(TimeWindow(opens, closes), draw(st.integers(0, 10))),)
            if closes < end - 12 and draw(st.booleans()):
                breaks += (Break(TimeWindow(closes + 1, draw(st.integers(closes + 1, end - 11))), draw(few)),)
        couriers.append(
            replace(
                courier,
                breaks=breaks,
                price_per_m=draw(few) if distances is not None else 0,
                max_travel_m=draw(st.integers(0, 200)) if distances is not None and draw(sometimes) else None,
                max_travel_s=draw(st.integers(0, 200)) if draw(sometimes) else None,
                territories=frozenset({"north"}) if draw(st.booleans()) else frozenset(),
                away_price=draw(st.sampled_from([0, 20])),
                fair_work_s=draw(st.integers(0, 100)) if draw(sometimes) else None,
                overwork_price=draw(few),
                move_price=draw(st.sampled_from([0, 30])),
                free_at=draw(st.integers(0, 60)) if draw(sometimes) else None,
                out=draw(st.integers(0, 9)) == 0,
            )
        )
    if couriers and draw(st.booleans()):
        requests, couriers = _under_way(draw, requests, couriers)
    return Problem(problem.locations, tuple(requests), tuple(couriers)), Matrix(
        matrix.durations.tolist(), None if distances is None else distances.tolist()
    )


def _under_way(
    draw: st.DrawFn, requests: list[Request], couriers: list[Courier]
) -> tuple[list[Request], list[Courier]]:
    """Let couriers have done or seen some of the visits, in an order that a day could have had."""
    done: dict[str, list[Done]] = {c.id: [] for c in couriers}
    shown: dict[str, list[Stop]] = {c.id: [] for c in couriers}
    clock = {c.id: c.shift.start for c in couriers}
    for request in requests:
        if request.on_board:
            continue
        name = draw(st.sampled_from(couriers)).id
        steps = [kind for kind in ("pickup", "delivery") if getattr(request, kind) is not None]
        made = draw(st.sampled_from([0, 0, 0, *range(len(steps) + 1)]))
        for i, kind in enumerate(steps):
            if i < made:
                start = clock[name] + draw(st.integers(0, 40))
                clock[name] = start + draw(st.integers(0, 20))
                done[name].append(Done(request.id, kind, start, clock[name]))  # type: ignore[arg-type]
            elif draw(st.booleans()) and (
                kind == "pickup" or i < 1 or made or shown[name][-1:] == [Stop(request.id, "pickup")]
            ):
                shown[name].append(Stop(request.id, kind))  # type: ignore[arg-type]
    home = {c.id: clock[c.id] + draw(st.integers(0, 20)) if draw(st.booleans()) else None for c in couriers}
    return requests, [
        replace(c, done=tuple(done[c.id]), shown=tuple(shown[c.id]), home_at=home[c.id]) for c in couriers
    ]
