"""Plans of raw VROOM, PyVRP and OR-Tools, and published best-known solutions, before our judge."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from routing.check import Code, violations
from routing.problem import Stop
from scripts.benchmark import days, instances, report, runner
from scripts.benchmark.engines import ENGINES, written
from scripts.commands import bench_routing

PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "instances"
needs_instances = pytest.mark.skipif(not PUBLISHED.exists(), reason="the published instances may not be committed")


@pytest.fixture(scope="module")
def day() -> instances.Instance:
    """Forty requests of the demo province, travel as the crow flies."""
    problem = days.made_up(40, random.Random(5))
    from routing.travel import GreatCircle

    return instances.Instance("day", "day300", problem, GreatCircle().table(problem.locations), None)


@pytest.mark.parametrize("engine", ["vroom", "pyvrp", "ortools"])
@pytest.mark.filterwarnings("ignore")
def test_what_another_engine_plans_is_judged_like_ours(engine: str, day: instances.Instance) -> None:
    answer = ENGINES[engine](day.problem, day.table, 1, 1)
    assert violations(day.problem, answer.plan, day.table) == []
    ours = ENGINES["ours"](day.problem, day.table, 1, 1)
    assert violations(day.problem, ours.plan, day.table) == []
    assert ours.plan.cost <= answer.plan.cost
    # The judge is no rubber stamp: the longest route backwards breaks something.
    longest = max(answer.plan.routes, key=lambda route: len(route.visits))
    orders = {r.courier: [Stop(v.request, v.kind) for v in r.visits] for r in answer.plan.routes}
    orders[longest.courier].reverse()
    codes = {x.code for x in violations(day.problem, written(day.problem, day.table, orders), day.table)}
    assert codes & {Code.WINDOW, Code.PAIR_ORDER, Code.SHIFT, Code.CAPACITY}


SOLOMON = """tiny

VEHICLE
NUMBER     CAPACITY
  2         10

CUSTOMER
CUST NO.   XCOORD.   YCOORD.   DEMAND   READY TIME   DUE DATE   SERVICE TIME

    0      0         0          0       0            100        0
    1      3         4          6       0             50        2
    2      0         7          6      10             60        2
