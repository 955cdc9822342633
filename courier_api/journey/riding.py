"""The courier's part: start a round, arrive, hand over at the door or say why not, come back."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from courier_api.custody import holding, uploads
from courier_api.custody.holding import Line, Party, Proof
from courier_api.custody.models import Handover, IdentityCheck, Receiver
from courier_api.db import now, point
from courier_api.dossiers import cases
from courier_api.dossiers.models import Dossier, PostalItem
from courier_api.dossiers.states import DossierAction, DossierState, ItemKind
from courier_api.errors import FieldError, Invalid, NotFound, Refused
from courier_api.jobs import work
from courier_api.jobs.models import Job
from courier_api.jobs.states import NOT_VISITED, FailureReason, JobKind, NextAction, Outcome
from courier_api.money import quoting, settling
from courier_api.people.models import Person, Role
from courier_api.procedures.models import Authorization, DocumentRequirement
from courier_api.rounds import daywork, riding
from courier_api.rounds.models import Round, Stop
from courier_api.rounds.states import ArrivedWhy, Half, RoundState, StopAction, StopState

FARTHEST_WISH = timedelta(days=30)
DOORS = "doors"  # in a session's info
# What can be known before the door is reached; for all else the courier must have been there.
AWAY_FROM_DOOR = NOT_VISITED | {FailureReason.road_closed, FailureReason.unsafe, FailureReason.postponed}


@dataclass(frozen=True, slots=True)
class CountedLine:
    """A paper counted at the door: `position` is its line in the dossier's document list."""

    position: int
    originals: int
    copies: int


@dataclass(frozen=True, slots=True)
class DoorHandover:
    """What a courier records at a door."""

    handover_id: UUID
    stop_id: UUID
    lines: Sequence[CountedLine]
    proof: Proof
    digest: bytes
    extra: Sequence[Line] = ()  # beyond the checklist, each with its reason


@dataclass(frozen=True, slots=True)
class _Door:
    """What was read of a door before anything is done there."""

    owed: int
    last: Handover | None


@contextmanager
def at_doors(session: Session, courier: Person, stop_ids: Collection[UUID]) -> Iterator[None]:
    """Lock and read at once what is needed to do many things at these stops, one after the other in this block."""
    with riding.taken(session, courier, stop_ids) as stops:
        times = Counter(stop.job.dossier_id for stop in stops)
        # Of a dossier with two doors here, the second is read when the first is done.
        once = [stop for stop in stops if times[stop.job.dossier_id] == 1]
        owed = quoting.due_of(session, list(times)) if once else {}
        last = holding.last_handovers(session, [stop.job.item_id for stop in once]) if once else {}
        session.info[DOORS] = {s.id: _Door(owed[s.job.dossier_id], last.get(s.job.item_id)) for s in once}
        try:
            yield
        finally:
            del session.info[DOORS]


def _read(session: Session, stop: Stop) -> _Door:
    """What was read of a stop's door, the first time that it is asked for; else what is there now."""
    known: _Door | None = session.info.get(DOORS, {}).pop(stop.id, None)
    if known is not None:
        return known
    item = stop.job.item
    holding.lock(session, item)
    return _Door(quoting.due(session, stop.job.dossier), holding.last_handover(session, item.id))


def start_round(session: Session, courier: Person, round_: Round) -> Round:
    """Leave the office; every item to be delivered must be in the courier's hands. Raises Refused.

    He asks while he still stands there, and can be told what he has not loaded.
    """
    if round_.state is not RoundState.started:
        wanted = riding.to_deliver(session, round_)
        held = holding.held_among(session, Party.courier(courier), wanted)
        missing = [number for item_id, number in wanted.items() if item_id not in held]
        if missing:
            raise Refused("items_not_loaded", tracking_numbers=", ".join(missing[:5]), count=len(missing))
        if riding.has_started(session, courier):
            raise Refused("another_round_started")
    return leave_office(session, round_)


def leave_office(session: Session, round_: Round, device_at: datetime | None = None) -> Round:
    """The courier has left, with whatever he has on him; leaving again changes nothing. Raises Refused.

    What was signed on the phone says itself when that was, and has happened: were it refused for a bag that is missing,
    or for the end of the morning's round that a dispatcher has to look at, all of his day would be refused behind it.
    """
    if round_.state is not RoundState.started:
        riding.start(round_, device_at)
        session.flush()
    return round_


def finish_round(session: Session, round_: Round, device_at: datetime | None = None) -> Round:
    """Be back at the office with every stop ended; finishing again changes nothing."""
    if round_.state is not RoundState.finished:
        riding.finish(round_, device_at)
        session.flush()
    return round_


