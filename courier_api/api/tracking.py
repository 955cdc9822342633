"""For couriers: the phones that tell where they are; for dispatchers: where that is."""

from typing import Any
from urllib.parse import urlencode

from flask import Response, json, request
from marshmallow import Schema, fields

from courier_api.api import couriers, dispatchers
from courier_api.api.dispatchers import GEOJSON
from courier_api.api.fields import point_field
from courier_api.api.schemas import PersonShown
from courier_api.db import lon_lat
from courier_api.guard import answers
from courier_api.guard.audience import caller, caller_place, db
from courier_api.settings import settings
from courier_api.tracking import devices, whereabouts
from courier_api.tracking.models import Source
from courier_api.tracking.whereabouts import Whereabouts

KINDS = {"description": "app: our own page; traccar: Traccar Client"}


class TrackingDeviceIn(Schema):
    """What is to tell where a courier is: he may have one of each kind."""

    kind = fields.Enum(Source, by_value=True, required=True, metadata=KINDS)


class WhichDevice(Schema):
    """One of the two."""

    kind = fields.Enum(Source, by_value=True, load_default=Source.traccar, metadata=KINDS)


class TrackingDeviceShown(Schema):
    """Whether a device of this kind may tell where the courier is."""

    kind = fields.Enum(Source, by_value=True, required=True)
    made_at = fields.AwareDateTime(required=True, allow_none=True, metadata={"description": "null: there is none"})
    last_fix_at = fields.AwareDateTime(
        required=True, allow_none=True, metadata={"description": "When the newest that was kept was captured"}
    )


class TrackingDeviceMade(Schema):
    """A new device: its id is a secret, and is shown this once."""

    kind = fields.Enum(Source, by_value=True, required=True)
    device_id = fields.String(required=True, metadata={"example": "5f1c0d9a3b7e24685f1c0d9a3b7e2468"})
    server_url = fields.String(required=True, metadata={"example": "https://post.example/positions"})
    setup_url = fields.String(
        required=True, metadata={"description": "Both in one, as a QR code that Traccar Client scans"}
    )


@couriers.blp.endpoint("POST", "/tracking-device", "makeTrackingDevice", creates=True, secret=True)
@couriers.blp.arguments(TrackingDeviceIn)
@couriers.blp.response(201, TrackingDeviceMade)
def make_device(body: dict[str, Any]) -> Any:
    """Let a phone tell where one is; the one of this kind before it may no more."""
    device_id = devices.make(db(), caller(), body["kind"], answers.key_of(request))
    server = f"{settings().public_url or request.url_root.rstrip('/')}/positions"
    setup = f"{server}?{urlencode({'id': device_id})}"
    return {"kind": body["kind"], "device_id": device_id, "server_url": server, "setup_url": setup}


@couriers.blp.endpoint("GET", "/tracking-device", "getTrackingDevice")
@couriers.blp.arguments(WhichDevice, location="query")
@couriers.blp.response(200, TrackingDeviceShown)
def get_device(query: dict[str, Any]) -> Any:
    """Say whether a phone may tell where one is, since when, and when it last did."""
    device = devices.of_courier(db(), caller(), query["kind"])
    return device or {"kind": query["kind"], "made_at": None, "last_fix_at": None}


@couriers.blp.endpoint("DELETE", "/tracking-device", "endTrackingDevice")
@couriers.blp.arguments(WhichDevice, location="query")
@couriers.blp.response(204)
def end_device(query: dict[str, Any]) -> None:
    """Take nothing more from that phone."""
    devices.end(db(), caller(), query["kind"])


class PositionShown(Schema):
    """Where a courier on duty was last."""

    courier = fields.Nested(PersonShown, attribute="round.courier", required=True)
    round_id = fields.UUID(attribute="round.id", required=True)
    captured_at = fields.AwareDateTime(attribute="position.captured_at", required=True)
    received_at = fields.AwareDateTime(attribute="position.received_at", required=True)
    point = point_field(attribute="position.point", required=True)
    accuracy_m = fields.Integer(attribute="position.accuracy_m", required=True, allow_none=True)
    speed_mps = fields.Float(attribute="position.speed_mps", required=True, allow_none=True)
    heading = fields.Integer(attribute="position.heading", required=True, allow_none=True)
    battery = fields.Integer(
        attribute="position.battery", required=True, allow_none=True, metadata={"description": "per cent"}
    )
    moving = fields.Boolean(attribute="position.moving", required=True, allow_none=True)
    source = fields.Enum(Source, by_value=True, attribute="position.source", required=True)


@dispatchers.blp.endpoint("GET", "/positions", "listPositions")
@dispatchers.blp.response(200, PositionShown(many=True))
@dispatchers.blp.alt_response(
    200, content_type=GEOJSON, schema={"type": "object"}, success=True, description="With Accept: application/geo+json"
)
def list_positions() -> Any:
    """Show where each courier of one's office was last who is on duty; as GeoJSON points with Accept."""
    found = whereabouts.of_office(db(), caller_place())
    if request.accept_mimetypes.best == GEOJSON:
        body = {"type": "FeatureCollection", "features": [_feature(one) for one in found]}
        return Response(json.dumps(body), content_type=GEOJSON)
    return found


def _feature(one: Whereabouts) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": str(one.round.courier_id),
        "geometry": {"type": "Point", "coordinates": lon_lat(one.position.point)},
        "properties": PositionShown(exclude=("point",)).dump(one),
    }
