"""For dispatchers: shifts, plans, rounds, and why a job is not planned."""

from typing import Any
from uuid import UUID

from flask import Response, json, request
from marshmallow import Schema, fields, validate

from courier_api.api.fields import Day, Moment, Window
from courier_api.api.pages import PageQuery, page, page_of
from courier_api.api.schemas import (
    JobShown,
    PersonShown,
    RoundShown,
    RoundWithStops,
    ServicePointShown,
    StrandedDossier,
    geometry_of,
)
from courier_api.errors import Invalid
from courier_api.guard.audience import Audience, caller, db, must_match, show_version
from courier_api.jobs.states import JobKind
from courier_api.journey import dispatching
from courier_api.people.models import Role
from courier_api.rounds import drawing_up
from courier_api.rounds.states import Half, PlanState, RemedyKind

blp = Audience("dispatchers", Role.dispatcher, "For dispatchers: shifts, plans, rounds, and why a job is not planned")

GEOJSON = "application/geo+json"


class CourierShown(PersonShown):
    """A courier and his post office."""

    office = fields.Nested(ServicePointShown, required=True)


@blp.endpoint("GET", "/couriers", "listCouriers")
@blp.response(200, CourierShown(many=True))
def list_couriers() -> Any:
    """List all couriers with their post offices."""
    return [
        {"id": p.person_id, "full_name": p.person.full_name, "office": p.service_point}
        for p in dispatching.couriers(db())
    ]


class ShiftIn(Schema):
    """A courier's working time."""

    courier_id = fields.UUID(required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    capacity = fields.Integer(
        load_default=60,
        strict=True,
        validate=validate.Range(1, 1000),
        metadata={"description": "dossiers on the motorbike"},
    )


class ShiftShown(Schema):
    """A shift."""

    id = fields.UUID(required=True)
    courier = fields.Nested(PersonShown, required=True)
    office = fields.Nested(ServicePointShown, required=True)
    starts_at = fields.AwareDateTime(required=True)
    ends_at = fields.AwareDateTime(required=True)
    capacity = fields.Integer(required=True)


@blp.endpoint("POST", "/shifts", "defineShift", creates=True)
@blp.arguments(ShiftIn)
@blp.response(201, ShiftShown)
def define_shift(body: dict[str, Any]) -> Any:
    """Give a courier a shift from his post office."""
    if body["ends_at"] <= body["starts_at"]:
        raise Invalid("shift_ends_before_start", "/ends_at")
    return dispatching.define_shift(db(), **body)


class DayPage(PageQuery):
    """A page of one day."""

    day = Day(required=True)


@blp.endpoint("GET", "/shifts", "listShifts")
@blp.arguments(DayPage, location="query")
@blp.response(200, page_of(ShiftShown))
def list_shifts(query: dict[str, Any]) -> Any:
    """List the shifts of a day."""
    return page(dispatching.shifts_on(db(), query["day"], query["limit"] + 1, query["cursor"]), query["limit"])


class JobQuery(PageQuery):
    """Which open jobs."""

    kind = fields.Enum(JobKind, by_value=True, load_default=None)


@blp.endpoint("GET", "/jobs", "listOpenJobs")
@blp.arguments(JobQuery, location="query")
@blp.response(200, page_of(JobShown))
def list_jobs(query: dict[str, Any]) -> Any:
    """List the open jobs."""
    return page(dispatching.open_jobs(db(), query["kind"], query["limit"] + 1, query["cursor"]), query["limit"])


@blp.endpoint("GET", "/stranded-dossiers", "listStranded")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(StrandedDossier))
def list_stranded(query: dict[str, Any]) -> Any:
    """List dossiers that wait for a decision: their last visit failed for good and no job is open."""
    return page(dispatching.stranded(db(), query["limit"] + 1, query["cursor"]), query["limit"])


class JobIn(Schema):
    """A job to be opened again."""

    dossier_id = fields.UUID(required=True)
    kind = fields.Enum(JobKind, by_value=True, required=True)
    window = fields.Nested(Window, load_default=None, allow_none=True)


@blp.endpoint("POST", "/jobs", "openJob", creates=True)
@blp.arguments(JobIn)
@blp.response(201, JobShown)
def open_job(body: dict[str, Any]) -> Any:
    """Open a job again for a leg whose last one failed."""
    window = body["window"]
    return dispatching.reopen_job(
        db(), body["dossier_id"], body["kind"], (window["start"], window["end"]) if window else None
    )


class PlanIn(Schema):
    """A half-day to be planned."""

    day = Day(required=True)
    half = fields.Enum(Half, by_value=True, required=True)


class PlanShown(Schema):
    """A plan: how far it is, and its figures when it is done."""

    id = fields.UUID(required=True)
    day = fields.Date(required=True)
    half = fields.Enum(Half, by_value=True, required=True)
    state = fields.Enum(PlanState, by_value=True, required=True)
    progress = fields.Integer(required=True, metadata={"description": "per cent"})
    jobs = fields.Integer(allow_none=True)
    planned = fields.Integer(allow_none=True)
    metres = fields.Integer(allow_none=True)
    seconds = fields.Float(
        allow_none=True, metadata={"description": "Wall time of the planning, travel times included"}
    )
    travel_source = fields.String(allow_none=True)
    fault = fields.String(allow_none=True)
    created_at = fields.AwareDateTime(required=True)
    finished_at = fields.AwareDateTime(allow_none=True)


@blp.endpoint("POST", "/plans", "requestPlan", creates=True)
@blp.arguments(PlanIn)
@blp.response(202, PlanShown)
def request_plan(body: dict[str, Any]) -> Any:
    """Ask for a plan of a half-day; ask for it again to see how far it is."""
    return dispatching.plan_rounds(db(), caller(), body["day"], body["half"])


