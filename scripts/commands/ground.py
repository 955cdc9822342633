"""Commands that load a province's ground from files, one transaction per file.

\b
Exit code 0: every row is in, or the same file was in already.
Exit code 1: the file is in, some rows were refused; the report says which and why.
Exit code 2: the file, an option or the database is not usable; nothing of the file was written.
"""

import csv
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from courier_api import models as _all_tables  # noqa: F401 - foreign keys resolve only when every table is named
from courier_api.db import now, sessions
from courier_api.places.imports import reading
from courier_api.places.imports.calendar import import_calendar
from courier_api.places.imports.communes import import_communes
from courier_api.places.imports.hamlets import import_hamlets
from courier_api.places.imports.offices import import_offices, make_centres
from courier_api.places.imports.old_units import import_old_units
from courier_api.places.imports.report import BadFile, ImportReport, Progress, quiet
from courier_api.places.imports.roads import import_roads
from courier_api.procedures.imports import import_procedures
from courier_api.settings import settings

SHOWN = 20
HUNG_YEN = Path("scripts/data/hung_yen")

type Step = Callable[[Session, Progress], ImportReport]


@dataclass(frozen=True, slots=True)
class Run:
    """The options that every command has."""

    dry_run: bool
    force: bool
    report: Path | None


def province_steps(folder: Path, *, force: bool = False) -> list[tuple[str, Step]]:
    """What a province's folder holds, in the order in which one stands on the other. Only communes must be there."""
    about = _about(folder / "province.json")
    invented = set(about["synthetic"])
    facts = folder / "communes.csv"
    today = _today()

    def steps() -> Iterator[tuple[str, Path | None, Step]]:
        geojson = folder / "communes.geojson"
        csv_facts = facts if facts.exists() else None
        yield "communes", None, lambda s, p: import_communes(s, geojson, csv_facts, force=force, progress=p)
        old = folder / "old_units.csv"
        yield "old_units", old, lambda s, p: import_old_units(s, old, force=force, progress=p)
        offices = folder / "post_offices.csv"
        yield "offices", offices, lambda s, p: import_offices(s, offices, force=force, progress=p)
        yield "centres", None, lambda s, p: make_centres(s, about["code"], about["name"], about["seat"])
        hamlets = folder / "hamlets.csv"
        yield (
            "hamlets",
            hamlets,
            lambda s, p: import_hamlets(s, hamlets, synthetic="hamlets" in invented, force=force, progress=p),
        )
        roads = folder / "roads.osm.pbf"
        yield (
            "roads",
            roads,
            lambda s, p: import_roads(s, roads, synthetic="roads" in invented, force=force, progress=p),
        )
        own = folder / "procedures.json"
        yield "procedures", own, lambda s, p: import_procedures(s, own, today, force=force, progress=p)
        listed = folder / "procedures.csv"
        yield "procedures", listed, lambda s, p: import_procedures(s, listed, today, force=force, progress=p)
        days = folder / "calendar.csv"
        yield "calendar", days, lambda s, p: import_calendar(s, days, force=force, progress=p)

    return [(name, step) for name, path, step in steps() if path is None or path.exists()]


def load_province(session: Session, folder: Path, progress: Progress | None = None) -> list[ImportReport]:
    """Load a whole folder into the session's own transaction; the caller commits."""
    return [step(session, progress or quiet) for _, step in province_steps(Path(folder))]


def _about(path: Path) -> dict[str, Any]:
    document = reading.parse_json(reading.read_bytes(path), path)
    if not isinstance(document, dict) or not isinstance(document.get("code"), str):
        raise BadFile("file_columns", f"{path}: not an object with the province's code.", missing="code")
    return {"name": "", "seat": None, "synthetic": []} | document


def _today() -> date:
    return now().astimezone(settings().timezone).date()


