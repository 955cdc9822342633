"""A courier's phone: signs operations one after the other, and sends them as it can."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from scripts.simulation import device as devices
from scripts.simulation.device import Device, party
from tests import cast as story
from tests.cast import Actor, Cast, tomorrow


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

    def arrival(self, stop: dict[str, Any]) -> dict[str, Any]:
        """At the door."""
        point = stop["job"]["point"]
        geo = {"lat": round(point["lat"] * 1e7), "lon": round(point["lon"] * 1e7), "acc": 8}
        return self.operation("courier.arrival", stop=stop["id"], geo=geo)

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

    def handover(
        self, stop: dict[str, Any], event: dict[str, Any] | None = None, photo: bytes | None = None, **changes: Any
    ) -> dict[str, Any]:
        """Take the papers, or give the result; `event` changes what is signed, `changes` what is asked for."""
        pickup = stop["job"]["kind"] == "pickup"
        body = story.pickup(self.cast, stop, **changes) if pickup else story.delivery(self.cast, stop, **changes)
        given = stop["documents"] if pickup else stop["lines"]
        names = {line["position"]: line["name"] for line in given}
        papers = [
            [n, names.get(line["position"], "?"), line["originals"], line["copies"]]
            for n, line in enumerate(body["lines"], 1)
        ]
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


def nowhere() -> str:
    """An id of nothing."""
    return str(uuid4())
