"""What is recorded with a handover, as it comes in and as it is shown."""

from typing import Any

from marshmallow import Schema, fields, validate

from courier_api.api.fields import Moment, Place, Text
from courier_api.api.schemas import NextLegShown
from courier_api.custody import holding
from courier_api.custody.entries import Accepted
from courier_api.custody.holding import Proof, Stroke
from courier_api.custody.models import IdentityCheck, Receiver
from courier_api.dossiers.states import ItemKind
from courier_api.guard.audience import db
from courier_api.journey import paperwork


class CountedLineIn(Schema):
    """A paper as counted: the line's position in the list, originals and copies apart."""

    position = fields.Integer(required=True, validate=validate.Range(1, 200), strict=True)
    originals = fields.Integer(required=True, validate=validate.Range(0, 1000), strict=True)
    copies = fields.Integer(required=True, validate=validate.Range(0, 1000), strict=True)


COORDINATES = (-100_000, 10_000_000)


class Strokes(fields.List):
    """Thousands of numbers: what is right is seen in one look, what is wrong is gone through with its pointers."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        return value if _are_strokes(value) else super()._deserialize(value, attr, data, **kwargs)


def _are_strokes(value: Any) -> bool:
    least, most = COORDINATES
    return type(value) is list and all(
        type(stroke) is list
        and 1 <= len(stroke) <= 5_000
        and all(
            type(point) is list and len(point) == 4 and all(type(n) is int and least <= n <= most for n in point)
            for point in stroke
        )
        for stroke in value
    )


class SignatureIn(Schema):
    """A signature by hand: strokes of points [x, y, milliseconds, pressure], integers."""

    signer_name = Text(120, required=True)
    relationship = Text(40, load_default="self")
    strokes = Strokes(
        fields.List(
            fields.List(
                fields.Integer(strict=True, validate=validate.Range(*COORDINATES)),
                validate=validate.Length(equal=4),
            ),
            validate=validate.Length(1, 5_000),
        ),
        required=True,
        validate=validate.Length(1, 500, error="signature_empty"),
        metadata={"example": [[[10, 12, 0, 50], [14, 18, 16, 60]]]},
    )


class CountersignatureIn(Schema):
    """The other side's signature over the same core, marked as a countersignature."""

    kid = fields.String(
        required=True,
        validate=validate.Regexp(r"^[0-9a-f]{16}\Z", error="wrong_form"),
        metadata={"example": "5f1c0d9a3b7e2468"},
    )
    signature = fields.String(required=True, validate=validate.Length(1, 200), metadata={"description": "base64"})


class SignedIn(Schema):
    """The device's own word: the event's bytes, the core that was signed, r || s, and the salts of its commitments."""

    event = fields.String(
        required=True,
        validate=validate.Length(1, 24_000),
        metadata={"description": "base64 of the event's canonical JSON; docs/custody.md says what stands in it"},
    )
    core = fields.String(required=True, validate=validate.Length(1, 400), metadata={"description": "base64, 114 bytes"})
    signature = fields.String(
        required=True, validate=validate.Length(1, 200), metadata={"description": "base64 of 64 bytes, the lower s"}
    )
    salts = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 40)),
        values=fields.String(validate=validate.Length(1, 100)),
        load_default=dict,
        metadata={"description": "base64 of 32 bytes for each commitment, by its name"},
    )
    countersignature = fields.Nested(CountersignatureIn, load_default=None, allow_none=True)


class ProofIn(Schema):
    """When, where and on what evidence something was handed over."""

    signed = fields.Nested(SignedIn, required=True)
    device_at = Moment(
        required=True, metadata={"description": "The device's own time; the server keeps its own beside it"}
    )
    place = fields.Nested(Place, load_default=None, allow_none=True)
    accuracy_m = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(0, 100_000))
    signatures = fields.List(fields.Nested(SignatureIn), load_default=list, validate=validate.Length(0, 4))


