"""For dispatchers too: roads that are shut, and a round ridden beside its plan."""

import json
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from courier_api.api.dispatchers import blp
from courier_api.api.fields import Moment
from courier_api.db import now
from courier_api.guard.audience import caller, db
from courier_api.journey import dispatching
from courier_api.places import closures
from courier_api.rounds import comparing, drawing_up
from courier_api.rounds.states import StopState

CORNERS_MAX = 500
WAYS_MAX = 500


class ClosureIn(Schema):
    """A road or an area that nobody can ride through for a while."""

    area = fields.List(
        fields.Tuple(
            (
                fields.Float(validate=validate.Range(-180, 180), allow_nan=False),
                fields.Float(validate=validate.Range(-90, 90), allow_nan=False),
            )
        ),
        load_default=None,
        allow_none=True,
        validate=validate.Length(3, CORNERS_MAX),
        metadata={
            "description": "Corners, longitude and latitude; every stretch of road that touches it is shut",
            "items": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        },
    )
    ways = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 2**62)),
        load_default=list,
        validate=validate.Length(0, WAYS_MAX),
        metadata={"description": "OpenStreetMap ids, shut from end to end"},
    )
    reason = fields.String(required=True, validate=validate.Length(1, 200))
    starts_at = Moment(load_default=None, allow_none=True, metadata={"description": "Without it: now"})
    ends_at = Moment(load_default=None, allow_none=True, metadata={"description": "Without it: until it is opened"})


class ClosureShown(Schema):
    """A closure; `applied` says whether planning knows it already, `fault` why it never will."""

    id = fields.UUID(required=True)
    area = fields.Function(
        lambda closure: closure.area_geojson and json.loads(closure.area_geojson),
        metadata={"type": ["object", "null"], "description": "GeoJSON Polygon"},
    )
    ways = fields.List(fields.Integer(), required=True)
    reason = fields.String(required=True)
    starts_at = fields.AwareDateTime(required=True)
    ends_at = fields.AwareDateTime(required=True, allow_none=True)
    applied = fields.Boolean(required=True)
    fault = fields.String(
        required=True, allow_none=True, metadata={"example": "way 4000000000: the extract has no road of this id"}
    )


@blp.endpoint("POST", "/closures", "closeRoad", creates=True)
@blp.arguments(ClosureIn)
@blp.response(201, ClosureShown)
def close_road(body: dict[str, Any]) -> Any:
    """Shut a road or an area; planning knows it within a minute."""
    body["starts_at"] = body["starts_at"] or now()
    closure = dispatching.close_road(db(), caller(), **body)
    db().refresh(closure, ["area_geojson"])
    return closure


@blp.endpoint("GET", "/closures", "listClosures")
@blp.response(200, ClosureShown(many=True))
def list_closures() -> Any:
    """List what is shut, or will be."""
    return closures.not_over(db())


@blp.endpoint("PUT", "/closures/<uuid:closure_id>/reopening", "reopenRoad")
@blp.response(200, ClosureShown)
def reopen_road(closure_id: UUID) -> Any:
    """Open a road again before its time."""
    return dispatching.reopen_road(db(), closure_id)


class RiddenStopShown(Schema):
    """A stop as planned and as it was; what has not happened is null."""

    stop_id = fields.UUID(required=True)
    job_id = fields.UUID(required=True)
    state = fields.Enum(StopState, by_value=True, required=True)
    planned_position = fields.Integer(required=True)
    ridden_position = fields.Integer(required=True, allow_none=True)
    planned_arrival = fields.AwareDateTime(required=True)
    arrived_at = fields.AwareDateTime(required=True, allow_none=True)
    late_seconds = fields.Integer(required=True, allow_none=True)
    planned_service_seconds = fields.Integer(required=True)
    service_seconds = fields.Integer(required=True, allow_none=True)
    off_line_metres = fields.Integer(
        required=True, allow_none=True, metadata={"description": "From where the courier was to the planned line"}
    )
    from_door_metres = fields.Integer(required=True, allow_none=True)


class ComparisonShown(Schema):
    """A round ridden beside its plan."""

    stops = fields.List(fields.Nested(RiddenStopShown), required=True)
    planned_seconds = fields.Integer(required=True)
    ridden_seconds = fields.Integer(required=True, allow_none=True)
    median_late_seconds = fields.Integer(required=True, allow_none=True)
    out_of_order = fields.Integer(required=True, metadata={"description": "Stops ridden before one planned earlier"})


@blp.endpoint("GET", "/rounds/<uuid:round_id>/comparison", "compareRound")
@blp.response(200, ComparisonShown)
def compare_round(round_id: UUID) -> Any:
    """Compare a round as it was ridden with its plan."""
    return comparing.compare(db(), drawing_up.round_by_id(db(), round_id))
