"""The benchmark of custody, short: all three parts run to their end, without goals for how fast."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_signed_operations_an_audit_and_mutations() -> None:
    done = subprocess.run(
        [str(ROOT / "scripts/bench"), "custody", "--short"],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    assert list(summary) == [
        *("ops_per_s", "p99_ms", "logged_p99_s"),
        *("audit_events", "audit_s", "audit_mb"),
        *("mutations", "found"),
    ]
    assert summary["audit_events"] == 2000
    assert summary["found"] == summary["mutations"] == 10
    assert summary["logged_p99_s"] <= 10
