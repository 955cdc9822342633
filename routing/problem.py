"""Says what is to be planned: places, requests and couriers, as frozen values checked when they are put together.

Every number is an integer: times in seconds on one axis that the caller chooses (say, since local midnight; negative
values and values past 24 h are fine, so a shift may cross midnight), money in whatever unit the caller counts in.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Self

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
    Windows ascend and do not touch.
    """

    location: str
    windows: tuple[TimeWindow, ...]
    service_s: int
    setup_s: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """What someone wants moved: a pickup, a delivery, or a pickup followed by its delivery on the same round.

    A lone pickup stays on board to the round's end; a lone delivery is on board from the round's start. `amounts` has
    one entry per dimension of the couriers' capacity. `unassigned_price` is what leaving the request out costs: it is
    served only where serving it costs less.
    """

    id: str
    pickup: Task | None
    delivery: Task | None
    amounts: tuple[int, ...] = (1,)
    skills: frozenset[str] = frozenset()
    unassigned_price: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Courier:
    """Who rides: leaves `start` and is back at `end` inside `shift`, never carrying more than `capacity`.

    A ridden round costs `fixed_price` plus `price_per_s` for each second of travel; waiting and service are free.
    """

    id: str
    start: str
    end: str
    shift: TimeWindow
    capacity: tuple[int, ...]
    skills: frozenset[str] = frozenset()
    price_per_s: int = 1
    fixed_price: int = 0


@dataclass(frozen=True, slots=True)
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
        for request in self.requests:
            _check_request(request, known, dimensions)

    @property
    def dimensions(self) -> int:
        """Number of capacity dimensions: those of the first courier, or of the first request where there is none."""
        if self.couriers:
            return len(self.couriers[0].capacity)
        return len(self.requests[0].amounts) if self.requests else 0

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
        values = _fields(cls, data, "problem", "JSON")
        return cls(
            locations=tuple(_read_location(row) for row in _entries(values, "locations", "problem", "JSON")),
            requests=tuple(_read_request(row) for row in _entries(values, "requests", "problem", "JSON")),
            couriers=tuple(_read_courier(row) for row in _entries(values, "couriers", "problem", "JSON")),
        )


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
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
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


def _check_skills(kind: str, item: str, skills: object) -> None:
    if not isinstance(skills, frozenset) or not all(isinstance(skill, str) for skill in skills):
        raise ProblemError(kind, item, "skills is not a frozenset of texts")


def _check_courier(courier: Courier, known: set[str], dimensions: int) -> None:
    for name, place in (("start", courier.start), ("end", courier.end)):
        if place not in known:
            raise ProblemError("courier", courier.id, f"{name} location {place!r} is unknown")
    _check_window("courier", courier.id, "shift", courier.shift)
    _check_amounts("courier", courier.id, "capacity", courier.capacity, dimensions)
    _check_skills("courier", courier.id, courier.skills)
    _check_number("courier", courier.id, "price_per_s", courier.price_per_s)
    _check_number("courier", courier.id, "fixed_price", courier.fixed_price)


def _check_request(request: Request, known: set[str], dimensions: int) -> None:
    if request.pickup is None and request.delivery is None:
        raise ProblemError("request", request.id, "has neither a pickup nor a delivery")
    for name, task in (("pickup", request.pickup), ("delivery", request.delivery)):
        if task is not None:
            _check_task(request.id, name, task, known)
    _check_amounts("request", request.id, "amounts", request.amounts, dimensions)
    _check_skills("request", request.id, request.skills)
    _check_number("request", request.id, "unassigned_price", request.unassigned_price)


def _check_task(item: str, name: str, task: Task, known: set[str]) -> None:
    if task.location not in known:
        raise ProblemError("request", item, f"{name} location {task.location!r} is unknown")
    _check_number("request", item, f"{name} service_s", task.service_s)
    _check_number("request", item, f"{name} setup_s", task.setup_s)
    if not task.windows:
        raise ProblemError("request", item, f"{name} has no window")
    for index, window in enumerate(task.windows):
        _check_window("request", item, f"{name} window {index}", window)
        if index and window.start <= task.windows[index - 1].end:
            raise ProblemError("request", item, f"{name} window {index} does not come after the one before it")


def _fields(cls: type, row: object, kind: str, item: str) -> dict[str, Any]:
    """Return a copy of a JSON object whose keys are fields of the dataclass, with none of the required ones missing."""
    if not isinstance(row, dict):
        raise ProblemError(kind, item, "is not an object")
    if unknown := sorted(row.keys() - {field.name for field in fields(cls)}):
        raise ProblemError(kind, item, f"unknown field {unknown[0]!r}")
    if missing := sorted({field.name for field in fields(cls) if field.default is MISSING} - row.keys()):
        raise ProblemError(kind, item, f"field {missing[0]!r} is missing")
    return dict(row)


def _item(row: object) -> str:
    return str(row.get("id", "without id")) if isinstance(row, dict) else "without id"


def _entries(values: dict[str, Any], name: str, kind: str, item: str, of: type = object) -> list[Any]:
    entries = values[name]
    if not isinstance(entries, list) or not all(isinstance(entry, of) for entry in entries):
        raise ProblemError(kind, item, f"{name} is not a list of {of.__name__}")
    return entries


def _read_window(row: object, kind: str, item: str) -> TimeWindow:
    return TimeWindow(**_fields(TimeWindow, row, kind, item))


def _read_task(row: object, item: str) -> Task | None:
    if row is None:
        return None
    values = _fields(Task, row, "request", item)
    windows = _entries(values, "windows", "request", item)
    return Task(**values | {"windows": tuple(_read_window(window, "request", item) for window in windows)})


def _read_sets(values: dict[str, Any], kind: str, item: str, amounts: str) -> None:
    """Turn the lists that JSON has for amounts and skills into the tuple and the set of the dataclasses."""
    if amounts in values:
        values[amounts] = tuple(_entries(values, amounts, kind, item, int))
    if "skills" in values:
        values["skills"] = frozenset(_entries(values, "skills", kind, item, str))


def _read_location(row: object) -> Location:
    return Location(**_fields(Location, row, "location", _item(row)))


def _read_request(row: object) -> Request:
    item = _item(row)
    values = _fields(Request, row, "request", item)
    _read_sets(values, "request", item, "amounts")
    for end in ("pickup", "delivery"):
        values[end] = _read_task(values[end], item)
    return Request(**values)


def _read_courier(row: object) -> Courier:
    item = _item(row)
    values = _fields(Courier, row, "courier", item)
    _read_sets(values, "courier", item, "capacity")
    values["shift"] = _read_window(values["shift"], "courier", item)
    return Courier(**values)
