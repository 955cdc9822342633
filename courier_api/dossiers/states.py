"""The states of a dossier and of a postal item, and the moves between them."""

from enum import StrEnum


class DossierState(StrEnum):
    """Where a dossier stands on its way."""

    submitted = "submitted"  # booked; nothing has changed hands
    collected = "collected"  # a courier holds it
    at_office = "at_office"  # the post office holds it
    handed_over = "handed_over"  # on its way to the agency with a manifest
    received = "received"  # the agency has it and named a due date
    not_received = "not_received"  # the agency refused it; it goes back to the citizen
    result_ready = "result_ready"  # the post office holds the result
    out_for_delivery = "out_for_delivery"  # a courier holds the result (or the refused papers)
    delivered = "delivered"
    returned = "returned"  # refused papers are back with the citizen
    closed = "closed"  # send only: the agency has it and gives the result itself
    cancelled = "cancelled"


class DossierAction(StrEnum):
    """What moves a dossier on."""

    collect = "collect"
    bring_to_office = "bring_to_office"
    hand_over = "hand_over"
    receive = "receive"
    refuse = "refuse"
    close = "close"
    give_result = "give_result"
    load = "load"
    unload_result = "unload_result"  # a failed delivery: the bag is back at the post office
    unload_papers = "unload_papers"
    deliver = "deliver"
    give_back = "give_back"
    cancel = "cancel"


_S, _A = DossierState, DossierAction

DOSSIER: dict[tuple[DossierState, DossierAction], DossierState] = {
    (_S.submitted, _A.collect): _S.collected,
    (_S.submitted, _A.cancel): _S.cancelled,
    (_S.submitted, _A.give_result): _S.result_ready,  # return only: the citizen handed it in at the agency
    (_S.collected, _A.bring_to_office): _S.at_office,
    (_S.at_office, _A.hand_over): _S.handed_over,
    (_S.handed_over, _A.receive): _S.received,
    (_S.handed_over, _A.refuse): _S.not_received,
    (_S.received, _A.close): _S.closed,
    (_S.received, _A.give_result): _S.result_ready,
    (_S.result_ready, _A.load): _S.out_for_delivery,
    (_S.not_received, _A.load): _S.out_for_delivery,
    (_S.out_for_delivery, _A.unload_result): _S.result_ready,
    (_S.out_for_delivery, _A.unload_papers): _S.not_received,
    (_S.out_for_delivery, _A.deliver): _S.delivered,
    (_S.out_for_delivery, _A.give_back): _S.returned,
}


# Until it is listed for the agency, a dossier that goes out by post is between the citizen and the post.
BEFORE_AGENCY = frozenset({_S.submitted, _S.collected, _S.at_office})


class Service(StrEnum):
    """Which halves of the way go by post."""

    send = "send"
    return_ = "return"
    both = "both"


class Caution(StrEnum):
    """What a courier should know before he is at the door."""

    dog = "dog"
    gate = "gate"
    call_first = "call_first"


class ItemKind(StrEnum):
    """What a postal item holds."""

    send = "send"  # the citizen's papers, to the agency
    result = "result"  # what the agency gives back
