"""For phones that tell where they are: Traccar Client, whatever else speaks OsmAnd's protocol, and our own app.

Such a phone sends the oldest first and tries again for ever until it gets a 2xx: so it gets one whatever it sends, and
nobody can tell from it whether there is such a device.
"""

from typing import Any

from flask import request
from flask_smorest import Blueprint
from marshmallow import Schema, fields
from werkzeug.exceptions import RequestEntityTooLarge

from courier_api.db import now, transaction
from courier_api.guard import limits
from courier_api.guard.audience import WHAT, Problem
from courier_api.settings import settings
from courier_api.tracking import fixes, receiving

MOST_BYTES = 1 << 18  # 500 fixes as Traccar Client writes them, and as much again
EXAMPLE = {
    "device_id": "5f1c0d9a3b7e24685f1c0d9a3b7e2468",
    "location": {
        "timestamp": "2026-11-24T01:12:07.000Z",
        "coords": {"latitude": 20.66, "longitude": 106.06, "accuracy": 8, "speed": 6.5, "heading": 91, "altitude": 4},
        "is_moving": True,
        "battery": {"level": 0.82, "is_charging": False},
    },
}
LOCATION = {"type": "object", "description": "As in the example; of `coords` all but the first two may be missing"}
FORMS = {
    "application/json": {
        "schema": {
            "type": "object",
            "properties": {
                "device_id": {"type": "string"},
                "location": LOCATION,
                "locations": {"type": "array", "items": LOCATION, "maxItems": fixes.MOST},
            },
            "required": ["device_id"],
        },
        "example": EXAMPLE,
    },
    "application/x-www-form-urlencoded": {
        "schema": {
            "type": "object",
            "description": "Or the same in the address: id or deviceid, lat and lon or location, speed in knots",
            "properties": {
                name: {"type": "string"}
                for name in ("id", "lat", "lon", "timestamp", "speed", "bearing", "altitude", "accuracy", "batt")
            },
        },
    },
}

blp = Blueprint("positions", __name__, description="For phones that tell where they are")


class Taken(Schema):
    """What became of the fixes."""

    kept = fields.Integer(required=True)
    dropped = fields.Integer(
        required=True,
        metadata={"description": "Off duty, too old, too vague, there already, no position, no such device: never why"},
    )


@blp.route("/positions", methods=["POST"])
@blp.doc(operationId="receivePositions", requestBody={"content": FORMS})
@blp.response(200, Taken)
@blp.alt_response(413, schema=Problem, content_type="application/problem+json", description="The body is too large")
@blp.alt_response(429, schema=Problem, content_type="application/problem+json", description=WHAT[429])
def receive_positions() -> Any:
    """Tell where a phone is; what counts is when a fix was captured, not when it arrives."""
    request.max_content_length = MOST_BYTES
    network = limits.network(request.remote_addr)
    allowance = limits.spend("positions", network, settings().positions_per_minute, 60)
    body = request.get_data()  # all of it before a transaction is open: the line may be slow
    sent = fixes.read(request.query_string, body, is_json=request.is_json)
    if len(sent.fixes) > fixes.MOST:
        raise RequestEntityTooLarge
    with transaction() as session:
        received = receiving.receive(session, sent, now())
    return received, 200, {"Cache-Control": "no-store"} | (allowance.headers() if allowance else {})
