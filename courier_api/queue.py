"""`later(session, task, id)`: work for RQ that is written down with the change and sent only after the commit.

The outbox row is the record and RQ only the nudge: a lost job is sent again by `sweep`, and a job that runs twice finds
its row done.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq import Retry as TryAgain
from rq.serializers import JSONSerializer
from sqlalchemy import Index, event, or_, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from courier_api.db import Base, Created, Id, new_id, now
from courier_api.settings import settings

log = logging.getLogger(__name__)

QUEUE = "courier"
RESEND_AFTER = timedelta(seconds=60)
JOB_TIMEOUT_S = 900
LEASE = timedelta(seconds=60)


class Outbox(Base):
    """One piece of work to be done; `done_at` is set in the transaction of its effect."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_waiting", "sent_at", postgresql_where=text("done_at IS NULL")),)

    id: Mapped[Id]
    task: Mapped[str]
    argument: Mapped[UUID]
    created_at: Mapped[Created]
    sent_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    token: Mapped[int] = mapped_column(default=0)  # counts who took it up: only the last one may record its effect
    leased_until: Mapped[datetime | None]


def connect(url: str) -> Redis:
    """A connection pool that gives up soon: without Redis a request goes on, and must not wait for it first."""
    return Redis.from_url(url, socket_connect_timeout=1, retry=Retry(NoBackoff(), 1))


@cache
def redis() -> Redis:
    """The process's Redis connection pool."""
    return connect(settings().redis_url)


def queue() -> Queue:
    """The one queue: RQ loses a job of a worker that listens to two and is killed between pop and start."""
    return Queue(QUEUE, connection=redis(), serializer=JSONSerializer)


def later(session: Session, task: str, argument: UUID) -> UUID:
    """Write down that `courier_api.tasks.<task>(argument)` must run once this transaction has committed."""
    row = Outbox(id=new_id(), task=task, argument=argument, sent_at=now())
    session.add(row)
    waiting: list[tuple[UUID, Outbox]] = session.info.setdefault("outbox", [])
    waiting.append((row.id, row))
    return row.id


@event.listens_for(Session, "after_commit")
def _send_after_commit(session: Session) -> None:
    # The event fires for savepoints too: only the outermost commit makes the row visible to a worker.
    if session.in_nested_transaction():
        return
    for row_id, row in session.info.pop("outbox", []):
        # A row whose savepoint was rolled back is in the session no longer.
        if row in session:
            _send(row_id)


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    # Here too the event fires for savepoints: what was written down before one is still to be sent.
    if not session.in_nested_transaction():
        session.info.pop("outbox", None)


def _send(row_id: UUID, attempt: int = 0) -> None:
    try:
        queue().enqueue(
            "courier_api.tasks.run",
            str(row_id),
            job_id=f"outbox-{row_id}-{attempt}",
            job_timeout=JOB_TIMEOUT_S,
            result_ttl=600,
            retry=TryAgain(max=2),
        )
    except RedisError:
        log.warning("Redis is away: outbox %s waits for the sweep", row_id)


@dataclass(frozen=True, slots=True)
class Claim:
    """A piece of work taken up; `token` is the fence: who takes it up later has a higher one."""

    row_id: UUID
    task: str
    argument: UUID
    token: int


class Superseded(RuntimeError):
    """Another worker has taken this work up meanwhile: what was done here must not be recorded."""


def claim(session: Session, row_id: UUID) -> Claim | None:
    """Take work up for as long as LEASE; None when it is done or in another worker's hands."""
    at = now()
    row = session.scalar(
        select(Outbox)
        .where(
            Outbox.id == row_id,
            Outbox.done_at.is_(None),
            or_(Outbox.leased_until.is_(None), Outbox.leased_until < at),
        )
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    row.token += 1
    row.leased_until = at + LEASE
    return Claim(row.id, row.task, row.argument, row.token)


def finish(session: Session, claimed: Claim) -> None:
    """Mark work done in the transaction of its effect; raises Superseded for who lost it, which undoes the effect."""
    done = session.execute(
        update(Outbox)
        .where(Outbox.id == claimed.row_id, Outbox.token == claimed.token, Outbox.done_at.is_(None))
        .values(done_at=now())
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise Superseded(claimed.row_id)


@contextmanager
def kept(claimed: Claim, renew: Callable[[Claim], None]) -> Iterator[None]:
    """Keep the lease while work runs: `renew` is called every third of it. A worker that dies stops renewing."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(LEASE.total_seconds() / 3):
            try:
                renew(claimed)
            except Exception:
                log.exception("the lease of %s could not be renewed", claimed.row_id)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def release(session: Session, claimed: Claim) -> None:
    """Give work back that failed here, so that RQ's next try finds it free."""
    session.execute(
        update(Outbox)
        .where(Outbox.id == claimed.row_id, Outbox.token == claimed.token, Outbox.done_at.is_(None))
        .values(leased_until=None)
    )


def renew(session: Session, claimed: Claim) -> None:
    """Lengthen the lease of work that is still ours."""
    session.execute(
        update(Outbox)
        .where(Outbox.id == claimed.row_id, Outbox.token == claimed.token)
        .values(leased_until=now() + LEASE)
    )


def sweep(session: Session) -> int:
    """Send again what was sent long ago and is still not done; return how many."""
    stale = session.scalars(
        select(Outbox.id)
        .where(
            Outbox.done_at.is_(None),
            Outbox.sent_at < now() - RESEND_AFTER,
            or_(Outbox.leased_until.is_(None), Outbox.leased_until < now()),
        )
        .order_by(Outbox.sent_at)
        .limit(500)
        .with_for_update(skip_locked=True)
    ).all()
    if stale:
        session.execute(update(Outbox).where(Outbox.id.in_(stale)).values(sent_at=now()))
        for row_id in stale:
            _send(row_id, attempt=int(now().timestamp()))
    return len(stale)