def see_plan(session: Session, courier: Person, round_id: UUID, version: int, at: datetime) -> None:
    """The courier has seen what became of his round; raises NotFound, or Refused for a version that is not there."""
    riding.see(session, riding.round_of(session, courier, round_id, lock=True), version, at)


def arrive(
    session: Session,
    courier: Person,
    stop_id: UUID,
    device_at: datetime,
    place: tuple[float, float] | None,
    why: ArrivedWhy | None = None,
) -> Stop:
    """Be at the door, or say why elsewhere; arriving again changes nothing."""
    stop = riding.stop_of(session, courier, stop_id, lock=True)
    if stop.state is StopState.pending:
        riding.arrive(stop, device_at, place, why)
    elif stop.state is StopState.cancelled:
        raise Refused("stop_cancelled")
    return stop


def fail_stop(
    session: Session,
    courier: Person,
    stop_id: UUID,
    reason: FailureReason,
    next_action: NextAction,
    note: str,
    device_at: datetime,
    place: tuple[float, float] | None,
    missing: Sequence[CountedLine] = (),
    called: Sequence[str] = (),
    attempt_id: UUID | None = None,
    wished: tuple[date, Half] | None = None,
) -> Stop:
    """Leave a door with nothing changed hands, and say why; the same report again changes nothing.

    `missing` are papers of the checklist as they were shown, short of what it asks: the supplement slip lists them.
    `called` is when the courier's app rang the citizen up, in the words of the event; `wished` is the half-day on which
    the citizen asked to be visited in place of this one.
    """
    dossier, stop = _dossier_and_stop(session, courier, stop_id)
    if stop.state is StopState.failed and stop.job.attempts and stop.job.attempts[-1].reason is reason:
        return stop
    riding.require_riding(stop)
    if stop.state is StopState.pending and reason not in AWAY_FROM_DOOR:
        raise Refused("not_at_the_door", "/reason")
    short = _short_of(dossier, missing) if missing else None
    riding.end(stop, StopAction.fail)
    work.fail_attempt(
        session,
        stop.job,
        courier,
        reason,
        next_action,
        note,
        device_at,
        point(*place) if place else None,
        short,
        called,
        attempt_id,
        _agreed(wished),
    )
    cases.tell(
        session,
        dossier,
        f"{stop.job.kind.value}_failed",
        device_at=device_at,
        reason=reason.value,
        next=next_action.value,
    )
    session.flush()
    return stop


def _agreed(wished: tuple[date, Half] | None) -> tuple[datetime, datetime] | None:
    """The window of a half-day that a citizen asked for; none when it is over by the time the phone has sent it."""
    if wished is None:
        return None
    window = daywork.half_day(*wished)
    return window if now() < window[1] <= now() + FARTHEST_WISH else None


def record_handover(session: Session, courier: Person, door: DoorHandover) -> Handover:
    """Take papers from a citizen, or give them the result, as `hand_over` does.

    Sent again with the same content it answers with what was recorded.
    """
    known = holding.replayed(session, courier, door.handover_id, door.digest)
    if known is not None:
        return known
    dossier, stop = _dossier_and_stop(session, courier, door.stop_id)
    # Two sendings at once: the second waited for the lock and finds the first one's record.
    known = holding.replayed(session, courier, door.handover_id, door.digest)
    if known is not None:
        return known
    handover = _hand_over(session, courier, door, dossier, stop)
    session.flush()
    uploads.bind(session, [handover.id])
    return handover


def hand_over(session: Session, courier: Person, door: DoorHandover) -> Handover:
    """Take papers from a citizen, or give them the result: custody, job, stop, dossier and cash in one step.

    Raises Invalid naming each requirement that is missing, Refused for a wrong state or when the giver does not hold
    the item.
    """
    return _hand_over(session, courier, door, *_dossier_and_stop(session, courier, door.stop_id))


def _hand_over(session: Session, courier: Person, door: DoorHandover, dossier: Dossier, stop: Stop) -> Handover:
    job = stop.job
    read = _read(session, stop)
    riding.end(stop, StopAction.complete)
    _require(job, dossier, door.proof, read.owed)
    if door.extra and job.kind is not JobKind.pickup:
        raise Invalid("documents_do_not_match", FieldError("/extra", "extra_not_here"))
    citizen, mine = Party.citizen(dossier), Party.courier(courier)
    giver, taker = (citizen, mine) if job.kind is JobKind.pickup else (mine, citizen)
    lines = _pickup_lines(dossier, door) if job.kind is JobKind.pickup else _same_lines(read.last, door.lines)
    handover = holding.follow(
        session,
        read.last,
        door.handover_id,
        door.digest,
        job.item,
        giver,
        taker,
        lines,
        door.proof,
        (courier, Role.courier),
        stop=str(stop.id),
    )
    if read.owed:
        quoting.give_voucher(session, dossier, handover.id, courier.id, read.owed, door.proof.device_at)
    settling.recall(session, handover.id, courier.id, door.proof.recalled)
    work.close(job, Outcome.succeeded)
    _move_on(session, dossier, job, door.proof)
    return handover