class DoorProofIn(ProofIn):
    """The evidence of a handover at a citizen's door."""

    strokes_follow = fields.Boolean(
        load_default=False,
        metadata={"description": "The hand-written signatures come as an upload, bound by their hash"},
    )
    seal_number = Text(40, load_default=None, allow_none=True)
    identity_check = fields.Enum(IdentityCheck, by_value=True, load_default=None, allow_none=True)
    receiver = fields.Enum(Receiver, by_value=True, load_default=None, allow_none=True)
    receiver_name = Text(120, load_default=None, allow_none=True)
    authorization_reference = Text(
        120,
        load_default=None,
        allow_none=True,
        metadata={"description": "The written authorisation that was seen, where another than the applicant receives"},
    )
    fee_collected = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 1_000_000_000))


def proof(body: dict[str, Any], accepted: Accepted | None = None) -> Proof:
    """Put the evidence of a request together; `accepted` is its event when that stands in the ledger already."""
    place = body.get("place") or {}
    return Proof(
        signed=accepted or body["signed"],
        strokes_follow=body.get("strokes_follow", False),
        device_at=body["device_at"],
        lon=place.get("lon"),
        lat=place.get("lat"),
        accuracy_m=body.get("accuracy_m"),
        seal_number=body.get("seal_number"),
        identity_check=body.get("identity_check"),
        receiver=body.get("receiver"),
        receiver_name=body.get("receiver_name"),
        authorization_reference=body.get("authorization_reference"),
        fee_collected=body.get("fee_collected", 0),
        recalled=[(r["position"], r["originals"]) for r in body.get("recalled", [])],
        signatures=[Stroke(**s) for s in body.get("signatures", [])],
    )


class HandoverLineShown(Schema):
    """A paper as it was counted at a handover."""

    position = fields.Integer(required=True)
    name = fields.String(required=True)
    originals = fields.Integer(required=True)
    copies = fields.Integer(required=True)
    reason = fields.String(
        required=True, allow_none=True, metadata={"description": "Why a paper beyond the checklist was taken"}
    )


class CountedItemShown(Schema):
    """An item with its papers as they were last counted, and what its next handover must say of it."""

    id = fields.UUID(required=True)
    kind = fields.Enum(ItemKind, by_value=True, attribute="item.kind", required=True)
    tracking_number = fields.String(attribute="item.tracking_number", required=True)
    lines = fields.List(fields.Nested(HandoverLineShown), required=True)
    custody = fields.Nested(NextLegShown, required=True)


class HandoverShown(Schema):
    """One change of custody, as recorded."""

    id = fields.UUID(required=True)
    item_id = fields.UUID(required=True)
    leg = fields.Integer(required=True)
    from_role = fields.String(required=True)
    from_name = fields.Method("_from", required=True, metadata={"type": "string"})
    to_role = fields.String(required=True)
    to_name = fields.Method("_to", required=True, metadata={"type": "string"})
    device_at = fields.AwareDateTime(required=True, metadata={"description": "When, by the device's clock"})
    at = fields.AwareDateTime(required=True, metadata={"description": "When, by the server's clock"})
    seal_number = fields.String(allow_none=True)
    receiver = fields.Enum(Receiver, by_value=True, allow_none=True)
    receiver_name = fields.String(allow_none=True)
    authorization_reference = fields.String(allow_none=True)
    fee_collected = fields.Integer(required=True)
    lines = fields.List(fields.Nested(HandoverLineShown), required=True)
    kid = fields.String(attribute="entry.kid", required=True, metadata={"description": "The device that signed it"})

    receipt = fields.Method(
        "_receipt",
        required=True,
        metadata={
            "type": ["string", "null"],
            "description": "The digits that /verify reads, as the printed code has them",
        },
    )

    def _receipt(self, handover: Any) -> str | None:
        receipt = paperwork.receipt_of(db(), handover.entry)
        return receipt.digits() if receipt else None

    def _from(self, handover: Any) -> str:
        return holding.shown_names(db(), handover)[0]

    def _to(self, handover: Any) -> str:
        return holding.shown_names(db(), handover)[1]
