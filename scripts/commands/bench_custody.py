"""scripts/bench custody: signed operations a second, then an audit of a large ledger, then mutations to be found."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import click
from psycopg2.sql import SQL, Identifier
from sqlalchemy import make_url

from courier_api import models
from courier_api.db import sessions, transaction
from courier_api.settings import settings
from scripts.benchmark import large_audit, tampering, throughput
from scripts.commands.demo import HUNG_YEN, wait_for
from scripts.commands.ground import load_province
from scripts.commands.operator import open_for_business
from scripts.lib.database import connect_beside

assert models.all_models

LEAST_RATE = 0.99  # of what was asked for
MOST_MS, MOST_LOGGED_S, MOST_AUDIT_S, MOST_AUDIT_MB = 250, 10, 300, 1024
COPIES = ("ledger", "small")  # of the prepared database, for the audit and for the mutations


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    seconds: int
    rate: int
    events: int
    mutations: int


SHORT = Size(seconds=4, rate=40, events=2_000, mutations=10)


@click.group()
def main() -> None:
    """Measure custody."""


@main.command()
@click.option(
    "--copies", is_flag=True, help="Also two copies of the database, with _ledger and _small behind its name."
)
def prepare(copies: bool) -> None:
    """Load the province and open for business; nothing is planned here, so that no roads are needed."""
    with transaction() as session:
        load_province(session, HUNG_YEN)
        open_for_business(session)
    sessions().kw["bind"].dispose()  # a database is copied while nobody is connected to it
    if copies:
        beside = connect_beside(make_url(settings().database_url)).cursor()
        for copy in COPIES:
            name = make_url(_beside(copy)).database or ""
            template = Identifier(make_url(settings().database_url).database or "")
            beside.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), template))


@main.command()
@click.option("--url", required=True)
@click.option("--short", is_flag=True, help="Half a minute, small figures, and no goals for how fast.")
@click.option("--seconds", default=60, show_default=True, type=click.IntRange(1, 3600))
@click.option("--rate", default=200, show_default=True, type=click.IntRange(5, 10_000), help="Operations a second.")
@click.option("--events", default=1_000_000, show_default=True, type=click.IntRange(0), help="Audited; 0: none.")
@click.option("--mutations", default=1000, show_default=True, type=click.IntRange(0), help="To be found; 0: none.")
def measure(url: str, short: bool, seconds: int, rate: int, events: int, mutations: int) -> None:
    """Measure; exit code 1 when a goal is missed."""
    size = SHORT if short else Size(seconds, rate, events, mutations)
    wait_for(url)
    said: dict[str, Any] = {}
    rows, missed = _throughput(url, size, said, timed=not short)
    if size.events:
        more, goals = _audit(size, said, timed=not short)
        rows, missed = rows + more, missed + goals
    if size.mutations:
        more, goals = _mutations(size, said)
        rows, missed = rows + more, missed + goals
    for label, value in rows:
        click.echo(f"{label:<44}{value!s:>14}")
    for goal in missed:
        click.echo(f"missed: {goal}")
    click.echo(json.dumps(said))
    sys.exit(1 if missed else 0)


type Outcome = tuple[list[tuple[str, Any]], list[str]]


def _throughput(url: str, size: Size, said: dict[str, Any], *, timed: bool) -> Outcome:
    measured = throughput.measure(url, size.rate, size.seconds, _say)
    said |= {"ops_per_s": measured.ops_per_s, "p99_ms": measured.p99_ms, "logged_p99_s": measured.logged_p99_s}
    goals = [(not measured.errors, "no errors")]
    if timed:
        goals += [
            (measured.ops_per_s >= LEAST_RATE * size.rate, f"{size.rate} operations a second"),
            (measured.p99_ms < MOST_MS, f"p99 below {MOST_MS} ms"),
            (measured.logged_p99_s <= MOST_LOGGED_S, f"logged within {MOST_LOGGED_S} s"),
        ]
    return throughput.shown(measured), _missed(goals)


def _audit(size: Size, said: dict[str, Any], *, timed: bool) -> Outcome:
    _say(f"a ledger of {size.events:,} events is made and audited")
    audited = large_audit.measure(_beside("ledger"), size.events)
    said |= {"audit_events": audited.events, "audit_s": audited.seconds, "audit_mb": audited.megabytes}
    goals = [(audited.clean, f"a clean audit: {audited.findings}"), (audited.events >= size.events, "all events")]
    if timed:
        goals.append((audited.seconds <= MOST_AUDIT_S, f"audited within {MOST_AUDIT_S} s"))
        goals.append((audited.megabytes <= MOST_AUDIT_MB, f"audited with {MOST_AUDIT_MB} MB"))
    rows = [("events audited", f"{audited.events:,}"), ("  seconds", audited.seconds), ("  MB", audited.megabytes)]
    return rows, _missed(goals)


def _mutations(size: Size, said: dict[str, Any]) -> Outcome:
    """In a process of its own, whose database is another."""
    command = [sys.executable, "-m", "scripts.commands.bench_custody", "tamper", str(size.mutations)]
    environment = os.environ | {"DATABASE_URL": _beside("small")}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    *missed, last = done.stdout.splitlines()
    told = json.loads(last)
    said |= {"mutations": sum(told["made"].values()), "found": sum(told["made"].values()) - len(missed)}
    rows = [("mutations found", f"{said['found']} of {said['mutations']}")]
    rows += [(f"  {kind}", count) for kind, count in sorted(told["made"].items())]
    return rows, [f"found: {what}" for what in missed]


@main.command()
@click.argument("count", type=click.IntRange(1))
def tamper(count: int) -> None:
    """Change a small ledger in DATABASE_URL so many times; what was not found is a line each, then one of JSON."""
    tried = tampering.measure(count, _say)
    for one in tried.missed:
        click.echo(f"{one.kind} {one.description}".replace("\n", " "))
    click.echo(json.dumps({"made": tried.made}))


def _beside(copy: str) -> str:
    url = make_url(settings().database_url)
    return url.set(database=f"{url.database}_{copy}").render_as_string(hide_password=False)


def _missed(goals: list[tuple[bool, str]]) -> list[str]:
    return [goal for kept, goal in goals if not kept]


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main()
