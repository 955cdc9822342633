"""The newest checkpoint of the last clean audit, in a file outside the database: what was there must still be there."""

import os
from pathlib import Path

DEFAULT = Path(".local/audit/seen.note")


def remembered(path: Path) -> str | None:
    """The checkpoint in a file; None where there is none yet."""
    return path.read_text(encoding="utf-8") if path.exists() else None


def remember(path: Path, checkpoint: str) -> None:
    """Put a checkpoint in place of the last one: after a power cut, there is the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8", newline="\n") as file:
        file.write(checkpoint)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
