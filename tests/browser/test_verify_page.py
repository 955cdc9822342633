"""The page that checks receipts in Chromium: its words, offline, photos, camera; nothing is reported or sent away."""

import base64
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import segno
from flask import Flask
from PIL import Image, ImageFilter

from courier_api.proof.receipt import Receipt
from courier_api.web import verify
from tests.browser.driving import drive
from tests.serving import serving
from tests.web.receipts import DAY_S, NOON, Device, Operator, entry

SECONDS = 240  # some 40 on an idle machine
OPERATOR = Operator()
STRANGER = Operator()  # becomes the operator's next key
DEVICE = Device(OPERATOR)
GOOD = DEVICE.receipt()


@pytest.fixture
def address(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A live server whose ledger holds one receipt; the page needs no database."""
    keys = [OPERATOR.line]
    monkeypatch.setattr(verify, "verifier_keys", lambda: list(keys))
    answer = json.dumps(entry(GOOD, OPERATOR)).encode()

    def site(environ: Any, start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/rotate":
            keys.append(STRANGER.line)
        if "/public/ledger/entries/" not in environ["PATH_INFO"]:
            return app(environ, start_response)
        known = environ["PATH_INFO"].endswith("0199a0b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b")
        start_response("200 OK" if known else "404 Not Found", [("Content-Type", "application/json")])
        return [answer if known else b"{}"]

    with serving(site) as address:
        yield address


def printed(receipt: Receipt, module: int) -> Image.Image:
    """The code as it is printed, some pixels a module."""
    code = segno.make(["HTTPS://POST.EXAMPLE/VERIFY", "#", receipt.digits()], error="m", boost_error=False)
    content = io.BytesIO()
    code.save(content, kind="png", scale=16, border=4)
    content.seek(0)
    side = module * code.symbol_size(1, 4)[0]
    return Image.open(content).convert("L").resize((side, side), Image.Resampling.LANCZOS)


def on_paper(code: Image.Image, size: tuple[int, int], degrees: float, blur: float, noise: int) -> Image.Image:
    """A photo of it: askew, blurred, grainy, greyish."""
    paper = Image.new("L", size, 225)
    paper.paste(code, ((size[0] - code.width) // 2, (size[1] - code.height) // 2))
    paper = paper.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=190).filter(ImageFilter.GaussianBlur(blur))
    grain = Image.effect_noise(size, noise)
    return Image.blend(paper.point(lambda v: int(v * 0.75 + 30)), grain, 0.15)


def photos(folder: Path) -> list[str]:
    kinds = {
        "straight": on_paper(printed(GOOD, 6), (1600, 1200), 0, 0, 20),
        "askew": on_paper(printed(GOOD, 6), (1600, 1200), 27, 1, 40),
        "diagonal": on_paper(printed(GOOD, 6), (1600, 1200), 225, 1, 30),
        "upside-down": on_paper(printed(GOOD, 5), (1200, 1600), 183, 1, 40),
        "small": on_paper(printed(GOOD, 3), (1600, 1200), 5, 0.8, 20),
        "large": on_paper(printed(GOOD, 11), (4000, 3000), 12, 2.5, 60),
    }
    for name, image in kinds.items():
        image.save(folder / f"{name}.jpg", quality=75)
    return [str(folder / f"{name}.jpg") for name in kinds]


def test_a_receipt_is_checked_wherever_it_comes_from(address: str, tmp_path: Path) -> None:
    Image.new("L", (640, 480), 128).save(tmp_path / "rubbish.jpg")
    seen = io.BytesIO()
    on_paper(printed(GOOD, 6), (1280, 720), 8, 0.7, 20).save(seen, "PNG")
    broken = replace(GOOD, core=GOOD.core[:-1] + b"\0")
    cases = {
        "good": GOOD.digits(),
        "late": DEVICE.receipt(DEVICE.certificate(int(NOON.timestamp()) + 2 * DAY_S), event_id=uuid4()).digits(),
        "changed": broken.digits(),
        "stranger": Device(STRANGER).receipt(event_id=uuid4()).digits(),
        "photos": photos(tmp_path),
        "rubbish": str(tmp_path / "rubbish.jpg"),
        "seen": f"data:image/png;base64,{base64.b64encode(seen.getvalue()).decode()}",
    }
    found = drive("verify.mjs", address, seconds=SECONDS, cases=cases)
    assert found["leaked"] == []
    assert found["small"] == []
    assert found["bare"] == []
    _reads_well(found["shown"])
    assert len(found["photos"]) == 6
    assert set(found["photos"]) <= {"genuine", "recorded"}  # as far as the ledger has answered yet
    assert "offline" in found["offlineSaid"]
    assert found["remembered"] == "vi"
    assert found["focused"] == "verdict-words"
    assert found["empty"] == ["Dán địa chỉ hoặc dãy số vào ô này", "text"]
    assert "camera" in found["noCamera"]
    assert found["cameraOff"]
    assert "JavaScript" in found["withoutScripts"]
    assert "bưu cục gần nhất" in found["withoutScripts"]


def _reads_well(shown: dict[str, Any]) -> None:
    for view in ("good-vi-phone", "good-vi-desk", "address", "camera"):
        assert shown[view]["words"] == "Biên nhận thật, đã vào sổ cái"
        assert "Người dân đã giao cho bưu tá\u00a0C-00417." in shown[view]["text"]
        assert "10:14" in shown[view]["text"]
        assert "22/11/2026" in shown[view]["text"]
        assert "EH123456785VN" in shown[view]["text"]
        assert "20,66000° vĩ bắc" in shown[view]["text"]
        assert "dòng 6" in shown[view]["text"]
        assert "Biên nhận thật" in shown[view]["news"]
    for view in ("good-en-phone", "good-en-desk", "english"):
        assert shown[view]["words"] == "Genuine, and in the public ledger"
        assert "The citizen handed over to courier\u00a0C-00417." in shown[view]["text"]
        assert "22 November 2026" in shown[view]["text"]
    assert "could not be asked: offline" in shown["offline"]["text"]
    assert shown["offlinePhoto"]["words"] == "Biên nhận thật"
    for tongue, words in (("vi", "không đáng tin"), ("en", "not to be relied on")):
        assert words in shown[f"changed-{tongue}-phone"]["text"]
        assert words in shown[f"stranger-{tongue}-phone"]["text"]
        assert words not in shown[f"late-{tongue}-phone"]["text"]
    assert "không phải biên nhận" in shown["rubbish"]["text"]
    assert "chụp lại" in shown["unreadable"]["text"]
