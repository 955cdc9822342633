"""Says what is to be planned: places, requests and couriers, as frozen values checked when they are put together.

Every number is an integer: times in seconds on one axis that the caller chooses (say, since local midnight; negative
values and values past 24 h are fine, so a shift may cross midnight), money in whatever unit the caller counts in.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, Self

from routing import codec

type Kind = Literal["pickup", "delivery"]
"""Which end of a request."""

LIMIT = 2**30
"""Largest number accepted anywhere: sums and products of two such numbers stay inside 64 bits."""


class ProblemError(ValueError):
    """Names the first item of a problem that makes no sense: its kind, its id and the reason."""

    def __init__(self, kind: str, item: str, reason: str) -> None:
        super().__init__(f"{kind} {item}: {reason}")
        self.kind = kind
        self.item = item
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Seconds from `start` to `end`, both included; it bounds the moment service starts, not the moment it ends."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Location:
    """A point on the ground, degrees in WGS 84. Tasks at one address share one location."""

    id: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Task:
    """Work at one location: it starts inside one of the windows and lasts `setup_s + service_s` seconds.

    The set-up (park, find the door) falls away when the visit just before it on the same round is at the same location.
    Windows ascend and do not touch; none of them may be broken. `due` is a deadline that may be: each second that
    service starts after it costs `late_price`.
    """

    location: str
    windows: tuple[TimeWindow, ...]
    service_s: int
    setup_s: int = 0
    due: int | None = None
    late_price: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """What someone wants moved: a pickup, a delivery, or a pickup followed by its delivery on the same round.

    A lone pickup stays on board to the round's end; a lone delivery is on board from the round's start. `amounts` has
    one entry per dimension of the couriers' capacity. `unassigned_price` is what leaving the request out costs, so it
    is its priority too: it is served only where serving it costs less. `territory` names the part of the ground whose
    usual courier should serve it. `on_board` names the courier who carries a lone delivery already: nobody else can
    deliver it.
    """

    id: str
    pickup: Task | None
    delivery: Task | None
    amounts: tuple[int, ...] = (1,)
    skills: frozenset[str] = frozenset()
    unassigned_price: int = 1_000_000
    territory: str = ""
    on_board: str | None = None

    def task(self, kind: Kind) -> Task | None:
        return self.pickup if kind == "pickup" else self.delivery


@dataclass(frozen=True, slots=True)
class Stop:
    """One end of a request."""

    request: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Break:
    """A rest of `duration_s` seconds that starts inside the window, wherever the courier is then."""

    window: TimeWindow
    duration_s: int


@dataclass(frozen=True, slots=True)
class Done:
    """A visit that is made or under way: nothing in a plan can change it. Its times may break any window.

    `riding` says that its courier is still on the way there: then an event may take it back.
    """

    request: str
    kind: Kind
    start: int
    departure: int
    riding: bool = False


@dataclass(frozen=True, slots=True)
class Courier:
    """Who rides: leaves `start` and is back at `end` inside `shift`, never carrying more than `capacity`.

    A ridden round costs `fixed_price`, `price_per_s` for each second of travel and `price_per_m` for each metre;
    waiting and service are free. It rides at most `max_travel_s` seconds and `max_travel_m` metres. All `breaks` are
    taken on a ridden round, before the ride home, but for those whose window is over when the courier is free.

    Familiar ground: each request with a territory that is not among `territories` costs `away_price`. Balance: each
    second of travel and service above `fair_work_s` costs `overwork_price`; that measure never falls when work is added
    (Matl, Hartl & Vidal 2018), so evening out can never pay for a detour.

    A day under way: the visits `done` come first, at their times; whatever was picked up is on board, and the courier
    is free at the last one's place and departure, no longer able to load a lone delivery that is not on board. `shown`
    are the visits ahead as the courier has seen them: each of their requests that goes to another courier, and the
    fewest of those that stay whose move explains a new order, cost `move_price` each. A courier who is `out` gets no
    visit and rides nowhere any more. Nothing begins before `free_at`: now, or when a late courier will be free. From
    `home_at` on, if that is not after `free_at`, he is at his end with nothing on board, and may load and ride again.
    What he rode and worked already counts towards his limits and his fair share, but costs nothing any more.
    """

    id: str
    start: str
    end: str
    shift: TimeWindow
    capacity: tuple[int, ...]
    skills: frozenset[str] = frozenset()
    price_per_s: int = 1
    fixed_price: int = 0
    price_per_m: int = 0
    max_travel_s: int | None = None
    max_travel_m: int | None = None
    breaks: tuple[Break, ...] = ()
    territories: frozenset[str] = frozenset()
    away_price: int = 0
    fair_work_s: int | None = None
    overwork_price: int = 0
    done: tuple[Done, ...] = ()
    shown: tuple[Stop, ...] = ()
    move_price: int = 0
    out: bool = False
    free_at: int | None = None
    home_at: int | None = None

    @property
    def is_home(self) -> bool:
        """Whether he came back from what is done."""
        return self.home_at is not None and self.free_at is not None and self.home_at <= self.free_at

    @property
    def has_left(self) -> bool:
        """Whether he is on the road with what he loaded."""
        return bool(self.done) and not self.is_home


@dataclass(frozen=True)
class Problem:
    """A day, or half of one, to be planned; raises ProblemError at once for what could never be planned sensibly.

    Impossible requests (nobody has the skill, the shift is over) are no error: the plan leaves them out and says why.
    """

    locations: tuple[Location, ...]
    requests: tuple[Request, ...]
    couriers: tuple[Courier, ...]

    def __post_init__(self) -> None:
        _check_unique("location", (x.id for x in self.locations))
        _check_unique("request", (x.id for x in self.requests))
        _check_unique("courier", (x.id for x in self.couriers))
        for location in self.locations:
            _check_location(location)
        known = {location.id for location in self.locations}
        dimensions = self.dimensions
        for courier in self.couriers:
            _check_courier(courier, known, dimensions)
        names = {courier.id for courier in self.couriers}
        for request in self.requests:
            _check_request(request, known, dimensions, names)
        _check_progress(self)

    @property
    def dimensions(self) -> int:
        """Number of capacity dimensions: those of the first courier, or of the first request where there is none."""
        if self.couriers:
            return len(self.couriers[0].capacity)
        return len(self.requests[0].amounts) if self.requests else 0

    @cached_property
    def request(self) -> dict[str, Request]:
        """The requests by id."""
        return {request.id: request for request in self.requests}

    @cached_property
    def done_by(self) -> dict[Stop, str]:
        """The courier who made each visit that is done."""
        return {Stop(visit.request, visit.kind): c.id for c in self.couriers for visit in c.done}

    def ahead(self, request: Request) -> list[tuple[Kind, Task]]:
        """Return the ends of a request that are not done yet, pickup first."""
        ends: list[tuple[Kind, Task | None]] = [("pickup", request.pickup), ("delivery", request.delivery)]
        return [(kind, task) for kind, task in ends if task and Stop(request.id, kind) not in self.done_by]

    def carrier(self, request: Request) -> str | None:
        """Return the courier who has the request on board and alone can deliver it; None while it is on nobody's."""
        if request.delivery is None:
            return None
        return request.on_board or self.done_by.get(Stop(request.id, "pickup"))

    def standing(self, courier: Courier) -> tuple[str, int]:
        """Return where a courier's next ride begins and when at the earliest."""
        place, moment = courier.start, courier.shift.start
        if courier.done and courier.is_home:
            place = courier.end
        elif courier.done:
            last = courier.done[-1]
            task = self.request[last.request].task(last.kind)
            assert task is not None
            place, moment = task.location, last.departure
        return place, moment if courier.free_at is None else max(moment, courier.free_at)

    def to_json(self) -> str:
        """Write the problem as JSON: the dataclasses' fields under their own names, sets as sorted lists."""
        return json.dumps(asdict(self), default=sorted, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote; raises ProblemError for broken JSON, unknown or missing fields and bad values."""
        try:
            data = json.loads(text)
        except ValueError as error:
            raise ProblemError("problem", "JSON", f"cannot be read: {error}") from None
        problem: Self = codec.read(cls, data, "", lambda path, reason: _unreadable(data, path, reason))
        return problem

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of what `to_json` writes."""
        return codec.schema(cls)


def _unreadable(data: Any, path: str, reason: str) -> ProblemError:
    """Name the item by its own id where the path leads into one, as `requests[3].pickup` does."""
    found = re.match(r"(location|request|courier)s\[(\d+)\]\.?(.*)", path)
    if not found:
        return ProblemError("problem", "JSON", f"{path} {reason}".strip())
    entry = data[f"{found[1]}s"][int(found[2])]
    item = str(entry.get("id", "without id")) if isinstance(entry, dict) else "without id"
    return ProblemError(found[1], item, f"{found[3]} {reason}".strip())


def _check_unique(kind: str, ids: Iterable[str]) -> None:
    seen: set[str] = set()
    for id_ in ids:
        if not isinstance(id_, str) or not id_:
            raise ProblemError(kind, repr(id_), "id must be a non-empty text")
        if id_ in seen:
            raise ProblemError(kind, id_, "id is used twice")
        seen.add(id_)


def _check_location(location: Location) -> None:
    for name, value, bound in (("lon", location.lon, 180), ("lat", location.lat, 90)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
            raise ProblemError("location", location.id, f"{name} is not a number")
        if abs(value) > bound:
            raise ProblemError("location", location.id, f"{name} {value} is outside -{bound}..{bound} degrees")


def _check_number(kind: str, item: str, name: str, value: object, least: int = 0) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ProblemError(kind, item, f"{name} is not an integer")
    if value < least:
        raise ProblemError(kind, item, f"{name} {value} is below {least}")
    if value > LIMIT:
        raise ProblemError(kind, item, f"{name} {value} is above {LIMIT}")


def _check_window(kind: str, item: str, name: str, window: object) -> None:
    if not isinstance(window, TimeWindow):
        raise ProblemError(kind, item, f"{name} is not a time window")
    _check_number(kind, item, f"{name} start", window.start, least=-LIMIT)
    _check_number(kind, item, f"{name} end", window.end, least=-LIMIT)
    if window.end < window.start:
        raise ProblemError(kind, item, f"{name} ends ({window.end}) before it starts ({window.start})")


def _check_amounts(kind: str, item: str, name: str, values: object, dimensions: int) -> None:
    if not isinstance(values, tuple):
        raise ProblemError(kind, item, f"{name} is not a tuple")
    if len(values) != dimensions:
        raise ProblemError(kind, item, f"{name} has {len(values)} dimensions where the problem has {dimensions}")
    for index, value in enumerate(values):
        _check_number(kind, item, f"{name}[{index}]", value)


def _check_skills(kind: str, item: str, skills: object, name: str = "skills") -> None:
    if not isinstance(skills, frozenset) or not all(isinstance(skill, str) for skill in skills):
        raise ProblemError(kind, item, f"{name} is not a frozenset of texts")


def _check_optional(kind: str, item: str, name: str, value: object) -> None:
    if value is not None:
        _check_number(kind, item, name, value)


def _check_courier(courier: Courier, known: set[str], dimensions: int) -> None:
    for name, place in (("start", courier.start), ("end", courier.end)):
        if place not in known:
            raise ProblemError("courier", courier.id, f"{name} location {place!r} is unknown")
    _check_window("courier", courier.id, "shift", courier.shift)
    _check_amounts("courier", courier.id, "capacity", courier.capacity, dimensions)
    _check_skills("courier", courier.id, courier.skills)
    _check_skills("courier", courier.id, courier.territories, "territories")
    for name in ("price_per_s", "fixed_price", "price_per_m", "away_price", "overwork_price", "move_price"):
        _check_number("courier", courier.id, name, getattr(courier, name))
    for name in ("max_travel_s", "max_travel_m", "fair_work_s"):
        _check_optional("courier", courier.id, name, getattr(courier, name))
    for name in ("free_at", "home_at"):
        if getattr(courier, name) is not None:
            _check_number("courier", courier.id, name, getattr(courier, name), least=-LIMIT)
    _check_breaks(courier)


def _check_breaks(courier: Courier) -> None:
    for index, rest in enumerate(courier.breaks):
        _check_window("courier", courier.id, f"break {index} window", rest.window)
        _check_number("courier", courier.id, f"break {index} duration_s", rest.duration_s)
        opens = max(rest.window.start, courier.shift.start)
        if opens > rest.window.end or opens + rest.duration_s > courier.shift.end:
            raise ProblemError("courier", courier.id, f"break {index} does not fit into the shift")
        if index and rest.window.start <= courier.breaks[index - 1].window.end:
            raise ProblemError("courier", courier.id, f"break {index} does not come after the one before it")


def _check_request(request: Request, known: set[str], dimensions: int, couriers: set[str]) -> None:
    if request.pickup is None and request.delivery is None:
        raise ProblemError("request", request.id, "has neither a pickup nor a delivery")
    for name, task in (("pickup", request.pickup), ("delivery", request.delivery)):
        if task is not None:
            _check_task(request.id, name, task, known)
    _check_amounts("request", request.id, "amounts", request.amounts, dimensions)
    _check_skills("request", request.id, request.skills)
    _check_number("request", request.id, "unassigned_price", request.unassigned_price)
    if not isinstance(request.territory, str):
        raise ProblemError("request", request.id, "territory is not a text")
    if request.on_board is not None and request.on_board not in couriers:
        raise ProblemError("request", request.id, f"on_board courier {request.on_board!r} is unknown")
    if request.on_board is not None and request.pickup is not None:
        raise ProblemError("request", request.id, "is on board although it has a pickup")


def _check_task(item: str, name: str, task: Task, known: set[str]) -> None:
    if task.location not in known:
        raise ProblemError("request", item, f"{name} location {task.location!r} is unknown")
    _check_number("request", item, f"{name} service_s", task.service_s)
    _check_number("request", item, f"{name} setup_s", task.setup_s)
    _check_number("request", item, f"{name} late_price", task.late_price)
    if task.due is not None:
        _check_number("request", item, f"{name} due", task.due, least=-LIMIT)
    if not task.windows:
        raise ProblemError("request", item, f"{name} has no window")
    for index, window in enumerate(task.windows):
        _check_window("request", item, f"{name} window {index}", window)
        if index and window.start <= task.windows[index - 1].end:
            raise ProblemError("request", item, f"{name} window {index} does not come after the one before it")


def _check_progress(problem: Problem) -> None:
    """Check what is done and shown: each visit exists, is named once, and a pair stays on one round in order."""
    for courier in problem.couriers:
        for visit in courier.done:
            _check_number("courier", courier.id, "done start", visit.start, least=-LIMIT)
            _check_number("courier", courier.id, "done departure", visit.departure, least=-LIMIT)
            if visit.departure < visit.start:
                raise ProblemError("request", visit.request, f"{visit.kind} done ends before it starts")
        for before, after in pairwise(courier.done):
            if after.start < before.departure:
                raise ProblemError(
                    "request", after.request, f"{after.kind} done starts before the visit before it ends"
                )
        if courier.home_at is not None and courier.done and courier.home_at < courier.done[-1].departure:
            raise ProblemError("courier", courier.id, "is home before the last visit done ends")
    for courier, stop in _named_stops(problem):
        if stop.request not in problem.request:
            raise ProblemError("courier", courier.id, f"has a visit of the unknown request {stop.request!r}")
        if problem.request[stop.request].task(stop.kind) is None:
            raise ProblemError("request", stop.request, f"has no {stop.kind} that {courier.id} could visit")
    counted = Counter(stop for _, stop in _named_stops(problem))
    for stop, times in counted.items():
        if times > 1:
            raise ProblemError("request", stop.request, f"{stop.kind} is done or shown {times} times")
    _check_carried(problem)


def _named_stops(problem: Problem) -> Iterator[tuple[Courier, Stop]]:
    for courier in problem.couriers:
        yield from ((courier, Stop(visit.request, visit.kind)) for visit in courier.done)
        yield from ((courier, stop) for stop in courier.shown)


def _check_carried(problem: Problem) -> None:
    seen: dict[str, str] = {}
    for courier, stop in _named_stops(problem):
        request = problem.request[stop.request]
        if stop.kind == "pickup":
            seen[request.id] = courier.id
            continue
        carrier = request.on_board or (seen.get(request.id) if request.pickup else courier.id)
        if carrier != courier.id:
            raise ProblemError("request", request.id, f"delivery by {courier.id} comes without its pickup there")
