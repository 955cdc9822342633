"""Vector tiles: what is in them, how they are kept, what is refused, and that they are quick and small."""

import gzip
import math
import time

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from courier_api.web.ground import draw_tile, ground
from tests.web.tile_reader import read_tile

PROVINCE = (105.90, 20.25, 106.65, 21.0)
OFFICE = (106.0590, 20.6560)  # in Phường Phố Hiến


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int]:
    """Column and row of the tile with a point in it."""
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int((lon + 180) / 360 * 2**z), int(y * 2**z)


def path(z: int, lon: float = OFFICE[0], lat: float = OFFICE[1]) -> str:
    x, y = tile_at(lon, lat, z)
    return f"/tiles/{z}/{x}/{y}.mvt"


def test_far_away_the_communes_the_offices_and_the_main_roads_are_drawn(client: FlaskClient) -> None:
    response = client.get(path(8))
    assert response.content_type == "application/vnd.mapbox-vector-tile"
    layers = read_tile(response.data)
    assert set(layers) == {"communes", "commune_names", "roads", "service_points"}
    assert set(layers["roads"].texts) == {"trunk", "primary", "secondary"}
    assert {"code", "name"} <= set(layers["communes"].keys)
    assert "post_office" in layers["service_points"].texts


def test_near_by_lanes_and_hamlets_are_drawn(client: FlaskClient) -> None:
    layers = read_tile(client.get(path(13)).data)
    assert {"residential", "service"} <= set(layers["roads"].texts)
    assert layers["hamlets"].features > 0
    assert any("Phố Hiến" in text for text in layers["communes"].texts)


def test_tiles_hold_public_ground_only(client: FlaskClient) -> None:
    allowed = {
        "communes": {"code", "name"},
        "commune_names": {"name", "population"},
        "roads": {"class", "name"},
        "service_points": {"kind", "code", "name", "level", "quality"},
        "hamlets": {"name", "weight"},
    }
    for z in (8, 11, 14):
        for name, layer in read_tile(client.get(path(z)).data).items():
            assert set(layer.keys) <= allowed[name]


def test_a_tile_is_kept_until_the_ground_is_imported_anew(client: FlaskClient, session: Session) -> None:
    first = client.get(path(9))
    assert first.headers["Cache-Control"] == "no-cache"
    assert ground(session).version in first.headers["ETag"]
    again = client.get(path(9), headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    named = client.get(f"{path(9)}?v={ground(session).version}")
    assert "max-age=86400" in named.headers["Cache-Control"]


def test_a_tile_travels_compressed_where_that_is_understood(client: FlaskClient) -> None:
    plain = client.get(path(10))
    zipped = client.get(path(10), headers={"Accept-Encoding": "gzip"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == plain.data


def test_an_empty_tile_has_no_content(client: FlaskClient) -> None:
    response = client.get("/tiles/9/0/0.mvt")
    assert response.status_code == 204
    assert not response.data


@pytest.mark.parametrize("address", ["9/512/0", "9/0/512", "15/0/0", "99/0/0", "9/-1/0", "9/1.5/0", "x/0/0"])
def test_a_tile_that_cannot_be_is_a_problem(client: FlaskClient, address: str) -> None:
    response = client.get(f"/tiles/{address}.mvt")
    assert response.status_code == 404
    assert response.content_type == "application/problem+json"


def test_every_zoom_is_quick_and_small(client: FlaskClient, session: Session) -> None:
    west, south, east, north = PROVINCE
    for z in range(6, 15):
        (left, top), (right, bottom) = tile_at(west, north, z), tile_at(east, south, z)
        tiles = [(x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)]
        seconds = []
        for x, y in tiles[:: max(1, len(tiles) // 20)]:
            began = time.perf_counter()
            content = draw_tile(session, z, x, y)
            seconds.append(time.perf_counter() - began)
            assert len(content) < 300_000
        seconds.sort()
        # 150 ms is the aim on an idle machine; tests share theirs.
        assert seconds[int(len(seconds) * 0.95)] < 0.45, f"zoom {z}"
