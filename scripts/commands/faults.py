"""scripts/faults: phones send everything five times over bad lines while the product is killed; then the reckoning."""

import base64
import hashlib
import json
import os
import random
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import httpx
from sqlalchemy import Engine, create_engine, text

from courier_api import models
from courier_api.custody.audit.auditing import audit_database
from courier_api.custody.audit.trust import Trust
from courier_api.db import sessions, transaction
from courier_api.proof.files import operator_key, verifier_keys
from courier_api.settings import settings
from scripts.benchmark.chaos import Chaos
from scripts.benchmark.fleet import Fleet, Log, Phone
from scripts.benchmark.reckoning import Checker, Database, Reckoning, inclusion_holds, settle
from scripts.benchmark.services import Cluster, Service, Supervisor
from scripts.commands.demo import wait_for
from scripts.simulation.cohort import Cohort
from scripts.simulation.rides import sign_all

assert models.all_models

STOPS = 19  # of a round: 40 operations
PHOTOGRAPHED = 0.1  # of handovers
PROVEN = 50  # entries whose proof is asked of the API


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done, and how long for at most."""

    operations: int
    devices: int
    kills: int
    send_s: float
    settle_s: float
    idle_s: float
    builds: tuple[str, ...]


SHORT = Size(300, 10, 8, send_s=25, settle_s=15, idle_s=8, builds=("hasty",))


@click.command()
@click.option("--short", is_flag=True, help="Under a minute: some hundreds of operations, each kind of kill once.")
@click.option("--broken", is_flag=True, help="With a build that is broken on purpose: exit code 0 when it is caught.")
@click.option("--operations", default=10_000, show_default=True, type=click.IntRange(100, 100_000))
@click.option("--devices", default=50, show_default=True, type=click.IntRange(1, 500))
@click.option("--kills", default=50, show_default=True, type=click.IntRange(7, 1000))
@click.option("--seed", default=20261122, show_default=True, type=int)
@click.option("--port", type=int, hidden=True)
@click.option("--folder", type=click.Path(path_type=Path), hidden=True)
def main(
    short: bool,
    broken: bool,
    operations: int,
    devices: int,
    kills: int,
    seed: int,
    port: int | None,
    folder: Path | None,
) -> None:
    """Send, kill, and reckon; exit code 1 unless nothing was lost, doubled, misbound or odd."""
    if port is None or folder is None:
        return  # only the options were to be read
    size = SHORT if short else Size(operations, devices, kills, 1800, 900, 150, ())
    if broken:
        # What it loses it never finds again: there is no use in waiting for long.
        size = Size(
            *(getattr(size, n) for n in ("operations", "devices", "kills")), size.send_s, 20, 6, ("hasty", "broken")
        )
    rng = random.Random(seed)
    log = folder / "log"
    log.mkdir(exist_ok=True)
    supervisor = Supervisor(_services(port, folder, log, size.builds))
    began = time.monotonic()
    supervisor.start()
    try:
        engine = _engine()
        phones = _phones(size, rng)
        url = f"http://127.0.0.1:{port}"
        wait_for(url)
        _say(f"{sum(len(p.signed) for p in phones):,} operations signed ({time.monotonic() - began:.0f} s)")
        receipts = folder / "receipts"
        fleet = Fleet(url, phones, operator_key().public, Log(receipts), time.monotonic() + size.send_s)
        chaos = Chaos(supervisor, settings().redis_url, size.kills, random.Random(rng.random()), lambda: fleet.progress)
        fleet.start()
        chaos.start()
        fleet.join()
        chaos.stop(within_s=60)
        _say(f"sent, with {chaos.killed} kills and {fleet.cuts.total():,} cuts ({time.monotonic() - began:.0f} s)")
        _await(engine)
        left = settle(engine, size.settle_s, size.idle_s)
        _say(f"settled ({time.monotonic() - began:.0f} s)")
        reckoning = _reckoned(engine, url, phones, receipts, fleet, left)
    finally:
        supervisor.stop()
    _say(f"reckoned ({time.monotonic() - began:.0f} s)")
    _report(chaos, fleet, reckoning)
    summary: dict[str, Any] = {"acknowledged": reckoning.acknowledged, "kills": chaos.killed} | reckoning.counts()
    failed = not reckoning.clean or chaos.killed < size.kills or chaos.flushed < 2
    if broken:
        failed = reckoning.clean
        summary |= {"caught": not reckoning.clean, "found": reckoning.found()[:5]}
    if failed:
        _keep(folder)
    click.echo(json.dumps(summary, ensure_ascii=False))
    sys.exit(1 if failed else 0)


def _services(port: int, folder: Path, log: Path, builds: Sequence[str]) -> list[Service]:
    """Everything that runs, the database first."""
    cluster = Cluster(*(Path(os.environ[name]) for name in ("PG_BIN", "PG_DATA", "PG_SOCKETS")), os.environ["PG_USER"])
    environment = dict(os.environ) | {"COURIER_BUILD": ",".join(builds)}
    # A broken build's server says that a commit is done long before it is.
    lying = {"wal_writer_delay": "5s"} if "broken" in builds else {}
    redis = folder / "redis"
    redis.mkdir(exist_ok=True)
    python = sys.executable
    build = "scripts.benchmark.builds" if builds else ""
    address = f"127.0.0.1:{port}"
    web = ["--worker-class", "gthread", "--no-control-socket", "--workers", "2", "--threads", "4", "--timeout", "60"]
    gunicorn = [str(Path(python).with_name("gunicorn")), f"{build or 'wsgi'}:app", "--bind", address, *web]
    settings_of_redis = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy"]
    redis_server = ["redis-server", "--port", "0", "--unixsocket", str(folder / "redis.sock"), "--dir", str(redis)]

    def module(name: str) -> list[str]:
        return [python, "-m", *([build, name] if build else [f"courier_api.{name}"])]

    def service(name: str, command: Sequence[str]) -> Service:
        return Service(name, command, environment, log / f"{name}.log")

    return [
        cluster.service(log / "postgres.log", lying),
        service("redis", [*redis_server, *settings_of_redis, "noeviction"]),
        service("gunicorn", [*gunicorn, "--graceful-timeout", "5", "--log-level", "warning"]),
        service("worker", module("worker")),
        service("keeper", module("keeper")),
    ]


def _engine() -> Engine:
    engine = create_engine(settings().database_url, pool_pre_ping=True)
    _await(engine)
    return engine


def _await(engine: Engine) -> None:
    """Wait until the database answers, half a minute at most."""
    for tries_left in reversed(range(150)):
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            return
        except Exception:
            if not tries_left:
                raise
            time.sleep(0.2)


def _phones(size: Size, rng: random.Random) -> list[Phone]:
    each = -(-size.operations // size.devices)
    rounds = -(-each // (2 * STOPS + 2))
    stops = max(1, -(-(each - 2 * rounds) // (2 * rounds)))
    with transaction() as session:
        riders = Cohort(session, rng).ride(size.devices, rounds, stops)
    with transaction() as session:
        session.execute(text("ANALYZE"))
    sessions().kw["bind"].dispose()
    made = [sign_all(rider, rng, PHOTOGRAPHED)[:each] for rider in riders]
    for rider, signed in zip(riders, made, strict=True):
        rider.device.counter = len(signed)
        rider.device.previous = hashlib.sha256(base64.b64decode(signed[-1].operation["signed"]["event"])).digest()
    return [Phone(r, signed, random.Random(rng.random())) for r, signed in zip(riders, made, strict=True)]


def _reckoned(
    engine: Engine, url: str, phones: Sequence[Phone], receipts: Path, fleet: Fleet, left: Mapping[str, int]
) -> Reckoning:
    keys = "".join(f"{line}\n" for line in verifier_keys())
    with closing(Database(engine)) as database:
        reckoning = Checker(database, phones, receipts, keys).check()
    reckoning.unexpected.update({f"still waits: {what}": count for what, count in left.items()})
    reckoning.unexpected.update(fleet.odd)
    _ask_for_proofs(url, phones, keys, reckoning)
    _audit(engine, reckoning)
    return reckoning


def _ask_for_proofs(url: str, phones: Sequence[Phone], keys: str, reckoning: Reckoning) -> None:
    signed = [one for phone in phones for one in phone.signed if one.id in phone.receipts]
    with httpx.Client(base_url=url, timeout=30) as http:
        for one in signed[:: max(1, len(signed) // PROVEN)]:
            answer = http.get(f"/api/v1/public/ledger/entries/{one.id}")
            if answer.status_code != 200:
                reckoning.lost["an entry that the API cannot prove"] += 1
            elif not inclusion_holds(answer.json(), one, keys):
                reckoning.misbound["a proof that does not hold"] += 1


def _audit(engine: Engine, reckoning: Reckoning) -> None:
    folder = settings().operator_keys
    trust = Trust.read(folder / "operator.keys", None, settings().evidence_store, folder)
    report = audit_database(engine, trust, processes=1, overdue=timedelta(0))
    for finding in report.findings:
        reckoning.unexpected[f"audit: {finding.code} in {finding.table}"] += 1


def _report(chaos: Chaos, fleet: Fleet, reckoning: Reckoning) -> None:
    rows: list[tuple[str, object]] = [
        *((f"killed: {what}", count) for what, count in chaos.done.most_common()),
        ("Redis flushed", chaos.flushed),
        *((f"line: {what}", count) for what, count in fleet.cuts.most_common(8)),
        ("acknowledged", reckoning.acknowledged),
    ]
    for label, value in rows:
        click.echo(f"{label:<50}{value!s:>8}")
    for line in reckoning.found():
        click.echo(line)


def _keep(folder: Path) -> None:
    """Keep the logs and the receipts where somebody can look at them."""
    kept = Path(".local/log/faults")
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder / "log", kept)
    shutil.copy(folder / "receipts", kept)
    _say(f"logs and receipts: {kept}")


def _say(what: str) -> None:
    click.echo(what, err=True)


if __name__ == "__main__":
    main()
