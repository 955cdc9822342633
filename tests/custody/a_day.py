"""A day of custody with something of everything, for what looks at the whole of it."""

import base64
import hashlib
import time
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from courier_api import tasks
from courier_api.custody import events, ledger, uploads
from courier_api.custody.audit.trust import Trust
from courier_api.custody.models import Checkpoint, Cosignature, Entry
from courier_api.db import now
from courier_api.proof import canonical, note
from courier_api.proof.files import PUBLIC
from courier_api.queue import Outbox
from courier_api.settings import settings
from tests import cast as story
from tests.cast import Cast
from tests.custody.phone import Phone
from tests.custody.test_uploads import Sender, a_photo


@dataclass
class Day:
    """What came of it, and who watched."""

    dossier: dict[str, Any]  # went all the way
    other: dict[str, Any]  # nobody at home
    card: dict[str, Any]  # a result for which the old original is recalled
    phone: Phone
    trust: Trust


def live(cast: Cast) -> Day:
    """Collect with a photo, hand in, bring back the result; operations are parked and rejected, one door is closed.

    In the afternoon all is done by phone: an old original is taken back, the cash is settled, a remark made.
    """
    dossier, other = story.book(cast), story.book(cast, service="send")
    card = story.book(cast, service="return", procedure_code="1.014063", documents=[], window=None)
    round_ = story.plan_and_publish(cast)
    phone = Phone(cast)
    stops = {s["job"]["dossier_id"]: cast.courier.get(f"/stops/{s['id']}") for s in round_["stops"]}
    first, second = stops[dossier["id"]], stops[other["id"]]
    too_early = phone.start(round_["id"]), phone.finish(round_["id"])
    wrong = phone.arrival(second) | {"note": "not asked for"}
    photo = a_photo(300)
    answers = phone.sync(*too_early, wrong, nonsense(phone))
    assert [a["result"] for a in answers] == ["applied", "parked", "parked", "rejected"], answers
    ledger.grow(cast.session)
    seen = ledger.anchor(cast.session)
    geo = {"lat": 206600000, "lon": 1060620000, "acc": 8}
    arrived = phone.operation("courier.arrival", stop=first["id"], geo=geo, anchor=seen)
    taken = [arrived, phone.handover(first, photo=photo)]
    failed = [
        phone.arrival(second, why="met_elsewhere"),
        phone.failure(second, "Không có ai", called=["2026-11-22T03:14:15.926Z"]),
        phone.finish(round_["id"]),
    ]
    answers = phone.sync(*taken, *failed)
    assert {a["result"] for a in answers} == {"applied"}, answers
    _upload(cast, taken[1]["id"], photo)
    ledger.grow(cast.session)
    _bring_on(cast, dossier, card, phone)
    checkpoint = ledger.grow(cast.session)
    assert checkpoint is not None
    witness = _cosign(cast, checkpoint)
    cast.session.commit()
    folder = settings().operator_keys
    trust = Trust(tuple(note.read_keys((folder / PUBLIC).read_text())), (witness,), settings().evidence_store, folder)
    return Day(dossier, other, card, phone, trust)


def nonsense(phone: Phone) -> dict[str, Any]:
    """What the device has really signed, and is no event of ours: a space too many, and another time in the core."""
    event, _ = phone.device.event("courier.start", now(), round=str(uuid4()))
    content = canonical.write(event) + b" "
    core = replace(events.core_of(event, hashlib.sha256(content).digest()), time_ms=1).pack()
    sent = {"event": content, "core": core, "signature": phone.device.sign(core)}
    signed = {name: base64.b64encode(value).decode() for name, value in sent.items()}
    phone.device.count(signed)
    return {"id": event["eid"], "signed": signed}


def _upload(cast: Cast, event_id: str, photo: bytes) -> None:
    sender = Sender(cast)
    sender.patch(sender.begin(event_id, len(photo)), 0, photo)
    cast.session.expire_all()
    for row in cast.session.scalars(select(Outbox).where(Outbox.done_at.is_(None), Outbox.task == uploads.TASK)).all():
        tasks.run(str(row.id))
    cast.session.expire_all()


def _bring_on(cast: Cast, dossier: dict[str, Any], card: dict[str, Any], phone: Phone) -> None:
    item = cast.clerk.get(f"/couriers/{cast.courier.person_id}/items")[0]
    receipt = cast.clerk.put(f"/receipts/{uuid4()}", story.at_counter(item))
    countersign(cast, receipt["id"])
    manifest = cast.clerk.post("/manifests", {"centre_id": str(cast.centre.id), "item_ids": [item["id"]]})
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    for one in (dossier, card):
        cast.officer.put(f"/results/{uuid4()}", story.result(cast, one))
    round_ = story.plan_and_publish(cast, "afternoon")
    for item in cast.clerk.get("/items")["items"]:
        cast.clerk.put(f"/loadings/{uuid4()}", story.at_counter(item, courier_id=cast.courier.person_id))
    story.start(cast, round_["id"])
    stop = next(s for s in round_["stops"] if s["job"]["dossier_id"] == dossier["id"])
    cast.courier.put(f"/handovers/{uuid4()}", story.delivery(cast, story.arrive(cast, stop)))
    _by_phone(cast, card, phone, round_)


def _by_phone(cast: Cast, card: dict[str, Any], phone: Phone, round_: dict[str, Any]) -> None:
    """The plan is seen, the card delivered and the old one taken back, the cash settled; something was miscounted."""
    doors = {door["job"]["dossier_id"]: door for door in cast.courier.get(f"/rounds/{round_['id']}/doors")}
    door = doors[card["id"]]
    seen, arrived = phone.seen(round_["id"], round_["version"]), phone.arrival(door)
    given = phone.handover(door, recalled=[{"position": 2, "originals": 1}])
    answers = phone.sync(seen, arrived, given)
    (first, second) = cast.courier.get("/vouchers")
    assert second["handover_id"] == given["id"]
    answers += phone.sync(phone.settlement([first, second], recalled=[given["id"]]), phone.remark(given["id"]))
    assert {a["result"] for a in answers} == {"applied"}, answers


def countersign(cast: Cast, handover: str) -> None:
    """The courier signs what the clerk took over from him as well."""
    assert cast.courier.signer is not None
    entry = cast.session.get_one(Entry, UUID(handover))
    body = cast.courier.signer.device.countersign({"core": base64.b64encode(entry.core).decode()})
    cast.courier.put(f"/handovers/{handover}/countersignature", body)


def _cosign(cast: Cast, checkpoint: Checkpoint) -> note.VerifierKey:
    private = Ed25519PrivateKey.generate()
    witness = note.VerifierKey.of("witness.test/w1", private, note.COSIGNATURE)
    signed = note.cosign(checkpoint.note, witness, private, int(time.time()))
    line = next(line for line in note.split(signed)[1] if line.name == witness.name)
    cast.session.add(Cosignature(size=checkpoint.size, witness=witness.name, line=line.write(), at=now()))
    cast.session.flush()
    return witness
