"""Makes days of the demo province by a seed: home pickups and deliveries of its hamlets, ridden on its roads."""

import csv
import random
from pathlib import Path

from routing.osrm import Osrm, build_graph
from routing.problem import Courier, Location, Problem, Request, Task, TimeWindow
from routing.travel import Table
from scripts.benchmark.instances import LARGE, Instance

PROVINCE = Path(__file__).parent.parent / "data" / "hung_yen"
REQUESTS_PER_COURIER = 10
CAPACITY = 25
SKILLS = ("cash", "sealed")
MORNING, CLOSING, EVENING = 8 * 3600, 16 * 3600 + 1800, 18 * 3600
AT_A_DOOR_S, AT_AN_OFFICE_S = 300, 60


def day(requests: int, seed: int, graphs: Path) -> Instance:
    """Make a day: 40 % one way, 30 % from home to an office before it closes, 30 % from home to an agency."""
    made = made_up(requests, random.Random(seed))
    return Instance(f"day{requests}-{seed}", f"day{requests}", made, travel(made, graphs), None)


def travel(problem: Problem, graphs: Path) -> Table:
    """Ask for the travel times on the province's roads; the graph is built when it is not there."""
    with Osrm(build_graph(PROVINCE / "roads.osm.pbf", graphs)) as roads:
        return roads.table(problem.locations)


def made_up(count: int, dice: random.Random) -> Problem:
    """Make the problem of a day: homes where people live, requests as said above, a courier for every ten."""
    offices = [Location(f"office {row['code']}", float(row["lon"]), float(row["lat"])) for row in _rows("post_offices")]
    offices = list({(office.lon, office.lat): office for office in offices}.values())
    hamlets = _rows("hamlets")
    homes = dice.choices(hamlets, weights=[float(row["weight"]) for row in hamlets], k=count)
    doors = [
        Location(f"door {i}", float(row["lon"]) + dice.gauss(0, 0.002), float(row["lat"]) + dice.gauss(0, 0.002))
        for i, row in enumerate(homes)
    ]
    requests = tuple(_request(i, door, offices, dice) for i, door in enumerate(doors))
    couriers = tuple(_courier(v, offices, dice) for v in range(max(1, count // REQUESTS_PER_COURIER)))
    return Problem((*offices, *doors), requests, couriers)


def _rows(name: str) -> list[dict[str, str]]:
    with (PROVINCE / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _request(i: int, door: Location, offices: list[Location], dice: random.Random) -> Request:
    opens = dice.randrange(MORNING, 15 * 3600, 1800)
    home = Task(door.id, (TimeWindow(opens, opens + dice.choice([7200, 10800, 14400])),), AT_A_DOOR_S)
    skills = frozenset(skill for skill in SKILLS if dice.random() < 0.15)
    kind = dice.random()
    if kind < 0.4:
        return Request(f"R{i}", None, home, (1,), skills, LARGE)
    near = sorted(offices, key=lambda office: (office.lon - door.lon) ** 2 + (office.lat - door.lat) ** 2)
    office, closes = (near[0], CLOSING) if kind < 0.7 else (dice.choice(near[:3]), CLOSING + 1800)
    return Request(f"R{i}", home, Task(office.id, (TimeWindow(MORNING, closes),), AT_AN_OFFICE_S), (1,), skills, LARGE)


def _courier(v: int, offices: list[Location], dice: random.Random) -> Courier:
    office = offices[v % len(offices)]
    skills = frozenset(skill for skill in SKILLS if v % 3 == 0 or dice.random() < 0.5)
    return Courier(f"C{v}", office.id, office.id, TimeWindow(MORNING - 2400, EVENING + 3600), (CAPACITY,), skills)
