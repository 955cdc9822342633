"""Core, certificate and receipt: their bytes, round trips, and everything that is none."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier_api.proof import certificate as certificates
from courier_api.proof import core as cores
from courier_api.proof.certificate import CONTEXT, Certificate
from courier_api.proof.core import NOWHERE, Core, Kind, PartyKind
from courier_api.proof.keys import verify_device, verify_operator
from courier_api.proof.receipt import SIZE, Receipt
from tests.proof.samples import DEVICE, KID, OPERATOR, OPERATOR_KEY, TIME_MS, certificate, core, receipt, sign_as_device

codes = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=10)
places = st.integers(NOWHERE + 1, 2**31 - 1)


def changed(content: bytes, at: int, put: bytes) -> bytes:
    """Bytes with some of them replaced."""
    return content[:at] + put + content[at + len(put) :]


def test_where_each_field_stands() -> None:
    content = core().pack()
    assert len(content) == cores.SIZE == 114
    assert content[:2] == b"\1\1"
    assert content[2:10] == KID
    assert content[10:14] == (42).to_bytes(4)
    assert content[14:30] == core().event_id.bytes
    assert content[30:43] == b"EH123456785VN"
    assert content[43:45] == b"\1\1"
    assert content[45:55] == bytes(10)
    assert content[55:66] == b"\2C-00417\0\0\0"
    assert content[66:74] == TIME_MS.to_bytes(8)
    assert content[74:82] == struct.pack(">ii", 206_600_000, 1_060_620_000)
    assert content[82:] == core().digest


@given(
    st.builds(
        core,
        kind=st.sampled_from(Kind),
        counter=st.integers(0, 2**32 - 1),
        event_id=st.uuids(),
        tracking_number=codes,
        leg=st.integers(0, 255),
        giver=st.sampled_from(PartyKind),
        giver_code=codes,
        taker_code=codes,
        time_ms=st.integers(0, 2**64 - 1),
        lat=places,
        lon=places,
        digest=st.binary(min_size=32, max_size=32),
    )
)
def test_a_core_reads_back(made: Core) -> None:
    assert Core.unpack(made.pack()) == made
    assert Core.unpack(made.pack()).pack() == made.pack()


def test_no_place_is_no_place() -> None:
    assert Core.unpack(core(lat=NOWHERE, lon=NOWHERE).pack()).lat == NOWHERE


def test_a_long_code_is_cut() -> None:
    assert Core.unpack(core(giver_code="HY-0123456789").pack()).giver_code == "HY-0123456"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kid": bytes(7)},
        {"kid": bytes(9)},
        {"digest": bytes(31)},
        {"digest": bytes(33)},
        {"tracking_number": "EH123456785VNX"},
        {"tracking_number": "EH12345678Đ"},
        {"giver_code": "Đ"},
        {"taker_code": "C\x00417"},
        {"taker_code": "C\x1b[2J"},
        {"counter": -1},
        {"counter": 2**32},
        {"leg": 256},
        {"leg": -1},
        {"time_ms": 2**64},
        {"time_ms": -1},
        {"lat": 2**31},
        {"lat": 20.66},
        {"lat": NOWHERE},
        {"lon": NOWHERE},
    ],
)
def test_what_does_not_fit_is_not_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of whatever words
        core(**wrong).pack()


GOOD = core().pack()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        GOOD[:-1],
        GOOD + b"\0",
        changed(GOOD, 0, b"\0"),
        changed(GOOD, 0, b"\2"),
        changed(GOOD, 1, b"\0"),
        changed(GOOD, 1, b"\x0d"),
        changed(GOOD, 44, b"\7"),
        changed(GOOD, 55, b"\xff"),
        changed(GOOD, 30, b"\xc4\x90"),
        changed(GOOD, 30, b"\0"),
        changed(GOOD, 56, b"C\0"),
        changed(GOOD, 56, b"\n"),
        changed(GOOD, 56, b"\x7f"),
        changed(GOOD, 74, struct.pack(">i", NOWHERE)),
        changed(GOOD, 78, struct.pack(">i", NOWHERE)),
    ],
)
def test_what_is_no_core(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of whatever words
        Core.unpack(content)


def test_a_countersignature_is_the_same_core_by_another_key() -> None:
    other = core().countersigned_by(b"other---")
    read = Core.unpack(other)
    assert (read.kind, read.kid, read.counter) == (Kind.countersignature, b"other---", 0)
    assert other[14:] == GOOD[14:]
    assert verify_device(DEVICE.public_key(), sign_as_device(DEVICE, GOOD), other) == "signature_wrong"


def test_a_certificate_reads_back_and_is_signed_in_its_context() -> None:
    content = certificate().issue(OPERATOR.sign)
    assert len(content) == certificates.SIZE == 121
    read = Certificate.unpack(content)
    assert read.signed_part() == content[:57] == certificate().signed_part()
    assert (read.kid, read.holder, read.role) == (KID, "C-00417", PartyKind.courier)
    assert verify_operator(OPERATOR_KEY.public, read.signature, CONTEXT + content[:57])
    assert not verify_operator(OPERATOR_KEY.public, read.signature, content[:57])


@pytest.mark.parametrize(
    "wrong",
    [
        {"operator": bytes(3)},
        {"public_key": bytes(65)},
        {"holder": "C-000004171"},
        {"holder": "Đ"},
        {"holder": "C\n"},
        {"not_after": 2**32},
        {"not_before": -1},
    ],
)
def test_what_does_not_fit_is_not_certified(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of whatever words
        certificate(**wrong).issue(OPERATOR.sign)


def test_what_is_no_certificate() -> None:
    good = certificate().issue(OPERATOR.sign)
    for content in (
        b"",
        good[:-1],
        good + b"\0",
        changed(good, 0, b"\2"),
        changed(good, 38, b"\7"),
        changed(good, 39, b"\xc4"),
        changed(good, 39, b"C\0"),
    ):
        with pytest.raises(ValueError):  # noqa: PT011  # of whatever words
            Certificate.unpack(content)


def test_a_receipt_reads_back_from_its_digits_and_from_an_address() -> None:
    made = receipt()
    digits = made.digits()
    assert len(made.pack()) == SIZE == 299
    assert digits.isdecimal()
    assert len(digits) <= 723
    for text in (digits, f"https://post.example/verify#{digits}", f" {digits[:300]}\n{digits[300:]} "):
        assert Receipt.read(text) == made
    assert Receipt.unpack(made.pack()) == made


@given(st.binary(min_size=SIZE, max_size=SIZE))
def test_leading_zeros_are_kept(content: bytes) -> None:
    for one in (content, bytes(50) + content[50:]):
        assert Receipt.read(Receipt.unpack(one).digits()).pack() == one


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#",
        "0",
        "1",
        "-5",
        "abc",
        "https://post.example/verify",
        "١٢٣",
        "9" * 2000,
        receipt().digits()[:-1],
        receipt().digits() + "0",
        "9" + receipt().digits()[1:],
        str(int.from_bytes(b"\1" + bytes(298))),
        str(int.from_bytes(b"\2" + bytes(299))),
    ],
)
def test_what_is_no_receipt(text: str) -> None:
    with pytest.raises(ValueError, match="no receipt"):
        Receipt.read(text)
    with pytest.raises(ValueError, match="no receipt"):
        Receipt.unpack(text.encode())
