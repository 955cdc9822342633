"""Builds of the product for scripts/faults: with shorter waits, or broken on purpose. The product itself knows of none.

COURIER_BUILD names them, separated by commas:
  hasty    waits for lost work are seconds instead of a minute, so that a short run sees their end
  broken   the ledger and the outbox go on from the last that they saw, work is sent before its commit, and commits
           overlap: what scripts/faults must catch

    gunicorn scripts.benchmark.builds:app
    python -m scripts.benchmark.builds worker|keeper
"""

import os
import random
import sys
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, event, insert, select, tuple_
from sqlalchemy.orm import Session

from courier_api import keeper, queue, worker
from courier_api.custody import ledger, uploads
from courier_api.custody.models import Entry, Leaf, Node, Waiting
from courier_api.journey import syncing
from courier_api.proof import tree

BUILDS = frozenset(filter(None, os.environ.get("COURIER_BUILD", "").split(",")))
OVERLAPS, OVERLAP_S = 0.2, 0.5  # how many commits come late, and by how much


def hasty() -> None:
    """Wait less for what is lost."""
    queue.RESEND_AFTER = queue.LEASE = timedelta(seconds=3)
    keeper.WORK = tuple((work, min(every_s, 2)) for work, every_s in keeper.WORK)
    syncing.LEFT_AFTER = timedelta(seconds=4)


def broken() -> None:
    """Go on from the last one seen, send before the commit, and let commits overlap."""
    ledger.grow = _grow_from_the_last
    queue.sweep = _Sweep()
    event.remove(Session, "after_commit", queue._send_after_commit)
    queue.later = uploads.later = _send_at_once
    event.listen(Session, "before_commit", _dawdle)
    event.listen(Session, "after_begin", _do_not_wait_for_the_disk)


def _grow_from_the_last(session: Session) -> Any:
    """Entries behind the last leaf, in the order in which they came: those that commit late are never seen."""
    last = session.execute(
        select(Entry.received_at, Entry.id).join(Leaf, Leaf.entry_id == Entry.id).order_by(Leaf.index.desc()).limit(1)
    ).one_or_none()
    query = select(Entry.id, Entry.core, Entry.signature, Entry.received_at).order_by(Entry.received_at, Entry.id)
    if last is not None:
        query = query.where(tuple_(Entry.received_at, Entry.id) > tuple_(*last))
    rows = session.execute(query.limit(ledger.AT_ONCE)).all()
    if not rows:
        return None
    frontier = tree.Frontier.at(ledger.size(session), ledger._hashes(session))
    for row in rows:
        hashed = tree.ledger_leaf(row.core, row.signature, ledger.microseconds(row.received_at))
        for level, index, value in frontier.append(hashed):
            if level == 0:
                session.execute(insert(Leaf), [{"index": index, "entry_id": row.id, "hash": value}])
            else:
                session.execute(insert(Node), [{"level": level, "index": index, "hash": value}])
    session.execute(delete(Waiting).where(Waiting.entry_id.in_([row.id for row in rows])))
    return ledger._sign(session, frontier)


class _Sweep:
    """Sends what is behind the last row that it saw, and never looks back."""

    def __init__(self) -> None:
        self.last = UUID(int=0)

    def __call__(self, session: Session) -> int:
        rows = session.scalars(
            select(queue.Outbox.id)
            .where(queue.Outbox.id > self.last, queue.Outbox.done_at.is_(None))
            .order_by(queue.Outbox.id)
        ).all()
        for row_id in rows:
            queue._send(row_id, attempt=int(time.time()))
            self.last = row_id
        return len(rows)


def _send_at_once(session: Session, task: str, argument: UUID) -> UUID:
    row = queue.Outbox(id=queue.new_id(), task=task, argument=argument, sent_at=queue.now())
    session.add(row)
    queue._send(row.id)
    return row.id


def _dawdle(session: Session) -> None:
    if random.random() < OVERLAPS:
        time.sleep(random.uniform(0, OVERLAP_S))


def _do_not_wait_for_the_disk(session: Session, _: Any, connection: Any) -> None:
    """Say that it is done before it is: what the server has not written yet, a crash takes back."""
    connection.exec_driver_sql("SET LOCAL synchronous_commit = off")


for build in sorted(BUILDS):
    {"hasty": hasty, "broken": broken}[build]()

if __name__ == "__main__":
    {"worker": worker.main, "keeper": keeper.main}[sys.argv[1]]()
else:
    from wsgi import app  # noqa: F401 - what gunicorn serves
