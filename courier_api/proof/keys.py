"""Keys and signatures: P-256 of devices (as WebCrypto gives them), Ed25519 of the operator and of witnesses."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SHA256 = ec.ECDSA(hashes.SHA256())


def device_key(point: bytes) -> ec.EllipticCurvePublicKey:
    """Read a device's public key, a P-256 point of 65 bytes or compressed to 33; raises ValueError for any other."""
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


def compressed(key: ec.EllipticCurvePublicKey) -> bytes:
    """The 33 bytes of a point."""
    return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def key_id(public: bytes) -> bytes:
    """The first 8 bytes of the SHA-256 of a public key: 33 bytes of a device's, 32 of the operator's."""
    return hashlib.sha256(public).digest()[:8]


def verify_device(key: ec.EllipticCurvePublicKey, signature: bytes, content: bytes) -> str | None:
    """Check r || s over SHA-256 of the content; None when it holds, else the code of what is wrong.

    Of the two values of s that verify only the lower one is taken: nobody can make a second signature from a first.
    """
    if len(signature) != 64:
        return "signature_wrong"
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if s > ORDER // 2:
        return "signature_high_s"
    try:
        key.verify(encode_dss_signature(r, s), content, _SHA256)
    except InvalidSignature:
        return "signature_wrong"
    return None


def low_s(raw: bytes) -> bytes:
    """The same signature with the lower of its two values of s."""
    s = int.from_bytes(raw[32:])
    return raw if s <= ORDER // 2 else raw[:32] + (ORDER - s).to_bytes(32)


def verify_operator(public: bytes, signature: bytes, content: bytes) -> bool:
    """Check an Ed25519 signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True
