"""Benchmarks of the running product; each prints a table and ends with a line of JSON."""

import json
import random
import re
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import click
import httpx

from courier_api.db import transaction
from courier_api.settings import settings
from scripts.commands import demo
from scripts.simulation import people
from scripts.simulation.api import Person
from scripts.simulation.crowd import COPIED_PREFIX, copy_dossiers
from scripts.simulation.custodians import look_after_custody
from scripts.simulation.day import Day
from scripts.simulation.exceptions import change_minds
from scripts.simulation.following import follow_couriers

LIMIT_MS = 150
# Never the other side of a handover that somebody else recorded: what they are answered is that there is none.
REFUSED = {"countersignAsOfficer"}


@click.group()
def main() -> None:
    """Measure."""


class Stopwatch:
    """Times every request of an httpx client by the operationId of the document."""

    def __init__(self, url: str) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self._lock = threading.Lock()
        document = httpx.get(f"{url}/api/openapi.json").raise_for_status().json()
        self.operations = {
            (method, re.compile(_pattern(path) + "$")): operation["operationId"]
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            if method != "parameters"
        }
        # A fixed path goes before one with a variable in its place: /places/at before /places/{x}.
        self._order = sorted(self.operations, key=lambda key: key[1].pattern.count("[^/]+"))

    def watch(self, http: httpx.Client) -> None:
        """Time the requests of a client from now on."""
        http.event_hooks = {"request": [self._begin], "response": [self._end]}

    def forget(self) -> None:
        """Start anew: what came before was warming up."""
        self.times.clear()

    @staticmethod
    def _begin(request: httpx.Request) -> None:
        request.extensions["began"] = time.perf_counter()

    def _end(self, response: httpx.Response) -> None:
        response.read()
        spent = (time.perf_counter() - response.request.extensions["began"]) * 1000
        name = self._name(response.request.method.lower(), response.request.url.path)
        if response.is_success or name in REFUSED:
            with self._lock:
                self.times[name].append(spent)

    def _name(self, method: str, path: str) -> str:
        key = next((k for k in self._order if k[0] == method and k[1].match(path)), None)
        return self.operations[key] if key else f"{method} {path}"


def _pattern(path: str) -> str:
    # A tile's place has slashes of its own; no other variable has.
    return re.sub(r"\{[^}]+\}", "[^/]+", path.replace("{place}", ".+"))


@main.command()
@click.option("--url", required=True)
@click.option("--dossiers", default=20_000, show_default=True, type=click.IntRange(100))
@click.option("--jobs", default=120, show_default=True, type=click.IntRange(20, 1000))
@click.option("--reads", default=40, show_default=True, type=click.IntRange(5, 1000))
@click.option("--at-once", default=2, show_default=True, type=click.IntRange(1, 64), help="People calling at a time.")
def api(url: str, dossiers: int, jobs: int, reads: int, at_once: int) -> None:
    """Time every operation while simulated people live a day among many dossiers."""
    demo.wait_for(url)
    _day(url, jobs, at_once).run()
    with transaction() as session:
        total = copy_dossiers(session, dossiers)
    click.echo(f"{total:,} dossiers in the database; a day of {jobs} jobs is timed", err=True)
    stopwatch = Stopwatch(url)
    day = _day(url, jobs, at_once)
    stopwatch.watch(day.simulated.http)
    day.warm_up()
    stopwatch.forget()
    day.run()
    others(day.simulated, reads)
    missing = sorted(set(stopwatch.operations.values()) - set(stopwatch.times))
    p95 = {name: round(_p95(times), 1) for name, times in sorted(stopwatch.times.items())}
    click.echo(f"{'operation':<24}{'calls':>7}{'median ms':>12}{'p95 ms':>10}")
    for name, value in sorted(p95.items(), key=lambda row: -row[1]):
        times = stopwatch.times[name]
        mark = "  over the limit" if value > LIMIT_MS else ""
        click.echo(f"{name:<24}{len(times):>7}{statistics.median(times):>12.1f}{value:>10.1f}{mark}")
    if missing:
        click.echo(f"not called: {', '.join(missing)}")
    click.echo(json.dumps({"dossiers": total, "p95_ms": p95}))
    sys.exit(1 if missing or max(p95.values()) > LIMIT_MS else 0)


