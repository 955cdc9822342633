"""Builds the road graph that OSRM rides on, from an OSM extract, speeds by road class and closures.

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
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

import osrm as engine

from routing.closures import Closures, cut

MOTORBIKE = Path(__file__).parent / "profiles" / "motorbike.lua"

SPEEDS_KMH: Mapping[str, int] = MappingProxyType(
    {
        "trunk": 50,
        "trunk_link": 35,
        "primary": 45,
        "primary_link": 30,
        "secondary": 40,
        "secondary_link": 28,
        "tertiary": 35,
        "tertiary_link": 25,
        "unclassified": 30,
        "road": 25,
        "residential": 22,
        "service": 20,
        "living_street": 12,
        "track": 15,
        "path": 10,
    }
)
"""Speeds by road class (OSM's `highway`), as ridden, not as allowed; a lower posted limit lowers them."""

FASTEST_KMH = 120
FACTOR_MAX = 3.0

AS_USUAL: Mapping[str, float] = MappingProxyType({})
ALL_OPEN = Closures()

GRAPH_NAME = "roads.osrm"
FILE_LIST = "files.txt"
SETTINGS = "settings.lua"


class GraphError(RuntimeError):
    """A road graph could not be built or opened; the message ends with what the engine or the system said."""


def build_graph(
    pbf: Path,
    directory: Path,
    *,
    speeds: Mapping[str, int] = MappingProxyType({}),
    factors: Mapping[str, float] = AS_USUAL,
    closures: Closures = ALL_OPEN,
    profile: Path = MOTORBIKE,
) -> Path:
    """Build the contracted graph of an OSM extract (.osm, .osm.pbf, .osm.bz2) and return the path that Osrm opens.

    `speeds` (km/h) replace those of SPEEDS_KMH by road class; `factors` multiply the speed of a road class, posted
    limits included: 0.6 in the rush hour is a journey of 1 / 0.6 the time. Closed roads are not there at all: a stop
    beside one is reached from the nearest road that is open, and Table.snapped_m says how far that is; further than
    Osrm's max_snap_m it is off the network. The same goes for a stop on roads that closures cut off from the rest, if
    those have fewer than about a thousand nodes; on a larger island it is unreachable.

    The folder under `directory` is named by a hash of all of this and the engine's version: what is there already and
    whole is returned at once. It is built beside and renamed at the end, so other processes never see half a graph.
    Raises GraphError with the engine's last lines or what was wrong with the directory, ValueError for an unknown road
    class or a senseless number, ClosureError for closures that do not fit the extract, FileNotFoundError for a missing
    extract or profile.
    """
    settings = _settings(speeds, factors)
    target = directory / f"{pbf.name.partition('.')[0]}-{_fingerprint(pbf, profile, settings, closures)}"
    base = target / GRAPH_NAME
    if target.exists() and not missing_files(base):
        return base
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".building-", dir=directory) as scratch:
            _publish(_build(Path(scratch), pbf, profile, settings, closures), target)
    except OSError as error:
        raise GraphError(f"cannot build a graph in {directory}: {error}") from error
    return base


def missing_files(base: Path) -> list[str]:
    """Return the files of a built graph that are gone or not of the size they were built with, by name.

    A graph without a list of its files (built before there was one) is taken as whole where it was contracted.
    """
    try:
        lines = (base.parent / FILE_LIST).read_text().splitlines()
    except OSError:
        lines = []
    if not lines:
        contracted = base.name + ".hsgr"
        return [] if (base.parent / contracted).exists() else [contracted]
    listed = (line.partition(" ") for line in lines)
    return [name for size, _, name in listed if str(_size(base.parent / name)) != size]


def _settings(speeds: Mapping[str, int], factors: Mapping[str, float]) -> str:
    """Write what the profile reads as a Lua module, the same text for the same settings."""
    for name, numbers, most in (("speed", speeds, FASTEST_KMH), ("factor", factors, FACTOR_MAX)):
        for road_class, number in numbers.items():
            if road_class not in SPEEDS_KMH:
                raise ValueError(f"{name} of {road_class}: no such road class; there are {', '.join(SPEEDS_KMH)}")
            if not 0 < number <= most:
                raise ValueError(f"{name} of {road_class}: must be above 0 and at most {most:g}, not {number}")
    tables: dict[str, Mapping[str, float]] = {
        "speeds": {**SPEEDS_KMH, **speeds},
        "factors": {road_class: factors.get(road_class, 1) for road_class in SPEEDS_KMH},
    }
    lines = (
        f"  {name} = {{ {', '.join(f'{key} = {float(value):g}' for key, value in sorted(table.items()))} }},"
        for name, table in tables.items()
    )
    return "\n".join(["return {", *lines, "}", ""])


def _fingerprint(pbf: Path, profile: Path, settings: str, closures: Closures) -> str:
    digest = hashlib.sha256(f"{version('osrm-bindings')}\n{settings}\n{closures.key}\n".encode())
    for path in (profile, pbf):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _build(scratch: Path, pbf: Path, profile: Path, settings: str, closures: Closures) -> Path:
    """Build in the scratch folder; return the folder that holds the graph and nothing else."""
    (scratch / SETTINGS).write_text(settings)
    base = scratch / "graph" / GRAPH_NAME
    base.parent.mkdir()
    extract = pbf.resolve()
    if closures:
        extract = scratch / pbf.name
        try:
            cut(pbf, closures, extract)
        except RuntimeError as error:
            raise GraphError(f"cannot read {pbf}: {error}") from error
    _run(scratch, "extract", "--profile", str(profile.resolve()), "--output", str(base), str(extract))
    _run(scratch, "contract", str(base))
    sizes = [f"{_size(path)} {path.name}\n" for path in sorted(base.parent.iterdir())]
    (base.parent / FILE_LIST).write_text("".join(sizes))
    return base.parent


def _run(settings: Path, step: str, *arguments: str) -> None:
    """Run one build step with the settings and the engine's own Lua library on the search path."""
    library = Path(engine.__file__).parent / "share" / "profiles"
    done = subprocess.run(  # noqa: S603  # our own interpreter, arguments never pass a shell
        [sys.executable, "-m", "osrm", step, *arguments],
        env=os.environ | {"LUA_PATH": f"{settings}/?.lua;{library}/?.lua;;"},
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
    if target.exists() and missing_files(target / GRAPH_NAME):
        shutil.rmtree(target)
    try:
        built.rename(target)
    except OSError:
        # Someone else built the same graph in the meantime: theirs is as good.
        if not target.exists():
            raise


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.exists() else None
