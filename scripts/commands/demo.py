"""The demo's own commands: prepare the province and its staff, live a day, say how to sign in."""

import json
import os
import random
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click
import httpx
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courier_api import models
from courier_api.db import lon_lat, now, transaction
from courier_api.people.models import Role
from courier_api.places.calendar import is_working_day
from courier_api.places.geography import commune_at
from courier_api.places.models import Commune, Hamlet, ServicePoint, ServicePointKind
from courier_api.rounds.models import Shift
from courier_api.settings import settings
from scripts.commands.ground import load_province
from scripts.commands.operator import open_for_business, post, use_roads
from scripts.simulation import people
from scripts.simulation.day import Day, Home, Staff, Tally

assert models.all_models

HUNG_YEN = Path("scripts/data/hung_yen")
STATE = Path(".local/demo.json")
COURIERS = 52
DISPATCHER = people.phone(1, 0)
# groups of phone numbers: 1 dispatcher, 2 couriers, 3 clerks, 4 officers, 5 citizens


@click.group()
def main() -> None:
    """Make a demo day and live it."""


@main.command()
def prepare() -> None:
    """Load the province, the roads and the staff; again it changes nothing."""
    began = time.monotonic()
    with transaction() as session:
        for report in load_province(session, HUNG_YEN):
            click.echo(f"  {report}", err=True)
        open_for_business(session)
        _hire(session)
    use_roads(HUNG_YEN / "roads.osm.pbf")
    click.echo(f"The province is ready ({time.monotonic() - began:.1f} s).", err=True)


def _points(session: Session, kind: ServicePointKind) -> list[ServicePoint]:
    return list(session.scalars(select(ServicePoint).where(ServicePoint.kind == kind).order_by(ServicePoint.code)))


def _couriers_by_office(session: Session) -> dict[str, int]:
    """How many couriers each office has: one at least, the others by the people that it serves."""
    served: dict[str, int] = {
        str(office_id): int(count or 0)
        for office_id, count in session.execute(
            select(Commune.post_office_id, func.sum(Commune.population)).group_by(Commune.post_office_id)
        )
    }
    total = sum(served.values())
    offices = _points(session, ServicePointKind.post_office)
    return {str(o.id): max(1, round(COURIERS * served.get(str(o.id), 0) / total)) for o in offices}


def _roster(session: Session) -> list[tuple[str, Role, ServicePoint]]:
    """Everybody who works here: phone, role and place, always the same."""
    offices = _points(session, ServicePointKind.post_office)
    rows = [(people.phone(3, n), Role.clerk, office) for n, office in enumerate(offices)]
    rows += [
        (people.phone(4, n), Role.officer, centre)
        for n, centre in enumerate(_points(session, ServicePointKind.one_stop_unit))
    ]
    wanted = _couriers_by_office(session)
    for n, office in enumerate(offices):
        rows += [(people.phone(2, n * 100 + i), Role.courier, office) for i in range(wanted[str(office.id)])]
    return rows


def _hire(session: Session) -> None:
    first = _points(session, ServicePointKind.post_office)[0]
    post(session, DISPATCHER, people.name(random.Random(1)), Role.dispatcher, first)
    for phone, role, place in _roster(session):
        post(session, phone, people.name(random.Random(phone)), role, place)


def staff(session: Session) -> Staff:
    """Who works where."""
    couriers: dict[str, list[str]] = {}
    clerks, officers = {}, {}
    for phone, role, place in _roster(session):
        if role is Role.courier:
            couriers.setdefault(str(place.id), []).append(phone)
        elif role is Role.clerk:
            clerks[str(place.id)] = phone
        else:
            officers[str(place.id)] = phone
    return Staff(DISPATCHER, couriers, clerks, officers)


def next_day(session: Session) -> date:
    """The next working day that nobody has a shift on: each demo lives a day of its own."""
    last = session.scalar(select(func.max(Shift.starts_at)))
    today = now().astimezone(settings().timezone).date()
    day = max(today, last.astimezone(settings().timezone).date() if last else today) + timedelta(days=1)
    while not is_working_day(session, day):
        day += timedelta(days=1)
    return day


def homes(session: Session, jobs: int, rng: random.Random, office: ServicePoint | None = None) -> list[Home]:
    """Homes drawn by population, of one post office if so asked: some hundred metres around a hamlet's middle."""
    query = select(Hamlet, Commune.name).join(Commune, Commune.code == Hamlet.commune_code)
    rows = session.execute(query.where(Commune.post_office_id == office.id) if office else query).all()
    drawn = rng.choices(rows, weights=[hamlet.weight for hamlet, _ in rows], k=jobs)
    near = []
    for hamlet, commune in drawn:
        lon, lat = lon_lat(hamlet.point)
        # A hamlet on the border has neighbours on the other side, whom another province serves.
        at = ((lon + rng.gauss(0, 0.0012), lat + rng.gauss(0, 0.0012)) for _ in range(20))
        inside = next((p for p in at if commune_at(session, *p) is not None), (lon, lat))
        near.append(Home(hamlet.name, commune, *inside))
    return near


