"""The reckoning after faults, short: nothing is lost; and, where one asks for it, a broken build is caught."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 400  # it takes half a minute on a machine that does nothing else


def reckon(*options: str) -> tuple[dict[str, Any], str]:
    """Run scripts/faults to its end; its summary and all that it said are given."""
    done = subprocess.run(
        [str(ROOT / "scripts/faults"), "--short", *options],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    said = done.stdout + done.stderr[-3000:]
    assert done.returncode == 0, said
    return json.loads(done.stdout.splitlines()[-1]), said


def test_nothing_is_lost_doubled_or_bound_wrong() -> None:
    summary, said = reckon()
    assert set(summary) == {"acknowledged", "kills", "lost", "doubled", "misbound", "unexpected"}
    assert summary["acknowledged"] == 300
    assert summary["kills"] >= 8
    for victim in ("postgres", "gunicorn", "web process", "worker", "keeper"):
        assert f"killed: {victim} " in said
    assert said.count("Redis flushed") == 1


@pytest.mark.long
def test_a_broken_build_is_caught() -> None:
    summary, said = reckon("--broken")
    assert summary["caught"] is True, said
    assert summary["lost"] > 0, said
    assert any("place in the tree" in what for what in summary["found"]), said


def test_a_wrong_option_is_refused_before_anything_starts() -> None:
    done = subprocess.run(
        [str(ROOT / "scripts/faults"), "--kills", "many"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    assert "--kills" in done.stderr
