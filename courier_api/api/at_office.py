"""What a courier's phone does at the post office: bags given in, cash settled, the clerk signing on it by hand."""

from typing import Any

from marshmallow import fields, validate
from sqlalchemy.orm import Session

from courier_api.api import said
from courier_api.api.evidence import CountedLineIn, ProofIn, SignatureIn, proof
from courier_api.api.said import OperationIn
from courier_api.custody import holding
from courier_api.custody.entries import Accepted
from courier_api.custody.holding import Stroke
from courier_api.errors import FieldError, Invalid
from courier_api.journey import returning
from courier_api.journey.counter import CounterHandover
from courier_api.journey.riding import CountedLine
from courier_api.people.models import Person

BY_HAND = frozenset({"strokes", "photo"})


class OfficeBeside(ProofIn):
    """A bag given in at the post office, its papers counted again."""

    id = fields.UUID(required=True)
    item_id = fields.UUID(required=True)
    lines = fields.List(fields.Nested(CountedLineIn), required=True, validate=validate.Length(0, 100))
    strokes_follow = fields.Boolean(load_default=False)

    class Meta:
        exclude = ("signed",)


class SettlementBeside(OperationIn):
    """Cash paid in: the clerk's signature, or that it comes as an upload."""

    signatures = fields.List(fields.Nested(SignatureIn), load_default=list, validate=validate.Length(0, 4))
    strokes_follow = fields.Boolean(load_default=False)


def hand_over(session: Session, courier: Person, accepted: Accepted, body: dict[str, Any], digest: bytes) -> None:
    """Give a bag in."""
    returning.hand_to_office(session, courier, *_taker(accepted), _given(accepted, body, digest))


def hand_over_anyway(
    session: Session, courier: Person, accepted: Accepted, body: dict[str, Any], digest: bytes
) -> None:
    """Record that a bag was given in, as a dispatcher decided."""
    returning.hand_to_office_anyway(session, courier, *_taker(accepted), _given(accepted, body, digest))


def _taker(accepted: Accepted) -> tuple[str, str]:
    """The codes of the post office and of its clerk."""
    office = accepted.event.fields["to"].get("id")
    if not isinstance(office, str):
        raise said.malformed()
    return office, said.code_in(accepted, "by")


def _given(accepted: Accepted, body: dict[str, Any], digest: bytes) -> CounterHandover:
    lines = [CountedLine(**line) for line in body["lines"]]
    return CounterHandover(accepted.event.id, body["item_id"], lines, proof(body, accepted), digest)


def settle(
    session: Session,
    courier: Person,
    accepted: Accepted,
    body: dict[str, Any],
    digest: bytes,
    *,
    anyway: bool = False,
) -> None:
    """Pay cash in against vouchers; the clerk's hand is asked for whatever a dispatcher decides."""
    paid = returning.Paid(
        said.code_in(accepted, "office"),
        said.code_in(accepted, "by"),
        said.whole_in(accepted, "amount"),
        said.ids_in(accepted, "handovers"),
        said.ids_in(accepted, "recalled"),
    )
    written = holding.written_by_hand([Stroke(**one) for one in body["signatures"]])
    clerk = any(one["relationship"] == returning.CLERK for one in body["signatures"])
    if not clerk and not (body["strokes_follow"] and "strokes" in accepted.event.commitments):
        raise Invalid("requirements_missing", FieldError("/signatures", "clerk_signature_missing"))
    said.opened(session, accepted, {}, written, BY_HAND if body["strokes_follow"] else said.PHOTO)
    event, at = accepted.event, accepted.entry.received_at
    returning.settle(session, courier, event.id, paid, event.device_at, at, anyway=anyway)
