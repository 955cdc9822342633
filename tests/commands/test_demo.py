"""The demo from the outside: a small day on a database of its own, told as a table and a line of JSON."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from courier_api.settings import settings

ROOT = Path(__file__).parent.parent.parent
KEYS = {"dossiers", "jobs", "planned", "unassigned", "km", "handovers", "delivered", "seconds"}


@pytest.fixture
def own_database() -> Iterator[str]:
    """A database beside the tests' own; the demo commits for real."""

    def manage(verb: str, *arguments: str) -> str:
        command = [str(ROOT / ".venv/bin/python"), "scripts/lib/database.py", verb, settings().database_url, *arguments]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()

    name = f"courier_test_demo_{os.getpid()}"
    yield manage("create", name)
    manage("drop", name)


def test_a_small_day_is_lived_and_summed_up(own_database: str, roads: None, tmp_path: Path) -> None:
    environment = os.environ | {
        "DATABASE_URL": own_database,
        "REDIS_URL": settings().redis_url,
        "PLANNING_SECONDS": "1",
    }
    done = subprocess.run(
        [str(ROOT / "scripts/demo"), "--once", "--jobs", "16"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    assert set(summary) == KEYS
    assert summary["dossiers"] == summary["jobs"] == 16
    assert summary["planned"] + summary["unassigned"] == 16
    assert summary["km"] > 0
    assert "results delivered" in done.stdout
    engine = create_engine(own_database)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM handover")) == summary["handovers"]
        delivered = connection.scalar(text("SELECT count(*) FROM dossier WHERE state = 'delivered'"))
        assert delivered == summary["delivered"]
    engine.dispose()


def test_a_wrong_option_is_refused_before_anything_starts() -> None:
    done = subprocess.run([str(ROOT / "scripts/demo"), "--jobs", "many"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage:")
