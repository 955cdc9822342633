"""The pages in Chromium: a round is chosen and its stops show, nothing is reported, no one outside is asked."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from tests import cast as story
from tests.cast import HOME, Cast

HERE = Path(__file__).parent
PICTURES = HERE / "screenshots"
SECONDS = 150  # some 20 on an idle machine


def chromium() -> str:
    """The browser's path; without one, fail where tests must be complete and say what to install."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    missing = [
        what
        for what, there in (
            ("chromium (apt-get install chromium)", path),
            ("node (apt-get install nodejs npm)", shutil.which("node")),
            ("playwright-core (npm ci --ignore-scripts)", (HERE.parents[1] / "node_modules/playwright-core").is_dir()),
        )
        if not there
    ]
    if missing:
        reason = f"the browser test needs {', '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    assert path
    return path


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
    browser = chromium()
    # Far enough from each other that the round is a line to be clicked on the map of the whole province.
    places = [HOME, (106.0900, 20.6700), (106.0700, 20.6850)]
    dossiers = [story.book(cast, point={"lon": lon, "lat": lat}) for lon, lat in places]
    story.plan_and_publish(cast)

    PICTURES.mkdir(exist_ok=True)
    run = subprocess.run(
        ["node", HERE / "drive.mjs"],
        env={
            **os.environ,
            "BASE": address,
            "TOKEN": cast.dispatcher.token,
            "LINK": dossiers[0]["tracking_link"],
            "PICTURES": str(PICTURES),
            "CHROMIUM": browser,
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["faults"] == []
    assert found["outside"] == []
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
    assert len(list(PICTURES.glob("*.png"))) >= 8
