"""Every bad event is refused with what is wrong, and its bytes are kept: online as well as from the phone's queue."""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unicodedata import normalize
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select, update

from courier_api.custody.models import Case, Entry, Handover, Operation
from courier_api.db import now
from courier_api.people import devices, signing_in
from courier_api.people.models import AccessToken, Device, DeviceCertificate, Person, Role
from courier_api.proof.certificate import CONTEXT, Certificate
from courier_api.proof.core import Core
from courier_api.proof.files import operator_key
from courier_api.proof.keys import ORDER, verify_operator
from scripts.simulation.device import Device as NewDevice
from scripts.simulation.device import base64_of
from tests import cast as story
from tests.cast import Cast
from tests.custody.phone import Phone
from tests.refusals import problem_in


@pytest.fixture
def phone(cast: Cast) -> Any:
    """A courier at a door."""
    phone: Any = Phone(cast)
    phone.dossier = story.book(cast)
    phone.round_, phone.stop = story.ride(cast)
    return phone


def decoded(operation: dict[str, Any]) -> dict[str, bytes]:
    return {name: base64.b64decode(operation["signed"][name]) for name in ("event", "core", "signature")}


def with_bytes(phone: Any, operation: dict[str, Any], **changed: bytes) -> dict[str, Any]:
    signed = operation["signed"] | {name: base64_of(content) for name, content in changed.items()}
    return operation | {"signed": signed}


def resigned(phone: Any, operation: dict[str, Any], event: bytes) -> dict[str, Any]:
    """The device really signs these bytes as an event."""
    core = Core.unpack(decoded(operation)["core"])
    core = type(core)(**{f: getattr(core, f) for f in core.__slots__} | {"digest": hashlib.sha256(event).digest()})
    phone.device.previous = core.digest
    return with_bytes(phone, operation, event=event, core=core.pack(), signature=phone.device.sign(core.pack()))


def high_s(phone: Any, operation: dict[str, Any]) -> dict[str, Any]:
    raw = decoded(operation)["signature"]
    return with_bytes(phone, operation, signature=raw[:32] + (ORDER - int.from_bytes(raw[32:])).to_bytes(32))


def flipped(phone: Any, operation: dict[str, Any]) -> dict[str, Any]:
    raw = decoded(operation)["signature"]
    return with_bytes(phone, operation, signature=bytes([raw[0] ^ 1]) + raw[1:])


def other_key(phone: Any, operation: dict[str, Any]) -> dict[str, Any]:
    return with_bytes(phone, operation, signature=NewDevice().sign(decoded(operation)["core"]))


def short(phone: Any, operation: dict[str, Any]) -> dict[str, Any]:
    return with_bytes(phone, operation, signature=decoded(operation)["signature"][:63])


def core_cut(phone: Any, operation: dict[str, Any]) -> dict[str, Any]:
    return with_bytes(phone, operation, core=decoded(operation)["core"][:-1])


def other_event(phone: Any, operation: dict[str, Any]) -> dict[str, Any]:
    return with_bytes(phone, operation, event=decoded(operation)["event"].replace(b'"leg":1', b'"leg":2'))


def no_base64(phone: Any, operation: dict[str, Any]) -> dict[str, Any]:
    return operation | {"signed": operation["signed"] | {"event": "!!!"}}


UNPROVEN: dict[Callable[..., Any], str] = {
    high_s: "signature_high_s",
    flipped: "signature_wrong",
    other_key: "signature_wrong",
    short: "signature_wrong",
    core_cut: "core_malformed",
    other_event: "core_of_other_event",
    no_base64: "signed_malformed",
}


