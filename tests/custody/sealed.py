"""Backups as the app makes them: sealed by its own script in node."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from courier_api.custody import backup_keys
from courier_api.custody.backups import MAGIC
from scripts.simulation.device import base64_of

SCRIPT = Path(__file__).with_name("seal_backup.mjs")
HEADER = len(MAGIC) + 8 + 65
type Piece = tuple[str, str, bytes]  # event, kind, content


def seal(
    operations: Sequence[dict[str, Any]] = (),
    evidence: Sequence[Piece] = (),
    kid: str = "0123456789abcdef",
    person: str | UUID | None = None,
    point: str | None = None,
    app: str = "web-1a2b3c4d",
) -> bytes:
    """The file that a phone exports; sealed to the newest key here unless it is said otherwise."""
    if not shutil.which("node"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the script that seals needs node")
    said = {
        "operations": list(operations),
        "evidence": [{"event": event, "kind": kind, "bytes": base64_of(content)} for event, kind, content in evidence],
        "kid": kid,
        "person": str(person or uuid4()),
        "app": app,
        "point": point or backup_keys.public_point(),
    }
    done = subprocess.run(["node", SCRIPT], input=json.dumps(said).encode(), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def records(content: bytes) -> list[bytes]:
    """The sealed records of a backup, each with its number and length before it."""
    found, at = [], HEADER
    while at < len(content):
        end = at + 8 + int.from_bytes(content[at + 4 : at + 8])
        found.append(content[at:end])
        at = end
    return found