def record_anyway(session: Session, courier: Person, door: DoorHandover, item_id: UUID) -> Handover:
    """Record what a courier signed although no plan knows of it: it happened, and a dispatcher has said so.

    Custody moves if the giver holds the item; what is required at a door is not asked again, the papers are as counted.
    """
    item = session.get(PostalItem, item_id)
    if item is None:
        raise NotFound
    dossier = cases.locked(session, item.dossier_id)
    citizen, mine = Party.citizen(dossier), Party.courier(courier)
    held = holding.next_leg(session, item).holder
    pickup = held == citizen
    giver, taker = (citizen, mine) if pickup else (mine, citizen)
    handover = holding.record(
        session,
        door.handover_id,
        door.digest,
        item,
        giver,
        taker,
        [*_as_counted(session, dossier, item, door.lines, pickup=pickup), *door.extra],
        door.proof,
        (courier, Role.courier),
        stop=str(door.stop_id),
    )
    if door.proof.fee_collected:
        quoting.give_voucher(session, dossier, handover.id, courier.id, door.proof.fee_collected, door.proof.device_at)
    settling.recall(session, handover.id, courier.id, door.proof.recalled)
    job = work.open_job_of(session, dossier, JobKind.pickup if pickup else JobKind.delivery, lock=True)
    if job is not None:
        riding.cancel_stop_of(session, job)
        work.close(job, Outcome.succeeded)
    result = item.kind is ItemKind.result
    # By decision and not by a move: the state from which it would be one is what the world did not keep to.
    if pickup:
        dossier.state = DossierState.out_for_delivery if result else DossierState.collected
    else:
        dossier.state = DossierState.delivered if result else DossierState.returned
    kind = "collected" if pickup else "delivered" if result else "returned"
    cases.tell(session, dossier, kind, device_at=door.proof.device_at, seal_number=door.proof.seal_number)
    session.flush()
    return handover


def _as_counted(
    session: Session, dossier: Dossier, item: PostalItem, counted: Sequence[CountedLine], *, pickup: bool
) -> list[Line]:
    last = holding.last_handover(session, item.id)
    names = (
        {d.position: (d.requirement.name, None) for d in dossier.documents}
        if pickup
        else {line.position: (line.name, line.reason) for line in (last.lines if last else [])}
    )
    found = []
    for line in sorted((line for line in counted if line.position in names), key=lambda line: line.position):
        name, reason = names[line.position]
        found.append(Line(name, line.originals, line.copies, reason))
    return found


def _move_on(session: Session, dossier: Dossier, job: Job, proof: Proof) -> None:
    if job.kind is JobKind.pickup:
        cases.move(dossier, DossierAction.collect)
        cases.tell(session, dossier, "collected", device_at=proof.device_at, seal_number=proof.seal_number)
    elif job.item.kind is ItemKind.result:
        cases.move(dossier, DossierAction.deliver)
        cases.tell(session, dossier, "delivered", device_at=proof.device_at)
    else:
        cases.move(dossier, DossierAction.give_back)
        cases.tell(session, dossier, "returned", device_at=proof.device_at)


def _dossier_and_stop(session: Session, courier: Person, stop_id: UUID) -> tuple[Dossier, Stop]:
    """Lock the dossier, then the stop: the order that everybody keeps, so that nobody waits in a circle."""
    stop = riding.stop_of(session, courier, stop_id)
    if riding.is_taken(session, stop_id):
        return stop.job.dossier, stop
    dossier = cases.locked(session, stop.job.dossier_id)
    return dossier, riding.stop_of(session, courier, stop_id, lock=True)


def _short_of(dossier: Dossier, missing: Sequence[CountedLine]) -> list[list[int]]:
    """Papers named on a supplement slip must be on the checklist: nothing beyond it may be asked for."""
    checklist = {r.position for r in dossier.procedure_version.requirements}
    faults = [
        FieldError(f"/missing/{n}/position", "not_on_checklist")
        for n, line in enumerate(missing)
        if line.position not in checklist
    ]
    if faults:
        raise Invalid("documents_do_not_match", *faults)
    return [[line.position, line.originals, line.copies] for line in missing]