@pytest.mark.parametrize("spoil", UNPROVEN, ids=lambda f: f.__name__)
def test_what_no_key_vouches_for_is_rejected_and_kept(cast: Cast, phone: Any, spoil: Callable[..., Any]) -> None:
    good = phone.handover(phone.stop)
    bad = spoil(phone, good)
    (answer,) = phone.sync(bad)
    assert (answer["result"], answer["code"], answer["status"]) == ("rejected", UNPROVEN[spoil], 422)
    kept = cast.session.scalars(select(Operation)).one()
    assert json.loads(kept.content or b"")["signed"] == bad["signed"]
    assert phone.sync(bad)[0]["receipt"] == answer["receipt"]
    assert cast.session.query(Entry).count() == 0
    # The right one is not in its shadow.
    assert phone.sync(good)[0]["result"] == "applied"


@pytest.mark.parametrize("spoil", UNPROVEN, ids=lambda f: f.__name__)
def test_online_the_bytes_are_kept_too(cast: Cast, phone: Any, spoil: Callable[..., Any]) -> None:
    good = phone.handover(phone.stop)
    bad = {k: v for k, v in spoil(phone, good).items() if k != "id"}
    cast.courier.call("PUT", f"/handovers/{good['id']}", bad)
    problem_in(cast.courier.last, 422, UNPROVEN[spoil])
    cast.session.expire_all()
    kept = cast.session.scalars(select(Operation)).one()
    assert (kept.state, kept.code) == ("rejected", UNPROVEN[spoil])
    assert kept.content
    assert cast.session.query(Handover).count() == cast.session.query(Entry).count() == 0


