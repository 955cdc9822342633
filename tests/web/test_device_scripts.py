"""The scripts with which a browser signs, run in node: byte for byte what Python writes, and what it accepts."""

import base64
import hashlib
import json
import random
import unicodedata
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from courier_api.custody import events
from courier_api.custody.events import Signed
from courier_api.people.devices import OfferedKey, prove
from courier_api.proof import canonical, note
from courier_api.proof.canonical import Malformed
from courier_api.proof.core import Core, event_id
from courier_api.proof.keys import ORDER, device_key, key_id, verify_device
from scripts.simulation.device import Device
from tests.web import node
from tests.web.receipts import Device as CertifiedDevice
from tests.web.receipts import Operator

run = node.script("sign_events.mjs")
WORDS = [
    "Phường Phố Hiến",
    "Đỗ Thị Lan",
    "số 2 Chùa Chuông",
    "",
    "ký\ttên\n",
    "é",
    "e\u0301",
    "ộ",
    "\U0001f6f5",
    '"\\/',
    "\x7f\u2028",
]
ROUNDS = 300


def normal(value: Any) -> Any:
    """The same value in NFC, as the scripts make it."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [normal(inner) for inner in value]
    if isinstance(value, dict):
        return {normal(key): normal(inner) for key, inner in value.items()}
    return value


def anything(chance: random.Random, level: int = 0) -> Any:
    """Some value of an event: text of all planes, integers up to the last safe one, lists and objects."""
    kind = chance.randrange(7 if level < 4 else 4)
    if kind == 0:
        return chance.choice([0, 1, -1, 2**53 - 1, 1 - 2**53, chance.randrange(-(10**9), 10**9)])
    if kind == 1:
        return chance.choice([True, False, None])
    if kind in (2, 3):
        return text(chance)
    if kind == 4:
        return [anything(chance, level + 1) for _ in range(chance.randrange(4))]
    return {normal(text(chance)): anything(chance, level + 1) for _ in range(chance.randrange(5))}


def text(chance: random.Random) -> str:
    """Vietnamese, composed or not, and whatever else there is."""
    planes = [(0x20, 0x7F), (0xC0, 0x250), (0x300, 0x330), (0x1EA0, 0x1EFA), (0xE000, 0xFFFE), (0x10000, 0x1F9FF)]
    strange = "".join(chr(chance.randrange(*chance.choice(planes))) for _ in range(chance.randrange(4)))
    return strange + chance.choice(WORDS)


def said(chance: random.Random) -> dict[str, Any]:
    """What an app says of a handover."""
    citizen, courier = {"r": "citizen"}, {"r": "courier", "id": f"C-{chance.randrange(10**5):05}"}
    office = {"r": "office", "id": "16" + "0" * chance.randrange(12)}
    giver, taker = chance.choice([(citizen, courier), (courier, office), (office, {"r": "agency", "id": "A"})])
    geo = {"lat": chance.randrange(-(2**31) + 1, 2**31), "lon": chance.randrange(-(2**31) + 1, 2**31), "acc": 12}
    return {
        "typ": "custody.handover",
        "fields": {
            "item": str(UUID(int=chance.getrandbits(128))),
            "no": chance.choice(["EH123456785VN", None]),
            "leg": chance.randrange(256),
            "from": giver,
            "to": taker,
            "geo": chance.choice([geo, None]),
            "fee": chance.randrange(10**9),
            "by": "K-00007",
        },
        "values": {
            "citizen": text(chance) if citizen in (giver, taker) else None,
            "documents": [[1, text(chance), 1, 0]],
            "note": text(chance),
            "third_party": chance.choice([None, {"authorization": text(chance), "name": None}]),
        },
    }


def moment(chance: random.Random) -> dict[str, Any]:
    """When an app says it."""
    return {
        "at": chance.randrange(10**12, 4 * 10**12),
        "mono": chance.randrange(10**9),
        "boot": "b3",
        "app": "web-1a2b3c4d",
        "anchor": chance.choice([None, "a" * 64]),
    }


def test_canonical_json_is_the_same_byte_for_byte() -> None:
    chance = random.Random(2026)
    values = [{normal(text(chance)): anything(chance) for _ in range(4)} for _ in range(ROUNDS)]
    written = run(*({"do": "write", "value": value} for value in values))
    assert written == [canonical.write(normal(value)).hex() for value in values]
    assert any(canonical.write(normal(v)) != json.dumps(v, ensure_ascii=False).encode() for v in values)


def test_what_has_no_canonical_form_is_refused() -> None:
    strange = ("nan", "infinity", "big", "bigint", "undefined", "half", "date", "deep")
    wrong = [{"a": 0.5}, {"a": 2**53}, {"a": -(2**53)}, {"a": 1e300}, {"é": 1, "e\u0301": 2}]
    assert run(
        *({"do": "write", "strange": name} for name in strange), *({"do": "write", "value": value} for value in wrong)
    ) == ["refused"] * (len(strange) + len(wrong))
    for value in wrong[:4]:
        with pytest.raises(Malformed):
            canonical.write(value)


def test_a_chain_of_events_is_what_the_server_accepts() -> None:
    chance = random.Random(33)
    asked = [said(chance) for _ in range(120)]
    moments = [moment(chance) for _ in asked]
    (found,) = run({"do": "chain", "said": asked, "moments": moments})
    point = bytes.fromhex(found["point"])
    key, other = device_key(point), device_key(bytes.fromhex(found["otherPoint"]))
    assert (len(point), key_id(point).hex()) == (33, found["kid"])
    assert not found["takenOut"]
    previous = events.NO_EVENT
    for number, (one, at, made) in enumerate(zip(asked, moments, found["made"], strict=True), 1):
        signed = Signed.read(made["signed"])
        event = events.read(signed.event)
        assert (event.counter, event.previous) == (number, previous)
        assert event.device_at == datetime.fromtimestamp(at["at"] / 1000, UTC)
        assert events.core_of(event.fields, signed.parsed_core().digest).pack() == signed.core
        assert verify_device(key, signed.signature, signed.core) is None
        values = {name: normal(value) for name, value in one["values"].items()}
        assert events.unopened(event, values, signed.salts, frozenset()) is None
        assert all(len(salt) == 32 for salt in signed.salts.values())
        expected = {name: normal(value) for name, value in one["fields"].items() if value is not None}
        for side in ("from", "to"):
            if expected[side]["r"] == "citizen":
                expected[side] = {"r": "citizen", "c": event.commitments["citizen"]}
        assert events.differing(event, expected) is None
        assert event.fields.get("anchor") == at["anchor"]
        under = Core.unpack(signed.core).countersigned_by(bytes.fromhex(made["under"]["kid"]))
        assert verify_device(other, base64.b64decode(made["under"]["signature"]), under) is None
        previous = hashlib.sha256(signed.event).digest()
    offered = found["offered"]
    prove(OfferedKey(base64.b64decode(offered["public_key"]), base64.b64decode(offered["signature"])), "123456")


def test_names_and_sentences_are_never_signed_in_plain() -> None:
    wrong = ["Nguyễn Thị Hoa", "two words", "x" * 65, "\U0001f6f5", "a\n"]
    right = ["C-00417", "", "2026-11-22T03:14:15.926Z"]
    said_ = ({"typ": "courier.start", "fields": {"round": one}} for one in (*wrong, *right))
    now = moment(random.Random(1))
    found = run(*({"do": "plain", "said": one, "moment": now} for one in said_))
    assert found == ["refused"] * len(wrong) + ["written"] * len(right)


def test_cores_are_the_same_for_every_kind_of_event() -> None:
    chance, device = random.Random(7), Device()
    made = []
    for typ in ("custody.handover", *(typ for typ in events.TYPES if typ.startswith("courier."))):
        event, _ = device.event(typ, datetime.now(UTC), **said(chance)["fields"])
        made.append(event | {"dev": event["dev"] | {"ctr": chance.randrange(2**32)}})
    event, _ = device.event("custody.correction", datetime.now(UTC), {"note": "x"}, of=made[0]["eid"], case="1")
    made.append(event)
    cores = run(*({"do": "core", "event": one, "digest": "ab" * 32} for one in made))
    assert cores == [events.core_of(one, b"\xab" * 32).pack().hex() for one in made]


def test_what_does_not_fit_into_a_core_is_refused() -> None:
    event, _ = Device().event("custody.handover", datetime.now(UTC), no="EH123456785VN", leg=1)
    changes: list[dict[str, Any]] = [
        {"typ": "custody.erasure"},
        {"no": "EH123456785VNX"},
        {"no": "Hồ sơ"},
        {"leg": 256},
        {"leg": 1.5},
        {"from": {"r": "nobody"}},
        {"to": {"r": "office", "id": "160\u0000"}},
        {"t": "2026-11-22T03:14:15Z"},
        {"eid": "1"},
        {"dev": event["dev"] | {"kid": "zz" * 8}},
        {"dev": event["dev"] | {"ctr": 2**32}},
        {"geo": {"lat": 2**31, "lon": 0}},
    ]
    found = run(*({"do": "core", "event": event | change, "digest": "00" * 32} for change in changes))
    assert found == ["refused"] * len(changes)


def test_s_is_always_the_lower_one() -> None:
    chance = random.Random(1)
    values = [ORDER // 2, ORDER // 2 + 1, ORDER - 1, 1, *(chance.randrange(1, ORDER) for _ in range(50))]
    lowered = run(*({"do": "low", "raw": (b"\7" * 32 + s.to_bytes(32)).hex()} for s in values))
    assert lowered == [(b"\7" * 32 + min(s, ORDER - s).to_bytes(32)).hex() for s in values]


def test_ids_certificates_and_anchors_are_read_alike() -> None:
    operator = Operator()
    certificate = CertifiedDevice(operator).certificate()
    text_ = "post.example/custody\n11\n" + base64.b64encode(bytes(32)).decode() + "\n"
    signed = operator.note(text_)
    at = 1_795_000_000_123
    made, until, anchor = run(
        {"do": "id", "at": at, "kid": "5f1c0d9a3b7e2468"},
        {"do": "until", "certificate": certificate.hex()},
        {"do": "anchor", "note": signed},
    )
    assert UUID(made) == event_id(bytes.fromhex("5f1c0d9a3b7e2468"), at << 12)
    assert until == int.from_bytes(certificate[53:57]) * 1000
    assert anchor == hashlib.sha256(note.split(signed)[0].encode()).hexdigest()


RECORD = {"kid": "k", "counter": 4, "previous": "p4", "before": None, "pending": None, "fault": None}
SENT = {"kid": "k", "eid": "e5", "counter": 5, "digest": "p5"}
NEXT = {"kid": "k", "eid": "e6", "counter": 6, "digest": "p6"}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([["pend", SENT]], {"pending": SENT}),
        ([["pend", SENT], ["pend", SENT]], "overtaken"),
        ([["pend", NEXT]], "overtaken"),
        ([["pend", SENT | {"kid": "another"}]], "overtaken"),
        (
            [["pend", SENT], ["taken", SENT]],
            {"counter": 5, "previous": "p5", "before": {"counter": 4, "previous": "p4"}},
        ),
        ([["pend", SENT], ["taken", NEXT]], {"pending": SENT}),
        ([["pend", SENT], ["refused", SENT, "wrong_state"]], {}),
        ([["pend", SENT], ["refused", SENT, "key_revoked"]], {"fault": "key_revoked"}),
        # The server took another's decision for ours: one step back, and the counter is used after all.
        ([["pend", SENT], ["taken", SENT], ["steppedBack"]], {}),
        ([["steppedBack"]], None),
        ([["pend", SENT], ["taken", SENT], ["queued", NEXT], ["steppedBack"]], None),
        ([["queued", SENT]], {"counter": 5, "previous": "p5"}),
        ([["queued", SENT], ["queued", SENT]], "overtaken"),
        ([["pend", SENT], ["queued", SENT]], "overtaken"),
        # Taken back, the counter is free again; not beneath a request that is on its way, and not what was never there.
        ([["queued", SENT], ["queued", NEXT], ["unqueued", SENT | {"previous": "p4"}]], {}),
        (
            [["queued", SENT], ["queued", NEXT], ["unqueued", NEXT | {"previous": "p5"}]],
            {"counter": 5, "previous": "p5"},
        ),
        ([["queued", SENT], ["pend", NEXT], ["unqueued", SENT | {"previous": "p4"}]], "overtaken"),
        ([["unqueued", SENT | {"previous": "p4"}]], "overtaken"),
        ([["queued", SENT], ["unqueued", SENT | {"previous": "p4", "kid": "another"}]], "overtaken"),
    ],
)
def test_a_counter_is_used_once(steps: list[list[Any]], expected: Any) -> None:
    (found,) = run({"do": "counter", "record": RECORD, "steps": steps})
    assert found == (RECORD | expected if isinstance(expected, dict) else expected)
