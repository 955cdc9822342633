"""Small files of an invented province, good and broken, for the import tests."""

import json
from pathlib import Path
from typing import Any

Ring = list[list[float]]


def square(lon: float, lat: float, side: float = 0.1) -> Ring:
    """A closed ring, its south-west corner given."""
    return [[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]]


def feature(code: str, ring: Any, name: str = "Xã Thử", kind: str = "Polygon", **facts: Any) -> dict[str, Any]:
    """A commune of province 98."""
    properties = {"code": code, "name": name, "province_code": "98"} | facts
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": [ring]}}


def geojson(path: Path, *features: Any, **more: Any) -> Path:
    """A feature collection."""
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)} | more), encoding="utf-8")
    return path


def table(path: Path, *lines: str) -> Path:
    """A CSV of these lines."""
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
