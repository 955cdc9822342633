"""Asks OSRM, in this process, for travel tables and the shape of routes, and builds its graph from an OSM extract.

Luxen & Vetter, "Real-time routing with OpenStreetMap data" (2011), over contraction hierarchies
(Geisberger et al. 2008).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import osrm as engine

from routing.problem import Location
from routing.travel import UNREACHABLE, Table

MOTORBIKE = Path(__file__).parent / "profiles" / "motorbike.lua"
CELLS_PER_BLOCK = 500_000
"""Size of the pieces a table is asked in: OSRM answers with objects of 300 bytes a cell before they become int32."""

GRAPH_NAME = "roads.osrm"

type Point = tuple[float, float]
"""Longitude and latitude, degrees."""


class GraphError(RuntimeError):
    """A road graph could not be built or opened; the message ends with what the engine said."""


class NoWay(ValueError):
    """There is no road between two consecutive points."""


@dataclass(frozen=True, slots=True)
class Leg:
    """The way from one point to the next, along the road."""

    points: tuple[Point, ...]
    distance_m: int
    duration_s: int


def build_graph(pbf: Path, directory: Path, profile: Path = MOTORBIKE) -> Path:
    """Build the contracted graph of an OSM extract (.osm, .osm.pbf, .osm.bz2) and return the path that Osrm opens.

    The folder under `directory` is named by a hash of extract, profile and engine version: what is there already is
    returned at once. It is built beside and renamed at the end, so other processes never see half a graph. Raises
    GraphError with the engine's last lines, FileNotFoundError for a missing extract or profile.
    """
    target = directory / f"{pbf.name.partition('.')[0]}-{_fingerprint(pbf, profile)}"
    if not target.exists():
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".building-", dir=directory) as scratch:
            base = Path(scratch, "graph", GRAPH_NAME)
            base.parent.mkdir()
            _run("extract", "--profile", str(profile.resolve()), "--output", str(base), str(pbf.resolve()))
            _run("contract", str(base))
            _publish(base.parent, target)
    return target / GRAPH_NAME


def _fingerprint(pbf: Path, profile: Path) -> str:
    digest = hashlib.sha256(version("osrm-bindings").encode())
    for path in (profile, pbf):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _run(step: str, *arguments: str) -> None:
    """Run one build step with the engine's own Lua library on the search path."""
    library = Path(engine.__file__).parent / "share" / "profiles"
    done = subprocess.run(  # noqa: S603  # our own interpreter, arguments never pass a shell
        [sys.executable, "-m", "osrm", step, *arguments],
        env=os.environ | {"LUA_PATH": f"{library}/?.lua;;"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.strip().splitlines()[-12:])
        raise GraphError(f"osrm {step} {arguments[-1]} failed with status {done.returncode}:\n{tail}")


def _publish(built: Path, target: Path) -> None:
    try:
        built.rename(target)
    except OSError:
        # Someone else built the same graph in the meantime: theirs is as good.
        if not target.exists():
            raise
        shutil.rmtree(built)


class Osrm:
    """TravelTimes over a graph made by `build_graph`; safe to share between threads, not between processes."""

    def __init__(self, base: Path, *, max_snap_m: int = 1000) -> None:
        """Open the graph; a location further than `max_snap_m` metres from every road counts as off the network."""
        if not base.with_name(base.name + ".hsgr").exists():
            raise GraphError(f"no contracted graph at {base}")
        try:
            self._engine: Any = engine.OSRM(
                algorithm="CH", storage_config=str(base), use_shared_memory=False, max_locations_distance_table=-1
            )
        except RuntimeError as error:
            raise GraphError(f"cannot open {base}: {error}") from error
        self._max_snap_m = max_snap_m
        self.source = f"OSRM {version('osrm-bindings')}, {base.parent.name}"

    def table(self, locations: Sequence[Location], distances: bool = False) -> Table:
        """Ask for all durations in blocks of rows; seconds are rounded up: that keeps the triangle inequality.

        What OSRM itself leaves of it: a stop at a crossing saves the few seconds of the turn there.
        """
        coordinates = [(x.lon, x.lat) for x in locations]
        n = len(coordinates)
        # OSRM wants two coordinates at least.
        if n == 1:
            alone = self.table([locations[0], locations[0]])
            return Table(
                alone.durations[:1, :1].copy(),
                alone.snapped_m[:1].copy(),
                np.zeros((1, 1), dtype=np.int32) if distances else None,
            )
        seconds = np.empty((n, n), dtype=np.int32)
        metres = np.empty((n, n), dtype=np.int32) if distances else None
        snapped_m = np.zeros(n, dtype=np.int32)
        for rows in _blocks(n):
            answer = self._ask_table(coordinates, rows, distances)
            block = slice(rows.start, rows.stop)
            seconds[block] = _whole(answer["durations"])
            if metres is not None:
                metres[block] = _whole(answer["distances"])
            snapped_m[block] = [round(source["distance"]) for source in answer["sources"]]
        off = snapped_m > self._max_snap_m
        for cells in (seconds,) if metres is None else (seconds, metres):
            cells[off, :] = UNREACHABLE
            cells[:, off] = UNREACHABLE
            np.fill_diagonal(cells, 0)
        return Table(seconds, snapped_m, metres)

    def _ask_table(self, coordinates: list[Point], rows: range, distances: bool) -> Any:
        parameters = engine.TableParameters(
            coordinates=coordinates,
            sources=list(rows),
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


def _blocks(n: int) -> Iterator[range]:
    rows = max(1, CELLS_PER_BLOCK // max(1, n))
    return (range(start, min(start + rows, n)) for start in range(0, n, rows))


def _whole(rows: Any) -> npt.NDArray[np.int32]:
    """Turn OSRM's rows (tenths of a unit, None where there is no way) into int32, rounded up."""
    cells = np.array([list(row) for row in rows], dtype=np.float64)
    missing = np.isnan(cells)
    cells[missing] = 0
    whole = np.ceil(cells - 1e-6).astype(np.int32)
    whole[missing] = UNREACHABLE
    return whole


def _leg(leg: Any) -> Leg:
    """Join the steps' lines: each ends where the next begins, the last is the arrival, twice the same point."""
    line: list[Point] = []
    for step in leg["steps"]:
        for point in step["geometry"]["coordinates"]:
            here = (point[0], point[1])
            if not line or line[-1] != here:
                line.append(here)
    return Leg(tuple(line), round(leg["distance"]), round(leg["duration"]))
