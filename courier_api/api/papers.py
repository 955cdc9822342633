"""What can be printed, for those who were there: receipts, handover records, slips for a missing paper."""

from typing import Any
from uuid import UUID

from flask import Response, request
from marshmallow import Schema, fields

from courier_api.api import agencies, citizens, clerks, couriers
from courier_api.api.evidence import HandoverShown
from courier_api.custody.papers.contents import AnyPaper
from courier_api.custody.papers.rendering import render
from courier_api.guard.audience import Audience, View, caller, caller_place, db
from courier_api.journey import paperwork
from courier_api.settings import settings

PDF = "application/pdf"


def _base() -> str:
    return settings().public_url or request.url_root.rstrip("/")


def _pdf(paper: AnyPaper) -> Response:
    response = Response(render(paper, settings().timezone), content_type=PDF)
    response.headers["Content-Disposition"] = f'inline; filename="{paper.tracking_number}.pdf"'
    return response


def _prints(blp: Audience, rule: str, operation: str) -> Any:
    """Register a view that gives a PDF."""

    def register(view: View) -> View:
        described = blp.response(200, content_type=PDF, schema={"type": "string", "format": "binary"})(view)
        return blp.endpoint("GET", rule, operation)(described)

    return register


class HandoversShown(Schema):
    """What changed hands, in order."""

    items = fields.List(fields.Nested(HandoverShown), required=True)


@citizens.blp.endpoint("GET", "/dossiers/<uuid:dossier_id>/handovers", "listHandovers")
@citizens.blp.response(200, HandoversShown)
def list_handovers(dossier_id: UUID) -> Any:
    """List who handed over what of one's own dossier, each with its receipt."""
    return {"items": paperwork.handovers_of(db(), caller(), dossier_id)}


@_prints(citizens.blp, "/dossiers/<uuid:dossier_id>/handovers/<uuid:handover_id>/receipt", "getReceipt")
def citizens_receipt(dossier_id: UUID, handover_id: UUID) -> Any:
    """Print the receipt of a handover at one's own door."""
    handover = paperwork.of_citizen(db(), caller(), dossier_id, handover_id)
    return _pdf(paperwork.citizen_receipt(db(), handover, _base()))


@_prints(citizens.blp, "/dossiers/<uuid:dossier_id>/supplement-slip", "getMySupplementSlip")
def citizens_slip(dossier_id: UUID) -> Any:
    """Print what was missing when the courier was there last."""
    return _pdf(paperwork.citizens_slip(db(), caller(), dossier_id, _base()))


@_prints(couriers.blp, "/handovers/<uuid:handover_id>/receipt", "getHandoverReceipt")
def couriers_receipt(handover_id: UUID) -> Any:
    """Print the citizen's receipt of a handover that one recorded."""
    return _pdf(paperwork.citizen_receipt(db(), paperwork.of_courier(db(), caller(), handover_id), _base()))


@_prints(couriers.blp, "/stops/<uuid:stop_id>/supplement-slip", "getSupplementSlip")
def couriers_slip(stop_id: UUID) -> Any:
    """Print what was missing at a door."""
    return _pdf(paperwork.supplement_slip(db(), caller(), stop_id, _base()))


@_prints(clerks.blp, "/handovers/<uuid:handover_id>/record", "getOfficeHandoverRecord")
def office_record(handover_id: UUID) -> Any:
    """Print the record of a handover that the post office was a side of."""
    return _pdf(paperwork.handover_record(db(), paperwork.of_place(db(), caller_place(), handover_id), _base()))


@_prints(agencies.blp, "/handovers/<uuid:handover_id>/record", "getHandoverRecord")
def agency_record(handover_id: UUID) -> Any:
    """Print the record of a handover that one's unit was a side of."""
    return _pdf(paperwork.handover_record(db(), paperwork.of_place(db(), caller_place(), handover_id), _base()))
