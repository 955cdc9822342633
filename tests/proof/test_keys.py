"""Keys and signatures: what verifies, and everything that looks like it."""

from itertools import count

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from courier_api.proof.keys import ORDER, compressed, device_key, key_id, low_s, verify_device, verify_operator
from tests.proof.samples import DEVICE, OPERATOR, OPERATOR_KEY, device, sign_as_device

PUBLIC = DEVICE.public_key()
LONG = PUBLIC.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
CONTENT = b"a core"
SIGNATURE = sign_as_device(DEVICE, CONTENT)


def test_both_writings_of_a_point_are_one_key() -> None:
    assert compressed(device_key(LONG)) == compressed(device_key(compressed(PUBLIC))) == compressed(PUBLIC)
    assert len(compressed(PUBLIC)) == 33
    assert len(key_id(compressed(PUBLIC))) == 8


@pytest.mark.parametrize(
    "point",
    [
        b"",
        b"\0",
        LONG[:-1],
        LONG + b"\0",
        LONG[:-1] + bytes([LONG[-1] ^ 1]),  # not on the curve
        bytes([6 + (LONG[-1] & 1)]) + LONG[1:],  # hybrid
        b"\5" + LONG[1:33],
        bytes(33),
        bytes(65),
        b"\2" + b"\xff" * 32,  # above the field
        ec.generate_private_key(ec.SECP384R1()).public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint),
        ec.generate_private_key(ec.SECP256K1())
        .public_key()
        .public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        OPERATOR_KEY.public,
    ],
    ids=count(),
)
def test_what_is_no_device_key(point: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the library's words
        device_key(point)


def test_a_signature_holds() -> None:
    assert verify_device(PUBLIC, SIGNATURE, CONTENT) is None


def test_the_higher_s_is_refused() -> None:
    s = int.from_bytes(SIGNATURE[32:])
    high = SIGNATURE[:32] + (ORDER - s).to_bytes(32)
    assert verify_device(PUBLIC, high, CONTENT) == "signature_high_s"
    assert low_s(high) == low_s(SIGNATURE) == SIGNATURE


def test_low_s_of_whatever_the_library_signs() -> None:
    for n in range(20):
        r, s = decode_dss_signature(DEVICE.sign(b"%d" % n, ec.ECDSA(hashes.SHA256())))
        assert verify_device(PUBLIC, low_s(r.to_bytes(32) + s.to_bytes(32)), b"%d" % n) is None


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(64),
        SIGNATURE[:-1],
        SIGNATURE + b"\0",
        SIGNATURE[:32] + bytes(32),
        bytes(32) + SIGNATURE[32:],
        ORDER.to_bytes(32) + (1).to_bytes(32),
        b"\xff" * 32 + (1).to_bytes(32),
        (int.from_bytes(SIGNATURE[:32]) ^ 1).to_bytes(32) + SIGNATURE[32:],
        DEVICE.sign(CONTENT, ec.ECDSA(hashes.SHA256())),  # DER
        OPERATOR.sign(CONTENT)[:32] + (1).to_bytes(32),
    ],
    ids=count(),
)
def test_what_is_no_signature(signature: bytes) -> None:
    assert verify_device(PUBLIC, signature, CONTENT) == "signature_wrong"


def test_another_content_key_or_hash_does_not_hold() -> None:
    assert verify_device(PUBLIC, SIGNATURE, CONTENT + b".") == "signature_wrong"
    assert verify_device(device(2).public_key(), SIGNATURE, CONTENT) == "signature_wrong"
    r, s = decode_dss_signature(DEVICE.sign(CONTENT, ec.ECDSA(hashes.SHA512())))
    assert verify_device(PUBLIC, low_s(r.to_bytes(32) + s.to_bytes(32)), CONTENT) == "signature_wrong"


def test_the_operator_s_signature_holds_for_its_key_and_content() -> None:
    signature = OPERATOR.sign(CONTENT)
    assert verify_operator(OPERATOR_KEY.public, signature, CONTENT)
    assert not verify_operator(OPERATOR_KEY.public, signature, CONTENT + b".")
    assert not verify_operator(OPERATOR_KEY.public, signature[:-1], CONTENT)
    assert not verify_operator(OPERATOR_KEY.public, signature + b"\0", CONTENT)
    assert not verify_operator(OPERATOR_KEY.public[:-1], signature, CONTENT)
    assert not verify_operator(bytes(32), signature, CONTENT)
    assert not verify_operator(b"", b"", b"")
