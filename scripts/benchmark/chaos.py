"""Kills the product's processes, flushes its Redis and crashes its database, while work goes on."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable

from redis import Redis
from redis.exceptions import RedisError

from scripts.benchmark.services import Supervisor, children_of, kill

KINDS = ("postgres", "postgres", "gunicorn", "worker", "horse", "keeper", "web process")  # twice the database
SHARES = {"web process": 0.46, "gunicorn": 0.14, "worker": 0.14, "horse": 0.14, "keeper": 0.12}
FLUSHES = 2
HORSE_WITHIN_S = 20
SETTLED_S = 0.3


class Chaos:
    """Does its kills one by one as the work moves on, so that all of them fall into it."""

    def __init__(
        self, supervisor: Supervisor, redis_url: str, kills: int, rng: random.Random, progress: Callable[[], float]
    ) -> None:
        """`progress` says how much of the work is done, from 0 to 1."""
        self.supervisor = supervisor
        self.redis_url = redis_url
        self.kills = kills
        self.rng = rng
        self.progress = progress
        self.done: Counter[str] = Counter()
        self.flushed = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._rage, daemon=True)

    @property
    def killed(self) -> int:
        """How many processes were killed."""
        return self.done.total()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """Do what is left, whether the work is done or not, but for so long at most."""
        self._thread.join(within_s)
        self._stop.set()
        self._thread.join(30)

    def _rage(self) -> None:
        planned = self._plan()
        for n, what in enumerate(planned):
            due = (n + self.rng.random()) / (len(planned) + 1)
            while self.progress() < due and not self._stop.is_set():
                time.sleep(0.05)
            if self._stop.is_set():
                return
            time.sleep(self.rng.uniform(0, 0.2))
            self._do(what)
            time.sleep(SETTLED_S)
        while self.killed < self.kills and not self._stop.is_set():  # some had ended before they could be killed
            self._do("web process")
            time.sleep(SETTLED_S)

    def _plan(self) -> list[str]:
        kinds = list(KINDS)[: max(self.kills, 1)]
        while len(kinds) < self.kills:
            kinds += self.rng.choices(list(SHARES), list(SHARES.values()))
        planned = kinds + ["flush"] * FLUSHES
        self.rng.shuffle(planned)
        return planned

    def _do(self, what: str) -> None:
        if what == "flush":
            self._flush()
            return
        victim = self._victim(what)
        if victim is not None and kill(victim):
            self.done[what] += 1

    def _victim(self, what: str) -> int | None:
        """Whom it hits; it is waited for, since a work-horse lives for a moment only."""
        end = time.monotonic() + HORSE_WITHIN_S
        while time.monotonic() < end and not self._stop.is_set():
            owner = {"web process": "gunicorn", "horse": "worker"}.get(what, what)
            pid = self.supervisor[owner].pid
            found = [pid] if owner == what else children_of(pid) if pid else []
            if what == "horse" and not found and time.monotonic() > end - HORSE_WITHIN_S / 2:
                what = "worker"  # nothing to do for it now
            alive = [one for one in found if one is not None]
            if alive:
                return self.rng.choice(alive)
            time.sleep(0.02)
        return None

    def _flush(self) -> None:
        for _ in range(100):
            try:
                with Redis.from_url(self.redis_url) as redis:
                    redis.flushall()
                self.flushed += 1
                return
            except RedisError:
                time.sleep(0.1)
