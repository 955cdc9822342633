"""Says how long it takes from anywhere to anywhere: the interface of every road engine, and a great-circle stand-in.

Means over the parts of a day make one engine of several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from routing.problem import Location

UNREACHABLE = 2**31 - 1
"""Duration that stands for "no way at all"; longer than any shift, so a search needs no special case for it."""

MAX_SNAP_M = 1000
"""A location further than this from every road is off the network, unless the caller says otherwise."""

DAY_S = 86_400

EARTH_RADIUS_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Table:
    """Travel between n locations, in the order asked.

    `durations[a, b]` (int32, n x n) is seconds from a to b, UNREACHABLE where there is no way; `snapped_m` (int32, n)
    is how far each location lies from the road that was used for it, in metres. Durations are expected to keep the
    triangle inequality (a detour is never a short cut); engines therefore round up, which preserves it. `distances`
    (int32, n x n), there only if asked for, is the metres of those fastest ways, UNREACHABLE in the same cells; a
    fastest way need not be the shortest, so distances keep no triangle inequality.
    """

    durations: npt.NDArray[np.int32]
    snapped_m: npt.NDArray[np.int32]
    distances: npt.NDArray[np.int32] | None = None

    def off_network(self, locations: Sequence[Location], max_snap_m: int = MAX_SNAP_M) -> tuple[str, ...]:
        """Return the ids of the locations (those the table was asked for) further than so many metres from a road."""
        return tuple(x.id for x, metres in zip(locations, self.snapped_m, strict=True) if metres > max_snap_m)


class TravelTimes(Protocol):
    """Anything that fills tables; `source` names it for whoever reads the plan."""

    @property
    def source(self) -> str: ...

    def table(self, locations: Sequence[Location], distances: bool = False) -> Table: ...


class GreatCircle:
    """Straight lines stretched by a detour factor and ridden at one speed: for when there is no road graph."""

    def __init__(self, speed_kmh: float = 30.0, detour: float = 1.35) -> None:
        if not speed_kmh > 0 or not detour >= 1:
            raise ValueError(f"speed must be above 0 and detour at least 1, not {speed_kmh} and {detour}")
        self._detour = detour
        self._seconds_per_m = 3.6 / speed_kmh
        self.source = f"great-circle x {detour:g}"

    def table(self, locations: Sequence[Location], distances: bool = False) -> Table:
        """Fill the table by the haversine formula (Sinnott 1984), seconds and metres (detour included) rounded up."""
        lon, lat = np.radians(np.array([(x.lon, x.lat) for x in locations], dtype=np.float64).reshape(-1, 2)).T
        half = np.sin((lat[:, None] - lat) / 2) ** 2
        half += np.cos(lat)[:, None] * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
        metres = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0, 1))) * self._detour
        seconds = np.ceil(metres * self._seconds_per_m).astype(np.int32)
        snapped_m = np.zeros(len(locations), dtype=np.int32)
        return Table(seconds, snapped_m, np.ceil(metres).astype(np.int32) if distances else None)


class Mean:
    """Several travel times as one: each cell is their mean, weighted by the seconds that each is good for, rounded up.

    A weighted mean keeps the triangle inequality where all parts keep it. What cannot be reached in one part counts as
    UNREACHABLE: nobody knows yet when the courier will be there. `snapped_m` is the worst of the parts.
    """

    def __init__(self, parts: Sequence[tuple[int, TravelTimes]]) -> None:
        if not parts or any(seconds <= 0 for seconds, _ in parts):
            raise ValueError(f"a mean needs parts of more than 0 s, not {[seconds for seconds, _ in parts]}")
        self._parts = tuple(parts)
        self.source = "mean of " + ", ".join(f"{seconds} s of {travel.source}" for seconds, travel in parts)

    def table(self, locations: Sequence[Location], distances: bool = False) -> Table:
        """Ask every part in turn; distances are those of the fastest ways, so their mean is no single way's length.

        Needs 8 bytes a cell (16 with distances) besides the result and one part's table.
        """
        n = len(locations)
        durations, metres = _Sum(n), _Sum(n) if distances else None
        snapped_m = np.zeros(n, dtype=np.int32)
        for seconds, travel in self._parts:
            table = travel.table(locations, distances=distances)
            durations.add(seconds, table.durations)
            if metres is not None:
                if table.distances is None:
                    raise ValueError(f"{travel.source} gives no distances")
                metres.add(seconds, table.distances)
            np.maximum(snapped_m, table.snapped_m, out=snapped_m)
        return Table(durations.mean(), snapped_m, metres.mean() if metres is not None else None)


class _Sum:
    """Weighted sum of matrices, of which UNREACHABLE is part for good."""

    def __init__(self, n: int) -> None:
        self._sum = np.zeros((n, n), dtype=np.int64)
        self._missing = np.zeros((n, n), dtype=np.bool_)
        self._weights = 0

    def add(self, weight: int, cells: npt.NDArray[np.int32]) -> None:
        self._sum += np.multiply(cells, weight, dtype=np.int64)
        self._missing |= cells == UNREACHABLE
        self._weights += weight

    def mean(self) -> npt.NDArray[np.int32]:
        rounded_up = -(-self._sum // self._weights)
        rounded_up[self._missing] = UNREACHABLE
        return rounded_up.astype(np.int32)


@dataclass(frozen=True, slots=True)
class DayPart:
    """Travel times good from `start` until just before `end`, seconds since local midnight, every day."""

    start: int
    end: int
    travel: TravelTimes


class DayParts:
    """Travel times that change with the time of day, say a graph for the rush hours and one for the rest."""

    def __init__(self, parts: Sequence[DayPart]) -> None:
        """Take the parts of a day; they must fill it from 0 to 86,400 s without gap or overlap, else ValueError."""
        self._parts = sorted(parts, key=lambda part: part.start)
        reached = 0
        for part in self._parts:
            if part.start != reached or part.end <= part.start:
                raise ValueError(f"the day's part {part.start}-{part.end} does not follow on {reached}")
            reached = part.end
        if reached != DAY_S:
            raise ValueError(f"the day's parts end at {reached}, not at {DAY_S}")

    def during(self, start: int, end: int) -> TravelTimes:
        """Return the travel times for a shift from `start` to `end` (seconds since midnight, may be past either end).

        They are those of one part where the shift lies in it, else the parts' mean, weighted by the time in each.
        """
        if end <= start:
            raise ValueError(f"a shift from {start} to {end} has no length")
        shares: dict[int, tuple[int, TravelTimes]] = {}
        for midnight in range(start - start % DAY_S, end, DAY_S):
            for part in self._parts:
                inside = min(end, midnight + part.end) - max(start, midnight + part.start)
                if inside > 0:
                    seconds, _ = shares.get(id(part.travel), (0, part.travel))
                    shares[id(part.travel)] = (seconds + inside, part.travel)
        everything = list(shares.values())
        return everything[0][1] if len(everything) == 1 else Mean(everything)
