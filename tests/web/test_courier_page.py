"""The page of the courier's app: what it carries, what its worker keeps, what it weighs, and what it says."""

import gzip
import json
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from courier_api.custody import events
from courier_api.custody.models import Receiver, RemarkWhy
from courier_api.dossiers.states import Caution
from courier_api.jobs.states import FailureReason, JobKind, NextAction
from courier_api.rounds.states import ArrivedWhy, Half
from courier_api.web import assets, courier, courier_words, headers
from tests.web.test_words import GAP

FIRST_LOAD = 300_000  # bytes of script and style, compressed
WORDS = courier_words.COURIER
SCRIPTS = {name: path.read_text() for name, path in assets.own_files().items() if name.startswith("js/app/")}


def told(page: str) -> dict[str, Any]:
    block = re.search(r'id="told">(.*?)</script>', page, re.S)
    assert block
    found: dict[str, Any] = json.loads(block[1])
    return found


def shell(client: FlaskClient) -> dict[str, Any]:
    first, _, script = client.get("/courier-worker.js").get_data(as_text=True).partition("\n")
    assert "addEventListener" in script
    found: dict[str, Any] = json.loads(first.removeprefix("const SHELL = ").removesuffix(";"))
    return found


def test_the_page_carries_what_the_app_must_know(client: FlaskClient) -> None:
    answer = client.get("/courier?lang=vi")
    known = told(answer.get_data(as_text=True))
    assert known["keys"]
    assert len(known["backup_key"]) > 80
    assert known["tiles"].startswith("/tiles/")
    assert known["words"].keys() == told(client.get("/courier?lang=en").get_data(as_text=True))["words"].keys()
    for name in ("Content-Security-Policy", "Permissions-Policy"):
        assert answer.headers[name] == headers.COURIER[name]
    assert "noindex" in answer.headers["X-Robots-Tag"]


@pytest.mark.parametrize(
    ("zone", "minutes"), [("Asia/Ho_Chi_Minh", 420), ("Asia/Kathmandu", 345), ("Europe/Berlin", None), ("UTC", 0)]
)
def test_hours_are_reckoned_by_one_offset_only_where_clocks_are_never_changed(zone: str, minutes: int | None) -> None:
    assert courier.fixed_offset(ZoneInfo(zone)) == minutes


def test_the_worker_keeps_all_that_the_app_loads(client: FlaskClient) -> None:
    kept = shell(client)
    everything = {*kept["files"], *kept["later"]}
    for address in kept["pages"]:
        page = client.get(address).get_data(as_text=True)
        needed = set(re.findall(r'(?:src|href)="(/assets/[^"]+)"', page))
        needed |= {value for value in told(page).values() if isinstance(value, str) and value.startswith("/assets/")}
        assert needed <= everything
    for name, script in SCRIPTS.items():
        if name in courier.NOT_NEEDED:
            continue
        assert assets.own_url(name) in kept["files"]
        folders = name.split("/")[:-1]
        for up, imported in re.findall(r'(?:from|import\() ?"((?:\.\.?/)+)([^"]+)"', script):
            place = folders[: len(folders) - up.count("../")]
            assert assets.own_url("/".join([*place, imported])) in kept["files"], (name, imported)
    for address in everything:
        assert client.get(address).status_code == 200, address
    assert not set(kept["files"]) & set(kept["later"])


