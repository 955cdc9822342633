"""The states of a plan, a round and a stop, and the moves between them."""

from enum import StrEnum


class Half(StrEnum):
    """The two halves of a courier's day; after each the courier is back at the office."""

    morning = "morning"
    afternoon = "afternoon"


class PlanState(StrEnum):
    """How far the planning of a half-day is."""

    queued = "queued"
    running = "running"
    done = "done"
    failed = "failed"


class RemedyKind(StrEnum):
    """What a dispatcher can change to let a job in that a plan left out."""

    longer_shift = "longer_shift"
    longer_window = "longer_window"
    earlier_window = "earlier_window"
    larger_load = "larger_load"


class RoundState(StrEnum):
    """A round is drawn up, shown to its courier, ridden, and finished."""

    draft = "draft"
    published = "published"
    started = "started"
    finished = "finished"
    withdrawn = "withdrawn"  # taken from its courier: fallen ill, motorbike broken


class RoundAction(StrEnum):
    """What moves a round on."""

    publish = "publish"
    start = "start"
    finish = "finish"
    withdraw = "withdraw"


class StopState(StrEnum):
    """How a stop went."""

    pending = "pending"
    arrived = "arrived"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"


class ArrivedWhy(StrEnum):
    """Why an arrival is not at the door of the address, or has no place."""

    gps_wrong = "gps_wrong"
    met_elsewhere = "met_elsewhere"
    address_wrong = "address_wrong"
    no_signal = "no_signal"


class StopAction(StrEnum):
    """What happens at a stop."""

    arrive = "arrive"
    complete = "complete"
    fail = "fail"
    cancel = "cancel"


_R, _RA, _S, _SA = RoundState, RoundAction, StopState, StopAction

ROUND: dict[tuple[RoundState, RoundAction], RoundState] = {
    (_R.draft, _RA.publish): _R.published,
    (_R.published, _RA.start): _R.started,
    (_R.started, _RA.finish): _R.finished,
    (_R.published, _RA.withdraw): _R.withdrawn,
    (_R.started, _RA.withdraw): _R.withdrawn,
}

STOP: dict[tuple[StopState, StopAction], StopState] = {
    (_S.pending, _SA.arrive): _S.arrived,
    (_S.pending, _SA.cancel): _S.cancelled,
    (_S.arrived, _SA.complete): _S.done,
    (_S.arrived, _SA.fail): _S.failed,
    (_S.pending, _SA.fail): _S.failed,  # for reasons that need no door, see journey.riding
    (_S.arrived, _SA.cancel): _S.cancelled,
}
