"""The road graph of the province, built once for all processes that run tests: a build takes longer than many tests."""

import fcntl
import shutil
from pathlib import Path

from courier_api.rounds import planning
from courier_api.settings import settings
from routing.graph import build_graph

ROOT = Path(__file__).parent.parent
ROADS = ROOT / "scripts" / "data" / "hung_yen" / "roads.osm.pbf"
BUILT = ROOT / ".local" / "test-graphs"


def install() -> None:
    """Put the graph with all roads open into our own folder, where planning finds it by its content."""
    BUILT.mkdir(parents=True, exist_ok=True)
    with (BUILT / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        extract = BUILT / planning.EXTRACT
        shutil.copyfile(ROADS, extract)
        graph = build_graph(extract, BUILT).parent
    shutil.copytree(graph, settings().graph_dir / graph.name, dirs_exist_ok=True)
    planning.install_roads(ROADS)
