"""For couriers: the round, the door, the handover."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import request
from marshmallow import Schema, fields, validate

from courier_api.api.evidence import CountedItemShown, CountedLineIn, DoorProofIn, HandoverShown, proof
from courier_api.api.fields import Day, Moment, Place, Text
from courier_api.api.schemas import RoundShown, RoundWithStops, StopShown
from courier_api.custody import holding
from courier_api.custody.holding import Line, Party, Proof
from courier_api.custody.models import ExtraReason
from courier_api.guard.audience import Audience, caller, db, must_match, show_version
from courier_api.jobs.states import FailureReason, NextAction
from courier_api.journey import riding as journey
from courier_api.people.models import Role
from courier_api.rounds import riding

blp = Audience("couriers", Role.courier, "For couriers: the round, the door, the handover")


class DayQuery(Schema):
    """Which day."""

    day = Day(
        load_default=None,
        metadata={"description": "Without it the first day from today on with a round"},
    )


@blp.endpoint("GET", "/rounds", "listMyRounds")
@blp.arguments(DayQuery, location="query")
@blp.response(200, RoundShown(many=True))
def list_rounds(query: dict[str, date | None]) -> Any:
    """List one's own published rounds of a day."""
    day = query["day"] or riding.next_day_of(db(), caller())
    return riding.rounds_of(db(), caller(), day) if day else []


@blp.endpoint("GET", "/rounds/<uuid:round_id>", "getMyRound")
@blp.response(200, RoundWithStops)
def get_round(round_id: UUID) -> Any:
    """Show one's own round with stops, times and line."""
    round_ = riding.round_of(db(), caller(), round_id)
    show_version(round_.version)
    return round_


@blp.endpoint("PUT", "/rounds/<uuid:round_id>/start", "startRound", matches=True)
@blp.response(200, RoundShown)
def start_round(round_id: UUID) -> Any:
    """Leave the office; everything to be delivered must be loaded."""
    round_ = riding.round_of(db(), caller(), round_id, lock=True)
    must_match(round_.version)
    journey.start_round(db(), caller(), round_)
    show_version(round_.version)
    return round_


@blp.endpoint("PUT", "/rounds/<uuid:round_id>/finish", "finishRound", matches=True)
@blp.response(200, RoundShown)
def finish_round(round_id: UUID) -> Any:
    """Be back at the office, every stop ended."""
    round_ = riding.round_of(db(), caller(), round_id, lock=True)
    must_match(round_.version)
    journey.finish_round(db(), round_)
    show_version(round_.version)
    return round_


class Arrival(Schema):
    """At the door."""

    device_at = Moment(required=True)
    place = fields.Nested(Place, required=True)


@blp.endpoint("PUT", "/stops/<uuid:stop_id>/arrival", "arriveAtStop")
@blp.arguments(Arrival)
@blp.response(200, StopShown)
def arrive(body: dict[str, Any], stop_id: UUID) -> Any:
    """Be at the door; the answer says how many metres from it."""
    place = body["place"]
    stop = journey.arrive(db(), caller(), stop_id, body["device_at"], (place["lon"], place["lat"]))
    db().flush()  # which reckons the metres that are shown
    return stop


class Failure(Schema):
    """Why nothing changed hands."""

    reason = fields.Enum(FailureReason, by_value=True, required=True)
    next_action = fields.Enum(NextAction, by_value=True, load_default=NextAction.try_again)
    note = Text(300, load_default="", least=0)
    device_at = Moment(required=True)
    place = fields.Nested(Place, load_default=None, allow_none=True)


@blp.endpoint("PUT", "/stops/<uuid:stop_id>/failure", "failStop")
@blp.arguments(Failure)
@blp.response(200, StopShown)
def fail_stop(body: dict[str, Any], stop_id: UUID) -> Any:
    """Leave a door with nothing changed hands, and say why."""
    place = body.pop("place")
    return journey.fail_stop(db(), caller(), stop_id, **body, place=(place["lon"], place["lat"]) if place else None)


class ExtraIn(Schema):
    """A paper beyond the checklist, and why it goes along: a courier asks for none."""

    name = Text(300, required=True, metadata={"example": "Đơn trình bày"})
    originals = fields.Integer(required=True, validate=validate.Range(0, 1000), strict=True)
    copies = fields.Integer(required=True, validate=validate.Range(0, 1000), strict=True)
    reason = fields.Enum(ExtraReason, by_value=True, required=True)


class RecalledIn(Schema):
    """An old original taken back with a result: its line of the checklist."""

    position = fields.Integer(required=True, validate=validate.Range(1, 200), strict=True)
    originals = fields.Integer(required=True, validate=validate.Range(0, 1000), strict=True)


class DoorHandoverIn(DoorProofIn):
    """A handover at a citizen's door; it completes the stop."""

    stop_id = fields.UUID(required=True)
    lines = fields.List(fields.Nested(CountedLineIn), required=True, validate=validate.Length(0, 100))
    extra = fields.List(
        fields.Nested(ExtraIn),
        load_default=list,
        validate=validate.Length(0, 50),
        metadata={"description": "Pickup: papers that stand behind the others in the event's documents"},
    )
    recalled = fields.List(
        fields.Nested(RecalledIn),
        load_default=list,
        validate=validate.Length(0, 50),
        metadata={"description": "Delivery: `requirements.recalled` of the stop, one by one"},
    )


def door_handover(body: dict[str, Any], handover_id: UUID, evidence: Proof, digest: bytes) -> journey.DoorHandover:
    """Put a door's handover together."""
    lines = [journey.CountedLine(**line) for line in body["lines"]]
    extra = [Line(p["name"], p["originals"], p["copies"], p["reason"].value) for p in body["extra"]]
    return journey.DoorHandover(handover_id, body["stop_id"], lines, evidence, digest, extra)


@blp.endpoint("PUT", "/handovers/<uuid:handover_id>", "recordHandover")
@blp.arguments(DoorHandoverIn)
@blp.response(200, HandoverShown)
def record_handover(body: dict[str, Any], handover_id: UUID) -> Any:
    """Take papers from a citizen or give the result; sent again it answers the same."""
    digest = holding.digest_of([request.path, request.get_json()])
    return journey.record_handover(db(), caller(), door_handover(body, handover_id, proof(body), digest))


@blp.endpoint("GET", "/items", "listMyItems")
@blp.response(200, CountedItemShown(many=True))
def list_items() -> Any:
    """List what is in one's own hands now, as custody says."""
    return holding.with_lines(db(), holding.held_by(db(), Party.courier(caller())))
