"""What RQ runs: claim the outbox row, call the journey, mark it done in the transaction of its effect."""

import logging
import time
from uuid import UUID

from courier_api import models, queue
from courier_api.db import now, transaction
from courier_api.journey import dispatching
from courier_api.places import closures
from courier_api.rounds import planning

assert models.all_models
log = logging.getLogger(__name__)


def run(row_id: str) -> None:
    """Do the work that an outbox row names; a row that is done, or in another worker's hands, is left alone."""
    with transaction() as session:
        row = queue.claim(session, UUID(row_id))
        if row is None:
            return
        task, argument = row.task, row.argument
    TASKS[task](argument)
    with transaction() as session:
        done = session.get(queue.Outbox, UUID(row_id), with_for_update=True)
        assert done is not None
        done.done_at = now()


def plan_day(plan_id: UUID) -> None:
    """Plan a half-day: read, then work with no transaction open, then write."""
    started = time.monotonic()
    with transaction() as session:
        work = dispatching.claim_plan(session, plan_id)
    if work is None:
        return
    try:
        planned = planning.plan_day(work, _progress_of(plan_id))
    except Exception as error:
        log.exception("plan %s failed", plan_id)
        with transaction() as session:
            dispatching.record_failed_plan(session, plan_id, f"{type(error).__name__}: {error}")
        return
    with transaction() as session:
        dispatching.record_plan(session, plan_id, planned, time.monotonic() - started)


class _progress_of:  # noqa: N801 - it is called like the function it stands for
    """Write progress at most once a second: the search reports far more often."""

    def __init__(self, plan_id: UUID) -> None:
        self.plan_id = plan_id
        self.told_at = 0.0

    def __call__(self, per_cent: int) -> None:
        if time.monotonic() - self.told_at >= 1:
            self.told_at = time.monotonic()
            with transaction() as session:
                dispatching.record_progress(session, self.plan_id, per_cent)


def rebuild_roads(closure_id: UUID) -> None:
    """Make the road graph that knows what is shut now; `closure_id` only says why it was asked for."""
    # One at a time: a slow build of what was shut a minute ago must not replace a newer one.
    with planning.graph_lock():
        with transaction() as session:
            shut = closures.shut_now(session)
        try:
            faults = planning.rebuild_roads(shut)
        except (ValueError, RuntimeError):
            # Planning goes on with the graph that stands; whoever lists the closures sees what is not applied.
            log.exception("closure %s: the road graph could not be rebuilt", closure_id)
            return
        with transaction() as session:
            closures.mark_applied(session, {x.id for x in shut} - faults.keys(), faults)


TASKS = {"plan_day": plan_day, "rebuild_roads": rebuild_roads}
