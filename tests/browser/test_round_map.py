"""The courier's map of a round in Chromium: stops as buttons, his own place, kept tiles without a network, no WebGL."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template_string

from courier_api.db import transaction
from courier_api.settings import settings
from courier_api.web import assets, ground, words
from tests import cast as story
from tests.browser.driving import drive
from tests.cast import HOME, Cast
from tests.serving import serving
from tests.web.test_round_map_scripts import run

HERE = Path(__file__).parent
AXE = HERE.parents[1] / "node_modules" / "axe-core" / "axe.min.js"
SECONDS = 240  # some 50 on an idle machine
# Two doors of one house, and some that are kilometres apart.
DOORS = [HOME, HOME, (106.0720, 20.6610), (106.0900, 20.6700), (106.0700, 20.6850), (106.0500, 20.6700)]

PAGE = """<!doctype html><html lang="{{ tongue }}"><head><meta charset="utf-8"><title>Bản đồ</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="{{ own("img/mark.svg") }}">
{% for sheet in sheets %}<link rel="stylesheet" href="{{ sheet }}">{% endfor %}
<script type="application/json" id="told">{{ told|tojson }}</script>
<script type="application/json" id="day">{{ day|tojson }}</script></head>
<body><main><h1 class="unseen">Bản đồ</h1><div id="box" class="fills"></div></main></body></html>"""

# Keeps scripts and fonts as the app's own service worker does.
WORKER = """addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (!new URL(event.request.url).pathname.startsWith("/assets/")) return;
  event.respondWith((async () => {
    const cache = await caches.open("assets");
    const kept = await cache.match(event.request, { ignoreVary: true });
    if (kept) return kept;
    const answer = await fetch(event.request);
    await cache.put(event.request, answer.clone());
    return answer;
  })());
});"""


@pytest.fixture
def day(cast: Cast) -> dict[str, Any]:
    """A round as the app folds it: the first stop is done, and every other is a delivery."""
    for lon, lat in DOORS:
        story.book(cast, point={"lon": lon, "lat": lat})
    round_ = story.plan_and_publish(cast)
    assert len(round_["stops"]) == len(DOORS)
    for stop in round_["stops"]:
        stop["job"]["kind"] = "delivery" if stop["position"] % 2 == 0 else "pickup"
    states = ["completed", "failed", "arrived", "pending", "pending", "pending"]
    stops = [{"stop": stop, "state": state} for stop, state in zip(round_["stops"], states, strict=True)]
    return {"round": round_, "stops": stops}


@pytest.fixture
def address(app: Flask, cast: Cast, day: dict[str, Any]) -> Iterator[str]:
    """A live server; /test/map is a bare page with a map."""

    def page(tongue: str) -> bytes:
        with transaction() as session:
            here = ground.ground(session)
        told = {
            "timezone": settings().timezone.key,
            "bounds": here.bounds,
            "synthetic": here.synthetic,
            "approximate": here.approximate,
            "tiles": f"/tiles/{{z}}/{{x}}/{{y}}.mvt?v={here.version}",
            "maplibre": assets.library_url("maplibre-gl/dist/maplibre-gl.mjs"),
            "maplibre_css": assets.library_url("maplibre-gl/dist/maplibre-gl.css"),
            "words": words.spoken(words.ROUND_MAP, tongue),
        }
        sheets = [assets.library_url(f"{assets.FONT}/{weight}.css") for weight in assets.WEIGHTS]
        sheets += [assets.own_url(f"css/{name}.css") for name in ("site", "courier-map")]
        with app.app_context():
            return render_template_string(
                PAGE, told=told, day=day, sheets=sheets, own=assets.own_url, tongue=tongue
            ).encode()

    def site(environ: Any, start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/test-worker.js":
            start_response("200 OK", [("Content-Type", "text/javascript")])
            return [WORKER.encode()]
        if environ["PATH_INFO"] != "/test/map":
            return app(environ, start_response)
        policy = app.test_client().get("/track").headers["Content-Security-Policy"]
        start_response("200 OK", [("Content-Type", "text/html"), ("Content-Security-Policy", policy)])
        return [page("en" if environ["QUERY_STRING"] == "lang=en" else "vi")]

    with serving(site) as address:
        yield address


def _along_a_real_line_all_ways_together_are_the_round(day: dict[str, Any]) -> None:
    round_ = day["round"]
    office = round_["office"]["point"]
    places = [office, *(one["stop"]["job"]["point"] for one in day["stops"]), office]
    found = run({"do": "along", "line": round_["line"], "places": places})[0]
    assert sum(found) == pytest.approx(round_["metres"], rel=0.03)
    assert min(found) == 0  # the two doors of one house
    assert sorted(found)[1] > 100


def test_the_round_is_shown_on_the_map_and_as_a_list_where_there_is_none(address: str, day: dict[str, Any]) -> None:
    _along_a_real_line_all_ways_together_are_the_round(day)
    modules = assets.own_url("js/app/map/view.js").removesuffix("/view.js")
    found = drive("round_map.mjs", address, seconds=SECONDS, MODULES=modules, AXE=AXE)
    assert found["small"] == []
    assert found["axe"] == []
    _says_what_it_shows(found["labels"])
    _does_what_is_asked(found)
    _needs_no_network(found)
    assert "không vẽ được bản đồ" in found["list"]["note"]
    assert len(found["list"]["rows"]) == len(DOORS)
    assert found["list"]["rows"][0].startswith("1✓")
    assert found["list"]["next"].startswith("5Điểm 5, Thu gom · Nguyễn Thị Hoa")
    assert found["list"]["next"].endswith("điểm kế tiếp")
    assert found["list"]["told"] == 1


def _says_what_it_shows(labels: dict[str, Any]) -> None:
    for name, shown in labels.items():
        english = name.startswith("en")
        assert ("4 stops to go, next is stop 3" if english else "còn 4 điểm, kế tiếp là điểm 3") in shown["region"]
        assert ("synthetic" if english else "mô phỏng") in shown["legend"]
        assert ("within 60 m" if english else "sai số 60 m") in shown["me"]
        kinds = ("Pickup", "Delivery") if english else ("Thu gom", "Phát")
        for n, label in enumerate(shown["stops"]):
            assert label.startswith(f"{'Stop' if english else 'Điểm'} {n + 1}, {kinds[n % 2]}, Nguyễn Thị Hoa")
        assert shown["stops"][0].endswith("done" if english else "đã xong")
        assert shown["stops"][1].endswith("not done" if english else "không thành")
        assert shown["stops"][2].endswith("the next stop" if english else "điểm kế tiếp")
        assert "08:00" in shown["stops"][2]


def _does_what_is_asked(found: dict[str, Any]) -> None:
    assert found["withoutMe"] == "true"
    assert found["told"] == [2, 1]
    assert found["atMe"] == pytest.approx([0, 0], abs=1e-5)
    assert found["nearer"] > 1
    assert found["wholeAgain"] == pytest.approx([0, 0, 0], abs=1e-6)
    changed = found["changed"]
    assert changed["marks"] == ["1✓", "2✕", "3✕", "4", "5", "6"]
    assert changed["stops"][3].endswith("điểm kế tiếp")
    assert (changed["next"], changed["me"], changed["focused"]) == (1, 0, True)
    assert (found["fewer"], found["removed"], found["onceAgain"]) == (3, 0, 1)


def _needs_no_network(found: dict[str, Any]) -> None:
    assert 20 < found["kept"] <= 400
    assert found["same"] == [True, True]
    assert found["askedOffline"] == 0
    assert found["askedWithout"] > 0
    assert found["differs"]
    assert found["noted"] == ""
    assert found["bare"] == ["Chưa có nền bản đồ ở đây. Các điểm dừng vẫn đúng chỗ."] * 2
    assert found["stopsWithout"] == 2 * len(DOORS)
