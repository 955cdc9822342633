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
from sqlalchemy.orm import Session

from courier_api.db import transaction
from courier_api.proof.files import operator_key
from scripts.benchmark.load import Request, send
from scripts.simulation.cohort import Cohort, Rider
from scripts.simulation.phone import receipt_holds
from scripts.simulation.rides import Signed, sign_all

CARRIED = 5  # operations in one request, as a phone has them that finds a network after two doors
STOPS = 20
COURIERS = 50
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
    rounds = max(1, math.ceil(rate * seconds / COURIERS / (2 * STOPS + 2)))
    stops = min(STOPS, math.ceil(rate * seconds / COURIERS / rounds / 2))
    began = time.monotonic()
    with transaction() as session:
        riders = Cohort(session, rng).ride(COURIERS, rounds, stops)
    with transaction() as session:
        _settle(session)
    signed = [sign_all(rider, rng) for rider in riders]
    requests, carried = _requests(riders, signed, rate, seconds)
    total = sum(map(len, carried))
    say(
        f"{total:,} operations of {COURIERS} couriers are signed ({time.monotonic() - began:.0f} s); sending {rate} a second"
    )
    send(url, requests, THREADS)
    errors, states = _checked(requests, carried, rng)
    latencies = sorted(r.seconds * 1000 for r, ops in zip(requests, carried, strict=True) for _ in ops)
    spent = max(r.answered for r in requests) - min(r.due for r in requests)
    with_pause = CARRIED / rate  # the last request's share of time counts too
    return Throughput(
        operations=total,
        seconds=round(spent, 1),
        ops_per_s=round(states["applied"] / max(spent, seconds - with_pause), 1),
        p50_ms=_percentile(latencies, 50),
        p95_ms=_percentile(latencies, 95),
        p99_ms=_percentile(latencies, 99),
        logged_p99_s=_logged([op.id for ops in carried for op in ops], errors),
        errors=errors,
        states=states,
    )


def _settle(session: Session) -> None:
    session.execute(text("ANALYZE"))


def _requests(
    riders: Sequence[Rider], signed: Sequence[Sequence[Signed]], rate: int, seconds: int
) -> tuple[list[Request], list[Sequence[Signed]]]:
    """Requests of CARRIED operations each, the couriers in turn; the operations in them are due when they are."""
    requests, carried = [], []
    at, wanted = 0, rate * seconds
    while len(requests) * CARRIED < wanted:
        for n, rider in enumerate(riders):
            batch = signed[n][at : at + CARRIED]
            if not batch or len(requests) * CARRIED >= wanted:
                continue
            body = json.dumps({"operations": [one.operation for one in batch]}).encode()
            due = len(requests) * CARRIED / rate
            requests.append(Request(due, n, "/api/v1/couriers/sync", rider.token, body))
            carried.append(batch)
        at += CARRIED
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
FROM ledger_entry e JOIN ledger_leaf l ON l.entry_id = e.id WHERE e.counter IS NOT NULL AND e.id = ANY(CAST(:ids AS uuid[]))
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
