"""What a process that runs tests beside others has to itself: a database, a database of Redis, and its files."""

import os
from pathlib import Path

from scripts.lib.database import connect_beside, copy, drop, parse

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")  # gw0, gw1, ...; none where all tests run in one process
FILES = {
    "GRAPH_DIR": "graph",
    "OPERATOR_KEYS": "keys",
    "EVIDENCE_STORE": "evidence",
    "SMS_LOG": "sms.log",
}


def settle_in(folder: Path) -> None:
    """Set the settings that name what is our own, before anything reads them."""
    for name, file in FILES.items():
        path = str(folder / (WORKER or "one") / file)
        if WORKER:
            os.environ[name] = path  # not what whoever started us has for himself
        else:
            os.environ.setdefault(name, path)
    if WORKER:
        server = parse(os.environ["DATABASE_URL"])
        own = copy(server, WORKER)
        os.environ["DATABASE_URL"] = own.render_as_string(hide_password=False)
        base, _, database = os.environ["REDIS_URL"].partition("?db=")
        os.environ["REDIS_URL"] = f"{base}?db={int(database or 0) + 1 + int(WORKER.removeprefix('gw'))}"


def leave() -> None:
    """Drop the database that was made for us."""
    if WORKER:
        own = parse(os.environ["DATABASE_URL"])
        drop(connect_beside(own).cursor(), str(own.database))
