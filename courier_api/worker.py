"""The RQ worker of this product: one queue, and warm before its first job."""

import logging

from rq import Worker
from rq.serializers import JSONSerializer

from courier_api import queue
from courier_api.rounds import planning


def main() -> None:
    """Work until SIGTERM: the running job is finished first."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    planning.warm_up()
    worker = Worker(
        [queue.QUEUE],
        connection=queue.redis(),
        serializer=JSONSerializer,
        maintenance_interval=30,
        job_monitoring_interval=10,
    )
    worker.work(logging_level="WARNING")


if __name__ == "__main__":
    main()
