"""Runs one engine in a process of its own, on one core, with an end; judges what comes back."""

import contextlib
import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

from routing.check import violations
from scripts.benchmark.engines import ENGINES, Answer
from scripts.benchmark.instances import Instance
from scripts.benchmark.report import Run

PATIENCE_S = 60
"""An engine may overrun its limit three times and by this much more before it is stopped."""


def run(instance: Instance, engine: str, seconds: float, seed: int, core: int) -> Run:
    """Give an instance to an engine and judge its plan."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_work, args=(theirs, instance, engine, seconds, seed, core))
    process.start()
    theirs.close()
    answer: Answer | str = f"nothing within {3 * seconds + PATIENCE_S:g} s"
    memory = 0
    with contextlib.suppress(EOFError):
        if ours.poll(3 * seconds + PATIENCE_S + 20):
            answer = "ended without an answer"
            answer, memory = ours.recv()
    if process.is_alive() and isinstance(answer, str):
        process.kill()
    process.join()
    blank = (instance.family, instance.name, engine, seconds, seed)
    if isinstance(answer, str):
        return Run(*blank, None, 0, 0.0, memory, instance.best, answer, [])
    found = violations(instance.problem, answer.plan, instance.table)
    # All that is measured can be served, so a plan that leaves something out answers another question.
    cost = None if found or answer.plan.unassigned else answer.plan.cost
    note = f"{len(found)} violations, first: {found[0].code}" if found else ""
    left = len(answer.plan.unassigned)
    note = note or (f"{left} left out" if left else "")
    return Run(*blank, cost, left, answer.wall_s, memory, instance.best, note, answer.trace)


def _work(pipe: Connection, instance: Instance, engine: str, seconds: float, seed: int, core: int) -> None:
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core % len(os.sched_getaffinity(0))]})
    try:
        answer: Answer | str = ENGINES[engine](instance.problem, instance.table, seconds, seed)
    except Exception as error:  # whatever an engine throws is its answer
        answer = f"{type(error).__name__}: {error}"[:200]
    pipe.send((answer, _peak_mb()))


def _peak_mb() -> int:
    """The most memory this program had; getrusage would count what its parent had before it started too."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) // 1024
