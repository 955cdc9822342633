"""For counter clerks: take over from couriers, load them, list dossiers for the agencies."""

from typing import Any
from uuid import UUID

from flask import request
from marshmallow import Schema, fields, validate

from courier_api.agencies import manifests
from courier_api.agencies.models import LineState
from courier_api.api.evidence import CountedItemShown, CountedLineIn, HandoverLineShown, HandoverShown, ProofIn, proof
from courier_api.api.fields import Day
from courier_api.api.pages import PageQuery, page, page_of
from courier_api.api.schemas import DossierForStaff, ItemShown, NextLegShown, RoundWithStops, ServicePointShown
from courier_api.custody import holding
from courier_api.custody.holding import Party
from courier_api.dossiers.states import DossierState
from courier_api.guard.audience import Audience, caller, caller_place, db, show_version
from courier_api.journey import post_office
from courier_api.journey.counter import CounterHandover
from courier_api.journey.riding import CountedLine
from courier_api.people.models import Role
from courier_api.rounds import riding

blp = Audience("clerks", Role.clerk, "For counter clerks: take over from couriers, load them, list for the agencies")


class HeldItem(CountedItemShown):
    """An item with its papers, and where it is bound."""

    dossier_id = fields.UUID(attribute="item.dossier_id", required=True)
    state = fields.Enum(DossierState, by_value=True, attribute="item.dossier.state", required=True)
    procedure = fields.String(attribute="item.dossier.procedure_version.name", required=True)
    centre = fields.Nested(ServicePointShown, attribute="item.dossier.centre", required=True)


@blp.endpoint("GET", "/items", "listOfficeItems")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(HeldItem))
def list_items(query: dict[str, Any]) -> Any:
    """List what the post office holds now, as custody says."""
    rows = holding.held_by(db(), Party.office(caller_place()), query["limit"] + 1, query["cursor"])
    return page(holding.with_lines(db(), rows), query["limit"])


@blp.endpoint("GET", "/couriers/<uuid:courier_id>/items", "listCourierItems")
@blp.response(200, HeldItem(many=True))
def list_courier_items(courier_id: UUID) -> Any:
    """List what a courier holds of this post office's dossiers."""
    return holding.with_lines(db(), post_office.items_with_courier(db(), caller_place(), courier_id))


class DayQuery(Schema):
    """Which day."""

    day = Day(required=True)


@blp.endpoint("GET", "/rounds", "listOfficeRounds")
@blp.arguments(DayQuery, location="query")
@blp.response(200, RoundWithStops(many=True))
def list_rounds(query: dict[str, Any]) -> Any:
    """List the published rounds of the post office on a day, to load the couriers by."""
    return riding.rounds_of_office(db(), caller_place(), query["day"])


class CounterHandoverIn(ProofIn):
    """An item taken over, its papers counted again."""

    item_id = fields.UUID(required=True)
    lines = fields.List(fields.Nested(CountedLineIn), required=True, validate=validate.Length(0, 100))


class LoadingIn(CounterHandoverIn):
    """An item given to a courier."""

    courier_id = fields.UUID(required=True)


def counter_handover(body: dict[str, Any], handover_id: UUID) -> CounterHandover:
    """Put a counter's handover together."""
    return CounterHandover(
        handover_id,
        body["item_id"],
        [CountedLine(**line) for line in body["lines"]],
        proof(body),
        holding.digest_of([request.path, request.get_json()]),
    )


@blp.endpoint("PUT", "/receipts/<uuid:handover_id>", "receiveFromCourier")
@blp.arguments(CounterHandoverIn)
@blp.response(200, HandoverShown)
def receive(body: dict[str, Any], handover_id: UUID) -> Any:
    """Take an item over from the courier who holds it."""
    return post_office.receive_from_courier(db(), caller(), caller_place(), counter_handover(body, handover_id))


@blp.endpoint("PUT", "/loadings/<uuid:handover_id>", "loadCourier")
@blp.arguments(LoadingIn)
@blp.response(200, HandoverShown)
def load(body: dict[str, Any], handover_id: UUID) -> Any:
    """Give a courier an item of his published round."""
    return post_office.load_courier(
        db(), caller(), caller_place(), body["courier_id"], counter_handover(body, handover_id)
    )


class ManifestIn(Schema):
    """Items for one agency."""

    centre_id = fields.UUID(required=True)
    item_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, 200))


class Standing(fields.Nested):
    """Where the item of a row stands on its way, looked up for it."""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """Give the item's next leg."""
        return holding.next_leg(db(), obj.item)


class ManifestLineShown(Schema):
    """A line of a manifest and the agency's answer."""

    position = fields.Integer(required=True)
    item = fields.Nested(ItemShown, required=True)
    dossier_id = fields.UUID(attribute="item.dossier_id", required=True)
    procedure = fields.String(attribute="item.dossier.procedure_version.name", required=True)
    state = fields.Enum(LineState, by_value=True, required=True)
    dossier_code = fields.String(allow_none=True)
    due_date = fields.Date(allow_none=True)
    reason = fields.String(allow_none=True)
    lines = fields.Method(
        "_lines", required=True, metadata={"type": "array", "items": {"$ref": "#/components/schemas/HandoverLineShown"}}
    )

    custody = Standing(NextLegShown, required=True)

    def _lines(self, line: Any) -> Any:
        last = holding.last_handover(db(), line.item_id)
        return HandoverLineShown(many=True).dump(last.lines) if last else []


class ManifestShown(Schema):
    """A list with which a post office hands dossiers to an agency."""

    id = fields.UUID(required=True)
    number = fields.String(required=True)
    office = fields.Nested(ServicePointShown, required=True)
    centre = fields.Nested(ServicePointShown, required=True)
    created_at = fields.AwareDateTime(required=True)
    closed_at = fields.AwareDateTime(allow_none=True)
    lines = fields.List(fields.Nested(ManifestLineShown), required=True)


@blp.endpoint("POST", "/manifests", "makeManifest", creates=True)
@blp.arguments(ManifestIn)
@blp.response(201, ManifestShown)
def make_manifest(body: dict[str, Any]) -> Any:
    """List items for an agency; custody moves when the agency confirms."""
    return post_office.make_manifest(db(), caller(), caller_place(), body["centre_id"], body["item_ids"])


@blp.endpoint("GET", "/manifests", "listOfficeManifests")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(ManifestShown))
def list_manifests(query: dict[str, Any]) -> Any:
    """List the post office's manifests, newest first."""
    rows = manifests.listed(db(), caller_place(), query["limit"] + 1, query["cursor"])
    return page(rows, query["limit"])


@blp.endpoint("GET", "/manifests/<uuid:manifest_id>", "getOfficeManifest")
@blp.response(200, ManifestShown)
def get_manifest(manifest_id: UUID) -> Any:
    """Show one manifest of the post office."""
    return manifests.one(db(), caller_place(), manifest_id)


@blp.endpoint("GET", "/dossiers/<uuid:dossier_id>", "getOfficeDossier")
@blp.response(200, DossierForStaff)
def get_dossier(dossier_id: UUID) -> Any:
    """Show a dossier that this post office serves."""
    dossier = post_office.dossier_of_office(db(), caller_place(), dossier_id)
    show_version(dossier.version)
    return dossier
