"""For dispatchers: cases of custody that need a decision, and lost devices."""

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from courier_api.api import operations
from courier_api.api.devices import DeviceShown
from courier_api.api.dispatchers import blp
from courier_api.api.evidence import SignedIn
from courier_api.api.fields import Text
from courier_api.api.pages import PageQuery, page, page_of
from courier_api.api.schemas import PersonShown
from courier_api.custody.models import CaseKind
from courier_api.guard.audience import caller, db
from courier_api.guard.problems import language
from courier_api.journey import correcting
from courier_api.messages import say
from courier_api.people import devices


class SummaryShown(Schema):
    """What an event is about, for a list."""

    typ = fields.String(required=True)
    tracking_number = fields.String(attribute="no", required=True, allow_none=True)

    signed_at = fields.String(attribute="t", required=True, metadata={"description": "By the device's clock"})


class SkipShown(Schema):
    """What a `skip` must say in its event."""

    kid = fields.String(required=True)
    after = fields.Integer(required=True)
    before = fields.Integer(required=True)


class CasesQuery(PageQuery):
    """Which cases."""

    open = fields.Boolean(load_default=True, metadata={"description": "Only those that wait for a decision"})


class CaseShown(Schema):
    """Something that our rules have no place for."""

    id = fields.UUID(attribute="case.id", required=True)
    kind = fields.Enum(CaseKind, by_value=True, attribute="case.kind", required=True)
    code = fields.String(attribute="case.code", required=True)
    text = fields.Method("_text", required=True, metadata={"type": "string"})
    person = fields.Nested(PersonShown, attribute="case.person", required=True)
    device = fields.String(attribute="case.kid", required=True, allow_none=True)
    operation_id = fields.UUID(attribute="case.operation_id", required=True, allow_none=True)
    detail = fields.Dict(attribute="case.detail", required=True)
    opened_at = fields.AwareDateTime(attribute="case.opened_at", required=True)
    decisions = fields.Method("_decisions", required=True, metadata={"type": "array", "items": {"type": "string"}})
    decision = fields.String(attribute="case.decision", required=True, allow_none=True)
    decided_at = fields.AwareDateTime(attribute="case.decided_at", required=True, allow_none=True)
    correction_id = fields.UUID(
        attribute="case.correction_id",
        required=True,
        allow_none=True,
        metadata={"description": "The event that decided it: one's own, or another's"},
    )
    summary = fields.Nested(SummaryShown, required=True, allow_none=True)

    def _text(self, looked: Any) -> str:
        return say(looked.case.code, language(), **looked.case.detail.get("values", {}))

    def _decisions(self, looked: Any) -> list[str]:
        return list(correcting.DECISIONS[looked.case.kind]) if looked.case.decision is None else []


class CaseWithEvent(CaseShown):
    """A case with the event that it is about, as it was signed."""

    event = fields.Dict(required=True, allow_none=True)
    skip = fields.Nested(SkipShown, required=True, allow_none=True)
    received_at = fields.AwareDateTime(required=True, allow_none=True, metadata={"description": "By our clock"})
    note = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "What the courier wrote beside it, where it was opened"},
    )


@blp.endpoint("GET", "/cases", "listCases")
@blp.arguments(CasesQuery, location="query")
@blp.response(200, page_of(CaseShown))
def list_cases(query: dict[str, Any]) -> Any:
    """List cases of custody, oldest first."""
    rows = correcting.listed(db(), open_only=query["open"], limit=query["limit"] + 1, after=query["cursor"])
    return page([correcting.looked_at(db(), case) for case in rows], query["limit"])


@blp.endpoint("GET", "/cases/<uuid:case_id>", "getCase")
@blp.response(200, CaseWithEvent)
def get_case(case_id: UUID) -> Any:
    """Show a case and the event that it is about."""
    return correcting.looked_at(db(), correcting.one(db(), case_id))


class DecisionIn(Schema):
    """How a case ends, signed as a custody.correction."""

    decision = fields.String(
        required=True, validate=validate.OneOf(["retry", "record", "skip", "dismiss"]), metadata={"example": "retry"}
    )
    note = Text(300, required=True, metadata={"example": "Bưu tá gọi xác nhận đã nhận hồ sơ"})
    signed = fields.Nested(SignedIn, required=True)


@blp.endpoint("PUT", "/cases/<uuid:case_id>/decision", "decideCase")
@blp.arguments(DecisionIn)
@blp.response(200, CaseShown)
def decide(body: dict[str, Any], case_id: UUID) -> Any:
    """End a case by a correction that is appended and signed."""
    case = correcting.decide(
        db(),
        caller(),
        case_id,
        body["decision"],
        body["note"],
        body["signed"],
        operations.perform,
        operations.perform_anyway,
    )
    return correcting.looked_at(db(), case)


@blp.endpoint("PUT", "/devices/<kid>/revocation", "revokeDevice")
@blp.response(200, DeviceShown)
def revoke(kid: str) -> Any:
    """End a lost device of anybody's, and every sign-in on it."""
    return devices.revoke(db(), kid)
