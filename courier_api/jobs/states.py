"""State, outcome and reason of a courier job are three fields."""

from enum import StrEnum


class JobKind(StrEnum):
    """What is to be done at the door."""

    pickup = "pickup"
    delivery = "delivery"


class JobState(StrEnum):
    """Whether there is still something to do."""

    open = "open"
    closed = "closed"


class Outcome(StrEnum):
    """How a closed job ended."""

    succeeded = "succeeded"
    failed = "failed"
    cancelled = "cancelled"


class FailureReason(StrEnum):
    """Why an attempt at the door failed."""

    not_home = "not_home"
    wrong_address = "wrong_address"
    wrong_phone = "wrong_phone"
    missing_document = "missing_document"
    identity_not_shown = "identity_not_shown"
    receiver_not_authorized = "receiver_not_authorized"
    refused = "refused"
    postponed = "postponed"
    unsafe = "unsafe"
    road_closed = "road_closed"
    out_of_time = "out_of_time"
    vehicle_broken = "vehicle_broken"


# Nobody went to the door: such a visit does not count towards the last one.
NOT_VISITED = frozenset({FailureReason.out_of_time, FailureReason.vehicle_broken})


class NextAction(StrEnum):
    """What follows a failed attempt."""

    try_again = "try_again"
    give_up = "give_up"
