"""Brings catalogue files in: what changed becomes a new version, and what a dossier was opened under stays."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, selectinload

from courier_api.places.imports import reading
from courier_api.places.imports.report import BadRow, ImportReport, Progress, quiet
from courier_api.places.imports.writing import already_in, digest, remember
from courier_api.places.names import plain
from courier_api.procedures import formats
from courier_api.procedures.entries import Entry
from courier_api.procedures.models import DocumentRequirement, Procedure, ProcedureVersion

KIND = "procedures"


def import_procedures(
    session: Session, path: Path, valid_from: date, *, force: bool = False, progress: Progress = quiet
) -> ImportReport:
    """Bring a catalogue in, JSON or CSV; `valid_from` holds for rows that name no day of their own."""
    report = ImportReport(KIND, path.name)
    content = reading.read_bytes(path)
    mark = digest(content)
    if not force and already_in(session, KIND, mark):
        report.skipped = True
        return report
    entries = list(formats.read(content, path, valid_from, report))
    known = _known(session, [entry for _, _, entry in entries])
    for done, (line, code, entry) in enumerate(entries, start=1):
        try:
            _bring_in(session, known.get((entry.code, entry.suffix)), entry, report)
        except BadRow as error:
            report.refuse(line, code, error)
        progress(done, len(entries))
    report.refused.sort(key=lambda refused: refused.line)
    session.flush()
    remember(session, report, mark)
    return report


def _known(session: Session, entries: Sequence[Entry]) -> dict[tuple[str, str], Procedure]:
    keys = {(entry.code, entry.suffix) for entry in entries}
    found = session.scalars(
        select(Procedure)
        .where(tuple_(Procedure.code, Procedure.suffix).in_(keys))
        .options(selectinload(Procedure.versions).selectinload(ProcedureVersion.requirements))
    )
    return {(procedure.code, procedure.suffix): procedure for procedure in found}


def _bring_in(session: Session, procedure: Procedure | None, entry: Entry, report: ImportReport) -> None:
    current = next((v for v in procedure.versions if v.valid_to is None), None) if procedure else None
    if procedure is None:
        procedure = Procedure(code=entry.code, suffix=entry.suffix)
        session.add(procedure)
    if current is None:
        procedure.versions.append(_version(entry))
        report.added += 1
    elif current.source_digest == entry.digest:
        return
    elif current.bookable and not entry.bookable:
        raise BadRow("a complete version is in force; one without checklist, fee or days does not replace it")
    elif not current.bookable and entry.valid_from <= current.valid_from:
        # Nobody can have opened a dossier under it: it is put right, not followed.
        current.requirements.clear()
        session.flush()  # the old lines must be gone before new ones take their positions
        _fill(current, entry)
        report.changed += 1
    elif entry.valid_from <= current.valid_from:
        raise BadRow(f"it has changed: give it a valid_from later than {current.valid_from}, the version in force")
    else:
        current.valid_to = entry.valid_from
        session.flush()
        procedure.versions.append(_version(entry))
        report.changed += 1


def _version(entry: Entry) -> ProcedureVersion:
    version = ProcedureVersion()
    _fill(version, entry)
    return version


def _fill(version: ProcedureVersion, entry: Entry) -> None:
    version.valid_from = entry.valid_from
    version.name, version.name_en = entry.name, entry.name_en
    version.search_name = plain(f"{entry.code} {entry.name} {entry.name_en or ''} {entry.field}")
    version.field = entry.field
    version.level, version.competent_agency = entry.level, entry.competent_agency
    version.eligibility, version.authorization = entry.eligibility, entry.authorization
    version.working_days, version.state_fee = entry.working_days, entry.state_fee
    version.bookable = entry.bookable
    version.source_digest = entry.digest
    version.requirements = [
        DocumentRequirement(
            position=position,
            name=paper.name,
            name_en=paper.name_en,
            originals=paper.originals,
            copies=paper.copies,
            mandatory=paper.mandatory,
            recalled_original=paper.recalled_original,
        )
        for position, paper in enumerate(entry.papers, start=1)
    ]
