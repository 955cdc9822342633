"""For all who sign: their own devices, and the second signature under what another recorded."""

from base64 import b64decode
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields

from courier_api.api import agencies, clerks, couriers, dispatchers
from courier_api.api.evidence import CountersignatureIn, HandoverShown
from courier_api.custody import countersigning
from courier_api.errors import Invalid
from courier_api.guard.audience import Audience, caller, db
from courier_api.people import devices


class DeviceShown(Schema):
    """A device that signs."""

    kid = fields.String(required=True)
    role = fields.String(attribute="role.value", required=True)
    label = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    certified_until = fields.AwareDateTime(required=True)
    revoked_at = fields.AwareDateTime(required=True, allow_none=True)
    quarantined_at = fields.AwareDateTime(required=True, allow_none=True)
    last_counter = fields.Integer(required=True)


def _list(blp: Audience, whose: str) -> None:
    @blp.endpoint("GET", "/devices", f"list{whose}Devices")
    @blp.response(200, DeviceShown(many=True))
    def list_devices() -> Any:
        """List one's own devices, newest first."""
        return devices.of_person(db(), caller())


def _sign(blp: Audience, whose: str) -> None:
    @blp.endpoint("PUT", "/devices/<kid>/revocation", f"revoke{whose}Device")
    @blp.response(200, DeviceShown)
    def revoke(kid: str) -> Any:
        """End a lost device of one's own, and every sign-in on it."""
        return devices.revoke(db(), kid, caller().id)

    @blp.endpoint("PUT", "/handovers/<uuid:handover_id>/countersignature", f"countersignAs{whose}")
    @blp.arguments(CountersignatureIn)
    @blp.response(200, HandoverShown)
    def countersign(body: dict[str, str], handover_id: UUID) -> Any:
        """Sign what the other side recorded: the same core, marked as a countersignature."""
        try:
            signature = b64decode(body["signature"], validate=True)
        except ValueError:
            raise Invalid("signature_wrong", "/signature") from None
        return countersigning.countersign(db(), caller(), handover_id, body["kid"], signature)


for _blp, _whose in ((couriers.blp, "Courier"), (clerks.blp, "Clerk"), (agencies.blp, "Officer")):
    _list(_blp, _whose)
    _sign(_blp, _whose)
_list(dispatchers.blp, "Dispatcher")  # who revokes anybody's, see corrections
