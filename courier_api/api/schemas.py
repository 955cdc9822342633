"""What several audiences are shown: dossiers, items, jobs, rounds and their people."""

import json
from typing import Any

from marshmallow import Schema, fields, validate

from courier_api.api.fields import point_field
from courier_api.dossiers.states import Caution, DossierState, ItemKind, Service
from courier_api.guard.audience import db
from courier_api.guard.problems import language
from courier_api.jobs.states import FailureReason, JobKind, JobState, Outcome
from courier_api.messages import tell
from courier_api.money import quoting
from courier_api.places.models import PointQuality, ServicePointKind
from courier_api.rounds.states import ArrivedWhy, Half, RoundState, StopState


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
    staff_number = fields.Integer(required=True, allow_none=True, metadata={"description": "Of staff codes: C-00417"})


class PaperShown(Schema):
    """A paper of a dossier against its checklist line."""

    position = fields.Integer(required=True)
    name = fields.String(required=True, attribute="requirement.name")
    originals = fields.Integer(required=True)
    copies = fields.Integer(required=True)


class ItemShown(Schema):
    """A postal item."""

    id = fields.UUID(required=True)
    kind = fields.Enum(ItemKind, by_value=True, required=True)
    tracking_number = fields.String(required=True, metadata={"example": "EH123456785VN"})


class HolderShown(Schema):
    """A party as events name it."""

    role = fields.String(required=True)
    code = fields.String(
        required=True, metadata={"description": "A staff code or a service point's; a citizen has none"}
    )


class NextLegShown(Schema):
    """What the event of an item's next handover must say of it."""

    item_id = fields.UUID(attribute="item.id", required=True)
    tracking_number = fields.String(attribute="item.tracking_number", required=True)
    leg = fields.Integer(required=True)
    holder = fields.Nested(HolderShown, required=True)


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
    cautions = fields.List(fields.String(validate=validate.OneOf([c.value for c in Caution])), required=True)
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


class DossierForStaff(DossierShown):
    """A dossier as staff sees it: the tracking link is the citizen's alone."""

    class Meta:
        exclude = ("tracking_link",)


class DossierRow(DossierShown):
    """A dossier in its citizen's list; its papers and charges are shown one by one."""

    class Meta:
        exclude = ("charges", "documents")


class StrandedDossier(DossierRow):
    """A dossier that waits for the dispatcher's decision."""

    class Meta:
        exclude = ("charges", "documents", "tracking_link")


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
    cautions = fields.List(
        fields.String(validate=validate.OneOf([c.value for c in Caution])), attribute="dossier.cautions", required=True
    )
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
    arrived_why = fields.Enum(
        ArrivedWhy, by_value=True, allow_none=True, metadata={"description": "Why the arrival is not at that door"}
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
    seen_version = fields.Integer(
        required=True, allow_none=True, metadata={"description": "The newest version that its courier signed for"}
    )
    stop_count = fields.Integer(required=True)


def geometry_of(round_: Any) -> Any:
    """The line of a round as a GeoJSON geometry, None where there was no road graph."""
    return json.loads(round_.line_geojson) if round_.line_geojson else None


class RoundWithStops(RoundShown):
    """A round with its stops and its line."""

    stops = fields.List(fields.Nested(StopShown), required=True)
    line = fields.Function(geometry_of, metadata={"type": ["object", "null"], "description": "GeoJSON LineString"})
