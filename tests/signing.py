"""Signs what the cast sends, as their apps would: everything in an event is what the database says at that moment."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from courier_api.agencies.models import Manifest
from courier_api.custody import holding
from courier_api.custody.holding import Line, Party
from courier_api.custody.models import PartyRole
from courier_api.db import now
from courier_api.dossiers.models import Dossier, PostalItem
from courier_api.dossiers.states import ItemKind
from courier_api.jobs.states import JobKind
from courier_api.people.models import Person, Role
from courier_api.places.models import ServicePoint
from courier_api.rounds.models import Stop
from scripts.simulation import device as devices
from scripts.simulation.device import Device, party

HANDOVERS = re.compile(
    r".*/(handovers|receipts|loadings|results)/([^/]+)$|.*/manifests/([^/]+)/lines/([^/]+)/acceptance$"
)


@dataclass
class Signer:
    """A member of staff with a device, and what was signed before: the same request again is the same bytes."""

    session: Session
    device: Device
    code: str
    place: ServicePoint
    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def sign(self, path: str, body: Any) -> tuple[str, Any]:
        """Put the signed event beside a handover's body; anything else is given back as it is.

        The id that a test made up becomes one with the mark of the device, for this and all later requests.
        """
        path, body = self._own(path, body)
        found = HANDOVERS.fullmatch(path)
        if found is None or not isinstance(body, dict) or "signed" in body:
            return path, body
        key = _key(path, body)
        with self.lock:
            if key not in self.made:
                self.made[key] = self._made(found, body)
        return path, body | {"signed": self.made[key]}

    def own(self, made_up: str) -> str:
        """The device's own id in place of one that a test made up."""
        with self.lock:
            if made_up in self.ids.values():
                return made_up
            return self.ids.setdefault(made_up, self.device.new_id())

    def _own(self, path: str, body: Any) -> tuple[str, Any]:
        found = HANDOVERS.fullmatch(path)
        if found is None or not isinstance(body, dict) or "signed" in body:
            return path, body
        if found[2] is not None and _is_id(found[2]):
            return path.replace(found[2], self.own(found[2])), body
        if _is_id(body.get("handover_id")):
            return path, body | {"handover_id": self.own(body["handover_id"])}
        return path, body

    def answered(self, path: str, body: Any, good: bool) -> None:
        """Count what was kept, forget what was refused: its counter is free again."""
        if not HANDOVERS.fullmatch(path) or not isinstance(body, dict) or "signed" not in body:
            return
        with self.lock:
            signed = body["signed"]
            if not good:
                self.made = {k: v for k, v in self.made.items() if v is not signed}
            elif devices.Core.unpack(devices.base64.b64decode(signed["core"])).counter > self.device.counter:
                self.device.count(signed)

    def _made(self, found: re.Match[str], body: dict[str, Any]) -> dict[str, Any]:
        eid = str(body.get("handover_id", found[2]))
        try:
            at = devices.moment(body["device_at"])
            fields, values = SAID[found[1] or "acceptance"](self, body, found)
        except Exception:  # what is wrong with such a request is said without looking at its event
            at, fields, values = now(), {"item": str(uuid4())}, {}
        try:
            event, salts = self.device.event("custody.handover", at, values, eid=eid, **fields)
            return self.device.signed(event, salts)
        except Exception:
            event, salts = self.device.event("custody.handover", at)
            return self.device.signed(event, salts)

    def _counted(self, item: PostalItem, body: dict[str, Any]) -> list[list[Any]]:
        last = holding.last_handover(self.session, item.id)
        given = {line["position"]: line for line in body["lines"]}
        return [
            Line(line.name, given[line.position]["originals"], given[line.position]["copies"], line.reason).numbered(
                line.position
            )
            for line in (last.lines if last else [])
            if line.position in given
        ]

    def _said(self, item: PostalItem, body: dict[str, Any], giver: Any, taker: Any, papers: Any, **more: Any) -> Any:
        last = holding.last_handover(self.session, item.id)
        citizen = item.dossier.contact_name if {"r": "citizen"} in (giver, taker) else None
        fields = devices.handover_fields(body) | {
            "item": str(item.id),
            "no": item.tracking_number,
            "leg": last.leg + 1 if last else 1,
            "from": giver,
            "to": taker,
        }
        return fields | more, devices.handover_values(body, papers, citizen)

    def door(self, body: dict[str, Any], found: re.Match[str]) -> Any:
        stop = self.session.get_one(Stop, UUID(body["stop_id"]))
        item, dossier = stop.job.item, stop.job.dossier
        citizen, mine = party("citizen", ""), party("courier", self.code)
        if stop.job.kind is JobKind.pickup:
            given = {line["position"]: line for line in body["lines"]}
            papers = [
                [n, d.requirement.name, given[d.position]["originals"], given[d.position]["copies"]]
                for n, d in enumerate((d for d in dossier.documents if d.position in given), 1)
            ]
            papers += [
                [n, p["name"], p["originals"], p["copies"], p["reason"]]
                for n, p in enumerate(body.get("extra", ()), len(papers) + 1)
            ]
            return self._said(item, body, citizen, mine, papers, stop=str(stop.id))
        return self._said(item, body, mine, citizen, self._counted(item, body), stop=str(stop.id))

    def receipt(self, body: dict[str, Any], found: re.Match[str]) -> Any:
        item = self.session.get_one(PostalItem, UUID(body["item_id"]))
        giver = holding.holder(self.session, item)
        taker = party("office", self.place.code)
        return self._said(item, body, party(giver.role.value, giver.code), taker, self._counted(item, body))

    def loading(self, body: dict[str, Any], found: re.Match[str]) -> Any:
        item = self.session.get_one(PostalItem, UUID(body["item_id"]))
        courier = self.session.get_one(Person, UUID(body["courier_id"]))
        giver, taker = party("office", self.place.code), party("courier", courier.staff_code(Role.courier))
        return self._said(item, body, giver, taker, self._counted(item, body))

    def acceptance(self, body: dict[str, Any], found: re.Match[str]) -> Any:
        manifest = self.session.get_one(Manifest, UUID(found[3]))
        item = self.session.get_one(PostalItem, UUID(found[4]))
        giver, taker = party("office", manifest.office.code), party("agency", self.place.code)
        more = {"code": body["dossier_code"], "due": body["due_date"], "manifest": manifest.number}
        return self._said(item, body, giver, taker, self._counted(item, body), **more)

    def result(self, body: dict[str, Any], found: re.Match[str]) -> Any:
        dossier = self.session.get_one(Dossier, UUID(body["dossier_id"]))
        item = self.session.scalars(
            select(PostalItem).where(PostalItem.dossier_id == dossier.id, PostalItem.kind == ItemKind.result)
        ).one()
        giver, taker = party("agency", self.place.code), party("office", dossier.office.code)
        papers = [[n, p["name"], p["originals"], p["copies"]] for n, p in enumerate(body["papers"], 1)]
        by = self.session.get_one(Person, UUID(body["received_by"])).staff_code(Role.clerk)
        return self._said(item, body, giver, taker, papers, by=by, code=body.get("dossier_code"))


