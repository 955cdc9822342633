"""scripts/bench custody: signed operations a second, then an audit of a large ledger, then mutations to be found."""

import json
import sys
from typing import Any

import click

from courier_api import models
from courier_api.db import transaction
from scripts.benchmark import throughput
from scripts.benchmark.throughput import Throughput
from scripts.commands.demo import HUNG_YEN, wait_for
from scripts.commands.ground import load_province
from scripts.commands.operator import open_for_business

assert models.all_models

LEAST_RATE = 0.99  # of what was asked for
MOST_MS, MOST_LOGGED_S, MOST_AUDIT_S, MOST_AUDIT_MB = 250, 10, 300, 1024
SHORT = {"seconds": 5, "rate": 60, "events": 3000, "mutations": 20}


@click.group()
def main() -> None:
    """Measure custody."""


@main.command()
def prepare() -> None:
    """Load the province and open for business; nothing is planned here, so that no roads are needed."""
    with transaction() as session:
        load_province(session, HUNG_YEN)
        open_for_business(session)


@main.command()
@click.option("--url", required=True)
@click.option("--short", is_flag=True, help="Half a minute, small figures, no goals for them.")
@click.option("--seconds", default=60, show_default=True, type=click.IntRange(1, 3600))
@click.option("--rate", default=200, show_default=True, type=click.IntRange(5, 10_000), help="Operations a second.")
@click.option("--events", default=1_000_000, show_default=True, type=click.IntRange(0), help="Audited; 0: none.")
@click.option("--mutations", default=1000, show_default=True, type=click.IntRange(0), help="To be found; 0: none.")
def measure(url: str, short: bool, seconds: int, rate: int, events: int, mutations: int) -> None:
    """Measure; exit code 1 when a goal is missed."""
    if short:
        seconds, rate, events, mutations = SHORT["seconds"], SHORT["rate"], SHORT["events"], SHORT["mutations"]
    wait_for(url)
    measured = throughput.measure(url, rate, seconds, lambda line: click.echo(line, err=True))
    rows = throughput.shown(measured)
    missed = _missed(measured, rate)
    for label, value in rows:
        click.echo(f"{label:<44}{value!s:>14}")
    for goal in missed:
        click.echo(f"missed: {goal}")
    click.echo(
        json.dumps({"ops_per_s": measured.ops_per_s, "p99_ms": measured.p99_ms, "logged_p99_s": measured.logged_p99_s})
    )
    sys.exit(1 if missed else 0)


def _missed(measured: Throughput, rate: int) -> list[str]:
    goals: list[tuple[bool, Any]] = [
        (not measured.errors, "no errors"),
        (measured.ops_per_s >= LEAST_RATE * rate, f"{rate} operations a second"),
        (measured.p99_ms < MOST_MS, f"p99 below {MOST_MS} ms"),
        (measured.logged_p99_s <= MOST_LOGGED_S, f"logged within {MOST_LOGGED_S} s"),
    ]
    return [goal for kept, goal in goals if not kept]


if __name__ == "__main__":
    main()
