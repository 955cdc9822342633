"""Problems by chance and by hand for the routing tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from routing.problem import Courier, Location, Problem, Request, Task, TimeWindow
from routing.travel import UNREACHABLE, Table


class Matrix:
    """TravelTimes from a written matrix."""

    source = "matrix"

    def __init__(self, durations: Sequence[Sequence[int]]) -> None:
        self.durations = np.array(durations, dtype=np.int32).reshape(len(durations), len(durations))

    def table(self, locations: Sequence[Location]) -> Table:
        assert len(locations) == len(self.durations)
        return Table(self.durations.copy(), np.zeros(len(locations), dtype=np.int32))


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
