"""The other side of a handover signs the same core, at once or later; nobody else can."""

import base64
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from courier_api.custody.models import Entry, Handover
from courier_api.people import signing_in
from courier_api.people.devices import OfferedKey
from courier_api.people.models import Role
from courier_api.proof.core import Core, Kind
from courier_api.proof.keys import device_key, verify_device
from scripts.commands.operator import post
from scripts.simulation.device import Device as NewDevice
from tests import cast as story
from tests.cast import Actor, Cast
from tests.custody.phone import Phone
from tests.refusals import problem_in
from tests.signing import Signer


def received(cast: Cast, **more: Any) -> Handover:
    """The clerk has taken over what the courier collected."""
    story.collected(cast)
    item = cast.clerk.get(f"/couriers/{cast.courier.person_id}/items")[0]
    path = f"/api/v1/clerks/receipts/{uuid4()}"
    path, body = cast.clerk.signed(path, story.at_counter(item))
    if more:
        body["signed"] = body["signed"] | {"countersignature": more["by"].signer.device.countersign(body["signed"])}
    cast.clerk.call("PUT", path, body, more.get("status", 200))
    return cast.session.scalars(select(Handover).where(Handover.leg == 2)).first()  # type: ignore[return-value]


def countersign(who: Actor, handover: Handover, status: int = 200) -> Any:
    """Someone signs beneath a handover."""
    assert who.signer is not None
    core = base64.b64encode(handover.entry.core).decode()
    return who.call(
        "PUT", f"/handovers/{handover.id}/countersignature", who.signer.device.countersign({"core": core}), status
    )


def countersignatures(cast: Cast) -> list[Entry]:
    return list(cast.session.scalars(select(Entry).where(Entry.kind == Kind.countersignature)))


def test_the_courier_signs_what_the_clerk_recorded(cast: Cast) -> None:
    handover = received(cast)
    for _ in range(2):
        countersign(cast.courier, handover)
    (entry,) = countersignatures(cast)
    assert (entry.of, entry.kid) == (handover.id, cast.courier.signer.device.kid)  # type: ignore[union-attr]
    mine, theirs = Core.unpack(entry.core), Core.unpack(handover.entry.core)
    assert mine.digest == theirs.digest
    assert verify_device(device_key(cast.courier.signer.device.public), entry.signature, entry.core) is None  # type: ignore[union-attr]


def test_it_may_come_with_the_handover(cast: Cast) -> None:
    received(cast, by=cast.courier)
    assert len(countersignatures(cast)) == 1


def test_a_bystander_cannot(cast: Cast) -> None:
    handover = received(cast)
    for who in (cast.outsider[Role.courier], cast.officer, cast.outsider[Role.clerk], cast.clerk):
        countersign(who, handover, 404)
    assert countersignatures(cast) == []


def test_who_recorded_it_as_courier_is_not_his_own_clerk(cast: Cast) -> None:
    story.collected(cast)
    phone = Phone(cast)
    given = phone.to_office(cast.clerk.get(f"/couriers/{cast.courier.person_id}/items")[0])
    assert phone.sync(given)[0]["result"] == "applied"
    post(cast.session, "+84912000002", "Trần Văn Nam", Role.clerk, cast.office)
    cast.session.commit()
    handover = cast.session.get_one(Handover, UUID(given["id"]))
    assert str(handover.recorded_by) == cast.courier.person_id
    device = NewDevice()
    signed = signing_in.sign_in(cast.session, "+84912000002", Role.clerk, None, OfferedKey(device.public, b"", "test"))
    signer = Signer(cast.session, device, signed.person.staff_code(Role.clerk), cast.office)
    himself = Actor(cast.client, signed.token, str(signed.person.id), "clerks", signer=signer)
    assert himself.person_id == cast.courier.person_id
    countersign(himself, handover, 404)
    assert countersignatures(cast) == []
    countersign(cast.clerk, handover)


def test_a_bystanders_signature_with_the_handover_refuses_it(cast: Cast) -> None:
    received(cast, by=cast.outsider[Role.courier], status=422)
    problem_in(cast.clerk.last, 422, "key_unknown", "/countersignature")
    assert cast.session.query(Handover).count() == 1


def test_a_signature_of_something_else_is_refused(cast: Cast) -> None:
    handover = received(cast)
    first = cast.session.scalars(select(Handover).where(Handover.leg == 1)).one()
    wrong = cast.courier.signer.device.countersign({"core": base64.b64encode(first.entry.core).decode()})  # type: ignore[union-attr]
    cast.courier.call("PUT", f"/handovers/{handover.id}/countersignature", wrong)
    problem_in(cast.courier.last, 422, "signature_wrong")
    assert countersignatures(cast) == []


def test_the_clerk_signs_what_the_officer_recorded(cast: Cast) -> None:
    _, manifest, item = story.listed(cast)
    body = story.acceptance(item)
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", body)
    handover = cast.session.get_one(Handover, UUID(cast.officer.signer.own(body["handover_id"])))
    countersign(cast.clerk, handover)
    countersign(cast.courier, handover, 404)
    assert len(countersignatures(cast)) == 1
