"""The camera of the courier's app in Chromium: codes, photos and a filmed camera, under the policy of its page."""

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Response
from PIL import Image

from courier_api import create_app
from courier_api.web import assets, headers
from tests.browser import camera_pictures as pictures
from tests.browser.camera_pictures import code_128, corners, jpeg, on_paper, png, qr
from tests.browser.driving import drive
from tests.serving import serving
from tests.web.receipts import Device, Operator
from tests.web.test_card_scripts import CARD

SECONDS = 240  # some 30 on an idle machine
NUMBER = "EH123456785VN"
SEAL = "RB123456785GB"
MOST_BYTES = 350_000
PAGE = """<!doctype html><title>Camera</title><link rel="icon" href="data:,">
<script type="application/json" id="told">{told}</script><video muted playsinline></video>"""
RECEIPT = f"https://post.example/verify#{Device(Operator()).receipt().digits()}"
CODES = {
    "card": (on_paper(qr(CARD), degrees=8, blur=0.8), CARD, "QRCode"),
    "card small": (on_paper(qr(CARD, 3), blur=0.6), CARD, "QRCode"),
    "receipt": (on_paper(qr(RECEIPT), degrees=17, blur=0.8), RECEIPT, "QRCode"),
    "label": (on_paper(code_128(NUMBER), degrees=4, blur=0.8), NUMBER, "Code128"),
    "label upright": (on_paper(code_128(NUMBER), degrees=90, blur=0.8), NUMBER, "Code128"),
    "label upside down": (on_paper(code_128(NUMBER), degrees=181), NUMBER, "Code128"),
    "label large": (on_paper(code_128(NUMBER, 8, 500), (4000, 3000), 3, 2), NUMBER, "Code128"),
}
SHRUNK = {
    "sideways": jpeg(corners((800, 600)), orientation=6),
    "mirrored": jpeg(corners((3000, 2000)), orientation=5),
    "label": jpeg(on_paper(code_128(NUMBER, 8, 500), (4000, 3000), 3, 2), orientation=1),
    "noise": jpeg(pictures.noise((4000, 3000))),
    "sharp noise": jpeg(pictures.noise((1600, 1200))),
    "strip": jpeg(Image.new("RGB", (5000, 2), "red")),
    "small": png(corners((40, 30))),
    "clear": png(Image.new("RGBA", (300, 200), (0, 0, 0, 0))),
}
BROKEN = {
    "nothing": b"",
    "text": "Không phải ảnh".encode(),
    "head alone": jpeg(corners((800, 600)))[:200],
    "no head": jpeg(corners((800, 600)))[200:],
    "a page": b"<!doctype html><img src=x>",
}


