"""The pages in Chromium: a round is chosen and its stops show, nothing is reported, no one outside is asked."""

import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests import cast as story
from tests.browser.driving import PICTURES, drive
from tests.cast import HOME, Cast

SECONDS = 150  # some 20 on an idle machine


@pytest.fixture
def address(app: Flask, cast: Cast) -> Iterator[str]:
    """A live server on the test's own transaction; one request at a time, for they share its connection."""
    one_at_a_time = threading.Lock()

    def serial(environ: Any, start_response: Any) -> Iterable[bytes]:
        with one_at_a_time:
            return app(environ, start_response)

    server = make_server("127.0.0.1", 0, serial, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_round_is_chosen_and_its_stops_show(cast: Cast, address: str) -> None:
    # Far enough from each other that the round is a line to be clicked on the map of the whole province.
    places = [HOME, (106.0900, 20.6700), (106.0700, 20.6850)]
    dossiers = [story.book(cast, point={"lon": lon, "lat": lat}) for lon, lat in places]
    story.plan_and_publish(cast)

    found = drive("drive.mjs", address, seconds=SECONDS, TOKEN=cast.dispatcher.token, LINK=dossiers[0]["tracking_link"])
    assert found["shown"].keys() == {"vi-phone", "vi-desk", "en-phone", "en-desk", "clicked"}
    for view, shown in found["shown"].items():
        english = view.startswith("en")
        assert shown["courier"] == "Trần Văn Nam"
        assert shown["numbers"] == ["1", "2", "3"]
        assert all(("Pickup" if english else "Thu gom") in stop for stop in shown["stops"])
        assert all("Nguyễn Thị Hoa" in stop and "Số 2 Chùa Chuông" in stop for stop in shown["stops"])
        assert ("Roads and hamlets are synthetic" if english else "là dữ liệu mô phỏng") in shown["notice"]
        assert shown["focused"] == "H2"
    assert found["signedOut"]
    assert found["tracked"] == "Đã đăng ký, chờ bưu tá đến"
    assert len(list(PICTURES.glob("map-*.png"))) >= 8
