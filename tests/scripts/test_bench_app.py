"""The benchmark of the courier's app, short: a day is ridden, killed, sent and judged, without goals for how fast."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.browser.driving import chromium

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.long
def test_a_day_arrives_through_kills_and_cuts() -> None:
    done = subprocess.run(
        [str(ROOT / "scripts/bench"), "app", "--short"],
        env=os.environ | {"CHROMIUM": chromium()},
        capture_output=True,
        text=True,
        timeout=400,  # some 80 s on an idle machine
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    assert list(summary) == [
        *("operations", "photos", "arrived_once", "kills", "lost"),
        *("first_load_kb", "offline_open_ms", "tap_p95_ms"),
        *("axe_findings", "taps_plain_pickup"),
    ]
    assert summary["arrived_once"] == summary["operations"] == 22
    assert summary["photos"] == 8
    assert summary["kills"] == 3
    assert summary["lost"] == 0
