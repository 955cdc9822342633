"""Asks OSRM, in this process, for travel tables and the shape of routes, over a graph that routing/graph.py built."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import osrm as engine

from routing.graph import GraphError, build_graph, missing_files
from routing.problem import Location
from routing.travel import MAX_SNAP_M, UNREACHABLE, Table

__all__ = ["GraphError", "Leg", "NoWay", "Osrm", "Point", "build_graph"]

CELLS_PER_BLOCK = 3_000_000
"""Size of the pieces a table is asked in: OSRM answers with objects, 140 bytes a cell before they become int32."""

type Point = tuple[float, float]
"""Longitude and latitude, degrees."""


class NoWay(ValueError):
    """There is no road between two consecutive points."""


@dataclass(frozen=True, slots=True)
class Leg:
    """The way from one point to the next, along the road."""

    points: tuple[Point, ...]
    distance_m: int
    duration_s: int


class Osrm:
    """TravelTimes over a graph made by `build_graph`; safe to share between threads, not between processes."""

    def __init__(self, base: Path, *, max_snap_m: int = MAX_SNAP_M) -> None:
        """Open the graph; a location further than `max_snap_m` metres from every road counts as off the network.

        Raises GraphError for a graph that is not there, not whole, or not readable.
        """
        missing = missing_files(base)
        if missing:
            raise GraphError(f"no contracted graph at {base}: {', '.join(missing)} missing or cut short")
        try:
            self._engine: Any = engine.OSRM(
                algorithm="CH", storage_config=str(base), use_shared_memory=False, max_locations_distance_table=-1
            )
        except RuntimeError as error:
            raise GraphError(f"cannot open {base}: {error}") from error
        self._max_snap_m = max_snap_m
        self.source = f"OSRM {version('osrm-bindings')}, {base.parent.name}"

    def table(self, locations: Sequence[Location], distances: bool = False) -> Table:
        """Ask for all durations in blocks; seconds are rounded up: that keeps the triangle inequality.

        What OSRM itself leaves of it: a stop at a crossing saves the few seconds of the turn there. Locations off the
        network are unreachable (Table.off_network names them). Raises ValueError for a location that is no place on
        Earth. Needs 140 bytes for each cell of a block (280 with distances) besides the table itself.
        """
        nothing = np.zeros((0, 0), dtype=np.int32)
        return self.extend(Table(nothing, np.zeros(0, np.int32), nothing if distances else None), locations)

    def extend(self, known: Table, locations: Sequence[Location]) -> Table:
        """Return the table of locations of which the first are those of `known`, asking for nothing that is known."""
        coordinates = [_on_earth(location) for location in locations]
        n, old, distances = len(coordinates), len(known.snapped_m), known.distances is not None
        cells = np.empty((2 if distances else 1, n, n), dtype=np.int32)
        cells[0, :old, :old] = known.durations
        if known.distances is not None:
            cells[1, :old, :old] = known.distances
        snapped_m = np.concatenate([known.snapped_m, np.zeros(n - old, dtype=np.int32)])
        for asked in ((range(old, n), range(n)), (range(old), range(old, n))):
            for rows, columns in _blocks(*asked, CELLS_PER_BLOCK // len(cells)):
                answer = self._ask_table(coordinates, range(n)[rows], range(n)[columns], distances)
                _fill(cells[0, rows, columns], answer["durations"])
                if distances:
                    _fill(cells[1, rows, columns], answer["distances"])
                if rows.start >= old:
                    snapped_m[rows] = [round(source["distance"]) for source in answer["sources"]]
        off = snapped_m > self._max_snap_m
        cells[:, off, :] = UNREACHABLE
        cells[:, :, off] = UNREACHABLE
        cells[:, range(n), range(n)] = 0
        return Table(cells[0], snapped_m, cells[1] if distances else None)

    def _ask_table(self, coordinates: list[Point], rows: range, columns: range, distances: bool) -> Any:
        needed = sorted({*rows, *columns})
        position = {index: i for i, index in enumerate(needed)}
        # OSRM wants two coordinates at least.
        needed += needed if len(needed) == 1 else []
        parameters = engine.TableParameters(
            coordinates=[coordinates[index] for index in needed],
            sources=[position[row] for row in rows],
            destinations=[position[column] for column in columns],
            annotations=["duration", "distance"] if distances else ["duration"],
            generate_hints=False,
        )
        try:
            return self._engine.Table(parameters)
        except RuntimeError as error:
            raise GraphError(f"no table: {error}") from error

    def geometry(self, points: Sequence[Point]) -> list[Leg]:
        """Return the way by road through the points (lon, lat), one leg between each two; NoWay if there is none."""
        if len(points) < 2:
            return []
        parameters = engine.RouteParameters(
            coordinates=list(points), steps=True, overview="false", geometries="geojson", generate_hints=False
        )
        try:
            answer = self._engine.Route(parameters)
        except RuntimeError as error:
            raise NoWay(f"no way through {len(points)} points from {points[0]}: {error}") from error
        return [_leg(leg) for leg in answer["routes"][0]["legs"]]

    def close(self) -> None:
        """Let go of the graph's memory; nothing can be asked afterwards."""
        self._engine = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _on_earth(location: Location) -> Point:
    point = (location.lon, location.lat)
    if not all(map(math.isfinite, point)) or abs(location.lon) > 180 or abs(location.lat) > 90:
        raise ValueError(f"location {location.id}: {point} is no longitude and latitude")
    return point


def _blocks(rows: range, columns: range, cells: int) -> Iterator[tuple[slice, slice]]:
    """Cut a rectangle into as few and as square blocks as fit into so many cells, but for a row or two.

    For every source and every destination of a block OSRM finds the road and searches the graph once, so square blocks
    ask it least. Blocks take every p-th location: how OSRM snaps depends on the company, because a small part of the
    network counts only if all locations asked for are near it; scattered locations make no such company by chance.
    """
    pieces = math.ceil(len(rows) * len(columns) / cells)
    if pieces == 0:
        return
    p = min(len(rows), pieces, math.ceil(math.sqrt(pieces * len(rows) / len(columns))))
    q = min(len(columns), math.ceil(pieces / p))
    for i in range(p):
        for j in range(q):
            yield slice(rows.start + i, rows.stop, p), slice(columns.start + j, columns.stop, q)


def _fill(block: npt.NDArray[np.int32], rows: Any) -> None:
    """Turn OSRM's rows (tenths of a unit, None where there is no way) into int32, rounded up."""
    for whole, row in zip(block, rows, strict=True):
        try:
            numbers = np.fromiter(row, np.float64, len(whole))
        except TypeError:
            # There is a None in this row: slower, but it becomes NaN.
            numbers = np.array(list(row), dtype=np.float64)
            numbers[np.isnan(numbers)] = UNREACHABLE
        # A hair less, so that no tenth that binary cannot hold is rounded up by itself.
        numbers -= 1e-6
        np.ceil(numbers, out=whole, casting="unsafe")


def _leg(leg: Any) -> Leg:
    """Join the steps' lines: each ends where the next begins, the last is the arrival, twice the same point."""
    line: list[Point] = []
    for step in leg["steps"]:
        for point in step["geometry"]["coordinates"]:
            here = (point[0], point[1])
            if not line or line[-1] != here:
                line.append(here)
    return Leg(tuple(line), round(leg["distance"]), round(leg["duration"]))
