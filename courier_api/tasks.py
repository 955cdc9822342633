"""What RQ runs: claim the outbox row, call the journey, mark it done in the transaction of its effect."""

import logging
import time
from collections.abc import Callable
from uuid import UUID

from courier_api import models, queue
from courier_api.custody import images, uploads
from courier_api.db import transaction
from courier_api.journey import dispatching
from courier_api.places import closures
from courier_api.queue import Claim
from courier_api.rounds import planning

assert models.all_models
log = logging.getLogger(__name__)


def run(row_id: str) -> None:
    """Do the work that an outbox row names; a row that is done, or in another worker's hands, is left alone."""
    with transaction() as session:
        claimed = queue.claim(session, UUID(row_id))
    if claimed is None:
        return
    try:
        with queue.kept(claimed, _renew):
            TASKS[claimed.task](claimed)
    except queue.Superseded:
        log.warning("outbox %s was taken up by another worker: nothing is recorded here", row_id)
    except Exception:
        with transaction() as session:
            queue.release(session, claimed)
        raise


def _renew(claimed: Claim) -> None:
    with transaction() as session:
        queue.renew(session, claimed)


def plan_day(claimed: Claim) -> None:
    """Plan a half-day: read, then work with no transaction open, then write."""
    plan_id = claimed.argument
    started = time.monotonic()
    with transaction() as session:
        work = dispatching.claim_plan(session, plan_id)
        if work is None:
            queue.finish(session, claimed)
            return
    try:
        planned = planning.plan_day(work, _progress_of(plan_id))
    except Exception as error:
        log.exception("plan %s failed", plan_id)
        with transaction() as session:
            dispatching.record_failed_plan(session, plan_id, f"{type(error).__name__}: {error}")
            queue.finish(session, claimed)
        return
    with transaction() as session:
        dispatching.record_plan(session, plan_id, planned, time.monotonic() - started)
        queue.finish(session, claimed)


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


def rebuild_roads(claimed: Claim) -> None:
    """Make the road graph that knows what is shut now; the closure named only says why it was asked for."""
    # One at a time: a slow build of what was shut a minute ago must not replace a newer one.
    with planning.graph_lock():
        with transaction() as session:
            shut = closures.shut_now(session)
        faults = None
        try:
            faults = planning.rebuild_roads(shut)
        except (ValueError, RuntimeError):
            # Planning goes on with the graph that stands; whoever lists the closures sees what is not applied.
            log.exception("closure %s: the road graph could not be rebuilt", claimed.argument)
        with transaction() as session:
            if faults is not None:
                closures.mark_applied(session, {x.id for x in shut} - faults.keys(), faults)
            queue.finish(session, claimed)


def keep_upload(claimed: Claim) -> None:
    """Keep evidence that has come in full, if it is what was signed."""
    with transaction() as session:
        found = uploads.complete(session, claimed.argument)
        if found is None:
            queue.finish(session, claimed)  # its event will ask again when it comes
            return
    fault, content = None if found.signed else "evidence_differs", b""
    if fault is None:
        try:
            content = uploads.cleaned(found)
        except images.BadImage as bad:
            fault = bad.code
    with transaction() as session:
        if fault is None:
            uploads.keep(session, found, content)
        else:
            uploads.refuse(session, found.upload_id, fault)
        queue.finish(session, claimed)


TASKS: dict[str, Callable[[Claim], None]] = {
    "plan_day": plan_day,
    "rebuild_roads": rebuild_roads,
    uploads.TASK: keep_upload,
}
