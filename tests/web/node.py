"""Our browser scripts run in node, on cases that Python says."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
LIBRARIES = HERE.parents[1] / "node_modules"
SECONDS = 120


def script(name: str) -> Callable[..., list[Any]]:
    """What runs a script of this folder: it is given some cases, all in one run, and gives what it says of each."""

    def run(*cases: Any) -> list[Any]:
        if not shutil.which("node") or not LIBRARIES.is_dir():
            reason = "scripts need node and their packages (scripts/setup test)"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
        done = subprocess.run(
            ["node", HERE / name], input=json.dumps(cases), capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        found: list[Any] = json.loads(done.stdout)
        return found

    return run
