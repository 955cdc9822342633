"""The RQ worker of this product: one queue, warm before its first job, and a sweep of lost work each minute."""

import logging
import threading

from rq import Worker
from rq.serializers import JSONSerializer

from courier_api import queue
from courier_api.db import transaction
from courier_api.guard import answers
from courier_api.journey import dispatching
from courier_api.rounds import planning

SWEEP_EVERY_S = 60
log = logging.getLogger(__name__)


def sweep_for_ever(stop: threading.Event) -> None:
    """Send lost work again until told to stop; a fault is logged and the next minute tries again."""
    while not stop.wait(SWEEP_EVERY_S):
        try:
            with transaction() as session:
                if swept := queue.sweep(session):
                    log.warning("%d pieces of work sent again", swept)
                answers.forget_old(session)
                dispatching.keep_roads_true(session)
        except Exception:
            log.exception("sweep failed")


def main() -> None:
    """Work until SIGTERM: the running job is finished first."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    planning.warm_up()
    stop = threading.Event()
    threading.Thread(target=sweep_for_ever, args=(stop,), daemon=True).start()
    worker = Worker(
        [queue.QUEUE],
        connection=queue.redis(),
        serializer=JSONSerializer,
        maintenance_interval=30,
        job_monitoring_interval=10,
    )
    worker.work(logging_level="WARNING")
    stop.set()


if __name__ == "__main__":
    main()
