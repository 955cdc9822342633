"""The whole audit: all checks over one state of the database, in this process or shared out among several."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context

from sqlalchemy import Connection, Engine, create_engine, text

from courier_api.custody.audit import (
    devices,
    dossiers,
    files,
    items,
    known,
    operations,
    references,
    rides,
    settlements,
    signatures,
    tree,
)
from courier_api.custody.audit.known import Known
from courier_api.custody.audit.report import Report
from courier_api.custody.audit.snapshot import Snapshot
from courier_api.custody.audit.trust import Trust

PARTS = 16  # of entries, evidence and operations: more than processes, so that none is left with the longest


# What is looked at table by table.
TABLES = (
    *("items", "dossiers", "vouchers", "settlements", "rides", "remarks"),
    *("devices", "uploads", "cases", "references"),
)


@dataclass(frozen=True, slots=True)
class Task:
    """One part of the work."""

    what: str
    part: int = 0
    parts: int = 1
    kids: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()


def audit(
    connection: Connection,
    trust: Trust,
    *,
    seen: Sequence[str] = (),
    at: datetime | None = None,
    overdue: timedelta | None = None,
) -> Report:
    """Audit what the open transaction of a connection sees, in this process.

    `seen` are checkpoints from outside the database. Evidence that has not come is a notice, after `overdue` a finding.
    Raises NoteError for a checkpoint that the operator did not sign, OSError when the evidence store does not answer,
    RuntimeError for an evidence ring that cannot be read.
    """
    began = time.monotonic()
    snapshot = Snapshot(connection)
    context = known.read(snapshot, trust, at, overdue)
    report = Report()
    for task in _tasks(context, 1, seen):
        _run(task, snapshot, context, report)
    report.seconds = time.monotonic() - began
    return report


def audit_database(
    engine: Engine,
    trust: Trust,
    *,
    seen: Sequence[str] = (),
    at: datetime | None = None,
    overdue: timedelta | None = None,
    processes: int = 2,
) -> Report:
    """Audit a database in several processes that share one snapshot of it; raises as `audit` does."""
    began = time.monotonic()
    with _reading(engine) as connection:
        if processes == 1:
            return audit(connection, trust, seen=seen, at=at, overdue=overdue)
        name = connection.scalar(text("SELECT pg_export_snapshot()"))
        tasks = _tasks(known.read(Snapshot(connection), trust, at, overdue), PARTS, seen)
        url = engine.url.render_as_string(hide_password=False)
        report = Report()
        # Not forked: a copy of this process would hold its connections too.
        with ProcessPoolExecutor(processes, get_context("spawn"), _begin, (url, name, trust, at, overdue)) as pool:
            for part in pool.map(_do, tasks):
                report.merge(part)
    report.seconds = time.monotonic() - began
    return report


def _reading(engine: Engine) -> Connection:
    return engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _tasks(context: Known, parts: int, seen: Sequence[str]) -> list[Task]:
    """Everything that is to be done, what takes longest first."""
    return [
        Task("tree", seen=tuple(seen)),
        *(Task("entries", kids=kids) for kids in _shares(context.kids, parts)),
        *(Task(what, part, parts) for what in ("operations", "evidence") for part in range(parts)),
        *(Task(what) for what in TABLES),
    ]


def _shares(counts: Mapping[str, int], parts: int) -> Iterable[tuple[str, ...]]:
    """Keys shared out so that each part has about as many entries: a key's entries form a chain and stay together."""
    shares: list[list[str]] = [[] for _ in range(parts)]
    sizes = [0] * parts
    for kid in sorted(counts, key=lambda kid: (-counts[kid], kid)):
        smallest = sizes.index(min(sizes))
        shares[smallest].append(kid)
        sizes[smallest] += counts[kid]
    return [tuple(share) for share in shares if share]


def _run(task: Task, snapshot: Snapshot, context: Known, report: Report) -> None:
    match task.what:
        case "tree":
            tree.check(snapshot, context.trust, report, task.seen)
        case "entries":
            signatures.check(snapshot, context, report, task.kids)
        case "operations":
            operations.check(snapshot, context, report, task.part, task.parts)
        case "evidence":
            files.check(snapshot, context, report, task.part, task.parts)
        case "items":
            items.check(snapshot, report)
        case "dossiers":
            dossiers.check(snapshot, report)
        case "vouchers":
            dossiers.check_vouchers(snapshot, report)
        case "settlements":
            settlements.check(snapshot, report)
        case "rides":
            rides.check(snapshot, report)
        case "remarks":
            rides.check_remarks(snapshot, context, report)
        case "devices":
            devices.check(snapshot, context, report)
        case "uploads":
            files.check_uploads(snapshot, context, report)
        case "cases":
            operations.check_cases(snapshot, report)
        case "references":
            references.check(snapshot, report)
        case other:
            raise ValueError(other)


# --- in a process of its own -----------------------------------------------------------------------------------------

_own: tuple[Snapshot, Known] | None = None


def _begin(url: str, name: str, trust: Trust, at: datetime | None, overdue: timedelta | None) -> None:
    """Open the same state of the database; it is kept until the process ends."""
    global _own
    connection = _reading(create_engine(url))
    connection.execute(text(f"SET TRANSACTION SNAPSHOT '{name}'"))
    snapshot = Snapshot(connection)
    _own = snapshot, known.read(snapshot, trust, at, overdue)


def _do(task: Task) -> Report:
    assert _own is not None
    report = Report()
    _run(task, *_own, report)
    return report
