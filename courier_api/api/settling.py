"""For couriers: their post office, whom to reach there, the cash and the old originals that they have to give in."""

from typing import Any

from marshmallow import Schema, fields

from courier_api.api.couriers import blp
from courier_api.guard.audience import caller, caller_place, db
from courier_api.journey import returning
from courier_api.people.models import Role


class Reached(Schema):
    """Someone whom a courier can ring up."""

    name = fields.String(attribute="full_name", required=True)
    phone = fields.String(required=True, metadata={"example": "+84912345678"})


class ClerkShown(Schema):
    """A clerk who may take over."""

    staff_code = fields.Method("_code", required=True, metadata={"type": "string", "example": "G-00007"})
    full_name = fields.String(required=True)

    def _code(self, clerk: Any) -> str:
        return str(clerk.staff_code(Role.clerk))


class OfficeShown(Schema):
    """The post office where a courier is posted."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    address = fields.String(required=True)
    phones = fields.List(fields.Nested(Reached), required=True)
    clerks = fields.List(fields.Nested(ClerkShown), required=True)


@blp.endpoint("GET", "/office", "getMyOffice")
@blp.response(200, OfficeShown)
def get_office() -> Any:
    """Show one's post office: whom to ring up, and who may take over."""
    office = caller_place()
    return {
        "code": office.code,
        "name": office.name,
        "address": office.address,
        "phones": returning.reached_at(db(), office),
        "clerks": returning.clerks_for(db(), caller(), office),
    }


class VoucherShown(Schema):
    """Cash that was taken at a door and not yet paid in."""

    handover_id = fields.UUID(required=True)
    number = fields.String(required=True, metadata={"example": "BL-5E1F0A2B-3C4D5E6F"})
    amount = fields.Integer(required=True, metadata={"description": "đồng"})
    taken_at = fields.AwareDateTime(required=True, metadata={"description": "By the device's clock"})
    tracking_number = fields.String(required=True)


@blp.endpoint("GET", "/vouchers", "listMyVouchers")
@blp.response(200, VoucherShown(many=True))
def list_vouchers() -> Any:
    """List the vouchers whose cash one still has, oldest first."""
    return returning.owed(db(), caller())


class OriginalShown(Schema):
    """An old original that was taken back."""

    position = fields.Integer(required=True, metadata={"description": "Its line of the checklist"})
    name = fields.String(required=True, allow_none=True, metadata={"description": "null: not on the checklist"})
    originals = fields.Integer(required=True)


class RecalledShown(Schema):
    """Old originals that were taken back at a delivery and not yet given in."""

    handover_id = fields.UUID(required=True)
    tracking_number = fields.String(required=True)
    taken_at = fields.AwareDateTime(required=True, metadata={"description": "By the device's clock"})
    originals = fields.List(fields.Nested(OriginalShown), required=True)


@blp.endpoint("GET", "/recalled", "listMyRecalled")
@blp.response(200, RecalledShown(many=True))
def list_recalled() -> Any:
    """List the deliveries whose recalled originals one still has, oldest first."""
    return returning.taken_back(db(), caller())