def requirements(job: Job, owed: int) -> dict[str, object]:
    """What a handover at this door must show; the same table drives the courier's screen and the refusal."""
    pickup = job.kind is JobKind.pickup
    return {
        "signature": True,
        "identity": True,
        "documents": True,
        "seal": pickup,
        "receiver": not pickup,
        "fee": owed,
        "recalled": to_recall(job),
    }


def to_recall(job: Job) -> list[DocumentRequirement]:
    """The old originals to be taken back with a result; what went in with the papers is with the agency already."""
    if job.kind is not JobKind.delivery or job.item.kind is not ItemKind.result:
        return []
    handed_in = {document.position for document in job.dossier.documents if document.originals}
    checklist = job.dossier.procedure_version.requirements
    return [paper for paper in checklist if paper.recalled_original and paper.position not in handed_in]


def _recall_faults(job: Job, recalled: Sequence[tuple[int, int]]) -> list[FieldError]:
    """What is wrong with what was taken back; of an optional paper there may be none, and that is said."""
    due = {paper.position: paper for paper in to_recall(job)}
    faults = []
    for index, (position, originals) in enumerate(recalled):
        paper = due.pop(position, None)
        if paper is None or originals > paper.originals:
            faults.append(FieldError(f"/recalled/{index}", "nothing_to_recall"))
        elif paper.mandatory and originals < paper.originals:
            faults.append(FieldError(f"/recalled/{index}", "recalled_missing", {"name": paper.name}))
    return faults + [FieldError("/recalled", "recalled_missing", {"name": paper.name}) for paper in due.values()]


def _require(job: Job, dossier: Dossier, proof: Proof, owed: int) -> None:
    needed = requirements(job, owed)
    faults = []
    if not proof.signatures and not proof.strokes_follow:
        faults.append(FieldError("/signatures", "signature_missing"))
    if proof.identity_check in (None, IdentityCheck.none):
        faults.append(FieldError("/identity_check", "identity_missing"))
    if needed["seal"] and not proof.seal_number:
        faults.append(FieldError("/seal_number", "seal_missing"))
    if needed["receiver"]:
        if proof.receiver is None:
            faults.append(FieldError("/receiver", "receiver_missing"))
        elif proof.receiver is not Receiver.self_:
            if not proof.receiver_name:
                faults.append(FieldError("/receiver_name", "receiver_name_missing"))
            rule = dossier.procedure_version.authorization
            exempt = rule is Authorization.family_exempt and proof.receiver is Receiver.family
            if rule is Authorization.forbidden:
                faults.append(FieldError("/receiver", "only_in_person"))
            elif not exempt and not proof.authorization_reference:
                faults.append(FieldError("/authorization_reference", "authorization_missing"))
    if proof.fee_collected != owed:
        faults.append(FieldError("/fee_collected", "fee_differs"))
    faults += _recall_faults(job, proof.recalled)
    if faults:
        raise Invalid("requirements_missing", *faults, fee=owed)


def _pickup_lines(dossier: Dossier, door: DoorHandover) -> list[Line]:
    """The announced papers as counted at the door, each of them; a courier may not ask for more.

    What the citizen wants to go with them, or an agency's letter asks for, stands behind them with the reason.
    """
    announced = {d.position: d for d in dossier.documents}
    faults = []
    lines = {}
    for index, line in enumerate(door.lines):
        document = announced.get(line.position)
        pointer = f"/lines/{index}"
        if document is None:
            faults.append(FieldError(f"{pointer}/position", "not_on_checklist"))
        elif line.position in lines:
            faults.append(FieldError(f"{pointer}/position", "given_twice"))
        else:
            requirement = document.requirement
            if requirement.mandatory and (line.originals < requirement.originals or line.copies < requirement.copies):
                faults.append(FieldError(pointer, "paper_missing"))
            lines[line.position] = Line(requirement.name, line.originals, line.copies)
    faults += [FieldError("/lines", "line_not_counted") for position in announced if position not in lines]
    for index, paper in enumerate(door.extra):
        if paper.originals + paper.copies == 0:
            faults.append(FieldError(f"/extra/{index}", "count_is_zero"))
    if faults:
        raise Invalid("documents_do_not_match", *faults)
    return [*(lines[position] for position in sorted(lines)), *door.extra]


def _same_lines(last: Handover | None, counted: Sequence[CountedLine]) -> list[Line]:
    return holding.recount_of(last, [(c.position, c.originals, c.copies) for c in counted])