def edited(**changes: Any) -> Callable[[dict[str, Any]], bytes]:
    def edit(event: dict[str, Any]) -> bytes:
        return json.dumps(event | changes, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    return edit


MALFORMED: dict[str, tuple[Callable[[dict[str, Any]], bytes], str]] = {
    "float": (edited(fee=1.0), "event_has_float"),
    "exponent": (lambda e: edited()(e).replace(b'"fee":', b'"fee":1e3,"x":'), "event_has_float"),
    "2^53": (edited(mono=2**53), "event_number_too_large"),
    "NFD": (edited(app=normalize("NFD", "Nguyễn")), "event_not_nfc"),
    "key order": (
        lambda e: json.dumps(dict(reversed(e.items())), separators=(",", ":"), ensure_ascii=False).encode(),
        "event_not_canonical",
    ),
    "spaces": (lambda e: json.dumps(e, sort_keys=True, ensure_ascii=False).encode(), "event_not_canonical"),
    "twice": (lambda e: edited()(e).replace(b'{"app"', b'{"app":"x","app"'), "event_not_canonical"),
    "no object": (lambda e: b"[1]", "event_not_json"),
    "no JSON": (lambda e: b"{", "event_not_json"),
    "not UTF-8": (lambda e: b'{"a":"\xff"}', "event_not_json"),
    "too large": (edited(app="x" * 20_000), "event_too_large"),
    "version": (edited(v=2), "event_version"),
    "no type": (edited(typ="custody.gift"), "event_malformed"),
    "no time": (edited(t="2026-11-22T03:14:15"), "event_malformed"),
    "a field of no event": (edited(name="x"), "event_unknown_field"),
    "a field inside": (lambda e: edited(ev=e["ev"] | {"diary": "0" * 64})(e), "event_unknown_field"),
    "a name": (edited(app="Nguyễn Thị Hoa"), "event_not_plain"),
    "a sentence": (edited(app="call 0912 first"), "event_not_plain"),
    "no counter": (edited(dev={}), "event_malformed"),
    "commitment": (lambda e: edited(ev=e["ev"] | {"seal": "NS-1"})(e), "event_malformed"),
    "another leg than the core": (edited(leg=2), "core_differs"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_a_device_really_signed_is_kept_in_the_ledger_however_wrong(cast: Cast, phone: Any, name: str) -> None:
    spoil, code = MALFORMED[name]
    good = phone.handover(phone.stop)
    event = spoil(json.loads(decoded(good)["event"]))
    if len(event) > 24_000:
        return
    bad = resigned(phone, good, event)
    after = phone.finish(phone.round_["id"])
    answers = phone.sync(bad, after)
    assert [(a["result"], a["code"]) for a in answers] == [("rejected", code), ("parked", "stops_left")]
    # Its core has its place in the ledger, so the device's chain is whole; its bytes lie where they can be erased.
    entry = cast.session.get_one(Entry, UUID(good["id"]))
    assert (entry.event, Core.unpack(entry.core).digest) == (None, hashlib.sha256(event).digest())
    kept = json.loads(cast.session.get_one(Operation, entry.id).content or b"")
    assert base64.b64decode(kept["signed"]["event"]) == event
    assert sorted(cast.session.scalars(select(Case.kind))) == ["malformed", "parked"]
    assert cast.session.query(Handover).count() == 0


@pytest.mark.parametrize("name", MALFORMED)
def test_online_a_malformed_event_is_named(cast: Cast, phone: Any, name: str) -> None:
    spoil, code = MALFORMED[name]
    good = phone.handover(phone.stop)
    bad = resigned(phone, good, spoil(json.loads(decoded(good)["event"])))
    bad.pop("id")
    cast.courier.call("PUT", f"/handovers/{good['id']}", bad)
    if name == "too large":
        problem_in(cast.courier.last, 422, "bad_fields", "/signed/event")
        return
    problem_in(cast.courier.last, 422, code)
    cast.session.expire_all()
    assert cast.session.scalars(select(Operation.code)).all() == [code]
    assert cast.session.query(Entry).count() == 0


@pytest.mark.parametrize("days", [-1, 1, -365])
def test_a_clock_that_is_wrong_still_works_and_both_times_are_kept(cast: Cast, phone: Any, days: int) -> None:
    at = now().replace(microsecond=0) + timedelta(days=days)
    (answer,) = phone.sync(phone.handover(phone.stop, device_at=at.isoformat()))
    assert answer["result"] == "applied"
    handover = cast.session.scalars(select(Handover)).one()
    assert handover.device_at == at
    assert abs(handover.at - now()) < timedelta(minutes=1)


def test_an_expired_certificate(cast: Cast, phone: Any) -> None:
    sent = phone.handover(phone.stop)
    cast.session.execute(update(Device).values(certified_until=now() - timedelta(hours=25)))
    cast.session.commit()
    (first,) = phone.sync(sent)
    assert (first["result"], first["code"]) == ("waiting", "certificate_expired")
    online = {k: v for k, v in phone.handover(phone.stop).items() if k != "id"}
    cast.courier.call("PUT", f"/handovers/{uuid4()}", online)
    problem_in(cast.courier.last, 422, "certificate_expired")
    # Signed in again with the same key: what waited is done, and has the receipt that it had.
    person = cast.session.get_one(Person, UUID(cast.courier.person_id))
    devices.certify(cast.session, person, Role.courier, phone.device.public)
    cast.session.commit()
    (again,) = phone.sync(sent)
    assert (again["result"], again["state"], again["receipt"]) == ("duplicate", "applied", first["receipt"])


def test_a_phone_without_network_may_be_late(cast: Cast, phone: Any) -> None:
    cast.session.execute(update(Device).values(certified_until=now() - timedelta(hours=23)))
    cast.session.commit()
    assert phone.sync(phone.handover(phone.stop))[0]["result"] == "applied"


def test_a_revoked_device_signs_and_is_signed_in_no_more(cast: Cast, phone: Any) -> None:
    sent = phone.handover(phone.stop)
    mine = cast.courier.get("/devices")
    assert [d["kid"] for d in mine] == [phone.device.kid]
    cast.outsider[Role.courier].put(f"/devices/{phone.device.kid}/revocation", None, 404)
    cast.dispatcher.put(f"/devices/{phone.device.kid}/revocation")
    cast.courier.get("/devices", 401)  # the tokens of the device went with it
    cast.session.execute(update(AccessToken).values(revoked_at=None))
    cast.session.commit()
    (answer,) = phone.sync(sent)
    assert (answer["result"], answer["code"]) == ("rejected", "key_revoked")
    person = cast.session.get_one(Person, UUID(cast.courier.person_id))
    with pytest.raises(Exception, match="key_revoked"):
        devices.certify(cast.session, person, Role.courier, phone.device.public)


def test_a_counter_used_twice_online_is_a_copied_key(cast: Cast) -> None:
    dossier, manifest, item = story.listed(cast)
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    device = cast.officer.signer.device  # type: ignore[union-attr]
    device.counter, device.previous = 0, bytes(32)  # what a restored backup would do
    body = story.result(cast, dossier)
    cast.officer.call("PUT", f"/results/{uuid4()}", body)
    problem_in(cast.officer.last, 422, "counter_reused")
    cast.session.expire_all()
    assert cast.session.scalars(select(Case.kind)).all() == ["key_cloned"]
    device.counter = 1
    cast.officer.call("PUT", f"/results/{uuid4()}", body)
    problem_in(cast.officer.last, 422, "key_quarantined")


@pytest.mark.parametrize(("counter", "code"), [(5, "counter_gap"), (1, "chain_broken")])
def test_online_an_event_is_the_next_of_its_device(cast: Cast, counter: int, code: str) -> None:
    dossier, manifest, item = story.listed(cast)
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    device = cast.officer.signer.device  # type: ignore[union-attr]
    device.counter = counter
    device.previous = hashlib.sha256(b"other").digest()
    cast.officer.call("PUT", f"/results/{uuid4()}", story.result(cast, dossier))
    problem_in(cast.officer.last, 422, code)


def test_the_certificate_says_whose_key_it_is(cast: Cast, phone: Any) -> None:
    row = cast.session.scalars(select(DeviceCertificate).where(DeviceCertificate.kid == phone.device.kid)).one()
    certificate = Certificate.unpack(row.content)
    assert (certificate.holder, certificate.public_key) == (phone.code, phone.device.public)
    assert certificate.not_after - certificate.not_before == 30 * 86_400
    assert verify_operator(operator_key().public, certificate.signature, CONTEXT + row.content[:57])


def test_signing_in_certifies_a_key_that_is_in_ones_hand(cast: Cast) -> None:
    def codes() -> str:
        return signing_in.issue_code(cast.session, "+84912000002")[1]

    def sign_in(code: str, key: dict[str, str] | None, role: str = "courier") -> Any:
        cast.session.commit()
        body = {"phone": "0912000002", "code": code, "role": role, "device_key": key}
        return cast.client.post("/api/v1/public/sign-ins", json=body, headers={"Accept-Language": "en"})

    device = NewDevice()
    code = codes()
    wrong = device.offer("000000" if code != "000000" else "111111")
    problem_in(sign_in(code, wrong), 422, "signature_wrong", "/device_key/signature")
    curve = ec.generate_private_key(ec.SECP384R1())
    point = curve.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    key = {"public_key": base64_of(point), "signature": base64_of(bytes(64))}
    problem_in(sign_in(code, key), 422, "key_wrong_curve", "/device_key/public_key")
    problem_in(sign_in(code, {"public_key": "!", "signature": "!"}), 422, "key_wrong_curve")
    answer = sign_in(code, device.offer(code))
    assert answer.status_code == 201, answer.data
    body = answer.get_json()
    assert body["staff_code"] == cast.courier.signer.code  # type: ignore[union-attr]
    assert body["place_code"] == cast.office.code
    assert Certificate.unpack(base64.b64decode(body["certificate"])).public_key == device.public
    # Another's key, and a citizen's, are not certified.
    other = cast.session.get_one(Person, UUID(cast.clerk.person_id))
    with pytest.raises(Exception, match="key_of_another"):
        devices.certify(cast.session, other, Role.clerk, device.public)
    with pytest.raises(Exception, match="role_signs_nothing"):
        devices.certify(cast.session, other, Role.citizen, NewDevice().public)
