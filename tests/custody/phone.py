"""A courier's phone: signs operations one after the other, and sends them as it can."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from scripts.simulation import device as devices
from scripts.simulation.device import Device, party
from scripts.simulation.signing import papers_of
from tests import cast as story
from tests.cast import STROKES, Actor, Cast, tomorrow

CLERKS = {"signer_name": "Lê Thị Mai", "relationship": "clerk", "strokes": STROKES}


class Phone:
    """The phone of the cast's courier."""

    def __init__(self, cast: Cast, actor: Actor | None = None) -> None:
        self.cast = cast
        self.actor = actor or cast.courier
        assert self.actor.signer is not None
        self.device: Device = self.actor.signer.device
        self.code = self.actor.signer.code

    def operation(
        self,
        typ: str,
        body: dict[str, Any] | None = None,
        values: dict[str, Any] | None = None,
        at: datetime | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Sign the next operation; it counts, whether it is ever sent or not."""
        event, salts = self.device.event(typ, at or tomorrow(8, 5), values, **fields)
        signed = self.device.signed(event, salts)
        self.device.count(signed)
        return {"id": event["eid"], "signed": signed} | (body or {})

    def arrival(self, stop: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """At the door."""
        point = stop["job"]["point"]
        geo = {"lat": round(point["lat"] * 1e7), "lon": round(point["lon"] * 1e7), "acc": 8}
        return self.operation("courier.arrival", stop=stop["id"], **{"geo": geo} | fields)

    def failure(self, stop: dict[str, Any], note: str | None = None, **fields: Any) -> dict[str, Any]:
        """Nobody there."""
        said = {"reason": "not_home", "next": "try_again"} | fields
        return self.operation("courier.failure", {"note": note}, {"note": note}, stop=stop["id"], **said)

    def start(self, round_id: str) -> dict[str, Any]:
        """Leave the office."""
        return self.operation("courier.start", round=round_id)

    def finish(self, round_id: str) -> dict[str, Any]:
        """Be back."""
        return self.operation("courier.finish", round=round_id)

    def seen(self, round_id: str, version: Any) -> dict[str, Any]:
        """The changed plan was looked at."""
        return self.operation("courier.seen", round=round_id, version=version)

    def remark(self, of: str, why: Any = "wrong_count", note: str = "Đếm thiếu một bản sao") -> dict[str, Any]:
        """Something is wrong with what was signed."""
        return self.operation("courier.remark", {"note": note}, {"note": note}, of=of, why=why)

    def to_office(self, item: dict[str, Any], event: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """Give a bag in, the clerk signing by hand; `item` as the clerks' API shows it."""
        body = story.at_counter(item, signatures=[CLERKS]) | changes
        given = {line["position"]: line for line in item["lines"]}
        papers = papers_of([{**given.get(one["position"], {"name": "?"}), **one} for one in body["lines"]])
        fields = devices.handover_fields(body) | {
            "item": item["custody"]["item_id"],
            "no": item["custody"]["tracking_number"],
            "leg": item["custody"]["leg"],
            "from": party("courier", self.code),
            "to": party("office", self.cast.office.code),
            "by": self.clerk,
        }
        values = devices.handover_values(body, papers, None)
        at = devices.moment(body["device_at"])
        return self.operation("custody.handover", body, values, at, **fields | (event or {}))

    def settlement(
        self, vouchers: list[dict[str, Any]], body: dict[str, Any] | None = None, **event: Any
    ) -> dict[str, Any]:
        """Pay in the cash of some vouchers, the clerk signing by hand."""
        said = {
            "office": self.cast.office.code,
            "amount": sum(one["amount"] for one in vouchers),
            "by": self.clerk,
            "handovers": [one["handover_id"] for one in vouchers],
        } | event
        body = {"signatures": [CLERKS]} if body is None else body
        values = {"strokes": devices.handover_values({"signatures": [CLERKS]}, [], None)["strokes"]}
        return self.operation("courier.settlement", body, values, tomorrow(11, 20), **said)

    @property
    def clerk(self) -> str:
        """The staff code of the cast's clerk."""
        assert self.cast.clerk.signer is not None
        return self.cast.clerk.signer.code

    def handover(
        self, stop: dict[str, Any], event: dict[str, Any] | None = None, photo: bytes | None = None, **changes: Any
    ) -> dict[str, Any]:
        """Take the papers, or give the result; `event` changes what is signed, `changes` what is asked for."""
        pickup = stop["job"]["kind"] == "pickup"
        body = story.pickup(self.cast, stop, **changes) if pickup else story.delivery(self.cast, stop, **changes)
        given = stop["documents"] if pickup else stop["lines"]
        listed = {line["position"]: line for line in given}
        counted = [{**listed.get(line["position"], {"name": "?"}), **line} for line in body["lines"]]
        papers = papers_of([*counted, *body.get("extra", ())])
        citizen, mine = party("citizen", ""), party("courier", self.code)
        fields = devices.handover_fields(body) | {
            "item": stop["custody"]["item_id"],
            "no": stop["custody"]["tracking_number"],
            "leg": stop["custody"]["leg"],
            "stop": stop["id"],
            "from": citizen if pickup else mine,
            "to": mine if pickup else citizen,
            "files": {"photo": photo} if photo is not None else None,
        }
        fields |= event or {}
        values = devices.handover_values(body, papers, stop["job"]["contact_name"])
        at = devices.moment(body["device_at"])
        return self.operation("custody.handover", body, values, at, **fields)

    def sync(self, *operations: dict[str, Any]) -> list[dict[str, Any]]:
        """Send operations; one result for each."""
        answer = self.actor.call("POST", "/sync", {"operations": list(operations)}, 200)
        results: list[dict[str, Any]] = answer["results"]
        return results


def with_a_round(cast: Cast) -> Phone:
    """A courier's phone with a round of one pickup before it: its `dossier`, `round_` and `stop`."""
    phone: Any = Phone(cast)
    phone.dossier = story.book(cast)
    phone.round_ = story.plan_and_publish(cast)
    phone.stop = cast.courier.get(f"/stops/{phone.round_['stops'][0]['id']}")
    given: Phone = phone
    return given


def nowhere() -> str:
    """An id of nothing."""
    return str(uuid4())
