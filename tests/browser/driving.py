"""How a test drives Debian's Chromium: a script of playwright-core that says on its last line what it found."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PICTURES = ROOT / ".local" / "screenshots"


def chromium() -> str:
    """The browser's path; without one, fail where tests must be complete and say what to install."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    missing = [
        what
        for what, there in (
            ("chromium (apt-get install chromium)", path),
            ("node (apt-get install nodejs npm)", shutil.which("node")),
            ("playwright-core (npm ci --ignore-scripts)", (ROOT / "node_modules/playwright-core").is_dir()),
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


def drive(script: str, base: str, *, seconds: int, cases: Any = None, **said: object) -> dict[str, Any]:
    """Run a driver at an address; `said` goes into its environment, `cases` comes to it as JSON."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    told = {"BASE": base, "PICTURES": PICTURES, "CHROMIUM": chromium()} | said
    run = subprocess.run(
        ["node", HERE / script],
        env=os.environ | {name: str(value) for name, value in told.items()},
        input=None if cases is None else json.dumps(cases),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    assert found["faults"] == [], found["faults"]
    assert found.get("outside", []) == []
    return found