class PlanQuery(PageQuery):
    """Plans, perhaps of one day."""

    day = Day(load_default=None, metadata={"description": "Without it: all days"})


@blp.endpoint("GET", "/plans", "listPlans")
@blp.arguments(PlanQuery, location="query")
@blp.response(200, page_of(PlanShown))
def list_plans(query: dict[str, Any]) -> Any:
    """List plans, newest first: of several for a half-day the first is the one in force."""
    return page(dispatching.plans_on(db(), query["day"], query["limit"] + 1, query["cursor"]), query["limit"])


@blp.endpoint("GET", "/plans/<uuid:plan_id>", "getPlan")
@blp.response(200, PlanShown)
def get_plan(plan_id: UUID) -> Any:
    """Show how far a plan is."""
    return dispatching.plan_by_id(db(), plan_id)


class RemedyShown(Schema):
    """A change that would let a job into a courier's round; the planner tried it."""

    kind = fields.Enum(RemedyKind, required=True)
    courier = fields.Nested(PersonShown, required=True)
    amount = fields.Integer(
        required=True,
        metadata={"example": 900, "description": "Seconds of shift or window, items of load."},
    )
    riding_seconds = fields.Integer(required=True, metadata={"description": "What it adds to the courier's riding."})


class UnplannedShown(Schema):
    """A job that is in no round, why, and what would let it in (of many such jobs only the first are looked at)."""

    job = fields.Nested(JobShown, required=True)
    reason = fields.String(required=True, metadata={"example": "window_unreachable"})
    detail = fields.String(required=True)
    remedies = fields.Nested(RemedyShown, many=True, required=True)


@blp.endpoint("GET", "/plans/<uuid:plan_id>/unplanned", "listUnplanned")
@blp.response(200, UnplannedShown(many=True))
def list_unplanned(plan_id: UUID) -> Any:
    """List what a plan left out, and why."""
    return dispatching.plan_by_id(db(), plan_id).unplanned


@blp.endpoint("PUT", "/plans/<uuid:plan_id>/publication", "publishPlan")
@blp.response(200, RoundShown(many=True))
def publish_plan(plan_id: UUID) -> Any:
    """Show every draft of a plan to its courier."""
    return dispatching.publish_plan(db(), plan_id)


class RoundQuery(PageQuery):
    """Rounds of a day, perhaps of one half of it."""

    day = Day(load_default=None, metadata={"description": "Without it: the latest day that has rounds"})
    half = fields.Enum(Half, by_value=True, load_default=None)


@blp.endpoint("GET", "/rounds", "listRounds")
@blp.arguments(RoundQuery, location="query")
@blp.response(200, page_of(RoundShown))
@blp.alt_response(
    200, content_type=GEOJSON, schema={"type": "object"}, success=True, description="With Accept: application/geo+json"
)
def list_rounds(query: dict[str, Any]) -> Any:
    """List the rounds of a day; as GeoJSON lines with Accept: application/geo+json."""
    day, half = query["day"], query["half"]
    if day is None:
        latest = drawing_up.latest_day(db())
        if latest is None:
            return page([], query["limit"])
        day, half = latest
    rounds = drawing_up.rounds_on(db(), day, half, query["limit"] + 1, query["cursor"])
    if request.accept_mimetypes.best == GEOJSON:
        found, _, headers = page(list(rounds), query["limit"])
        body = {"type": "FeatureCollection", "features": [_feature(r) for r in found["items"]]}
        # A ready answer: anything else would go through the schema of the page, which knows no features.
        return Response(json.dumps(body), content_type=GEOJSON, headers=headers)
    return page(list(rounds), query["limit"])


def _feature(round_: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": str(round_.id),
        "geometry": geometry_of(round_),
        "properties": RoundShown().dump(round_),
    }


@blp.endpoint("GET", "/rounds/<uuid:round_id>", "getRound")
@blp.response(200, RoundWithStops)
def get_round(round_id: UUID) -> Any:
    """Show a round with stops, times and line."""
    round_ = drawing_up.round_by_id(db(), round_id)
    show_version(round_.version)
    return round_


@blp.endpoint("PUT", "/rounds/<uuid:round_id>/publication", "publishRound", matches=True)
@blp.response(200, RoundShown)
def publish_round(round_id: UUID) -> Any:
    """Show a round to its courier."""
    round_ = drawing_up.round_by_id(db(), round_id, lock=True)
    must_match(round_.version)
    dispatching.publish_round(db(), round_)
    show_version(round_.version)
    return round_


@blp.endpoint("PUT", "/rounds/<uuid:round_id>/withdrawal", "withdrawRound", matches=True)
@blp.response(200, RoundShown)
def withdraw_round(round_id: UUID) -> Any:
    """Take a published round from its courier; its open doors can be planned anew."""
    round_ = drawing_up.round_by_id(db(), round_id, lock=True)
    must_match(round_.version)
    dispatching.withdraw_round(db(), round_)
    show_version(round_.version)
    return round_


class MoveIn(Schema):
    """Where a stop goes."""

    round_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={"description": "Another round of the office and half-day; without it the same"},
    )
    position = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1000))


@blp.endpoint("PUT", "/rounds/<uuid:round_id>/stops/<uuid:stop_id>/position", "moveStop", matches=True)
@blp.arguments(MoveIn)
@blp.response(200, RoundWithStops)
def move_stop(body: dict[str, Any], round_id: UUID, stop_id: UUID) -> Any:
    """Move a stop within its round or to another; refused with the rule that it would break."""
    source = drawing_up.round_by_id(db(), round_id, lock=True)
    must_match(source.version)
    round_ = dispatching.move_stop(db(), source, stop_id, body["round_id"] or round_id, body["position"])
    show_version(round_.version)
    return round_
