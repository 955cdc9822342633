"""The files of the pages: only the listed ones, by name, kept by the browser as long as their address says."""

import re
from posixpath import dirname, normpath

import pytest
from flask.testing import FlaskClient

from courier_api.web import assets


@pytest.mark.parametrize(
    "name",
    [
        "../pages.py",
        "js/../../pages.py",
        "%2e%2e/pages.py",
        "..%2fpages.py",
        "/etc/passwd",
        "js/",
        "",
        "js/nothing.js",
    ],
)
def test_no_path_leads_out_of_the_list(client: FlaskClient, name: str) -> None:
    for kind in ("own", "lib"):
        response = client.get(f"/assets/{kind}/x/{name}", follow_redirects=True)
        assert response.status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "maplibre-gl/package.json",
        "playwright-core/index.js",
        "maplibre-gl/dist/maplibre-gl.mjs.map",
        "zxing-wasm/dist/full/zxing_full.wasm",
    ],
)
def test_nothing_else_of_node_modules_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/assets/lib/{assets.library_version()}/{name}").status_code == 404


def test_an_address_with_the_version_is_kept_and_another_is_not(client: FlaskClient) -> None:
    kept = client.get(assets.own_url("js/home.js"), headers={"Accept-Encoding": "gzip"})
    assert "immutable" in kept.headers["Cache-Control"]
    assert kept.headers["Content-Encoding"] == "gzip"
    assert kept.content_type.startswith("text/javascript")
    assert client.get(assets.own_url("js/home.js"), headers={"If-None-Match": kept.headers["ETag"]}).status_code == 304
    assert client.get("/assets/own/older/js/home.js").headers["Cache-Control"] == "no-store"


def test_the_reader_of_codes_finds_its_parts_and_comes_compressed(client: FlaskClient) -> None:
    reader = assets.library_url("zxing-wasm/dist/es/reader/index.js")
    imported = re.search(r'from "(\.[^"]+)"', client.get(reader).get_data(as_text=True))
    assert imported
    assert client.get(normpath(f"{dirname(reader)}/{imported[1]}")).status_code == 200
    address = assets.library_url("zxing-wasm/dist/reader/zxing_reader.wasm")
    wasm = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert wasm.content_type == "application/wasm"  # or a browser does not compile it while it comes
    assert wasm.headers["Content-Encoding"] == "gzip"


def test_scripts_import_only_what_is_there() -> None:
    for name, path in assets.own_files().items():
        if name.endswith(".js"):
            for imported in re.findall(r'from "(\.[^"]+)"', path.read_text()):
                assert normpath(f"{dirname(name)}/{imported}") in assets.own_files(), f"{name} imports {imported}"


def test_every_page_s_file_is_there(client: FlaskClient) -> None:
    if not assets.NODE_MODULES.is_dir():
        pytest.skip("node_modules is missing: npm was not there when scripts/setup ran")
    for page in ("/", "/track", "/api/docs", "/verify", "/cases"):
        for address in re.findall(r'(?:src|href)="(/assets/[^"]+)"', client.get(page).get_data(as_text=True)):
            assert client.get(address).status_code == 200, address
    for name in assets.library_files():
        assert client.get(assets.library_url(name)).status_code == 200, name