@pytest.fixture
def address() -> Iterator[str]:
    """A live server with an empty page under the policy of the courier's."""
    app = create_app()
    told = {
        "words": {},
        "zxing": assets.library_url("zxing-wasm/dist/es/reader/index.js"),
        "zxing_wasm": assets.library_url("zxing-wasm/dist/reader/zxing_reader.wasm"),
        "camera": {name: assets.own_url(f"js/app/camera/{name}.js") for name in ("codes", "frames", "photos")},
    }

    def page() -> Response:
        response = Response(PAGE.format(told=json.dumps(told)), content_type="text/html; charset=utf-8")
        response.headers.update(headers.COURIER)
        return response

    app.add_url_rule("/test/camera", view_func=page)
    with serving(app) as address:
        yield address


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera sees: nothing, a label, a card, each for a second."""
    size = (1280, 720)
    path = tmp_path_factory.mktemp("film") / "seen.y4m"
    scenes = [
        Image.new("RGB", size, "grey"),
        on_paper(code_128(NUMBER), size, 5, 0.8),
        on_paper(qr(CARD), size, 8, 0.8),
    ]
    pictures.film(path, (scene for scene in scenes for _ in range(5)), 5)
    return path


def sent(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_the_camera_reads_codes_and_takes_photos(address: str, seen: Path) -> None:
    cases = {
        "codes": {name: sent(jpeg(image)) for name, (image, _, _) in CODES.items()},
        "shrunk": {name: sent(content) for name, content in SHRUNK.items()},
        "broken": {name: sent(content) for name, content in BROKEN.items()},
        "blank": sent(png(Image.new("RGB", (640, 480), "grey"))),
    }
    found = drive("app_camera.mjs", address, seconds=SECONDS, cases=cases, SEEN=seen)
    assert found["wasm"] == 1  # loaded when the first code was read, and kept
    _codes_are_read(found)
    _photos_are_small(found["shrunk"])
    _the_camera_works(found)
    _readers_are_chosen(found["readers"])


def _codes_are_read(found: dict[str, Any]) -> None:
    expected = {name: [{"text": text, "format": format_}] for name, (_, text, format_) in CODES.items()}
    assert found["photos"] == expected
    assert found["frames"] == expected
    assert found["others"] == [
        [{"text": "SEAL-0042", "format": "Code39"}],
        [{"text": "HY 004217 ấ", "format": "DataMatrix"}],
        [{"text": "8934563138165", "format": "EAN13"}],
    ]
    assert found["two"] == sorted([CARD, NUMBER])
    assert found["blank"] == []
    assert found["broken"] == {name: ["Undecodable", "Undecodable"] for name in BROKEN}


def _photos_are_small(shrunk: dict[str, dict[str, Any]]) -> None:
    photos = {}
    for name, said in shrunk.items():
        content = base64.b64decode(said["bytes"])
        assert len(content) < MOST_BYTES, name
        photo = Image.open(io.BytesIO(content))
        assert photo.format == "JPEG"
        assert photo.size == (said["width"], said["height"])
        assert not photo.getexif()
        assert b"Exif" not in content
        assert b"SM-A055F" not in content
        photos[name] = photo.convert("RGB")
    sizes = {name: photo.size for name, photo in photos.items()}
    assert sizes.pop("sharp noise")[0] < 1600  # no quality alone makes it light enough
    assert sizes == {
        "sideways": (600, 800),
        "mirrored": (1067, 1600),
        "label": (1600, 1200),
        "noise": (1600, 1200),
        "strip": (1600, 1),
        "small": (40, 30),
        "clear": (300, 200),
    }
    assert photos["clear"].getpixel((150, 100)) == (255, 255, 255)
    assert _colours(photos["small"]) == ["red", "green", "blue", "white"]
    assert _colours(photos["sideways"]) == ["blue", "red", "white", "green"]  # turned to the right by a quarter
    assert _colours(photos["mirrored"]) == ["red", "blue", "green", "white"]  # across the diagonal
    assert shrunk["label"]["reads"] == [NUMBER]


def _colours(photo: Image.Image) -> list[str]:
    wide, high = photo.size
    names = {"100": "red", "010": "green", "001": "blue", "111": "white"}
    points = [(x, y) for y in (high // 4, high * 3 // 4) for x in (wide // 4, wide * 3 // 4)]
    bright = (photo.point(lambda part: part > 127).getpixel(point) for point in points)
    return [names["".join(str(int(part)) for part in parts)] for parts in bright if isinstance(parts, tuple)]


def _the_camera_works(found: dict[str, Any]) -> None:
    assert set(found["watched"]) == {NUMBER, CARD}
    assert found["grabbed"] == [1280, 720]
    assert found["lamp"] is False
    assert found["leftOpen"] is False  # opened again, it lets go of the first
    assert found["still"] == {"decodes": True, "falls back": True}
    assert found["stopped"] == {"track": "ended", "shows": False, "grabs": None}
    assert found["refused"] == {
        "denied": "denied",
        "missing": "none",
        "busy": "busy",
        "silent": "busy",
        "insecure": "none",
    }
    # Held in sight it is told once; again when it comes back; not while the page is hidden, nor after the end.
    assert found["told"] == {"held": 1, "back": 2, "hidden": 2, "shown": 3, "ended": 3}
    assert found["breathed"]


def _readers_are_chosen(readers: dict[str, Any]) -> None:
    assert readers["native"] == [[{"text": NUMBER, "format": "Code128"}], 0]
    assert readers["native of photo"] == [[{"text": NUMBER, "format": "Code128"}], 0]
    assert readers["native without bars"] == [[{"text": NUMBER, "format": "Code128"}], 1]
    assert readers["native out of service"] == [[{"text": NUMBER, "format": "Code128"}], 1]
    assert readers["lost on the way"] == ["refused", [{"text": NUMBER, "format": "Code128"}]]
