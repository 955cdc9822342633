"""The check after which a phone lets go of what it has sent, run in node on receipts as the server writes them."""

import base64
import hashlib
import json
import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from courier_api import models
from courier_api.custody import evidence_receipts, inbox
from courier_api.custody.models import EvidenceKind, Upload
from courier_api.people.models import Person
from courier_api.proof.files import OperatorKey
from scripts.simulation import signing
from scripts.simulation.device import Device, base64_of
from tests.web import node

assert models.all_models
holds = node.script("check_outbox_receipts.mjs")  # of each case, whether its receipt does
AT = datetime(2026, 11, 28, 8, 15, 0, 123_000, tzinfo=UTC)
PLACES = [0, 106.062, 20.66, -0.5, 1e-4, 0.00012345, 9.9e-5, 1e-5, 1e-7, -1.5e-6, 1.25e-10, 1e21, 1.5e300, 2**53]


def new_key() -> OperatorKey:
    private = Ed25519PrivateKey.generate()
    return OperatorKey(private, private.public_key().public_bytes_raw())


KEY, OTHER = new_key(), new_key()
KEYS = [OTHER.public.hex(), KEY.public.hex()]


def operation(**beside: Any) -> dict[str, Any]:
    """An operation as it is sent."""
    return signing.operation(Device(), "courier.start", AT, beside, round=str(uuid4()))


def received(sent: dict[str, Any], key: OperatorKey = KEY, op: str | None = None) -> dict[str, str]:
    """The receipt that the inbox writes for an operation that came over the wire."""
    content = inbox.bytes_of(json.loads(json.dumps(sent)))
    row = inbox._row(Person(id=uuid4()), inbox._Seen(UUID(op or sent["id"]), None, None, None), content, AT, key)
    return {"text": row["receipt"], "signature": base64_of(row["receipt_signature"])}


@pytest.fixture
def evidence(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A photo that has gone up, and its receipt."""
    monkeypatch.setattr(evidence_receipts, "operator_key", lambda: KEY)
    content = random.Random(1).randbytes(3000)
    upload = Upload(entry_id=uuid4(), kind=EvidenceKind.photo, length=len(content))
    evidence_receipts.sign(upload, hashlib.sha256(content).digest(), AT)
    assert upload.receipt is not None
    assert upload.receipt_signature is not None
    return {
        "evidence": {"event": str(upload.entry_id), "kind": "photo", "bytes": content.hex()},
        "receipt": {"text": upload.receipt, "signature": base64_of(upload.receipt_signature)},
        "keys": KEYS,
    }


def test_a_true_receipt_holds_whatever_stands_beside_the_event() -> None:
    beside = [
        {},
        {"note": "Không có ai ở nhà, hẹn lại 15 giờ\n\t\"'\\/ \u2028\x7f\x01 🛵 e\u0301"},
        {"place": {"lon": 106.062, "lat": 20.66}, "accuracy_m": 8, "b": [True, False, None, [], {}], "a": ""},
        {"lines": [{"position": n, "originals": 1, "copies": 0} for n in range(20)], "Z": 1, "_": 2, "z1": 3, "z": 4},
        *({"place": {"lat": number}} for number in PLACES),
    ]
    sent = [operation(**one) for one in beside]
    assert holds(*({"operation": one, "receipt": received(one), "keys": KEYS} for one in sent)) == [True] * len(sent)


def test_numbers_of_every_size_are_spelt_as_the_server_does() -> None:
    chance = random.Random(2026)
    numbers = [chance.uniform(-10, 10) * 10.0 ** chance.randrange(-12, 3) for _ in range(400)]
    sent = operation(numbers=numbers)
    other = sent | {"numbers": [*numbers[:-1], numbers[-1] * 2]}
    cases = [{"operation": one, "receipt": received(sent), "keys": KEYS} for one in (sent, other)]
    assert holds(*cases) == [True, False]


def test_a_receipt_for_anything_else_does_not_hold() -> None:
    sent = operation(note="a")
    right = received(sent)
    turned = base64.b64decode(right["signature"])
    cases: list[tuple[dict[str, Any], Any, list[str]]] = [
        (sent | {"note": "b"}, right, KEYS),
        (sent | {"id": str(uuid4())}, right, KEYS),
        (sent, received(sent, op=str(uuid4())), KEYS),
        (sent, right, KEYS[:1]),
        (sent, right, []),
        (sent, received(sent, new_key()), KEYS),
        (sent, right | {"text": right["text"].replace('"v":1', '"v":2')}, KEYS),
        (sent, right | {"text": right["text"] + " "}, KEYS),
        (sent, right | {"text": "null"}, KEYS),
        (sent, right | {"text": "{"}, KEYS),
        (sent, right | {"signature": base64_of(bytes([turned[0] ^ 1]) + turned[1:])}, KEYS),
        (sent, right | {"signature": base64_of(turned[:-1])}, KEYS),
        (sent, right | {"signature": "!"}, KEYS),
        (sent, {"text": right["text"]}, KEYS),
        (sent, {}, KEYS),
        (sent, None, KEYS),
    ]
    assert holds(*({"operation": o, "receipt": r, "keys": k} for o, r, k in cases)) == [False] * len(cases)


def test_evidence_has_its_own_receipt(evidence: dict[str, Any]) -> None:
    said, receipt = evidence["evidence"], evidence["receipt"]
    text = receipt["text"]
    assert json.loads(text).keys() == {"v", "event", "kind", "size", "sha256", "at", "key"}
    assert text.isascii()
    assert text.isprintable()
    under_operations = base64_of(KEY.sign(inbox.RECEIPT + text.encode()))
    wrong: list[dict[str, Any]] = [
        {"evidence": said | {"event": str(uuid4())}},
        {"evidence": said | {"kind": "strokes"}},
        {"evidence": said | {"bytes": said["bytes"][:-2]}},
        {"evidence": said | {"bytes": said["bytes"][:-2] + "00"}},
        {"keys": KEYS[:1]},
        {"receipt": receipt | {"text": text.replace('"photo"', '"strokes"')}},
        {"receipt": receipt | {"signature": under_operations}},  # what is signed for one thing is none for another
        {"receipt": {"text": None, "signature": None}},
    ]
    assert said["bytes"][-2:] != "00"
    assert holds(evidence, *(evidence | change for change in wrong)) == [True] + [False] * len(wrong)
