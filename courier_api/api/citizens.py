"""For citizens: book a dossier, follow it, call it off."""

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from courier_api.api.evidence import CountedLineIn
from courier_api.api.fields import Place, Text, Window
from courier_api.api.pages import PageQuery, page, page_of
from courier_api.api.schemas import DossierRow, DossierShown, EventShown, JobShown
from courier_api.dossiers import cases
from courier_api.dossiers.states import Caution, Service
from courier_api.guard.audience import Audience, caller, db, must_match, show_version
from courier_api.journey import booking
from courier_api.people.models import Role

blp = Audience("citizens", Role.citizen, "For citizens: book a dossier, follow it, call it off")


class DossierIn(Schema):
    """What a citizen books."""

    procedure_code = Text(8, required=True, metadata={"example": "2.000635"})
    procedure_suffix = Text(30, load_default="", least=0)
    service = fields.Enum(Service, by_value=True, required=True)
    contact_name = Text(120, required=True, metadata={"example": "Nguyễn Thị Hoa"})
    contact_phone = Text(30, required=True, metadata={"example": "0912345678"})
    address = Text(300, required=True, metadata={"example": "Thôn 3, xã Lương Bằng"})
    note = Text(300, load_default="", least=0, metadata={"description": "For the courier, how to find the door"})
    cautions = fields.List(
        fields.Enum(Caution, by_value=True), load_default=list, validate=validate.Length(0, len(Caution))
    )
    point = fields.Nested(Place, required=True)
    window = fields.Nested(Window, load_default=None, allow_none=True)
    documents = fields.List(
        fields.Nested(CountedLineIn),
        load_default=list,
        validate=validate.Length(0, 100),
        metadata={"description": "The papers that will be handed over, by checklist line"},
    )
    dossier_code = Text(
        60, load_default=None, allow_none=True, metadata={"description": "Return only: the agency's code"}
    )
    consent = fields.Boolean(
        required=True, metadata={"description": "Agrees that personal data is used to carry this dossier"}
    )


@blp.endpoint("POST", "/dossiers", "submitDossier", creates=True)
@blp.arguments(DossierIn)
@blp.response(201, DossierShown)
def submit_dossier(body: dict[str, Any]) -> Any:
    """Book a dossier: pickup at home, or delivery of a result."""
    window, place = body.pop("window"), body.pop("point")
    documents = [cases.DocumentCount(**d) for d in body.pop("documents")]
    order = booking.Booking(
        **body,
        lon=place["lon"],
        lat=place["lat"],
        documents=documents,
        window=(window["start"], window["end"]) if window else None,
    )
    dossier = booking.submit_dossier(db(), caller(), order)
    show_version(dossier.version)
    return dossier


@blp.endpoint("GET", "/dossiers", "listDossiers")
@blp.arguments(PageQuery, location="query")
@blp.response(200, page_of(DossierRow))
def list_dossiers(query: dict[str, Any]) -> Any:
    """List one's own dossiers, newest first."""
    return page(cases.list_of_citizen(db(), caller(), query["limit"] + 1, query["cursor"]), query["limit"])


@blp.endpoint("GET", "/dossiers/<uuid:dossier_id>", "getDossier")
@blp.response(200, DossierShown)
def get_dossier(dossier_id: UUID) -> Any:
    """Show one of one's own dossiers."""
    dossier = cases.of_citizen(db(), caller(), dossier_id)
    show_version(dossier.version)
    return dossier


class Timeline(Schema):
    """What happened, in order."""

    items = fields.List(fields.Nested(EventShown), required=True)


@blp.endpoint("GET", "/dossiers/<uuid:dossier_id>/timeline", "getTimeline")
@blp.response(200, Timeline)
def get_timeline(dossier_id: UUID) -> Any:
    """Show what happened to one's dossier, in order."""
    return {"items": cases.timeline(db(), cases.of_citizen(db(), caller(), dossier_id))}


@blp.endpoint("PUT", "/dossiers/<uuid:dossier_id>/cancellation", "cancelDossier", matches=True)
@blp.response(200, DossierShown)
def cancel_dossier(dossier_id: UUID) -> Any:
    """Call a dossier off while its papers are still at home."""
    must_match(cases.of_citizen(db(), caller(), dossier_id, lock=True).version)
    dossier = booking.cancel_dossier(db(), caller(), dossier_id)
    show_version(dossier.version)
    return dossier


class NewWindow(Schema):
    """When the courier may come."""

    window = fields.Nested(Window, required=True)


@blp.endpoint("POST", "/dossiers/<uuid:dossier_id>/pickups", "bookPickupAgain", creates=True)
@blp.arguments(NewWindow)
@blp.response(201, JobShown)
def book_pickup_again(body: dict[str, Any], dossier_id: UUID) -> Any:
    """Book another pickup after the last one failed."""
    window = body["window"]
    return booking.book_again(db(), caller(), dossier_id, (window["start"], window["end"]))
