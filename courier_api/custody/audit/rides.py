"""Checks what rounds, stops and attempts say of a courier's way against what he signed, and what he asked for."""

from collections import defaultdict

from courier_api.custody.audit.applied import applied, same_id, signed_us
from courier_api.custody.audit.known import Known
from courier_api.custody.audit.reading import fields_of, loads
from courier_api.custody.audit.report import Report
from courier_api.custody.audit.snapshot import Snapshot, microseconds
from courier_api.proof.core import Kind


def check(snapshot: Snapshot, report: Report) -> None:
    """Check the plans seen, the arrivals explained and the calls placed."""
    _check_seen(snapshot, report)
    _check_arrivals(snapshot, report)
    _check_attempts(snapshot, report)


def _check_seen(snapshot: Snapshot, report: Report) -> None:
    """The newest version of each round that its courier signed for, and when that came."""
    newest: dict[str, tuple[int, set[int]]] = {}
    for one in applied(snapshot, Kind.seen):
        round_, version = same_id(one.said.get("round")), one.said.get("version")
        if type(version) is not int:
            continue
        known, times = newest.get(round_, (0, set()))
        if version > known:
            newest[round_] = (version, {one.received_us})
        elif version == known:  # which of several was done first is not told by when they came
            times.add(one.received_us)
    query = f"""SELECT id::text, seen_version, {microseconds("seen_at")} FROM round
        WHERE seen_version IS NOT NULL OR seen_at IS NOT NULL"""  # noqa: S608
    for round_, version, at in snapshot.rows(query):
        signed, times = newest.pop(round_, (None, set()))
        if version != signed or at not in times:
            report.find("seen_differs", "round", round_, version=version, signed=signed)
    for round_, (signed, _) in newest.items():
        report.find("seen_differs", "round", round_, version=None, signed=signed)


def _check_arrivals(snapshot: Snapshot, report: Report) -> None:
    """Why an arrival is not at the door stands in the stop, by the arrival that counted."""
    said = defaultdict(set)
    for one in applied(snapshot, Kind.arrival, naming='"why":'):
        said[same_id(one.said.get("stop"))].add((signed_us(one.said), str(one.said.get("why"))))
    query = f"""SELECT id::text, arrived_why, {microseconds("arrived_device_at")} FROM stop
        WHERE arrived_why IS NOT NULL OR id::text = ANY(%s)"""  # noqa: S608
    for stop, why, device_us in snapshot.rows(query, [list(said)]):
        signed = {reason for at, reason in said.pop(stop, ()) if at == device_us}
        if why not in signed if why is not None else signed:
            report.find("arrival_differs", "stop", stop)
    for stop in said:
        report.find("arrival_differs", "stop", stop)


def _check_attempts(snapshot: Snapshot, report: Report) -> None:
    """An attempt that was signed says what the event says; calls are in signed ones only."""
    query = f"""SELECT a.id::text, a.reason, a.next_action, a.missing::text, a.called::text,
        {microseconds("a.device_at")}, a.courier_id::text, e.kind, e.event, d.person_id::text
        FROM attempt a LEFT JOIN ledger_entry e ON e.id = a.id LEFT JOIN device d ON d.kid = e.kid"""  # noqa: S608
    for id_, reason, next_, missing, called, device_us, courier, kind, event, signer in snapshot.rows(query):
        if kind is None:
            if called is not None:
                report.find("attempt_differs", "attempt", id_, column="called")
            continue
        said = fields_of(event)
        agree = {
            "id": kind == Kind.failure,
            "reason": reason == said.get("reason"),
            "next_action": next_ == said.get("next"),
            "missing": loads(missing) == (said.get("missing") or None),
            "called": loads(called) == (said.get("called") or None),
            "device_at": device_us == signed_us(said),
            "courier_id": courier == signer,
        }
        for column in (column for column, agrees in agree.items() if not agrees):
            report.find("attempt_differs", "attempt", id_, column=column)


def check_remarks(snapshot: Snapshot, known: Known, report: Report) -> None:
    """Each correction that was asked for is a case that says the same, and there is no such case without it.

    One that was asked for again while its case was open stands in that case.
    """
    query = "SELECT operation_id::text, id::text, code, detail::text FROM custody_case WHERE kind = 'remark'"
    cases = {operation: case for operation, *case in snapshot.rows(query)}
    details = {case: fields_of(detail) for case, _, detail in cases.values()}
    again = {id_: (case, said.get("of")) for case, said in details.items() for id_ in _ids(said.get("again"))}
    for one in applied(snapshot, Kind.remark):
        if one.id not in cases:
            case, of = again.pop(one.id, (None, None))
            if case is None and one.id not in known.erasures:
                report.find("case_missing", "operation", one.id)
            elif case is not None and of != same_id(one.said.get("of")):
                report.find("remark_differs", "custody_case", case)
            continue
        case, code, _ = cases.pop(one.id)
        of = details[case].get("of")
        erased = of is None and one.id in known.erasures
        if code != one.said.get("why") or not (erased or of == same_id(one.said.get("of"))):
            report.find("remark_differs", "custody_case", case)
    for case in {*(case for case, *_ in cases.values()), *(case for case, _ in again.values())}:
        report.find("remark_differs", "custody_case", case)


def _ids(said: object) -> list[str]:
    return [str(one) for one in said] if isinstance(said, list) else []
