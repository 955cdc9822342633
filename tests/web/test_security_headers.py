"""The headers that keep a browser from doing what the pages never ask for."""

import re

import pytest
from flask.testing import FlaskClient

from courier_api.web import headers

PAGES = ["/", "/verify", "/track", "/track?number=1&phone_digits=2", "/t/nothing", "/api/docs", "/nowhere"]


@pytest.mark.parametrize("path", [*PAGES, "/health", "/api/openapi.json", "/tiles/9/0/0.mvt", "/api/v1/nowhere"])
def test_every_answer_carries_them(client: FlaskClient, path: str) -> None:
    headers = client.get(path, headers={"Accept": "text/html"}).headers
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy  # nobody outside is named
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "geolocation=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_needs_an_exception_or_an_outside_server(client: FlaskClient, path: str) -> None:
    html = client.get(path, headers={"Accept": "text/html"}).get_data(as_text=True)
    assert "<!doctype html>" in html
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", html)
    for script in re.findall(r"<script\b[^>]*>", html):
        assert 'src="/assets/' in script or 'type="application/json"' in script
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", html)


def test_the_words_of_the_page_cannot_end_its_data_block(client: FlaskClient) -> None:
    html = client.get("/").get_data(as_text=True)
    block = re.search(r'<script type="application/json" id="told">(.*?)</script>', html, re.S)
    assert block
    assert "<" not in block[1]


def test_the_courier_s_page_may_run_webassembly_and_know_its_place_and_no_more() -> None:
    usual, own = (set(policy["Content-Security-Policy"].split("; ")) for policy in (headers.HEADERS, headers.COURIER))
    assert usual - own == {"script-src 'self'"}
    assert own - usual == {"script-src 'self' 'wasm-unsafe-eval'", "manifest-src 'self'"}
    allowed = headers.COURIER["Permissions-Policy"].split(", ")
    assert {one for one in allowed if not one.endswith("=()")} == {"camera=(self)", "geolocation=(self)"}
    assert len(allowed) == len(headers.HEADERS["Permissions-Policy"].split(", "))
