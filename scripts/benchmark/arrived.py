"""Whether all that one courier's phone recorded is on the server: once, bound to what it is about, and nothing else."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courier_api.custody import events
from courier_api.custody.models import (
    Case,
    CaseKind,
    Entry,
    Evidence,
    Handover,
    Opening,
    Operation,
    OperationState,
    Upload,
)
from courier_api.money.models import Settlement, Voucher
from courier_api.queue import Outbox
from courier_api.rounds.models import Round, RoundState, Stop, StopState

SHOWN = 20


@dataclass
class Arrived:
    """What was found; `wrong` names what is not as it must be."""

    once: int = 0
    wrong: list[str] = field(default_factory=list)
    files: int = 0
    states: Counter[str] = field(default_factory=Counter)

    def must(self, good: bool, what: str) -> bool:
        """Note what is wrong."""
        if not good:
            self.wrong.append(what)
        return good


def judge(session: Session, rows: Sequence[dict[str, Any]], files: Sequence[dict[str, Any]]) -> Arrived:
    """Compare the server's tables with the phone's own rows, and with what was tapped for each."""
    found = Arrived()
    by_event: dict[str, dict[str, dict[str, Any]]] = {}
    for file in files:
        by_event.setdefault(file["event"], {})[file["kind"]] = file
    for row in rows:
        before = len(found.wrong)
        _one(session, found, row, by_event.get(row["id"], {}))
        found.once += len(found.wrong) == before
    _nothing_else(session, found, rows, files)
    return found


def open_work(session: Session) -> int:
    """How much a worker still has to do."""
    return session.scalar(select(func.count()).select_from(Outbox).where(Outbox.done_at.is_(None))) or 0


def _one(session: Session, found: Arrived, row: dict[str, Any], files: dict[str, dict[str, Any]]) -> None:
    name = f"{row['typ']} {row['id']}"
    operation, entry = session.get(Operation, UUID(row["id"])), session.get(Entry, UUID(row["id"]))
    if not found.must(operation is not None and entry is not None and entry.event is not None, f"{name}: not there"):
        return
    assert operation
    assert entry
    assert entry.event
    found.states[operation.state.value] += 1
    found.must(operation.state is OperationState.applied, f"{name}: {operation.state} {operation.code}")
    found.must((entry.kid, entry.counter) == (row["kid"], row["counter"]), f"{name}: another counter")
    event = events.read(entry.event)
    found.must(event.fields["typ"] == row["typ"], f"{name}: another kind")
    kept = session.get(Opening, entry.id)  # none where nothing is behind a commitment
    opening = (kept.content if kept else None) or {}
    BOUND[row["typ"]](session, found, row, opening)
    _evidence(session, found, name, event, opening, row["tapped"], files)


def _round(session: Session, found: Arrived, row: dict[str, Any], _: dict[str, Any]) -> None:
    state = session.get_one(Round, UUID(row["subject"]["round"])).state
    found.must(state == RoundState.finished, f"{row['typ']}: the round is {state}")


def _arrival(session: Session, found: Arrived, row: dict[str, Any], _: dict[str, Any]) -> None:
    stop = session.get_one(Stop, UUID(row["tapped"]["stop"]))
    found.must(row["subject"]["stop"] == str(stop.id), f"{row['id']}: another stop")
    found.must(stop.arrived_device_at == events.read(_event(session, row)).device_at, f"{stop.id}: arrived when?")


def _failure(session: Session, found: Arrived, row: dict[str, Any], opening: dict[str, Any]) -> None:
    stop = session.get_one(Stop, UUID(row["tapped"]["stop"]))
    found.must(row["subject"]["stop"] == str(stop.id), f"{row['id']}: another stop")
    found.must(stop.state is StopState.failed, f"{stop.id}: {stop.state}")
    found.must(opening.get("note") == row["tapped"]["note"], f"{row['id']}: another note")


def _handover(session: Session, found: Arrived, row: dict[str, Any], opening: dict[str, Any]) -> None:
    handover = session.get(Handover, UUID(row["id"]))
    if not found.must(handover is not None, f"{row['id']}: no handover"):
        return
    assert handover
    event = events.read(_event(session, row)).fields
    found.must(str(handover.item_id) == row["subject"]["item"] == event["item"], f"{row['id']}: another item")
    found.must(handover.leg == event["leg"], f"{row['id']}: another leg")
    if not row["tapped"].get("stop"):
        found.must(handover.to_role == "office", f"{row['id']}: to {handover.to_role}, not to the office")
        return
    stop = session.get_one(Stop, UUID(row["tapped"]["stop"]))
    found.must(stop.job.item_id == handover.item_id, f"{row['id']}: not the item of its door")
    found.must(event["stop"] == str(stop.id) and stop.state is StopState.done, f"{row['id']}: another stop")
    found.must(opening.get("seal") == row["tapped"]["seal"], f"{row['id']}: another seal")
    found.must(handover.receiver_name == row["tapped"]["receiver"], f"{row['id']}: another receiver")


def _settlement(session: Session, found: Arrived, row: dict[str, Any], _: dict[str, Any]) -> None:
    settlement = session.get(Settlement, UUID(row["id"]))
    paid = select(Voucher.handover_id, Voucher.amount).where(Voucher.settlement_id == UUID(row["id"]))
    vouchers = {str(handover): amount for handover, amount in session.execute(paid)}
    found.must(set(vouchers) == set(row["fields"]["handovers"]), f"{row['id']}: other vouchers")
    found.must(settlement is not None and settlement.amount == sum(vouchers.values()), f"{row['id']}: another amount")


def _remark(session: Session, found: Arrived, row: dict[str, Any], opening: dict[str, Any]) -> None:
    # The first about an event opens a case, and those that follow are added to it: in exactly one place, once.
    of = row["tapped"]["of"]
    cases = session.scalars(select(Case).where(Case.kind == CaseKind.remark, Case.detail["of"].astext == of)).all()
    places = sum([str(c.operation_id), *c.detail.get("again", ())].count(row["id"]) for c in cases)
    found.must(places == 1, f"{row['id']}: a remark in {places} places of the cases about {of}")
    found.must(opening.get("note") == row["tapped"]["note"], f"{row['id']}: another note")


BOUND = {
    "courier.start": _round,
    "courier.finish": _round,
    "courier.arrival": _arrival,
    "courier.failure": _failure,
    "custody.handover": _handover,
    "courier.settlement": _settlement,
    "courier.remark": _remark,
}


def _event(session: Session, row: dict[str, Any]) -> bytes:
    event = session.get_one(Entry, UUID(row["id"])).event
    assert event
    return event


def _evidence(
    session: Session,
    found: Arrived,
    name: str,
    event: events.Event,
    opening: dict[str, Any],
    tapped: dict[str, Any],
    files: dict[str, dict[str, Any]],
) -> None:
    """The bytes that the phone had, the commitment in its event, and what is kept are one and the same."""
    committed = {kind: digest for kind, digest in event.commitments.items() if kind in ("strokes", "photo")}
    found.must(set(committed) == set(files), f"{name}: commits to {sorted(committed)}, the phone had {sorted(files)}")
    found.must(("photo" in files) == bool(tapped.get("photo")), f"{name}: a photo is missing, or too much")
    kept = session.scalars(select(Evidence).where(Evidence.entry_id == event.id)).all()
    found.must(sorted(one.kind.value for one in kept) == sorted(files), f"{name}: kept is {len(kept)}")
    for one in kept:
        uploads = session.scalars(select(Upload).where(Upload.entry_id == event.id, Upload.kind == one.kind)).all()
        digests = [(u.digest.hex() if u.digest else None, u.kept_at is not None, u.fault) for u in uploads]
        there = files.get(one.kind.value, {}).get("sha256")
        found.must(digests == [(there, True, None)], f"{name}: {one.kind} came as {digests}")
        found.must(_signed(session, one) == committed.get(one.kind.value), f"{name}: {one.kind} is not what was signed")
        found.must(one.kind.value in opening["salts"], f"{name}: {one.kind} without a salt")
        found.files += 1


def _signed(session: Session, one: Evidence) -> str:
    """The commitment that a kept file stands for: a photo is encoded anew, which the operator signs."""
    if one.proof_id is None:
        return one.digest.hex()
    proof = session.get_one(Entry, one.proof_id).event
    assert proof
    said = events.read(proof).fields
    return str(said["original"]) if said["stored"] == one.digest.hex() else "no proof"


def _nothing_else(
    session: Session, found: Arrived, rows: Sequence[dict[str, Any]], files: Sequence[dict[str, Any]]
) -> None:
    kids = {row["kid"] for row in rows}
    ids = [UUID(row["id"]) for row in rows]
    people = set(session.scalars(select(Operation.person_id).where(Operation.id.in_(ids))))

    def count(model: Any, *where: Any) -> int:
        return session.scalar(select(func.count()).select_from(model).where(*where)) or 0

    handovers = sum(row["typ"] == "custody.handover" for row in rows)
    remarks = sum(row["typ"] == "courier.remark" for row in rows)
    cases = session.scalars(select(Case).where(Case.person_id.in_(people), Case.kind == CaseKind.remark)).all()
    for what, there, wanted in (
        ("events", count(Entry, Entry.kid.in_(kids)), len(rows)),
        ("operations", count(Operation, Operation.person_id.in_(people)), len(rows)),
        ("handovers", count(Handover, Handover.recorded_by.in_(people)), handovers),
        ("remarks", sum(1 + len(case.detail.get("again", ())) for case in cases), remarks),
        ("uploads", count(Upload, Upload.person_id.in_(people)), len(files)),
        ("other cases", count(Case, Case.person_id.in_(people), Case.kind != CaseKind.remark), 0),
    ):
        found.must(there == wanted, f"{there} {what} on the server, {wanted} on the phone")
    previous = events.NO_EVENT
    for row in sorted(rows, key=lambda one: one["counter"]):
        entry = session.get(Entry, UUID(row["id"]))
        if entry is None or entry.event is None:
            continue
        found.must(events.read(entry.event).previous == previous, f"{row['id']}: does not follow on")
        previous = hashlib.sha256(entry.event).digest()


def shown(found: Arrived) -> str:
    """The first of what is wrong, as lines."""
    return "\n".join(found.wrong[:SHOWN]) + (f"\n… {json.dumps(len(found.wrong))}" if len(found.wrong) > SHOWN else "")
