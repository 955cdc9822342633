"""Keeps what nobody asks for: the ledger, what is left in the inbox, lost work, old answers and positions, true roads.

Run one beside the workers; two do no harm. Not a thread of a worker: that one forks for each task, and what a fork
inherits must not be in the middle of something.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable

from courier_api import queue
from courier_api.api import operations
from courier_api.custody import ledger, uploads
from courier_api.db import transaction
from courier_api.guard import answers
from courier_api.journey import dispatching
from courier_api.tracking import forgetting

LEDGER_EVERY_S = 1  # a checkpoint is due ten seconds after something new at the latest
INBOX_EVERY_S = 10
SWEEP_EVERY_S = 60
EVIDENCE_EVERY_S = 3600
POSITIONS_EVERY_S = 3600
log = logging.getLogger(__name__)


def keep_ledger() -> None:
    """Give new entries their place in the tree and sign it."""
    with transaction() as session:
        ledger.grow(session)


def empty_inbox() -> None:
    """Do what a request put into the inbox and did not live to do."""
    if dealt := operations.apply_left():
        log.warning("%d operations were left in the inbox, and are done now", dealt)


def sweep() -> None:
    """Send lost work again, forget old answers, ask for the road graph where it is not what it should be."""
    with transaction() as session:
        if swept := queue.sweep(session):
            log.warning("%d pieces of work sent again", swept)
        answers.forget_old(session)
        dispatching.keep_roads_true(session)


def look_after_evidence() -> None:
    """Ask for evidence that was signed for and never came; forget what no event ever asked for."""
    with transaction() as session:
        uploads.report_missing(session)
        if dropped := uploads.forget_unasked(session):
            log.warning("%d uploads that no event asked for were dropped", dropped)


def forget_positions() -> None:
    """Drop where couriers were, once it has been kept long enough."""
    with transaction() as session:
        if dropped := forgetting.forget_old(session):
            log.info("%d old positions were dropped", dropped)


def repeat(work: Callable[[], None], every_s: float, stop: threading.Event) -> None:
    """Do something at intervals until told to stop; a fault is logged and the next time tries again."""
    wait = every_s
    while not stop.wait(wait):
        began = time.monotonic()
        try:
            work()
        except Exception:
            log.exception("%s failed", work.__name__)
        wait = max(0.0, every_s - (time.monotonic() - began))


WORK = (
    (keep_ledger, LEDGER_EVERY_S),
    (empty_inbox, INBOX_EVERY_S),
    (sweep, SWEEP_EVERY_S),
    (look_after_evidence, EVIDENCE_EVERY_S),
    (forget_positions, POSITIONS_EVERY_S),
)


def main() -> None:
    """Keep until SIGTERM; what is under way is finished first."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = threading.Event()
    for caught in (signal.SIGTERM, signal.SIGINT):
        signal.signal(caught, lambda *_: stop.set())
    threads = [threading.Thread(target=repeat, args=(work, every_s, stop)) for work, every_s in WORK]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
