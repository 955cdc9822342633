"""For couriers: what to check and collect at each door, one by one or all of a round at once."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields

from courier_api.api.couriers import blp
from courier_api.api.evidence import HandoverLineShown
from courier_api.api.public import RequirementShown
from courier_api.api.schemas import Amounts, NextLegShown, PaperShown, StopShown
from courier_api.custody import holding
from courier_api.guard.audience import caller, db, show_version
from courier_api.jobs.states import FailureReason, NextAction
from courier_api.journey import riding as journey
from courier_api.money import quoting
from courier_api.procedures.models import Authorization
from courier_api.rounds import riding
from courier_api.rounds.models import Stop


class RecalledPaper(Schema):
    """An old original to be taken back with the result."""

    position = fields.Integer(required=True, metadata={"description": "Its line of the checklist"})
    name = fields.String(required=True)
    originals = fields.Integer(required=True)
    mandatory = fields.Boolean(
        required=True, metadata={"description": "Of what is not mandatory there may be none: then say 0"}
    )


class Needed(Schema):
    """What a handover at this door must show."""

    signature = fields.Boolean(required=True)
    identity = fields.Boolean(required=True)
    documents = fields.Boolean(required=True)
    seal = fields.Boolean(required=True)
    receiver = fields.Boolean(required=True)
    fee = fields.Integer(required=True, metadata={"description": "đồng to collect"})
    recalled = fields.List(fields.Nested(RecalledPaper), required=True)


class AttemptShown(Schema):
    """An earlier visit to this door that failed."""

    reason = fields.Enum(FailureReason, by_value=True, required=True)
    next_action = fields.Enum(NextAction, by_value=True, required=True)
    device_at = fields.AwareDateTime(required=True)
    called = fields.List(
        fields.String(),
        required=True,
        allow_none=True,
        metadata={"description": "When the courier's app rang up, as he signed it"},
    )


class StopWithPapers(StopShown):
    """A stop with what to check and collect at the door."""

    procedure = fields.String(required=True)
    authorization = fields.Enum(Authorization, by_value=True, required=True)
    requirements = fields.Nested(Needed, required=True)
    amounts = fields.Nested(
        Amounts, required=True, metadata={"description": "What the sum to collect is made of; nothing once it is paid"}
    )
    checklist = fields.List(
        fields.Nested(RequirementShown), required=True, metadata={"description": "What the procedure asks for"}
    )
    documents = fields.List(
        fields.Nested(PaperShown), required=True, metadata={"description": "Pickup: the announced papers"}
    )
    lines = fields.List(
        fields.Nested(HandoverLineShown), required=True, metadata={"description": "Delivery: what the bag holds"}
    )
    custody = fields.Nested(NextLegShown, required=True)
    attempts = fields.List(fields.Nested(AttemptShown), required=True)


@blp.endpoint("GET", "/stops/<uuid:stop_id>", "getMyStop")
@blp.response(200, StopWithPapers)
def get_stop(stop_id: UUID) -> Any:
    """Show a stop with its checklist, fee and what the handover needs."""
    return _with_papers([riding.stop_of(db(), caller(), stop_id)])[0]


@blp.endpoint("GET", "/rounds/<uuid:round_id>/doors", "listMyDoors")
@blp.response(200, StopWithPapers(many=True))
def list_doors(round_id: UUID) -> Any:
    """Show all stops of one's own round with their papers at once, for a phone that leaves the network."""
    round_ = riding.round_of(db(), caller(), round_id)
    show_version(round_.version)
    return _with_papers(riding.doors_of(db(), round_))


def _with_papers(stops: Sequence[Stop]) -> list[dict[str, Any]]:
    items = holding.with_lines(db(), [stop.job.item for stop in stops])
    dossiers = {stop.job.dossier_id for stop in stops}
    owed, charged = quoting.due_of(db(), dossiers), quoting.charges_of(db(), dossiers)
    shown = []
    for stop, counted in zip(stops, items, strict=True):
        dossier, due = stop.job.dossier, owed[stop.job.dossier_id]
        version = dossier.procedure_version
        shown.append(
            {name: getattr(stop, name) for name in StopShown().fields}
            | {
                "procedure": version.name,
                "authorization": version.authorization,
                "requirements": journey.requirements(stop.job, due),
                "amounts": charged[dossier.id] if due else quoting.NOTHING,
                "checklist": version.requirements,
                "documents": dossier.documents,
                "lines": counted.lines,
                "custody": counted.custody,
                "attempts": stop.job.attempts,
            }
        )
    return shown
