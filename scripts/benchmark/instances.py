"""Reads published instances into problems; distances and times become integers by the convention of each."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from routing.problem import Courier, Location, Problem, Request, Task, TimeWindow
from routing.travel import Table

EXACT = 1000
"""Units to one unit of an instance whose distances are exact."""

LARGE = 2**28
"""What leaving a request out costs: more than any way to serve it."""


@dataclass(frozen=True)
class Instance:
    """A problem with its travel times, and the best cost known, None for generated days."""

    name: str
    family: str
    problem: Problem
    table: Table
    best: float | None


def published(folder: Path) -> Iterator[Instance]:
    """Read every instance of a folder laid out as vrptw/, pdptw/, province/, with best known values in BKS.json."""
    known = json.loads((folder / "BKS.json").read_text())
    for path in sorted(folder.glob("vrptw/*.txt")):
        yield solomon(path, known["vrptw"].get(path.stem, {}))
    for path in sorted(folder.glob("pdptw/*.txt")):
        yield li_lim(path, known["pdptw"].get(path.stem, {}))
    if (folder / "province/p1000.json").exists():
        yield province(folder / "province/p1000.json", known["province"]["p1000"]["dist"])


def solomon(path: Path, known: dict) -> Instance:
    """Read Solomon's text form (vehicles and capacity in the fifth line, customers from the tenth, the depot first)."""
    lines = path.read_text().splitlines()
    vehicles, capacity = map(int, lines[4].split())
    rows = [[int(float(x)) for x in line.split()] for line in lines[9:] if line.strip()]
    dimacs = known.get("conv") == "dimacs"
    unit = 10 if dimacs else EXACT
    requests = tuple(
        Request(str(i), None, _task(i, row[4], row[5], row[6], unit), (row[3],), unassigned_price=LARGE)
        for i, row in enumerate(rows)
        if i
    )
    best = known.get("dist")
    return _instance(path.stem, "vrptw", rows, requests, vehicles, capacity, unit, dimacs, best)


def li_lim(path: Path, known: dict) -> Instance:
    """Read Li & Lim's form: id x y demand ready due service pickup delivery, row 0 the depot."""
    lines = path.read_text().splitlines()
    vehicles, capacity = map(int, lines[0].split()[:2])
    rows = [[int(float(x)) for x in line.split()] for line in lines[1:] if line.strip()]
    requests = tuple(
        Request(
            str(i),
            _task(i, row[4], row[5], row[6], EXACT),
            _task(row[8], *rows[row[8]][4:7], EXACT),
            (row[3],),
            unassigned_price=LARGE,
        )
        for i, row in enumerate(rows)
        if row[8]
    )
    best = known.get("dist")
    return _instance(path.stem, "pdptw", rows, requests, vehicles, capacity, EXACT, False, best)


def _task(row: int, ready: int, due: int, service: int, unit: int) -> Task:
    return Task(f"L{row}", (TimeWindow(ready * unit, due * unit),), service * unit)


def _instance(
    name: str,
    family: str,
    rows: list[list[int]],
    requests: tuple[Request, ...],
    vehicles: int,
    capacity: int,
    unit: int,
    floors: bool,
    best: float | None,
) -> Instance:
    points = np.array([row[1:3] for row in rows], dtype=np.float64)
    apart = np.sqrt(((points[:, None] - points) ** 2).sum(axis=2)) * unit
    durations = (np.floor(apart) if floors else np.rint(apart)).astype(np.int32)
    # On the globe at a tenth of a degree a unit: some engines look at coordinates too.
    locations = tuple(Location(f"L{i}", x / 10, y / 10) for i, (x, y) in enumerate(points.tolist()))
    shift = TimeWindow(rows[0][4] * unit, rows[0][5] * unit)
    couriers = tuple(Courier(f"C{v}", "L0", "L0", shift, (capacity,)) for v in range(vehicles))
    table = Table(durations, np.zeros(len(rows), dtype=np.int32))
    return Instance(name, family, Problem(locations, requests, couriers), table, best and best * unit)


def province(path: Path, best: float) -> Instance:
    """Read a day of a province: JSON of jobs (`job` one way, `ship` a pair) and couriers, the matrix beside it."""
    data = json.loads(path.read_text())
    with np.load(path.with_name(f"{path.stem}_matrix_s.npz")) as file:
        durations = file["D"].astype(np.int32)
    locations = tuple(Location(f"L{i}", lon, lat) for i, (lon, lat) in enumerate(data["coords"]))
    requests = []
    for i, job in enumerate(data["jobs"]):
        skills = frozenset(map(str, job["sk"]))
        if job["t"] == "job":
            pickup, delivery = None, Task(f"L{job['l']}", (TimeWindow(*job["tw"]),), job["s"])
        else:
            pickup = Task(f"L{job['p']}", (TimeWindow(*job["ptw"]),), job["ps"])
            delivery = Task(f"L{job['d']}", (TimeWindow(*job["dtw"]),), job["ds"])
        requests.append(Request(str(i), pickup, delivery, (1,), skills, LARGE))
    couriers = tuple(
        Courier(f"C{k}", f"L{c['o']}", f"L{c['o']}", TimeWindow(*c["tw"]), (c["cap"],), frozenset(map(str, c["sk"])))
        for k, c in enumerate(data["couriers"])
    )
    table = Table(durations, np.zeros(len(durations), dtype=np.int32))
    return Instance(path.stem, path.stem, Problem(locations, tuple(requests), couriers), table, best)
