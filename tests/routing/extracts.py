"""Writes tiny OSM extracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

type Way = tuple[Sequence[int], Mapping[str, str]]
type Relation = tuple[Sequence[tuple[str, int, str]], Mapping[str, str]]


def write(
    path: Path,
    nodes: Mapping[int, tuple[float, float]],
    ways: Mapping[int, Way],
    relations: Mapping[int, Relation] | None = None,
) -> Path:
    """Nodes are (lon, lat), ways node ids and tags, relations members (type, id, role) and tags, all by their ids."""
    path.write_text(
        '<osm version="0.6">'
        + "".join(f'<node id="{i}" lon="{x:.6f}" lat="{y:.6f}" version="1"/>' for i, (x, y) in nodes.items())
        + "".join(
            f'<way id="{i}" version="1">' + "".join(f'<nd ref="{ref}"/>' for ref in refs) + _tags(tags) + "</way>"
            for i, (refs, tags) in ways.items()
        )
        + "".join(
            f'<relation id="{i}" version="1">'
            + "".join(f'<member type="{kind}" ref="{ref}" role="{role}"/>' for kind, ref, role in members)
            + _tags(tags)
            + "</relation>"
            for i, (members, tags) in (relations or {}).items()
        )
        + "</osm>"
    )
    return path


def _tags(tags: Mapping[str, str]) -> str:
    return "".join(f'<tag k="{k}" v="{v}"/>' for k, v in tags.items())