"""

LI_LIM = """2 10 1
0 0 0 0 0 100 0 0 0
1 3 4 5 0 50 2 0 2
2 0 7 -5 0 60 2 1 0
"""


def test_solomon_and_li_lim_are_read(tmp_path: Path) -> None:
    for folder, text in (("vrptw", SOLOMON), ("pdptw", LI_LIM)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tiny.txt").write_text(text)
    (tmp_path / "BKS.json").write_text(
        json.dumps({"vrptw": {"tiny": {"conv": "dimacs", "dist": 24.0}}, "pdptw": {}, "province": {}})
    )
    vrptw, pdptw = instances.published(tmp_path)
    assert (vrptw.problem.couriers[0].capacity, len(vrptw.problem.couriers), vrptw.best) == ((10,), 2, 240)
    assert vrptw.table.durations[1, 2] == 42  # 4.2426 in tenths, floored
    assert vrptw.problem.requests[1].delivery.windows[0].start == 100
    assert (len(pdptw.problem.requests), pdptw.table.durations[1, 2], pdptw.best) == (1, 4243, None)
    assert ENGINES["ours"](vrptw.problem, vrptw.table, 0.2, 1).plan.cost == 240
    assert ENGINES["ours"](pdptw.problem, pdptw.table, 0.2, 1).plan.cost == 5000 + 4243 + 7000


@needs_instances
def test_the_best_known_day_comes_out_at_its_cost() -> None:
    p1000 = instances.province(PUBLISHED / "province/p1000.json", 233_443)
    best = json.loads((PUBLISHED / "province/p1000_best.json").read_text())
    orders = {
        f"C{courier}": [Stop(str(i), "delivery" if kind == "job" else kind) for kind, i in visits]
        for courier, visits in best.items()
    }
    plan = written(p1000.problem, p1000.table, orders)
    assert violations(p1000.problem, plan, p1000.table) == []
    assert plan.cost == 233_443


@needs_instances
def test_the_best_known_solution_of_c2_10_3_comes_out_at_its_cost() -> None:
    found = instances.solomon(PUBLISHED / "vrptw/c2_10_3.txt", {"conv": "dimacs", "dist": 16036.5})
    lines = (PUBLISHED / "vrptw/c2_10_3.dimacs.sol").read_text().splitlines()
    routes = [re.findall(r"\d+", line.partition(":")[2]) for line in lines if line.startswith("Route")]
    plan = written(
        found.problem, found.table, {f"C{v}": [Stop(c, "delivery") for c in r] for v, r in enumerate(routes)}
    )
    assert violations(found.problem, plan, found.table) == []
    assert plan.cost == 160_365


def test_a_report_of_runs(tmp_path: Path) -> None:
    def run(engine: str, cost: int | None, seed: int = 1) -> report.Run:
        return report.Run("p1000", "p1000", engine, 10.0, seed, cost, 0, 10.0, 100, 100.0, "", [(1.0, 120.0)])

    runs = [run("ours", 110), run("pyvrp", 130), run("vroom", None), run("ours", 90, 2), run("pyvrp", 100, 2)]
    assert report.ratios(runs) == {"p1000": {"10": round((110 / 130 + 90 / 100) / 2, 4)}}
    assert report.gaps(runs) == {"p1000": {"10": 0.0}}
    report.write_csv(runs, tmp_path / "runs.csv")
    assert len((tmp_path / "runs.csv").read_text().splitlines()) == 6
    report.plot(runs, tmp_path / "plot.svg")
    assert "<svg" in (tmp_path / "plot.svg").read_text()


def test_an_engine_that_fails_says_so(day: instances.Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    found = runner.run(day, "nothing", 0.1, 1, 0)
    assert (found.cost, found.note) == (None, "KeyError: 'nothing'")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--seconds", "soon"], "'soon'"),
        (["--seconds", "1,0"], "between 0 and 3600"),
        (["--seconds", "nan"], "between 0 and 3600"),
        (["--seconds", ""], "no list of seconds"),
        (["--engines", "ours,google"], "'google'"),
        (["--engines", ","], "empty"),
        (["--families", "day7"], "'day7'"),
        (["--seeds", "0"], "0"),
        (["--instances", "/nowhere"], "/nowhere"),
        (["--fast"], "--fast"),
    ],
)
def test_bad_options_are_named(options: list[str], named: str) -> None:
    answer = CliRunner().invoke(bench_routing.main, options)
    assert answer.exit_code == 2
    assert named in answer.output


def test_a_bench_ends_in_one_line_of_json(
    day: instances.Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "day", lambda requests, seed, graphs: day)
    monkeypatch.setattr(days, "travel", lambda problem, graphs: day.table)
    monkeypatch.setattr(bench_routing, "INSERTIONS", 20)
    monkeypatch.setattr(bench_routing, "ONE_CORE_S", 0.2)
    monkeypatch.setattr(bench_routing, "TWO_CORES_S", 0.2)
    options = ["--families", "p1000,day300", "--seconds", "0.2", "--engines", "ours,vroom", "--out", str(tmp_path)]
    answer = CliRunner().invoke(bench_routing.main, options)
    assert answer.exit_code == 0, answer.output
    assert "p1000: skipped" in answer.output
    summary = json.loads(answer.output.splitlines()[-1])
    assert summary.keys() >= {"ratio", "gap_pct", "first_plan_s", "insert_p95_ms", "table_cells_per_s", "infeasible"}
    assert summary["ratio"].keys() == {"day300"}
    assert summary["infeasible"] == 0
    assert {"runs.csv", "cost-over-time.svg"} <= {path.name for path in tmp_path.iterdir()}