class PathHere(click.Path):
    """A path as the caller means it: relative to where the command was called, not to the project."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        return Path(os.environ.get("GROUND_CALLED_FROM", ".")) / str(value)


FILE = PathHere()


def _options[F: Callable[..., Any]](command: F) -> F:
    command = click.option("--report", type=FILE, help="Write every refused row to this CSV.")(command)
    command = click.option("--force", is_flag=True, help="Read the file even when the same bytes are in.")(command)
    return click.option("--dry-run", is_flag=True, help="Make all checks, write nothing.")(command)


@click.group(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
def ground() -> None:
    """Loads the ground of a province."""


@ground.command()
@click.argument("geojson", type=FILE)
@click.option("--csv", "facts", type=FILE, help="Facts by commune code; they go before those of the GeoJSON.")
@_options
def communes(geojson: Path, facts: Path | None, **options: Any) -> None:
    """Communes: outlines in WGS 84 with code, name and province_code."""
    _run(
        [("communes", lambda s, p: import_communes(s, geojson, facts, force=options["force"], progress=p))],
        Run(**options),
    )


@ground.command("old-units")
@click.argument("table", metavar="CSV", type=FILE)
@_options
def old_units(table: Path, **options: Any) -> None:
    """Communes of before 2025-07-01: old_code, name, district, commune_code, divided."""
    _run([("old_units", lambda s, p: import_old_units(s, table, force=options["force"], progress=p))], Run(**options))


@ground.command()
@click.argument("table", metavar="CSV", type=FILE)
@_options
def offices(table: Path, **options: Any) -> None:
    """Post offices: code, name, address, commune_code, and where known lon, lat, quality."""
    _run([("offices", lambda s, p: import_offices(s, table, force=options["force"], progress=p))], Run(**options))


@ground.command()
@click.option("--province", required=True, help="The province's two digits.")
@click.option("--name", default="", help="Its name.")
@click.option("--seat", help="The commune of the province's own centre. [default: the most populous]")
@_options
def centres(province: str, name: str, seat: str | None, **options: Any) -> None:
    """Public-service centres: one per commune, one for the province; positions are approximate."""
    _run([("centres", lambda s, p: make_centres(s, province, name, seat))], Run(**options))


@ground.command()
@click.argument("table", metavar="CSV", type=FILE)
@click.option("--synthetic", is_flag=True, help="The hamlets are invented; screens will say so.")
@_options
def hamlets(table: Path, synthetic: bool, **options: Any) -> None:
    """Hamlets: name, commune_code, lon, lat, and where known old_commune, weight."""
    step = lambda s, p: import_hamlets(s, table, synthetic=synthetic, force=options["force"], progress=p)  # noqa: E731
    _run([("hamlets", step)], Run(**options))


@ground.command()
@click.argument("osm", metavar="FILE.osm.pbf", type=FILE)
@click.option("--synthetic", is_flag=True, help="The roads are invented; screens will say so.")
@_options
def roads(osm: Path, synthetic: bool, **options: Any) -> None:
    """Roads: every way with a highway tag."""
    step = lambda s, p: import_roads(s, osm, synthetic=synthetic, force=options["force"], progress=p)  # noqa: E731
    _run([("roads", step)], Run(**options))


@ground.command()
@click.argument("catalogue", metavar="CSV|JSON", type=FILE)
@click.option("--valid-from", type=click.DateTime(["%Y-%m-%d"]), help="For rows that name no day. [default: today]")
@_options
def procedures(catalogue: Path, valid_from: Any, **options: Any) -> None:
    """Procedures: our own catalogue with checklists, or the national portal's list without."""
    with _plainly():
        day = valid_from.date() if valid_from else _today()
    step = lambda s, p: import_procedures(s, catalogue, day, force=options["force"], progress=p)  # noqa: E731
    _run([("procedures", step)], Run(**options))


@ground.command()
@click.argument("table", metavar="CSV", type=FILE)
@_options
def calendar(table: Path, **options: Any) -> None:
    """Days that differ from the national holidays: day, working, name."""
    _run([("calendar", lambda s, p: import_calendar(s, table, force=options["force"], progress=p))], Run(**options))


@ground.command("all")
@click.option("--dir", "folder", type=FILE, help=f"The province's folder. [default: {HUNG_YEN}]")
@_options
def everything(folder: Path | None, **options: Any) -> None:
    """A whole province's folder, in order."""
    run = Run(**options)
    with _plainly():
        steps = province_steps(folder or HUNG_YEN, force=run.force)
    _run(steps, run)


def _run(steps: Sequence[tuple[str, Step]], run: Run) -> None:
    """Run the steps, each in its transaction (a dry run: all in one that is undone), and leave with the exit code."""
    reports: list[ImportReport] = []
    with _plainly(), sessions()() as session:
        for name, step in steps:
            with _bar(name) as progress:
                reports.append(step(session, progress))
            if not run.dry_run:
                session.commit()
            _say(reports[-1])
        session.rollback()
    if run.dry_run:
        click.echo("Dry run: nothing was written.")
    refused = [(report.kind, row) for report in reports for row in report.refused]
    if run.report:
        _write(run.report, refused)
    sys.exit(1 if refused else 0)


@contextmanager
def _plainly() -> Iterator[None]:
    """Turn what may go wrong into one sentence and exit code 2."""
    try:
        yield
    except BadFile as error:
        sentence = str(error)
    except RuntimeError as error:  # a setting is missing
        sentence = str(error)
    except OperationalError as error:
        sentence = f"The database does not answer: {str(error.orig).strip()}"
    except ProgrammingError as error:
        sentence = f"The database is not ready; run the migrations first ({str(error.orig).splitlines()[0]})"
    else:
        return
    click.secho(sentence, fg="red", err=True)
    sys.exit(2)


@contextmanager
def _bar(name: str) -> Iterator[Progress]:
    """A progress bar on a terminal, silence elsewhere."""
    if not sys.stderr.isatty():
        yield quiet
        return
    with click.progressbar(length=1, label=f"{name:<11}", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield progress


def _say(report: ImportReport) -> None:
    if report.skipped:
        click.echo(f"{report.kind:<11} {report.source}: these very bytes are in already, nothing to do.")
        return
    counts = f"{report.rows_in} in ({report.added} new, {report.changed} changed), {len(report.refused)} refused"
    click.echo(f"{report.kind:<11} {report.source}: {report.rows} rows, {counts}.")
    for note in report.notes[:SHOWN]:
        click.echo(f"  note: {note}")
    if len(report.notes) > SHOWN:
        click.echo(f"  and {len(report.notes) - SHOWN} more notes.")
    for row in report.refused[:SHOWN]:
        click.secho(
            f"  refused, {_place(report.kind)} {row.line}{f' ({row.key})' if row.key else ''}: {row.reason}",
            fg="yellow",
        )
    if len(report.refused) > SHOWN:
        click.echo(f"  and {len(report.refused) - SHOWN} more; --report FILE writes them all.")


def _place(kind: str) -> str:
    return {"roads": "way", "communes": "feature"}.get(kind, "line")


def _write(path: Path, refused: Sequence[tuple[str, Any]]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["kind", "line", "key", "reason"])
            table.writerows([kind, row.line, row.key, row.reason] for kind, row in refused)
    except OSError as error:
        click.secho(f"{path}: the report cannot be written ({error.strerror}).", fg="red", err=True)
        sys.exit(2)


if __name__ == "__main__":
    ground(prog_name="scripts/ground")
