"""Turns runs into what people and programs read: a table, CSV, a plot, and one line of JSON."""

import csv
from collections import defaultdict
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median

from scripts.benchmark.engines import Trace

FAMILIES = ("vrptw", "pdptw", "p1000", "day300", "day1000", "day3000", "day5000")


@dataclass(frozen=True)
class Run:
    """One engine on one instance: `cost` is None where no sound plan of all requests came, and `note` says why."""

    family: str
    instance: str
    engine: str
    seconds: float
    seed: int
    cost: int | None
    left_out: int
    wall_s: float
    memory_mb: int
    best: float | None
    note: str
    trace: Trace

    @property
    def gap_pct(self) -> float | None:
        """Per cent above the best known."""
        return None if self.cost is None or not self.best else 100 * (self.cost / self.best - 1)


def line(run: Run) -> str:
    """Return a row of the table."""
    cost = "-" if run.cost is None else f"{run.cost:,}"
    gap = "" if run.gap_pct is None else f"{run.gap_pct:6.2f} %"
    return (
        f"{run.instance:12} {run.seconds:4g} s  seed {run.seed}  {run.engine:8} {cost:>13} {gap:>9}"
        f" {run.wall_s:7.1f} s {run.memory_mb:6} MB  {run.note}"
    )


def ratios(runs: list[Run]) -> dict[str, dict[str, float]]:
    """Return, by family and seconds, the median of our cost over the best other engine's in the same turn."""
    turns: dict[tuple, dict[str, Run]] = defaultdict(dict)
    for run in runs:
        turns[run.family, run.seconds, run.instance, run.seed][run.engine] = run
    found: dict[tuple[str, float], list[float]] = defaultdict(list)
    for (family, seconds, _, _), turn in turns.items():
        others = [r.cost for name, r in turn.items() if name != "ours" and r.cost is not None]
        if others and "ours" in turn and turn["ours"].cost is not None:
            found[family, seconds].append(turn["ours"].cost / min(others))
    return _nested({key: round(median(values), 4) for key, values in found.items()})


def gaps(runs: list[Run], engine: str = "ours") -> dict[str, dict[str, float]]:
    """Return, by family and seconds, the median of an engine's per cent above the best known."""
    found: dict[tuple[str, float], list[float]] = defaultdict(list)
    for run in runs:
        if run.engine == engine and run.gap_pct is not None:
            found[run.family, run.seconds].append(run.gap_pct)
    return _nested({key: round(median(values), 2) for key, values in found.items()})


def _nested(values: dict[tuple[str, float], float]) -> dict[str, dict[str, float]]:
    nested: dict[str, dict[str, float]] = {}
    for (family, seconds), value in sorted(values.items(), key=lambda item: (FAMILIES.index(item[0][0]), item[0][1])):
        nested.setdefault(family, {})[f"{seconds:g}"] = value
    return nested


def write_csv(runs: list[Run], path: Path) -> None:
    """Write one row for each run, the traces left away."""
    names = [field.name for field in fields(Run) if field.name != "trace"]
    with path.open("w", newline="") as file:
        rows = csv.DictWriter(file, names)
        rows.writeheader()
        rows.writerows({name: asdict(run)[name] for name in names} for run in runs)


def plot(runs: list[Run], path: Path) -> None:
    """Draw the cost over time of each engine's longest runs, a panel for each family, costs over the best seen."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    longest = max(run.seconds for run in runs)
    shown = [run for run in runs if run.seconds == longest and run.cost is not None]
    families = [family for family in FAMILIES if any(run.family == family for run in shown)]
    if not families:
        return
    figure, panels = pyplot.subplots(1, len(families), figsize=(4 * len(families), 3.4), squeeze=False)
    colours = {"ours": "#c8102e", "pyvrp": "#1f4e79", "vroom": "#6a994e", "ortools": "#8d6a9f"}
    for panel, family in zip(panels[0], families, strict=True):
        mine = [run for run in shown if run.family == family]
        lowest = {run.instance: min(r.cost for r in mine if r.instance == run.instance) for run in mine}
        labelled = set()
        for run in mine:
            end = [(run.wall_s, float(run.cost))]
            points = [(t, c / lowest[run.instance]) for t, c in [*run.trace, *end] if c < 3 * lowest[run.instance]]
            if not points:
                continue
            label = None if run.engine in labelled else run.engine
            labelled.add(run.engine)
            times, costs = zip(*points, strict=True)
            mark = "o" if len(points) < 3 else None
            panel.plot(times, costs, color=colours.get(run.engine), label=label, marker=mark, linewidth=1.3, alpha=0.8)
        panel.set(
            title=family,
            xscale="log",
            xlabel="seconds",
            ylabel="cost over the best seen" if family == families[0] else "",
        )
        panel.grid(alpha=0.3)
        panel.legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)
