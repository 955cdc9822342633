"""Checks openings: each commitment of an event is opened by what is kept beside it, or an erasure says why not."""

from courier_api.custody.audit.known import Known
from courier_api.custody.audit.reading import Read, fields_of, opens, salts_of
from courier_api.custody.audit.report import Report
from courier_api.custody.audit.rows import Row

TABLE = "opening"
FILES = frozenset({"strokes", "photo"})  # what comes as evidence, maybe later
NOT_DONE = frozenset({"parked", "rejected"})  # of these the contents stand in the operation


def check(row: Row, read: Read, known: Known, report: Report) -> None:
    """Check the opening of one entry."""
    if not row.opened:
        if read.commitments and row.operation_state not in NOT_DONE:
            report.find("opening_missing", TABLE, row.id)
        return
    report.count(TABLE)
    if not read.commitments:
        report.find("opening_uncommitted", TABLE, row.id, name="anything")
    erased = known.erased(row.id, row.erased_by)
    if row.erased_by is not None and not erased:
        report.find("erasure_unknown", TABLE, row.id, erasure=row.erased_by)
    if row.content is None:
        if row.erased_by is None:
            report.find("opening_lost", TABLE, row.id)
        return
    _check_contents(row, read, report, erased)
    if not erased:
        _check_files(row, read, known, report)


def _check_contents(row: Row, read: Read, report: Report, erased: bool) -> None:
    content = fields_of(row.content)
    salts = salts_of(content)
    kept = content.get("salts")
    values = {name: value for name, value in content.items() if name != "salts"}
    for name, committed in read.commitments.items():
        if name in values:
            if not opens(committed, salts.get(name, b""), values[name]):
                report.find("opening_differs", TABLE, row.id, name=name)
        elif name not in FILES and not erased:
            report.find("opening_differs", TABLE, row.id, name=name)
    for name in values.keys() - read.commitments.keys():
        report.find("opening_uncommitted", TABLE, row.id, name=name)
    for name in (kept if isinstance(kept, dict) else {}).keys() - read.commitments.keys():
        report.notice("salt_uncommitted", TABLE, row.id, name=name)


def _check_files(row: Row, read: Read, known: Known, report: Report) -> None:
    for kind in FILES & read.commitments.keys():
        if kind in row.evidence:
            continue
        if known.overdue_us is not None and known.at_us - row.received_us >= known.overdue_us:
            report.find("evidence_missing", "evidence", row.id, kind=kind)
        else:
            report.notice("evidence_outstanding", "evidence", row.id, kind=kind)
