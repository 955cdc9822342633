"""Shapes shared by several audiences; unknown fields are refused everywhere."""

import json
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from unicodedata import category, normalize
from urllib.parse import urlencode
from uuid import UUID

from flask import request
from marshmallow import Schema, ValidationError, fields, validate

from courier_api.custody.holding import Proof, Stroke
from courier_api.custody.models import IdentityCheck, Receiver
from courier_api.db import lon_lat
from courier_api.dossiers.states import DossierState, ItemKind, Service
from courier_api.guard.audience import db
from courier_api.guard.problems import language
from courier_api.jobs.states import FailureReason, JobKind, JobState, Outcome
from courier_api.messages import tell
from courier_api.money import quoting
from courier_api.places.models import PointQuality, ServicePointKind
from courier_api.rounds.states import Half, RoundState, StopState

# What a clock can say: a phone that was reset begins at 1970. At the ends of the calendar no zone can be reckoned.
YEARS = range(1970, 3000)


class Text(fields.String):
    """Text in NFC, trimmed; without control characters and halves of characters, which PostgreSQL cannot all keep."""

    def __init__(self, most: int, *, least: int = 1, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(least, most), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = normalize("NFC", super()._deserialize(value, attr, data, **kwargs)).strip()
        if any(category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text):
            raise ValidationError("bad_text")
        return text


class Moment(fields.AwareDateTime):
    """An RFC 3339 time with its offset; inside it is UTC, so that an answer reads the same now and when it is replayed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment = super()._deserialize(value, attr, data, **kwargs)
        if moment.year not in YEARS:
            raise ValidationError("bad_time")
        return moment.astimezone(UTC)


class Day(fields.Date):
    """A day, RFC 3339."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        day = super()._deserialize(value, attr, data, **kwargs)
        if day.year not in YEARS:
            raise ValidationError("bad_time")
        return day


class Place(Schema):
    """A point: WGS 84, degrees."""

    lon = fields.Float(required=True, validate=validate.Range(-180, 180), metadata={"example": 106.0582})
    lat = fields.Float(required=True, validate=validate.Range(-90, 90), metadata={"example": 20.6588})


class PointField(fields.Field[Any]):
    """A geometry column shown as {lon, lat}."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> dict[str, float] | None:
        if value is None:
            return None
        lon, lat = lon_lat(value)
        return {"lon": lon, "lat": lat}


def point_field(**kwargs: Any) -> fields.Field[Any]:
    """A point for dumping, documented as Place."""
    return PointField(
        dump_only=True,
        metadata={
            "type": "object",
            "properties": {"lon": {"type": "number"}, "lat": {"type": "number"}},
            "required": ["lon", "lat"],
        },
        **kwargs,
    )


class Window(Schema):
    """From when to when."""

    start = Moment(required=True, metadata={"example": "2026-11-24T08:00:00+07:00"})
    end = Moment(required=True, metadata={"example": "2026-11-24T10:00:00+07:00"})


class PageQuery(Schema):
    """Which page of a list."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.UUID(load_default=None, metadata={"description": "`next_cursor` of the page before"})


class Amounts(Schema):
    """Money is three lines; đồng."""

    state_fee = fields.Integer(required=True)
    postage = fields.Integer(required=True)
    fee_transfer = fields.Integer(required=True)
    total = fields.Integer(required=True)


class ServicePointShown(Schema):
    """A post office or a one-stop unit."""

    id = fields.UUID(required=True)
    kind = fields.Enum(ServicePointKind, by_value=True, required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    address = fields.String(required=True)
    point = point_field()
    point_quality = fields.Enum(
        PointQuality, by_value=True, metadata={"description": "How much the point can be trusted"}
    )


class CommuneShown(Schema):
    """A commune of today."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    postal_code = fields.String(allow_none=True)


class PersonShown(Schema):
    """A member of staff."""

    id = fields.UUID(required=True)
    full_name = fields.String(required=True)


class PaperShown(Schema):
    """A paper of a dossier against its checklist line."""

    position = fields.Integer(required=True)
    name = fields.String(required=True, attribute="requirement.name")
    originals = fields.Integer(required=True)
    copies = fields.Integer(required=True)


class CountedLineIn(Schema):
    """A paper as counted: the line's position in the list, originals and copies apart."""

    position = fields.Integer(required=True, validate=validate.Range(1, 200), strict=True)
    originals = fields.Integer(required=True, validate=validate.Range(0, 1000), strict=True)
    copies = fields.Integer(required=True, validate=validate.Range(0, 1000), strict=True)


class HandoverLineShown(Schema):
    """A paper as it was counted at a handover."""

    position = fields.Integer(required=True)
    name = fields.String(required=True)
    originals = fields.Integer(required=True)
    copies = fields.Integer(required=True)


class ItemShown(Schema):
    """A postal item."""

    id = fields.UUID(required=True)
    kind = fields.Enum(ItemKind, by_value=True, required=True)
    tracking_number = fields.String(required=True, metadata={"example": "EH123456785VN"})


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
        fee_collected=body.get("fee_collected", 0),
        signatures=[Stroke(**s) for s in body.get("signatures", [])],
    )


class EventShown(Schema):
    """A line of the timeline."""

    kind = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    device_at = fields.AwareDateTime(allow_none=True)
    text = fields.Method("_text", required=True, metadata={"type": "string"})

    def _text(self, event: Any) -> str:
        return tell(event.kind, language(), event.detail)


class TrackingShown(Schema):
    """What anyone with the link may see: no name, no address, no phone."""

    state = fields.Enum(DossierState, by_value=True, required=True)
    procedure = fields.String(attribute="procedure_version.name", required=True)
    tracking_numbers = fields.Method("_numbers", required=True, metadata={"type": "array", "items": {"type": "string"}})
    due_date = fields.Date(allow_none=True)
    timeline = fields.List(fields.Nested(EventShown), attribute="events", required=True)

    def _numbers(self, dossier: Any) -> list[str]:
        return [item.tracking_number for item in dossier.items]


class DossierShown(Schema):
    """A dossier as its citizen sees it."""

    id = fields.UUID(required=True)
    state = fields.Enum(DossierState, by_value=True, required=True)
    service = fields.Enum(Service, by_value=True, required=True)
    procedure_code = fields.String(attribute="procedure_version.procedure.code", required=True)
    procedure = fields.String(attribute="procedure_version.name", required=True)
    contact_name = fields.String(required=True)
    contact_phone = fields.String(required=True)
    address = fields.String(required=True)
    note = fields.String(required=True)
    point = point_field()
    commune = fields.Nested(CommuneShown, required=True)
    office = fields.Nested(ServicePointShown, required=True)
    centre = fields.Nested(ServicePointShown, required=True)
    competent_agency = fields.String(required=True)
    window_start = fields.AwareDateTime(allow_none=True)
    window_end = fields.AwareDateTime(allow_none=True)
    dossier_code = fields.String(allow_none=True)
    due_date = fields.Date(allow_none=True)
    refusal_reason = fields.String(allow_none=True)
    documents = fields.List(fields.Nested(PaperShown), required=True)
    items = fields.List(fields.Nested(ItemShown), required=True)
    tracking_link = fields.Method("_link", required=True, metadata={"type": "string"})
    charges = fields.Method("_charges", required=True, metadata={"$ref": "#/components/schemas/Amounts"})

    def _link(self, dossier: Any) -> str:
        return f"/t/{dossier.link_secret}"

    def _charges(self, dossier: Any) -> Any:
        return Amounts().dump(quoting.charges(db(), dossier))


class DossierRow(DossierShown):
    """A dossier in a list; its papers and charges are shown one by one."""

    class Meta:
        exclude = ("charges", "documents")


class JobShown(Schema):
    """A courier job as the dispatcher sees it."""

    id = fields.UUID(required=True)
    dossier_id = fields.UUID(required=True)
    kind = fields.Enum(JobKind, by_value=True, required=True)
    state = fields.Enum(JobState, by_value=True, required=True)
    outcome = fields.Enum(Outcome, by_value=True, allow_none=True)
    reason = fields.Enum(FailureReason, by_value=True, allow_none=True)
    tracking_number = fields.String(attribute="item.tracking_number", required=True)
    contact_name = fields.String(attribute="dossier.contact_name", required=True)
    contact_phone = fields.String(attribute="dossier.contact_phone", required=True)
    address = fields.String(attribute="dossier.address", required=True)
    note = fields.String(attribute="dossier.note", required=True)
    office_id = fields.UUID(required=True)
    point = point_field()
    window_start = fields.AwareDateTime(allow_none=True)
    window_end = fields.AwareDateTime(allow_none=True)


class StopShown(Schema):
    """A stop of a round with its job."""

    id = fields.UUID(required=True)
    position = fields.Integer(required=True)
    state = fields.Enum(StopState, by_value=True, required=True)
    arrival = fields.AwareDateTime(required=True)
    service_start = fields.AwareDateTime(required=True)
    departure = fields.AwareDateTime(required=True)
    arrived_at = fields.AwareDateTime(allow_none=True)
    arrived_metres = fields.Integer(
        allow_none=True, metadata={"description": "Metres between the courier and the door"}
    )
    ended_at = fields.AwareDateTime(allow_none=True)
    job = fields.Nested(JobShown, required=True)


class RoundShown(Schema):
    """A round without its stops."""

    id = fields.UUID(required=True)
    day = fields.Date(required=True)
    half = fields.Enum(Half, by_value=True, required=True)
    state = fields.Enum(RoundState, by_value=True, required=True)
    version = fields.Integer(required=True)
    courier = fields.Nested(PersonShown, required=True)
    office = fields.Nested(ServicePointShown, required=True)
    departs_at = fields.AwareDateTime(required=True)
    returns_at = fields.AwareDateTime(required=True)
    metres = fields.Integer(required=True)
    travel_seconds = fields.Integer(required=True)
    stop_count = fields.Integer(required=True)


def geometry_of(round_: Any) -> Any:
    """The line of a round as a GeoJSON geometry, None where there was no road graph."""
    return json.loads(round_.line_geojson) if round_.line_geojson else None


class RoundWithStops(RoundShown):
    """A round with its stops and its line."""

    stops = fields.List(fields.Nested(StopShown), required=True)
    line = fields.Function(geometry_of, metadata={"type": ["object", "null"], "description": "GeoJSON LineString"})


@cache
def page_of(shown: type[Schema]) -> type[Schema]:
    """The schema of one page of a list."""
    return Schema.from_dict(
        {
            "items": fields.List(fields.Nested(shown), required=True),
            "next_cursor": fields.UUID(allow_none=True, required=True),
        },
        name=f"{shown.__name__}Page",
    )


def page(rows: list[Any], limit: int) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Answer one page; `rows` was asked for with one more than `limit`, to know whether there is another."""
    items, more = rows[:limit], len(rows) > limit
    following: UUID | None = items[-1].id if more else None
    headers = {}
    if following:
        arguments = {**request.args, "cursor": str(following), "limit": str(limit)}
        query = urlencode(arguments)
        headers["Link"] = f'<{request.path}?{query}>; rel="next"'
    return {"items": items, "next_cursor": following}, 200, headers
