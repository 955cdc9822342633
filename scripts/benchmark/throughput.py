"""How many signed operations the running product takes in a second, how long each waits, and when the log has it."""

import json
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from courier_api.db import transaction
from courier_api.proof.files import operator_key
from scripts.benchmark.load import Request, send
from scripts.simulation.cohort import Cohort, Rider
from scripts.simulation.phone import receipt_holds
from scripts.simulation.rides import Signed, sign_all

CARRIED = 20  # operations in one request, as a phone has them that finds a network after ten doors
STOPS = 20
COURIERS = 50
EARLY, EARLY_RATE = 8, 60  # couriers whose operations are not counted, and how fast they send
THREADS = 25
LOGGED_WITHIN_S = 30
CHECKED = 500  # receipts, of all that came


@dataclass(frozen=True, slots=True)
class Throughput:
    """What was measured."""

    operations: int
    seconds: float
    ops_per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    logged_p99_s: float
    errors: Counter[str]
    states: Counter[str]


def measure(url: str, rate: int, seconds: int, say: Callable[[str], None]) -> Throughput:
    """Let couriers' phones send `rate` operations in each second, and wait until all of them stand in the ledger."""
    rng = random.Random(20261122)
    each = -(-rate * seconds // COURIERS)  # operations of one courier
    rounds = -(-each // (2 * STOPS + 2))
    began = time.monotonic()
    with transaction() as session:
        cohort = Cohort(session, rng)
        riders = cohort.ride(COURIERS, rounds, -(-(each - 2 * rounds) // (2 * rounds)))
        early = cohort.ride(EARLY, 1, STOPS)
    with transaction() as session:
        session.execute(text("ANALYZE"))
    _warm_up(url, early, rng)
    signed = [sign_all(rider, rng, strokes_follow=True) for rider in riders]
    requests, carried = _requests(riders, signed, rate * seconds, rate)
    total = sum(map(len, carried))
    spent = time.monotonic() - began
    say(f"{total:,} operations of {COURIERS} couriers are signed ({spent:.0f} s); sending {rate} a second")
    send(url, requests, THREADS)
    errors, states = _checked(requests, carried, rng)
    latencies = sorted(r.seconds * 1000 for r, ops in zip(requests, carried, strict=True) for _ in ops)
    spent = max(r.answered for r in requests)
    return Throughput(
        operations=total,
        seconds=round(spent, 1),
        ops_per_s=round(states["applied"] / max(spent, seconds), 1),
        p50_ms=_percentile(latencies, 50),
        p95_ms=_percentile(latencies, 95),
        p99_ms=_percentile(latencies, 99),
        logged_p99_s=_logged([op.id for ops in carried for op in ops], errors),
        errors=errors,
        states=states,
    )


def _warm_up(url: str, riders: Sequence[Rider], rng: random.Random) -> None:
    """Let every server process compile its queries: couriers who rode before the clock is started."""
    signed = [sign_all(rider, rng, strokes_follow=True) for rider in riders]
    send(url, _requests(riders, signed, sum(map(len, signed)), EARLY_RATE)[0], EARLY)


def _requests(
    riders: Sequence[Rider], signed: Sequence[Sequence[Signed]], wanted: int, rate: int
) -> tuple[list[Request], list[Sequence[Signed]]]:
    """Requests of CARRIED operations each, the couriers in turn; the operations in them are due when they are."""
    requests: list[Request] = []
    carried: list[Sequence[Signed]] = []
    taken = 0
    for at in range(0, max(map(len, signed)), CARRIED):
        for n, rider in enumerate(riders):
            batch = signed[n][at : min(at + CARRIED, at + wanted - taken)]
            if batch:
                body = json.dumps({"operations": [one.operation for one in batch]}).encode()
                requests.append(Request(taken / rate, n, "/api/v1/couriers/sync", rider.token, body))
                carried.append(batch)
                taken += len(batch)
    return requests, carried


def _checked(
    requests: Sequence[Request], carried: Sequence[Sequence[Signed]], rng: random.Random
) -> tuple[Counter[str], Counter[str]]:
    """Everything must be applied; of the receipts a sample is checked."""
    errors: Counter[str] = Counter()
    states: Counter[str] = Counter()
    operator = operator_key().public
    share = CHECKED / max(1, sum(map(len, carried)))
    for request, batch in zip(requests, carried, strict=True):
        if request.status != 200:
            errors[f"status {request.status}: {request.answer[:80]!r}"] += len(batch)
            continue
        for one, result in zip(batch, request.results()["results"], strict=True):
            states[result["result"]] += 1
            if result["result"] != "applied":
                errors[f"{result['result']} {result['code']}"] += 1
            elif rng.random() < share and not receipt_holds(operator, one.operation, result["receipt"]):
                errors["receipt does not hold"] += 1
    return errors, states


# An entry is logged by the first checkpoint that covers its leaf.
_LOGGED = """
SELECT e.id::text, extract(epoch FROM (SELECT min(c.at) FROM checkpoint c WHERE c.size > l.index) - e.received_at)
FROM ledger_entry e JOIN ledger_leaf l ON l.entry_id = e.id
WHERE e.counter IS NOT NULL AND e.id = ANY(CAST(:ids AS uuid[]))
"""


def _logged(ids: list[str], errors: Counter[str]) -> float:
    """The 99th percentile of the seconds from received to logged; what is not logged in the end is an error."""
    for _ in range(LOGGED_WITHIN_S * 2):
        with transaction() as session:
            waiting = session.scalar(text("SELECT count(*) FROM ledger_waiting")) or 0
        if not waiting:
            break
        time.sleep(0.5)
    with transaction() as session:
        found = session.execute(text(_LOGGED), {"ids": ids}).all()
    if len(found) != len(ids):
        errors["not in the ledger"] += len(ids) - len(found)
    return round(_percentile(sorted(float(seconds) for _, seconds in found), 99), 2) if found else math.inf


def _percentile(ordered: Sequence[float], per_cent: int) -> float:
    return round(ordered[max(0, -(-len(ordered) * per_cent // 100) - 1)], 1)


def shown(measured: Throughput) -> list[tuple[str, Any]]:
    """Lines of a table."""
    return [
        ("operations sent", f"{measured.operations:,}"),
        (f"  a second, in requests of {CARRIED}", measured.ops_per_s),
        ("  from due to answered, p50 ms", measured.p50_ms),
        ("  p95 ms", measured.p95_ms),
        ("  p99 ms", measured.p99_ms),
        ("  from received to logged, p99 s", measured.logged_p99_s),
        *((f"  error: {what}", count) for what, count in measured.errors.most_common(10)),
    ]