def test_each_page_says_which_version_it_is_and_another_version_is_another_worker(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = shell(client)
    for address, version in kept["pages"].items():
        other = "en" if address.endswith("vi") else "vi"
        client.set_cookie("lang", other)  # what a reader chose before
        assert client.get(address).headers["Page-Version"] == version
    assert len(set(kept["pages"].values())) == 2
    assert shell(client) == kept
    # A file more or less is kept under another name than what the running worker serves from.
    monkeypatch.setattr(courier, "LATER", ("maplibre-gl/",))
    assert shell(client)["version"] != kept["version"]


def test_what_draws_a_receipt_s_code_is_kept_with_the_app_and_what_reads_one_is_not_needed(client: FlaskClient) -> None:
    kept = shell(client)
    assert assets.library_url("qr/index.js") in kept["files"]
    assert not [address for address in (*kept["files"], *kept["later"]) if "decode" in address]
    assert not re.search(r"^import\b", client.get(assets.library_url("qr/index.js")).text, re.M)


def test_the_first_load_is_small_and_the_large_libraries_come_later(client: FlaskClient) -> None:
    kept = shell(client)
    sizes = {a: len(gzip.compress(client.get(a).data)) for a in kept["files"] if a.endswith(("js", ".css"))}
    assert sum(sizes.values()) < FIRST_LOAD, sorted(sizes.items(), key=lambda one: -one[1])[:8]
    assert {re.sub(r"^/assets/lib/\w+/", "", a).split("/")[0] for a in kept["later"]} >= {"maplibre-gl", "zxing-wasm"}


def test_the_app_can_be_installed_in_both_languages(client: FlaskClient) -> None:
    for tongue, name in (("vi", "Bưu tá"), ("en", "Courier")):
        answer = client.get(f"/courier.webmanifest?lang={tongue}")
        manifest = json.loads(answer.data)
        assert answer.content_type.startswith("application/manifest+json")
        assert (manifest["short_name"], manifest["lang"]) == (name, tongue)
        assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/courier", "/courier", "standalone")
        assert client.get(manifest["icons"][0]["src"]).status_code == 200


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_the_same(key: str) -> None:
    vietnamese, english = WORDS[key]
    assert vietnamese.strip()
    assert english.strip()
    assert sorted(GAP.findall(vietnamese)) == sorted(GAP.findall(english))


def test_the_app_asks_for_words_that_are_there_and_leaves_none_unused() -> None:
    scripts = "\n".join(script for name, script in SCRIPTS.items() if not name.startswith("js/app/map/"))
    html = (assets.STATIC.parent / "templates" / "courier.html").read_text()
    asked = set(re.findall(r"\bc\.(\w+)", html))
    made = set()
    for call in re.findall(r"\bsay(?:sIt)?\(((?:[^()]|\([^()]*\))*)\)", scripts):
        asked |= set(re.findall(r'"(\w+)"(?!\])', call.split(", {")[0]))
        made |= {m.partition("${")[0] for m in re.findall(r"`(\w*\$\{[^`]*)`", call)}
    quoted = set(re.findall(r'"(\w+)"', scripts))
    known = courier.WORDS.keys()
    assert {key for key in asked if key in quoted or key in WORDS} <= known | {"denied", "busy", "off"}
    unused = {k for k in WORDS if k not in asked | quoted and not k.startswith(tuple(made - {""}))}
    unused -= {"app_name", "app_text"}  # said by the manifest
    assert not unused


def test_every_code_has_its_words() -> None:
    expected = {f"reason_{one}" for one in FailureReason} | {f"next_{one}" for one in NextAction}
    expected |= {f"receiver_{one}" for one in Receiver} | {f"caution_{one}" for one in Caution}
    expected |= {f"why_{one}" for one in ArrivedWhy if one != ArrivedWhy.no_signal} | {"no_signal"}
    expected |= {f"remark_{one}" for one in RemarkWhy} | {f"half_{one}" for one in Half} | set(JobKind)
    expected |= {f"op_{typ.split('.')[1]}" for typ in events.TYPES if typ.startswith("courier.")} | {"op_to_office"}
    for name in ("pending", "arrived", "completed", "failed", "cancelled"):
        expected.add(f"stop_{name}")
    assert expected <= WORDS.keys()


def test_every_fault_of_a_key_has_its_words() -> None:
    counter = assets.own_files()["js/device/counter.js"].read_text()
    finished = re.search(r"const FINISHED = \[(.*?)\]", counter, re.S)
    assert finished
    codes = set(re.findall(r'"(\w+)"', finished[1])) | {"certificate_expired"}
    assert codes
    assert {f"key_{code}" for code in codes} <= courier.WORDS.keys()
