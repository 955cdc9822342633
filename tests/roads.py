"""The road graph of the province, built once for all processes that run tests: a build takes longer than many tests."""

import fcntl
import shutil
from pathlib import Path

import osmium

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


def near(lon: float, lat: float, degrees: float, target: Path) -> Path:
    """Write the roads within a square as an extract of their own; a graph of few roads is built in a second."""
    inside = {
        node.id
        for node in osmium.FileProcessor(ROADS, osmium.osm.NODE)
        if abs(node.lon - lon) < degrees and abs(node.lat - lat) < degrees
    }
    with osmium.SimpleWriter(target, overwrite=True) as writer:
        for thing in osmium.FileProcessor(ROADS):
            if thing.is_node() and thing.id in inside:
                writer.add(thing)
            elif thing.is_way():
                kept = [node.ref for node in thing.nodes if node.ref in inside]
                if len(kept) > 1:
                    writer.add(thing.replace(nodes=kept))
    return target
