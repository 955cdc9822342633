"""Checks the ledger and all that hangs on it, from the stored bytes up, without changing anything.

\b
Exit code 0: nothing was found.
Exit code 1: something was lost, invented or changed; each row is named.
Exit code 2: it could not be looked at.
"""

import json
import sys
import traceback
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import psycopg2
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from courier_api import models
from courier_api.custody.audit import seen as memory
from courier_api.custody.audit.auditing import audit_database
from courier_api.custody.audit.report import Finding, Report
from courier_api.custody.audit.trust import Trust
from courier_api.proof import files
from courier_api.proof.note import NoteError
from courier_api.settings import settings

assert models.all_models

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(help=__doc__)
@click.option("--keys", type=_file, help="The operator's public keys; by default operator.keys in OPERATOR_KEYS.")
@click.option("--witnesses", type=_file, help="The witnesses' keys; by default witness.keys beside the operator's.")
@click.option("--evidence/--no-evidence", default=True, show_default=True, help="Open every file in the store.")
@click.option(
    "--seen",
    type=click.Path(dir_okay=False, path_type=Path),
    default=memory.DEFAULT,
    show_default=True,
    help="Where the newest checkpoint of a clean audit is kept for the next; best on another machine.",
)
@click.option("--checkpoint", "checkpoints", type=_file, multiple=True, help="A checkpoint that somebody else kept.")
@click.option("--overdue", type=click.IntRange(0), help="Days after which evidence that has not come is a finding.")
@click.option("--processes", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option("--most", type=click.IntRange(0), default=50, show_default=True, help="So many are shown of each kind.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, the summary last.")
def main(
    keys: Path | None,
    witnesses: Path | None,
    evidence: bool,
    seen: Path,
    checkpoints: tuple[Path, ...],
    overdue: int | None,
    processes: int,
    most: int,
    as_json: bool,
) -> None:
    """Audit."""
    folder = settings().operator_keys
    try:
        trust = Trust.read(
            keys or folder / files.PUBLIC,
            witnesses or folder / "witness.keys",
            settings().evidence_store,
            folder if evidence else None,
        )
        if not trust.log_keys:
            raise click.UsageError(f"there are no keys in {keys or folder / files.PUBLIC}")
        remembered = memory.remembered(seen)
        kept = [note for note in (remembered, *(path.read_text("utf-8") for path in checkpoints)) if note is not None]
        report = audit_database(
            create_engine(settings().database_url),
            trust,
            seen=kept,
            overdue=None if overdue is None else timedelta(days=overdue),
            processes=processes,
        )
        if report.clean and report.checkpoint is not None:
            memory.remember(seen, report.checkpoint)
    except click.ClickException:
        raise
    except Exception as fault:
        # Whatever it is: 1 would say that all was looked at, and 0 that all is well.
        if not isinstance(fault, (OSError, NoteError, RuntimeError, SQLAlchemyError, psycopg2.Error)):
            traceback.print_exc()
        click.secho(f"This could not be audited: {type(fault).__name__}: {fault}", fg="red", err=True)
        sys.exit(2)
    if as_json:
        _print_json(report, most)
    else:
        _print(report, most, remembered is not None)
    sys.exit(0 if report.clean else 1)


def _print_json(report: Report, most: int) -> None:
    for kind, found in (("finding", report.findings), ("notice", report.notices)):
        for one in found[:most]:
            click.echo(json.dumps({"kind": kind} | asdict(one), ensure_ascii=False))
    summary: dict[str, Any] = {
        "kind": "summary",
        "clean": report.clean,
        "tree_size": report.size,
        "rows": dict(sorted(report.counted.items())),
        "findings": dict(sorted(report.found.items())),
        "notices": dict(sorted(report.noticed.items())),
        "seconds": round(report.seconds, 2),
    }
    click.echo(json.dumps(summary))


def _print(report: Report, most: int, compared: bool) -> None:
    _print_some("FINDING", report.findings, report.found.total(), most)
    _print_some("notice", report.notices, report.noticed.total(), most)
    for table, rows in sorted(report.counted.items()):
        click.echo(f"{rows:>12,}  {table}")
    click.echo(f"{report.size:>12,}  leaves in the tree, looked at in {report.seconds:.1f} s")
    if not compared:
        click.echo("There was no earlier audit to compare with: that nothing was cut off at the end is not shown yet.")
    if report.clean:
        click.secho("Nothing was lost, invented or changed.", fg="green")
    else:
        click.secho(f"{report.found.total():,} findings: do not trust this as it stands.", fg="red", bold=True)


def _print_some(kind: str, found: list[Finding], total: int, most: int) -> None:
    for one in found[:most]:
        click.echo(f"{kind}  {one.table} {one.row}  {one.code}: {one.text}")
    if total > most:
        click.echo(f"{kind}  ... {total:,} altogether")


if __name__ == "__main__":
    main()