def _p95(times: list[float]) -> float:
    return sorted(times)[max(0, -(-len(times) * 95 // 100) - 1)]


class _day:  # noqa: N801 - reads as a verb above
    """A day of the simulation, ready to run."""

    def __init__(self, url: str, jobs: int, at_once: int) -> None:
        assert settings().sms_log is not None
        with transaction() as session:
            self.day = demo.next_day(session)
            self.staff = demo.staff(session)
            self.homes = demo.homes(session, jobs, random.Random(self.day.toordinal()))
        self.simulated = Day(url, settings().sms_log, self.day, self.staff, lambda _: None, at_once)
        self.jobs = jobs

    def warm_up(self) -> None:
        """Let every server process compile its queries once."""
        for _ in range(20):
            demo.catalogue(self.simulated.http)

    def run(self) -> None:
        """Live it."""
        self.simulated.live(self.homes, *demo.by_direction(demo.catalogue(self.simulated.http)), self.jobs)


def others(day: Day, reads: int) -> None:
    """Call what a plain day does not: searches, lists, changes of mind, a moved stop."""
    dispatcher = day.dispatcher
    citizen = Person(day.http, day.sms, people.phone(5, 0), "citizen")
    clerk = day.staff_member(next(iter(day.staff.clerks.values())), "clerk")
    officer = day.staff_member(next(iter(day.staff.officers.values())), "officer")
    mine = [d for d in citizen.every("/dossiers") if not d["items"][0]["tracking_number"].startswith(COPIED_PREFIX)]
    rounds = dispatcher.get("/rounds", day=day.day.isoformat())["items"]
    courier = day.courier_of(rounds[0])
    repeat = _repeating(reads)
    repeat(lambda n: citizen.get("/api/v1/public/procedures", q=("khai sinh", "đất", "lai xe")[n % 3]))
    repeat(
        lambda n: citizen.get("/api/v1/public/places", q=("P. Hiến Nam", "xa thuy loi kim dong", "Đông Hưng")[n % 3])
    )
    repeat(lambda n: citizen.get("/api/v1/public/places/at", lon=106.06 + n / 1000, lat=20.66))
    repeat(lambda _: citizen.get("/api/v1/public/quotes", procedure="2.000635", service="both"))
    repeat(lambda n: citizen.get(f"/api/v1/public/tracking/{mine[n % len(mine)]['tracking_link'][3:]}"))
    repeat(lambda n: citizen.get("/api/v1/public/tracking", **_number_of(mine[n % len(mine)])))
    repeat(lambda n: citizen.get(f"/dossiers/{mine[n % len(mine)]['id']}"))
    repeat(lambda n: citizen.get(f"/dossiers/{mine[n % len(mine)]['id']}/timeline"))
    repeat(lambda _: citizen.get("/dossiers"))
    repeat(lambda _: dispatcher.get("/shifts", day=day.day.isoformat()))
    repeat(lambda _: dispatcher.get("/couriers"))
    repeat(lambda _: dispatcher.get("/stranded-dossiers"))
    repeat(lambda _: dispatcher.get("/jobs"))
    repeat(lambda _: dispatcher.get("/plans", day=day.day.isoformat()))
    repeat(lambda _: dispatcher.get("/rounds", day=day.day.isoformat()))
    repeat(lambda n: dispatcher.get(f"/rounds/{rounds[n % len(rounds)]['id']}"))
    repeat(lambda n: dispatcher.get(f"/rounds/{rounds[n % len(rounds)]['id']}/comparison"))
    repeat(lambda _: dispatcher.get("/closures"))
    shut = [dispatcher.post("/closures", {"ways": [1], "reason": "bench"}) for _ in range(min(reads, 15))]
    for closure in shut:
        dispatcher.put(f"/closures/{closure['id']}/reopening")
    repeat(lambda _: clerk.get("/items"))
    repeat(lambda _: clerk.get("/rounds", day=day.day.isoformat()))
    repeat(lambda _: clerk.get("/manifests"))
    repeat(lambda _: officer.get("/manifests"))
    repeat(lambda _: officer.get("/dossiers"))
    repeat(lambda _: courier.get("/rounds", day=day.day.isoformat()))
    repeat(lambda _: courier.get("/items"))
    _manifests(day, reads)
    follow_couriers(day, _repeating(min(reads, 15)))
    look_after_custody(day, _repeating(min(reads, 15)), settings().operator_keys / "witness.keys")
    change_minds(day, min(reads, 15))


def _manifests(day: Day, reads: int) -> None:
    clerks = [day.staff_member(phone, "clerk") for phone in day.staff.clerks.values()]
    held = [(clerk, m) for clerk in clerks for m in clerk.get("/manifests")["items"]]
    for n in range(reads):
        clerk, manifest = held[n % len(held)]
        clerk.get(f"/manifests/{manifest['id']}")
        clerk.get(f"/dossiers/{manifest['lines'][0]['dossier_id']}")


def _number_of(dossier: dict[str, Any]) -> dict[str, str]:
    return {"number": dossier["items"][0]["tracking_number"], "phone_digits": dossier["contact_phone"][-4:]}


def _repeating(times: int) -> Callable[[Callable[[int], Any]], None]:
    def repeat(call: Callable[[int], Any]) -> None:
        for n in range(times):
            call(n)

    return repeat


if __name__ == "__main__":
    main()
