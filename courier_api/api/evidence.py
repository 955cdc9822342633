"""What is recorded with a handover, as it comes in and as it is shown."""

from typing import Any

from marshmallow import Schema, fields, validate

from courier_api.api.fields import Moment, Place, Text
from courier_api.custody.holding import Proof, Stroke
from courier_api.custody.models import IdentityCheck, Receiver


class CountedLineIn(Schema):
    """A paper as counted: the line's position in the list, originals and copies apart."""

    position = fields.Integer(required=True, validate=validate.Range(1, 200), strict=True)
    originals = fields.Integer(required=True, validate=validate.Range(0, 1000), strict=True)
    copies = fields.Integer(required=True, validate=validate.Range(0, 1000), strict=True)


class SignatureIn(Schema):
    """A signature by hand: strokes of points [x, y, milliseconds, pressure], integers."""

    signer_name = Text(120, required=True)
    relationship = Text(40, load_default="self")
    strokes = fields.List(
        fields.List(
            fields.List(
                fields.Integer(strict=True, validate=validate.Range(-100_000, 10_000_000)),
                validate=validate.Length(equal=4),
            ),
            validate=validate.Length(1, 5_000),
        ),
        required=True,
        validate=validate.Length(1, 500, error="signature_empty"),
        metadata={"example": [[[10, 12, 0, 50], [14, 18, 16, 60]]]},
    )


class ProofIn(Schema):
    """When, where and on what evidence something was handed over."""

    device_at = Moment(
        required=True, metadata={"description": "The device's own time; the server keeps its own beside it"}
    )
    place = fields.Nested(Place, load_default=None, allow_none=True)
    accuracy_m = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(0, 100_000))
    signatures = fields.List(fields.Nested(SignatureIn), load_default=list, validate=validate.Length(0, 4))


class DoorProofIn(ProofIn):
    """The evidence of a handover at a citizen's door."""

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


def proof(body: dict[str, Any]) -> Proof:
    """Put the evidence of a request together."""
    place = body.get("place") or {}
    return Proof(
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
        signatures=[Stroke(**s) for s in body.get("signatures", [])],
    )


class HandoverLineShown(Schema):
    """A paper as it was counted at a handover."""

    position = fields.Integer(required=True)
    name = fields.String(required=True)
    originals = fields.Integer(required=True)
    copies = fields.Integer(required=True)


class HandoverShown(Schema):
    """One change of custody, as recorded."""

    id = fields.UUID(required=True)
    item_id = fields.UUID(required=True)
    leg = fields.Integer(required=True)
    from_role = fields.String(required=True)
    from_name = fields.String(required=True)
    to_role = fields.String(required=True)
    to_name = fields.String(required=True)
    device_at = fields.AwareDateTime(required=True, metadata={"description": "When, by the device's clock"})
    at = fields.AwareDateTime(required=True, metadata={"description": "When, by the server's clock"})
    seal_number = fields.String(allow_none=True)
    receiver = fields.Enum(Receiver, by_value=True, allow_none=True)
    receiver_name = fields.String(allow_none=True)
    authorization_reference = fields.String(allow_none=True)
    fee_collected = fields.Integer(required=True)
    lines = fields.List(fields.Nested(HandoverLineShown), required=True)
    signature_digests = fields.Method(
        "_digests",
        metadata={
            "type": "array",
            "items": {"type": "string"},
            "description": "SHA-256 of each signature's strokes, bound to this handover",
        },
    )

    def _digests(self, handover: Any) -> list[str]:
        return [s.digest.hex() for s in handover.signatures]