SAID: dict[str, Callable[[Signer, dict[str, Any], re.Match[str]], Any]] = {
    "handovers": Signer.door,
    "receipts": Signer.receipt,
    "loadings": Signer.loading,
    "acceptance": Signer.acceptance,
    "results": Signer.result,
}


def _is_id(text: Any) -> bool:
    try:
        return bool(UUID(text))
    except (ValueError, AttributeError, TypeError):
        return False


def _key(path: str, body: dict[str, Any]) -> str:
    return path + json.dumps(body, sort_keys=True, default=str)


def by_force(
    session: Session, who: Any, item: PostalItem, giver: Party, taker: Party, by: Any, lines: Any = ()
) -> None:
    """Record a handover that no endpoint would, signed by the actor's device: a case repaired by hand."""
    signer: Signer = who.signer
    at, handover_id = now().replace(microsecond=0), UUID(signer.device.new_id())
    last = holding.last_handover(session, item.id)
    papers = [[n, line.name, line.originals, line.copies] for n, line in enumerate(lines, 1)]
    citizen = item.dossier.contact_name if PartyRole.citizen in (giver.role, taker.role) else None
    event, salts = signer.device.event(
        "custody.handover",
        at,
        {"citizen": citizen, "documents": papers},
        eid=str(handover_id),
        item=str(item.id),
        no=item.tracking_number,
        leg=last.leg + 1 if last else 1,
        fee=0,
        **{"from": party(giver.role.value, giver.code), "to": party(taker.role.value, taker.code)},
    )
    signed = signer.device.signed(event, salts)
    holding.record(session, handover_id, b"x" * 32, item, giver, taker, lines, holding.Proof(at, signed), by)
    signer.device.count(signed)
