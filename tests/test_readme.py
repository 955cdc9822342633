"""README is a promise: its commands, its map, its settings and its operations are there, and none is left out."""

import os
import re
from pathlib import Path

import pytest
from flask import Flask

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    """The text below a heading."""
    return README.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def mapped() -> list[str]:
    """The paths that the map of the tree names."""
    paths, folder = [], ""
    for line in section("The map of the tree").splitlines():
        found = re.match(r"^( {4}|  {4})?(\s*)([\w./]+(?:, [\w./]+)*) {2,}\S|^( {4})(\w+/)$", line)
        if not found or not line.startswith("    "):
            continue
        if found[5]:
            folder = found[5]
            continue
        inside = line.startswith("      ") and bool(folder)
        folder = folder if inside else ""
        paths += [(folder if inside else "") + name for name in found[3].split(", ")]
    return paths


def test_the_map_names_what_is_there() -> None:
    paths = mapped()
    assert "courier_api/queue.py" in paths
    assert "wsgi.py" in paths
    assert [p for p in paths if not (ROOT / p).exists()] == []


def test_no_room_of_the_house_is_missing_from_the_map() -> None:
    named = {p.rstrip("/") for p in mapped()}
    house = ROOT / "courier_api"
    rooms = {f"courier_api/{p.name}" for p in house.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert rooms - named == {"courier_api/__init__.py"}


def test_its_commands_can_be_run() -> None:
    for command in set(re.findall(r"scripts/([a-z]+)(?=[ `;,.\n])", README)):
        path = ROOT / "scripts" / command
        assert path.exists(), command
        assert path.is_dir() or os.access(path, os.X_OK), command


def test_every_setting_is_listed() -> None:
    source = (ROOT / "courier_api" / "settings.py").read_text() + (ROOT / "scripts" / "serve").read_text()
    read = set(re.findall(r"env(?:\.get\(|\[)\"([A-Z_0-9]+)\"", source)) | {"HOST", "PORT"}
    listed = set(re.findall(r"`([A-Z][A-Z_0-9]{3,})`", section("Settings")))
    shell = set(re.findall(r"\$\{([A-Z_]+):-", source))
    assert read <= listed
    assert listed <= read | shell


@pytest.mark.parametrize("operation", re.findall(r"`([a-z]+[A-Z]\w+)`", section("How it flows")))
def test_its_operations_are_served(app: Flask, operation: str) -> None:
    document = app.test_client().get("/api/openapi.json").get_json()
    served = {o["operationId"] for path in document["paths"].values() for o in path.values() if "operationId" in o}
    assert operation in served


def test_the_picture_is_there() -> None:
    for picture in re.findall(r"!\[[^]]+\]\(([^)]+)\)", README):
        assert (ROOT / picture).stat().st_size > 10_000
