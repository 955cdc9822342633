"""Keys, events, receipts and a ledger, made by the rules of docs/custody.md."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from courier_api.proof import canonical, tree
from courier_api.proof.canonical import commitment
from courier_api.proof.certificate import Certificate
from courier_api.proof.core import Core, Kind, PartyKind
from courier_api.proof.keys import compressed, key_id, low_s
from courier_api.proof.note import Checkpoint, VerifierKey, sign
from courier_api.proof.receipt import Receipt

TIME_MS = 1_795_317_255_926
TIME = "2026-11-22T03:14:15.926Z"
RECEIVED_US = 1_795_317_256_500_000
SALT = bytes(range(32))
ORIGIN = "post.example/ledger"


def private(number: int) -> Ed25519PrivateKey:
    """The same Ed25519 key for the same number."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"key %d" % number).digest())


def device(number: int = 1) -> ec.EllipticCurvePrivateKey:
    """The same P-256 key for the same number."""
    return ec.derive_private_key(number + 1_000_000, ec.SECP256R1())


def sign_as_device(key: ec.EllipticCurvePrivateKey, content: bytes) -> bytes:
    """Sign as a browser does, with the lower s."""
    r, s = decode_dss_signature(key.sign(content, ec.ECDSA(hashes.SHA256())))
    return low_s(r.to_bytes(32) + s.to_bytes(32))


OPERATOR = private(1)
OPERATOR_KEY = VerifierKey.of(ORIGIN, OPERATOR)
DEVICE = device()
KID = key_id(compressed(DEVICE.public_key()))


def event(**changed: Any) -> dict[str, Any]:
    """A handover from a citizen to a courier, as the courier's phone writes it."""
    return {
        "v": 1,
        "typ": "custody.handover",
        "eid": "019aa999-1f86-7c37-9d3a-0123456789ab",
        "item": "019aa998-0000-7000-8000-000000000001",
        "no": "EH123456785VN",
        "leg": 1,
        "from": {"r": "citizen", "c": commitment(SALT, "Nguyễn Thị Hoa".encode())},
        "to": {"r": "courier", "id": "C-00417"},
        "dev": {"kid": KID.hex(), "ctr": 42, "prev": "0" * 64},
        "t": TIME,
        "geo": {"lat": 206_600_000, "lon": 1_060_620_000, "acc": 12},
        "ev": {"seal": commitment(SALT, b"NP-0042"), "documents": commitment(SALT, '[[1,"Đơn",1,0]]'.encode())},
        "app": "1.4.2",
    } | changed


def core(content: bytes | None = None, **changed: Any) -> Core:
    """The core of that handover."""
    digest = hashlib.sha256(content if content is not None else canonical.write(event())).digest()
    made = Core(
        kind=Kind.handover,
        kid=KID,
        counter=42,
        event_id=UUID("019aa999-1f86-7c37-9d3a-0123456789ab"),
        tracking_number="EH123456785VN",
        leg=1,
        giver=PartyKind.citizen,
        giver_code="",
        taker=PartyKind.courier,
        taker_code="C-00417",
        time_ms=TIME_MS,
        lat=206_600_000,
        lon=1_060_620_000,
        digest=digest,
    )
    return replace(made, **changed)


def certificate(**changed: Any) -> Certificate:
    """The courier's certificate, not signed yet."""
    made = Certificate(
        operator=key_id(OPERATOR_KEY.public)[:4],
        public_key=compressed(DEVICE.public_key()),
        role=PartyKind.courier,
        holder="C-00417",
        not_before=TIME_MS // 1000 - 86_400,
        not_after=TIME_MS // 1000 + 86_400,
    )
    return replace(made, **changed)


def receipt(signed: Core | None = None, vouched: Certificate | None = None) -> Receipt:
    """A receipt, well signed whatever it says."""
    content = (signed or core()).pack()
    return Receipt(content, sign_as_device(DEVICE, content), (vouched or certificate()).issue(OPERATOR.sign))


def leaves(count: int, seed: bytes = b"") -> list[bytes]:
    """Leaf hashes."""
    return [tree.leaf_hash(seed + str(n).encode()) for n in range(count)]


class Store:
    """Stored hashes of a growing tree, as tables would hold them; counts what is read."""

    def __init__(self, hashes: Sequence[bytes] = ()) -> None:
        self.levels: dict[int, list[bytes]] = {}
        self.frontier = tree.Frontier()
        self.reads: list[tuple[int, int, int]] = []
        for one in hashes:
            self.append(one)

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash and the roots that it completes."""
        for level, index, found in self.frontier.append(leaf):
            rows = self.levels.setdefault(level, [])
            assert index == len(rows)
            rows.append(found)

    def __call__(self, level: int, start: int, end: int) -> list[bytes]:
        """Read hashes of a level."""
        self.reads.append((level, start, end))
        return self.levels.get(level, [])[start:end]

    def note(
        self, size: int | None = None, *, key: VerifierKey = OPERATOR_KEY, by: Ed25519PrivateKey = OPERATOR
    ) -> str:
        """A signed checkpoint of the tree."""
        size = self.frontier.size if size is None else size
        return sign(Checkpoint(ORIGIN, size, tree.root_at(size, self)).write(), key, by)


def entry(given: Receipt, before: int = 5, after: int = 3) -> dict[str, Any]:
    """The JSON of a ledger's entry for a receipt."""
    leaf = tree.ledger_leaf(given.core, given.signature, RECEIVED_US)
    store = Store([*leaves(before), leaf, *leaves(after, b"after")])
    size = before + 1 + after
    return {
        "index": before,
        "size": size,
        "received_us": RECEIVED_US,
        "core": b64(given.core),
        "signature": b64(given.signature),
        "certificate": b64(given.certificate),
        "inclusion": [b64(one) for one in tree.inclusion_proof(before, size, store)],
        "checkpoint": store.note(),
    }


def b64(content: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(content).decode()
