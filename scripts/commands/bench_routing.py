"""Times routing engines side by side on the same problems, and our own first plan, insertions and travel tables."""

import json
import random
import statistics
import time
from pathlib import Path

import click

from routing.incumbent import Incumbent
from routing.solver import solve, warm_up
from scripts.benchmark import days, report, runner
from scripts.benchmark.engines import ENGINES
from scripts.benchmark.instances import Instance, published

INSERTIONS = 500
ONE_CORE_S, TWO_CORES_S = 10.0, 6.0


def _listed(allowed: tuple[str, ...]):
    def read(_context: click.Context, _option: click.Parameter, text: str) -> list[str]:
        names = [name.strip() for name in text.split(",") if name.strip()]
        if unknown := [name for name in names if name not in allowed]:
            raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(allowed)}")
        if not names:
            raise click.BadParameter("is empty")
        return names

    return read


def _seconds(_context: click.Context, _option: click.Parameter, text: str) -> list[float]:
    try:
        limits = [float(part) for part in text.split(",")]
    except ValueError:
        raise click.BadParameter(f"{text!r} is no list of seconds") from None
    if not all(0 < limit <= 3600 for limit in limits):
        raise click.BadParameter("each limit is between 0 and 3600 seconds")
    return limits


@click.command()
@click.option("--instances", type=click.Path(exists=True, file_okay=False, path_type=Path), help="published instances")
@click.option("--seconds", default="1,10,60", callback=_seconds, show_default=True)
@click.option("--seeds", default=1, type=click.IntRange(1, 100), show_default=True)
@click.option("--engines", default=",".join(ENGINES), callback=_listed(tuple(ENGINES)), show_default=True)
@click.option("--families", default=",".join(report.FAMILIES), callback=_listed(report.FAMILIES), show_default=True)
@click.option("--core", default=0, type=click.IntRange(0), help="the core that the engines run on")
@click.option("--graphs", default=".local/graph", type=click.Path(file_okay=False, path_type=Path), show_default=True)
@click.option(
    "--out", default=".local/bench-routing", type=click.Path(file_okay=False, path_type=Path), show_default=True
)
def main(
    instances: Path | None,
    seconds: list[float],
    seeds: int,
    engines: list[str],
    families: list[str],
    core: int,
    graphs: Path,
    out: Path,
) -> None:
    """Run all engines in turn, print a table, write CSV and a plot; the last line is JSON."""
    out.mkdir(parents=True, exist_ok=True)
    warm_up()
    runs: list[report.Run] = []
    for instance in _instances(instances, families, graphs):
        for limit in seconds:
            for seed in range(1, seeds + 1):
                for engine in engines:
                    run = runner.run(instance, engine, limit, seed, core)
                    runs.append(run)
                    click.echo(report.line(run))
                    report.write_csv(runs, out / "runs.csv")
    report.plot(runs, out / "cost-over-time.svg")
    summary = {
        "ratio": report.ratios(runs),
        "gap_pct": report.gaps(runs),
        **_our_own_figures(graphs),
        "infeasible": sum(run.engine == "ours" and run.cost is None for run in runs),
        "gap_pct_of": {engine: report.gaps(runs, engine) for engine in engines if engine != "ours"},
    }
    click.echo(json.dumps(summary))


def _instances(folder: Path | None, families: list[str], graphs: Path):
    if folder is None and {"vrptw", "pdptw", "p1000"} & set(families):
        click.echo("vrptw, pdptw, p1000: skipped, they need --instances DIR")
    found: list[Instance] = list(published(folder)) if folder else []
    yield from (instance for instance in found if instance.family in families)
    for family in families:
        if family.startswith("day"):
            yield days.day(int(family.removeprefix("day")), 1, graphs)


def _our_own_figures(graphs: Path) -> dict[str, float]:
    """Measure on a day of 3,000 requests: the table, the first full plan, and one insertion into a plan of all."""
    started = time.perf_counter()
    day = days.day(3000, 1, graphs)
    cells = len(day.problem.locations) ** 2
    with_graph = time.perf_counter()
    days.travel(day.problem, graphs)
    table_s = time.perf_counter() - with_graph
    first: list[float] = []
    for _ in range(5):
        seen: list[float] = []
        solve(day.problem, day.table, time_limit_s=0.05, on_progress=lambda p, s=seen: s.append(p.elapsed_s))
        first.append(seen[0])
    plan = solve(day.problem, day.table, time_limit_s=5)
    standing = Incumbent(day.problem, day.table)
    standing.load(plan)
    took = []
    for request in random.Random(1).sample(day.problem.requests, INSERTIONS):
        standing.remove(request.id)
        begun = time.perf_counter()
        standing.insert(request.id)
        took.append(time.perf_counter() - begun)
    figures = {
        "first_plan_s": round(statistics.median(first), 3),
        "insert_p95_ms": round(statistics.quantiles(took, n=20)[-1] * 1000, 3),
        "table_cells_per_s": round(cells / table_s),
        "two_cores_cost_ratio": round(_two_cores(days.day(1000, 1, graphs)), 4),
    }
    click.echo(f"own figures measured in {time.perf_counter() - started:.0f} s")
    return figures


def _two_cores(day: Instance) -> float:
    """Cost on two cores over the cost on one in more time, median of three seeds; at most 1 is the goal."""

    def cost(workers: int, seconds: float, seed: int) -> int:
        return solve(day.problem, day.table, time_limit_s=seconds, seed=seed, workers=workers).cost

    return statistics.median(cost(2, TWO_CORES_S, seed) / cost(1, ONE_CORE_S, seed) for seed in (1, 2, 3))


if __name__ == "__main__":
    main()
