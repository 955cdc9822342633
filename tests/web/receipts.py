"""Receipts as a courier's device and the operator make them, and a ledger's answer, written out naively."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from courier_api.proof.certificate import Certificate
from courier_api.proof.core import Core, Kind, PartyKind
from courier_api.proof.keys import compressed, key_id, low_s
from courier_api.proof.receipt import Receipt

NOON = datetime(2026, 11, 22, 3, 14, 15, tzinfo=UTC)
DAY_S = 24 * 3600


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


@dataclass
class Operator:
    """An operator's key under a name."""

    name: str = "post.example/custody"
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n\x01" + self.public).digest()[:4]

    @property
    def line(self) -> str:
        return f"{self.name}+{self.hash.hex()}+{base64_of(b'\x01' + self.public)}"

    def note(self, text: str) -> str:
        return f"{text}\n— {self.name} {base64_of(self.hash + self.private.sign(text.encode()))}\n"


@dataclass
class Device:
    """A courier's device with a certificate for 30 days."""

    operator: Operator
    holder: str = "C-00417"
    role: PartyKind = PartyKind.courier
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def point(self) -> bytes:
        return compressed(self.private.public_key())

    def core(self, **changes: Any) -> Core:
        core = Core(
            Kind.handover,
            key_id(self.point),
            42,
            UUID("0199a0b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b"),
            "EH123456785VN",
            1,
            PartyKind.citizen,
            "",
            PartyKind.courier,
            "C-00417",
            int(NOON.timestamp() * 1000) + 926,
            206_600_000,
            1_060_620_000,
            hashlib.sha256(b"the event").digest(),
        )
        return replace(core, **changes)

    def certificate(self, start: int = int(NOON.timestamp()) - DAY_S, days: int = 30) -> bytes:
        short = hashlib.sha256(self.operator.public).digest()[:4]
        certificate = Certificate(short, self.point, self.role, self.holder, start, start + days * DAY_S)
        return certificate.issue(self.operator.private.sign)

    def sign(self, content: bytes) -> bytes:
        r, s = decode_dss_signature(self.private.sign(content, ec.ECDSA(hashes.SHA256())))
        return low_s(r.to_bytes(32) + s.to_bytes(32))

    def receipt(self, certificate: bytes | None = None, **changes: Any) -> Receipt:
        core = self.core(**changes).pack()
        return Receipt(core, self.sign(core), certificate or self.certificate())


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash of a tree, as RFC 6962 defines it in 2.1."""
    if len(leaves) == 1:
        return leaves[0]
    k = _half(len(leaves))
    return hashlib.sha256(b"\1" + root(leaves[:k]) + root(leaves[k:])).digest()


def path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The audit path, as RFC 6962 defines it in 2.1.1."""
    if len(leaves) == 1:
        return []
    k = _half(len(leaves))
    if index < k:
        return [*path(index, leaves[:k]), root(leaves[k:])]
    return [*path(index - k, leaves[k:]), root(leaves[:k])]


def _half(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def entry(receipt: Receipt, operator: Operator, index: int = 5, size: int = 11) -> dict[str, Any]:
    """What the ledger answers for a receipt that stands in it among others."""
    received = int(NOON.timestamp() * 1_000_000) + 95_000_000
    leaf = hashlib.sha256(b"\0" + receipt.core + receipt.signature + received.to_bytes(8)).digest()
    leaves = [hashlib.sha256(b"another %d" % i).digest() for i in range(size)]
    leaves[index] = leaf
    return {
        "index": index,
        "size": size,
        "received_us": received,
        "core": base64_of(receipt.core),
        "signature": base64_of(receipt.signature),
        "certificate": base64_of(receipt.certificate),
        "inclusion": [base64_of(one) for one in path(index, leaves)],
        "checkpoint": operator.note(f"{operator.name}\n{size}\n{base64_of(root(leaves))}\n"),
    }
