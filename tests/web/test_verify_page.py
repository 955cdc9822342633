"""The page that checks receipts and its worker: what they carry, and that only they may use the camera."""

import html
import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from courier_api.web import assets, verify
from tests.web.receipts import Operator

KEY = Operator().line


@pytest.fixture
def visitor(app: Flask, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Someone without an account; the page asks no database."""
    monkeypatch.setattr(verify, "verifier_keys", lambda: [KEY])
    return app.test_client()


def told(page: str) -> dict[str, Any]:
    block = re.search(r'id="told">(.*?)</script>', page, re.S)
    assert block
    found: dict[str, Any] = json.loads(block[1])
    return found


def shell(visitor: FlaskClient) -> dict[str, Any]:
    first, _, script = visitor.get("/verify-worker.js").get_data(as_text=True).partition("\n")
    assert "addEventListener" in script
    found: dict[str, Any] = json.loads(first.removeprefix("const SHELL = ").removesuffix(";"))
    return found


@pytest.mark.parametrize("address", ["/verify", "/VERIFY"])
def test_the_page_carries_the_operator_s_keys_in_both_languages(visitor: FlaskClient, address: str) -> None:
    vietnamese = visitor.get(address).get_data(as_text=True)
    assert told(vietnamese)["keys"] == [KEY]
    assert "<h1>Kiểm tra biên nhận</h1>" in vietnamese
    assert "<h1>Check a receipt</h1>" in visitor.get(f"{address}?lang=en").get_data(as_text=True)


def test_without_scripts_the_page_says_what_else_to_do(visitor: FlaskClient) -> None:
    page = visitor.get("/verify").get_data(as_text=True)
    otherwise = re.search(r"<noscript>(.*?)</noscript>", page, re.S)
    assert otherwise
    assert "bưu cục gần nhất" in html.unescape(otherwise[1])
    assert 'href="/track"' in otherwise[1]
    assert re.search(r'id="tools"[^>]* hidden>', page)


def test_the_camera_is_allowed_here_and_nowhere_else(visitor: FlaskClient) -> None:
    assert "camera=(self)" in visitor.get("/verify").headers["Permissions-Policy"]
    for other in ("/track", "/verify-worker.js", "/verify/"):
        assert "camera=()" in visitor.get(other).headers["Permissions-Policy"]


def test_the_worker_keeps_all_that_the_page_loads(visitor: FlaskClient) -> None:
    kept = shell(visitor)
    assert set(kept["pages"]) == {"/verify?lang=vi", "/verify?lang=en"}
    for address in kept["pages"]:
        page = visitor.get(address).get_data(as_text=True)
        needed = {*re.findall(r'(?:src|href)="(/assets/[^"]+)"', page), told(page)["ed25519"], told(page)["qr"]}
        assert needed <= set(kept["files"])
    scripts = {name: path for name, path in assets.own_files().items() if name.startswith("js/verify/")}
    for name, path in scripts.items():
        assert assets.own_url(name) in kept["files"]
        for imported in re.findall(r'from "\.\./([^"]+)"', path.read_text()):
            assert assets.own_url(f"js/{imported}") in kept["files"], name
    for address in kept["files"]:
        assert visitor.get(address).status_code == 200, address


def test_the_worker_changes_with_the_keys_and_only_then(visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    first = visitor.get("/verify-worker.js")
    assert first.content_type.startswith("text/javascript")
    assert first.headers["Cache-Control"] == "no-cache"
    assert visitor.get("/verify-worker.js", headers={"Accept-Language": "en"}).data == first.data
    monkeypatch.setattr(verify, "verifier_keys", lambda: [KEY, Operator().line])
    assert visitor.get("/verify-worker.js").data != first.data


def test_asking_for_the_worker_chooses_no_language(visitor: FlaskClient) -> None:
    assert "Set-Cookie" not in visitor.get("/verify-worker.js").headers
    assert "Set-Cookie" not in visitor.get("/verify").headers
