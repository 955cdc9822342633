"""For agency officers: confirm manifests line by line, hand results back."""

from typing import Any
from uuid import UUID

from flask import request
from marshmallow import Schema, fields, validate

from courier_api.agencies import manifests
from courier_api.api.clerks import CounterHandoverIn, ManifestLineShown, ManifestShown, counter_handover
from courier_api.api.evidence import HandoverShown, ProofIn, proof
from courier_api.api.fields import Day, Text
from courier_api.api.pages import PageQuery, page, page_of
from courier_api.api.schemas import ItemShown, NextLegShown, PersonShown
from courier_api.custody import holding
from courier_api.custody.holding import Line
from courier_api.dossiers import cases
from courier_api.dossiers.states import DossierState, ItemKind, Service
from courier_api.guard.audience import Audience, caller, caller_place, db
from courier_api.journey import agency
from courier_api.people.models import Role

blp = Audience("agencies", Role.officer, "For agency officers: confirm manifests line by line, hand results back")


@blp.endpoint("GET", "/manifests", "listManifests")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(ManifestShown))
def list_manifests(query: dict[str, Any]) -> Any:
    """List the manifests for one's unit, newest first."""
    return page(manifests.listed(db(), caller_place(), query["limit"] + 1, query["cursor"]), query["limit"])


@blp.endpoint("GET", "/manifests/<uuid:manifest_id>", "getManifest")
@blp.response(200, ManifestShown)
def get_manifest(manifest_id: UUID) -> Any:
    """Show one manifest with its lines."""
    return manifests.one(db(), caller_place(), manifest_id)


class AcceptanceIn(CounterHandoverIn):
    """The agency takes an item: its papers counted, its own code and the due date."""

    handover_id = fields.UUID(required=True)
    dossier_code = Text(60, required=True, metadata={"example": "000.00.31.H31-261124-0001"})
    due_date = Day(required=True)
    item_id = fields.UUID(dump_only=True)


@blp.endpoint("PUT", "/manifests/<uuid:manifest_id>/lines/<uuid:item_id>/acceptance", "acceptLine")
@blp.arguments(AcceptanceIn)
@blp.response(200, ManifestLineShown)
def accept_line(body: dict[str, Any], manifest_id: UUID, item_id: UUID) -> Any:
    """Take an item over from the post office, with dossier code and due date."""
    given = counter_handover(body | {"item_id": item_id}, body["handover_id"])
    return agency.accept_line(
        db(), caller(), caller_place(), manifest_id, given, body["dossier_code"], body["due_date"]
    )


class RefusalIn(Schema):
    """Why an item is not taken."""

    reason = Text(300, required=True)


@blp.endpoint("PUT", "/manifests/<uuid:manifest_id>/lines/<uuid:item_id>/refusal", "refuseLine")
@blp.arguments(RefusalIn)
@blp.response(200, ManifestLineShown)
def refuse_line(body: dict[str, Any], manifest_id: UUID, item_id: UUID) -> Any:
    """Refuse an item with a reason; it goes home again."""
    return agency.refuse_line(db(), caller(), caller_place(), manifest_id, item_id, body["reason"])


class AgencyDossier(Schema):
    """A dossier as its agency sees it."""

    id = fields.UUID(required=True)
    state = fields.Enum(DossierState, by_value=True, required=True)
    service = fields.Enum(Service, by_value=True, required=True)
    procedure_code = fields.String(attribute="procedure_version.procedure.code", required=True)
    procedure = fields.String(attribute="procedure_version.name", required=True)
    applicant = fields.String(attribute="contact_name", required=True)
    dossier_code = fields.String(allow_none=True)
    due_date = fields.Date(allow_none=True)
    items = fields.List(fields.Nested(ItemShown), required=True)
    office_code = fields.String(required=True)
    result = fields.Nested(
        NextLegShown,
        required=True,
        allow_none=True,
        metadata={"description": "The item that the result will travel as"},
    )
    office_clerks = fields.List(
        fields.Nested(PersonShown), required=True, metadata={"description": "Who may receive results"}
    )


class AgencyDossierRow(AgencyDossier):
    """A dossier in a list."""

    class Meta:
        exclude = ("office_clerks", "office_code", "result")


class AgencyQuery(PageQuery):
    """Which dossiers."""

    state = fields.Enum(DossierState, by_value=True, load_default=None)


@blp.endpoint("GET", "/dossiers", "listAgencyDossiers")
@blp.arguments(AgencyQuery, location="query")
@blp.response(200, page_of(AgencyDossierRow))
def list_dossiers(query: dict[str, Any]) -> Any:
    """List the dossiers that one's unit receives."""
    rows = agency.dossiers_of_centre(db(), caller_place(), query["state"], query["limit"] + 1, query["cursor"])
    return page(rows, query["limit"])


@blp.endpoint("GET", "/dossiers/<uuid:dossier_id>", "getAgencyDossier")
@blp.response(200, AgencyDossier)
def get_dossier(dossier_id: UUID) -> Any:
    """Show one dossier, and the clerks who may receive its result."""
    dossier = agency.dossier_of_centre(db(), caller_place(), dossier_id)
    shown = {
        name: getattr(dossier, name, None)
        for name in ("id", "state", "service", "procedure_version", "contact_name", "dossier_code", "due_date", "items")
    }
    result = cases.item_of(dossier, ItemKind.result)
    return shown | {
        "office_clerks": agency.clerks_of(db(), dossier.office),
        "office_code": dossier.office.code,
        "result": holding.next_leg(db(), result) if result else None,
    }


class ResultPaper(Schema):
    """A paper that the agency gives back."""

    name = Text(300, required=True, metadata={"example": "Giấy khai sinh"})
    originals = fields.Integer(required=True, strict=True, validate=validate.Range(0, 1000))
    copies = fields.Integer(required=True, strict=True, validate=validate.Range(0, 1000))


class ResultIn(ProofIn):
    """A result given to the post office's clerk."""

    dossier_id = fields.UUID(required=True)
    papers = fields.List(fields.Nested(ResultPaper), required=True, validate=validate.Length(1, 50))
    received_by = fields.UUID(required=True, metadata={"description": "The clerk who takes it"})
    dossier_code = Text(60, load_default=None, allow_none=True)


@blp.endpoint("PUT", "/results/<uuid:handover_id>", "handBackResult")
@blp.arguments(ResultIn)
@blp.response(200, HandoverShown)
def hand_back_result(body: dict[str, Any], handover_id: UUID) -> Any:
    """Give a result to the post office; its delivery job opens by itself."""
    return agency.hand_back_result(
        db(),
        caller(),
        caller_place(),
        body["dossier_id"],
        handover_id,
        [Line(**paper) for paper in body["papers"]],
        body["received_by"],
        body["dossier_code"],
        proof(body),
        holding.digest_of([request.path, request.get_json()]),
    )
