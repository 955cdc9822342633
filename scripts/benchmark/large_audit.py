"""How long the audit of a large ledger takes, and how much memory: the command itself, watched from outside."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.benchmark import ledger
from scripts.benchmark.services import children_of

EVIDENCE = 1000  # files that are opened
LOOK_EVERY_S = 0.25
PROCESSES = 2
MOST_S = 3600


@dataclass(frozen=True, slots=True)
class Audited:
    """What came out."""

    events: int
    seconds: float
    megabytes: int
    clean: bool
    findings: dict[str, int]


def measure(url: str, events: int) -> Audited:
    """Make a ledger of so many signed events in an empty database that has the ground, and audit it."""
    ledger.build(url, events, evidence=min(EVIDENCE, events // 8), processes=PROCESSES)
    with tempfile.TemporaryDirectory() as folder:
        seen = Path(folder, "seen")
        command = [sys.executable, "-m", "scripts.commands.audit", "--json", "--seen", str(seen)]
        command += ["--processes", str(PROCESSES), "--overdue", "0"]
        began = time.monotonic()
        audit = subprocess.Popen(command, env=os.environ | {"DATABASE_URL": url}, stdout=subprocess.PIPE, text=True)
        most = 0
        try:
            while audit.poll() is None and time.monotonic() - began < MOST_S:
                most = max(most, sum(map(_resident_kb, _tree_of(audit.pid))))
                time.sleep(LOOK_EVERY_S)
        finally:
            audit.kill()
        seconds = time.monotonic() - began
        assert audit.stdout is not None
        summary: dict[str, Any] = json.loads(audit.stdout.read().splitlines()[-1])
    return Audited(summary["tree_size"], round(seconds, 1), most // 1024, summary["clean"], summary["findings"])


def _tree_of(pid: int) -> list[int]:
    return [pid, *(one for child in children_of(pid) for one in _tree_of(child))]


def _resident_kb(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
