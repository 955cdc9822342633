"""What people sign: events put together from what the API has shown them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from scripts.simulation.device import Device, handover_fields, handover_values, moment, party

type Shown = Mapping[str, Any]


def papers_of(lines: Sequence[Shown]) -> list[list[Any]]:
    """Papers as an event commits to them."""
    return [
        [n, line["name"], line["originals"], line["copies"], *([line["reason"]] if line.get("reason") else [])]
        for n, line in enumerate(lines, 1)
    ]


def holder_of(custody: Shown) -> dict[str, str]:
    """Who has the item now, as events name it."""
    return party(custody["holder"]["role"], custody["holder"]["code"])


class Handover:
    """One change of custody that a device is about to sign."""

    def __init__(
        self,
        custody: Shown,
        body: Shown,
        papers: list[list[Any]],
        sides: tuple[dict[str, str], dict[str, str]],
        citizen: str | None = None,
        **more: Any,
    ) -> None:
        """`custody` is what the API shows of the item, `body` the request, `sides` giver and taker."""
        giver, taker = sides
        said = {"item": custody["item_id"], "no": custody["tracking_number"], "leg": custody["leg"]}
        self.at = moment(body["device_at"])
        self.fields = handover_fields(body) | said | {"from": giver, "to": taker} | more
        self.values = handover_values(body, papers, citizen)

    def signed_by(self, device: Device, handover_id: str) -> dict[str, Any]:
        """The event with its signature; its counter is free until somebody counts it."""
        event, salts = device.event("custody.handover", self.at, self.values, eid=handover_id, **self.fields)
        return device.signed(event, salts)


def operation(
    device: Device,
    typ: str,
    at: datetime,
    beside: Shown | None = None,
    values: Shown | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """Sign a courier's next operation; it counts, whether it ever reaches the server or not."""
    event, salts = device.event(typ, at, values, **fields)
    signed = device.signed(event, salts)
    device.count(signed)
    return {"id": event["eid"], "signed": signed, **(beside or {})}


def arrival(device: Device, stop_id: str, at: datetime, place: Shown, accuracy_m: int) -> dict[str, Any]:
    """Be at the door."""
    geo = {"lat": round(place["lat"] * 1e7), "lon": round(place["lon"] * 1e7), "acc": accuracy_m}
    return operation(device, "courier.arrival", at, stop=stop_id, geo=geo)


def failure(
    device: Device, stop_id: str, at: datetime, reason: str, note: str | None = None, **said: Any
) -> dict[str, Any]:
    """Leave the door with nothing changed hands; the next plan is to try again unless it is said otherwise."""
    said = {"stop": stop_id, "reason": reason, "next": "try_again"} | said
    return operation(device, "courier.failure", at, {"note": note} if note else None, {"note": note}, **said)


def seen(device: Device, round_id: str, version: int, at: datetime) -> dict[str, Any]:
    """Know what became of the round."""
    return operation(device, "courier.seen", at, round=round_id, version=version)


def remark(device: Device, of: str, at: datetime, why: str, note: str) -> dict[str, Any]:
    """Ask for a correction of what was signed before."""
    return operation(device, "courier.remark", at, {"note": note}, {"note": note}, of=of, why=why)


def to_office(device: Device, code: str, office: str, clerk: str, item: Shown, body: Shown) -> dict[str, Any]:
    """Give a bag in, the clerk signing by hand; `item` as the clerks' API shows it."""
    sides = party("courier", code), party("office", office)
    said = Handover(item["custody"], body, papers_of(item["lines"]), sides, by=clerk)
    return operation(device, "custody.handover", said.at, body, said.values, **said.fields)


def settlement(
    device: Device, at: datetime, office: str, clerk: str, vouchers: Sequence[Shown], signatures: list[dict[str, Any]]
) -> dict[str, Any]:
    """Pay in the cash of some vouchers, the clerk signing by hand."""
    said = {
        "office": office,
        "by": clerk,
        "amount": sum(voucher["amount"] for voucher in vouchers),
        "handovers": [voucher["handover_id"] for voucher in vouchers],
    }
    values = {"strokes": handover_values({"signatures": signatures}, [], None)["strokes"]}
    return operation(device, "courier.settlement", at, {"signatures": signatures}, values, **said)


def start(device: Device, round_id: str, at: datetime) -> dict[str, Any]:
    """Leave the office."""
    return operation(device, "courier.start", at, round=round_id)


def finish(device: Device, round_id: str, at: datetime) -> dict[str, Any]:
    """Be back."""
    return operation(device, "courier.finish", at, round=round_id)


def door(device: Device, code: str, stop: Shown, body: Shown, photo: bytes | None = None) -> dict[str, Any]:
    """Take a citizen's papers or give the result; `stop` as the API shows it, `body` as recordHandover takes it."""
    said = at_door(code, stop, body)
    files = {"photo": photo} if photo is not None else None
    return operation(device, "custody.handover", said.at, body, said.values, files=files, **said.fields)


def at_door(code: str, stop: Shown, body: Shown) -> Handover:
    """The handover between a citizen and the courier of this code."""
    pickup = stop["job"]["kind"] == "pickup"
    named = {line["position"]: line for line in (stop["documents"] if pickup else stop["lines"])}
    papers = papers_of([*({**named[line["position"]], **line} for line in body["lines"]), *body.get("extra", ())])
    citizen, mine = party("citizen", ""), party("courier", code)
    sides = (citizen, mine) if pickup else (mine, citizen)
    return Handover(stop["custody"], body, papers, sides, stop["job"]["contact_name"], stop=stop["id"])