@main.command()
@click.option("--url", required=True)
@click.option("--jobs", default=300, show_default=True, type=click.IntRange(4, 5000))
def live(url: str, jobs: int) -> None:
    """Live a morning through the HTTP API, then print what it came to; the last line is JSON."""
    began = time.monotonic()
    sms_log = settings().sms_log
    if sms_log is None:
        raise click.ClickException("SMS_LOG must be set: the simulated people read their codes there")
    wait_for(url)
    with transaction() as session:
        day = next_day(session)
        people_at_work = staff(session)
        drawn = homes(session, jobs, random.Random(day.toordinal()))
    simulated = Day(url, sms_log, day, people_at_work, _say)
    tally = simulated.live(drawn, *by_direction(catalogue(simulated.http)), jobs)
    _say("")
    _keep({"day": day.isoformat(), "dispatcher_token": simulated.dispatcher.token})
    seconds = time.monotonic() - began
    click.echo(_table(day, tally, seconds))
    click.echo(
        json.dumps(
            {
                "dossiers": tally.dossiers,
                "jobs": tally.jobs,
                "planned": tally.planned,
                "unassigned": sum(tally.unassigned.values()),
                "km": round(tally.metres / 1000, 1),
                "handovers": tally.handovers,
                "delivered": tally.delivered,
                "seconds": round(seconds, 1),
            }
        )
    )


def catalogue(http: httpx.Client) -> list[dict[str, Any]]:
    """The procedures that may go by post, with their checklists, as the API shows them."""
    rows = http.get("/api/v1/public/procedures", params={"limit": 50}).raise_for_status().json()
    return [
        http.get(f"/api/v1/public/procedures/{r['code']}", params={"suffix": r["suffix"]}).raise_for_status().json()
        for r in rows
        if r["bookable"] and r["eligibility"] != "none"
    ]


def by_direction(procedures: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Those whose papers may be collected, and those whose result may be delivered."""
    return (
        [p for p in procedures if p["eligibility"] in ("both", "send")],
        [p for p in procedures if p["eligibility"] in ("both", "return")],
    )


def wait_for(url: str) -> None:
    """Wait until the API answers, half a minute at most."""
    for _ in range(300):
        try:
            if httpx.get(f"{url}/api/openapi.json", timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise click.ClickException(f"nobody answers at {url}")


def _say(what: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{what}", nl=False, err=True)


def _keep(state: dict[str, str]) -> None:
    """Keep what the sign-in list needs, for the owner's eyes only."""
    STATE.parent.mkdir(exist_ok=True)
    with os.fdopen(os.open(STATE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file)


def _table(day: date, tally: Tally, seconds: float) -> str:
    rows: list[tuple[str, object]] = [
        ("day lived (device times are simulated)", day.isoformat()),
        ("dossiers booked", tally.dossiers),
        ("jobs", tally.jobs),
        ("  planned", tally.planned),
        ("  not planned", sum(tally.unassigned.values())),
        *((f"    {reason}", count) for reason, count in tally.unassigned.most_common()),
        ("kilometres (synthetic roads)", f"{tally.metres / 1000:,.1f}"),
        ("planning, seconds", f"{tally.planning_seconds:.1f}"),
        ("dossiers collected", tally.collected),
        ("results delivered", tally.delivered),
        ("doors where it failed", sum(tally.failed.values())),
        *((f"    {reason}", count) for reason, count in tally.failed.most_common()),
        ("dossiers received by agencies", tally.received),
        ("dossiers refused by agencies", tally.refused),
        ("handovers", tally.handovers),
        ("seconds", f"{seconds:.1f}"),
    ]
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label:<{width}}  {value!s:>10}" for label, value in rows)


@main.command("leave-afternoon")
@click.option("--url", required=True)
@click.option("--jobs", default=15, show_default=True, type=click.IntRange(3, 60))
def leave_afternoon(url: str, jobs: int) -> None:
    """Plan the afternoon of the day lived last and load it, so that the app has a round to ride."""
    sms_log = settings().sms_log
    state = json.loads(STATE.read_text())
    day = date.fromisoformat(state["day"])
    with transaction() as session:
        office = _points(session, ServicePointKind.post_office)[0]
        near = homes(session, jobs, random.Random(jobs), office)
        people_at_work = staff(session)
    assert sms_log is not None
    simulated = Day(url, sms_log, day, people_at_work, _say)
    rounds = simulated.leave_an_afternoon(near, *by_direction(catalogue(simulated.http)))
    riders = [simulated.courier_of(round_).phone for round_ in rounds]
    _keep(state | {"rider": riders[0] if riders else ""})


@main.command("sign-ins")
@click.argument("url")
def sign_ins(url: str) -> None:
    """Say where to look and how to sign in, for every role."""
    state = json.loads(STATE.read_text())
    with transaction() as session:
        roster = _roster(session)
    examples = {role: (phone, place.name) for phone, role, place in reversed(roster)}
    click.echo(f"\nThe day's rounds on the map, signed in as dispatcher:\n  {url}/#token={state['dispatcher_token']}\n")
    if state.get("rider"):
        click.echo(f"The courier's app, with a round to ride; sign in as {state['rider']}:\n  {url}/courier\n")
    click.echo(f"The API, to browse:  {url}/api/docs\n")
    click.echo(f"Sign in with a phone number; the one-time code is written to {settings().sms_log}:")
    click.echo(f"  dispatcher  {DISPATCHER}")
    for role in (Role.courier, Role.clerk, Role.officer):
        click.echo(f"  {role.value:<10}  {examples[role][0]}   {examples[role][1]}")
    click.echo(f"  citizen     {people.phone(5, 0)}   (or any other number)")


if __name__ == "__main__":
    main()
