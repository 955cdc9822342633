"""The scripts that check receipts in the browser, run in node against receipts and ledgers made in Python."""

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

from courier_api.proof.core import NOWHERE, Kind, PartyKind
from courier_api.proof.keys import ORDER
from courier_api.proof.receipt import SIZE, Receipt
from tests.web import node
from tests.web.receipts import DAY_S, NOON, Device, Operator, base64_of, entry

ROOT = Path(__file__).parents[2]
checked = node.script("check_receipts.mjs")
FALSE = {"changed", "unknown_key", "not_ours", "unreadable", "other_signer", "expired"}

OPERATOR = Operator()
DEVICE = Device(OPERATOR)
GOOD = DEVICE.receipt()


def decide(*cases: dict[str, Any]) -> list[Any]:
    """What the scripts say of some cases, all in one run of node."""
    return checked(*({"keys": [OPERATOR.line], **case} for case in cases))


def spelled(content: bytes) -> dict[str, Any]:
    return {"text": str(int.from_bytes(b"\1" + content))}


def test_a_receipt_is_read_in_every_spelling() -> None:
    digits, packed = GOOD.digits(), base64_of(GOOD.pack())
    spellings = [
        digits,
        f"https://post.example/verify#{digits}",
        f"HTTPS://POST.EXAMPLE/VERIFY#{digits}",
        "\n".join(digits[i : i + 60] for i in range(0, len(digits), 60)),
        packed,
        packed.rstrip("="),
        packed.replace("+", "-").replace("/", "_"),
    ]
    assert decide(*({"text": one} for one in spellings)) == ["genuine"] * len(spellings)


def test_the_fields_are_those_that_were_signed() -> None:
    digits = GOOD.digits()
    receipts = [GOOD, DEVICE.receipt(lat=NOWHERE, lon=NOWHERE), DEVICE.receipt(lat=-1, lon=-2, kind=Kind.failure)]
    said, nowhere, south = decide(*({"text": one.digits(), "fields": True} for one in receipts))
    assert said == {
        "kind": "handover",
        "counter": 42,
        "event": "0199a0b2-3c4d-7e5f-8a6b-7c8d9e0f1a2b",
        "number": "EH123456785VN",
        "leg": 1,
        "giver": {"role": "citizen", "code": ""},
        "taker": {"role": "courier", "code": "C-00417"},
        "time": int(NOON.timestamp() * 1000) + 926,
        "place": {"lat": 20.66, "lon": 106.062},
        "holder": "C-00417",
        "digits": digits,
    }
    assert nowhere["place"] is None
    assert (south["kind"], south["place"]) == ("failure", {"lat": -1e-7, "lon": -2e-7})


def test_every_kind_of_device_and_point_verifies() -> None:
    # Enough keys for both parities of y, and signatures with leading zeros now and then.
    receipts = [Device(OPERATOR).receipt() for _ in range(40)]
    assert decide(*({"text": one.digits()} for one in receipts)) == ["genuine"] * 40


def test_no_byte_can_be_changed() -> None:
    content = GOOD.pack()
    cases = [
        spelled(content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :])
        for at in range(SIZE)
        for flip in (0x01, 0x80)
    ]
    verdicts = decide(*cases)
    assert len(verdicts) == 2 * SIZE
    assert set(verdicts) <= FALSE
    assert {"changed", "unknown_key", "not_ours"} <= set(verdicts)


def test_the_higher_s_is_refused() -> None:
    r, s = GOOD.signature[:32], int.from_bytes(GOOD.signature[32:])
    twin = Receipt(GOOD.core, r + (ORDER - s).to_bytes(32), GOOD.certificate)
    zero = Receipt(GOOD.core, bytes(64), GOOD.certificate)
    assert decide({"text": twin.digits()}, {"text": zero.digits()}) == ["changed", "changed"]


def test_only_the_operator_s_keys_count() -> None:
    stranger, other_device = Operator(), Device(OPERATOR)
    forged = Device(stranger).receipt()
    impersonated = bytearray(forged.pack())
    impersonated[179:183] = GOOD.certificate[1:5]
    renamed = OPERATOR.line.replace("post.example", "post.elsewhere")  # its hash is another's
    assert decide(
        {"text": forged.digits()},
        spelled(bytes(impersonated)),
        {"text": forged.digits(), "keys": [OPERATOR.line, stranger.line]},
        {"text": GOOD.digits(), "keys": [stranger.line, OPERATOR.line]},
        {"text": GOOD.digits(), "keys": [stranger.line]},
        {"text": GOOD.digits(), "keys": [renamed, "no key", ""]},
        {"text": Receipt(GOOD.core, GOOD.signature, other_device.certificate()).digits()},
        {"text": DEVICE.receipt(kid=bytes(8)).digits()},
    ) == [*["unknown_key"] * 2, *["genuine"] * 2, *["unknown_key"] * 2, *["changed"] * 2]


def test_the_certificate_must_cover_the_time_and_the_signer_be_a_party() -> None:
    start = int(NOON.timestamp())
    office = Device(OPERATOR, holder="K-00007", role=PartyKind.office)
    parties = {"giver": PartyKind.courier, "giver_code": "C-00417", "taker": PartyKind.office, "taker_code": "160000"}
    assert decide(
        {"text": DEVICE.receipt(DEVICE.certificate(start + DAY_S + 60)).digits()},
        {"text": DEVICE.receipt(DEVICE.certificate(start - 32 * DAY_S)).digits()},
        {"text": DEVICE.receipt(taker_code="C-00418").digits()},
        {"text": office.receipt(**parties).digits()},
        {"text": DEVICE.receipt(kind=Kind.arrival, giver=PartyKind.none, taker=PartyKind.none).digits()},
    ) == ["expired", "expired", "other_signer", "genuine", "genuine"]


def by(role: PartyKind, holder: str, **changes: Any) -> Receipt:
    """A receipt by somebody's device."""
    return Device(OPERATOR, holder=holder, role=role).receipt(**changes)


def table() -> list[tuple[Receipt, bool]]:
    """Receipts, and whether they hold: the page and scripts/verify must say the same of each."""
    start = int(NOON.timestamp())
    nobody = {"giver": PartyKind.none, "giver_code": "", "taker": PartyKind.none, "taker_code": ""}
    counter = {"giver": PartyKind.courier, "giver_code": "C-00417", "taker": PartyKind.office, "taker_code": "160000"}
    return [
        (DEVICE.receipt(), True),
        (by(PartyKind.courier, "C-00418"), False),
        (by(PartyKind.office, "G-00007"), False),
        (by(PartyKind.agency, "O-00007"), False),
        (by(PartyKind.dispatcher, "D-00007"), False),
        (by(PartyKind.office, "G-00007", **counter), True),
        (by(PartyKind.courier, "C-00417", **counter), True),
        (by(PartyKind.agency, "O-00007", **counter), False),
        *[(by(PartyKind.courier, "C-00417", kind=k, **nobody), True) for k in (Kind.arrival, Kind.failure, Kind.start)],
        *[
            (by(PartyKind.courier, "C-00417", kind=k, **nobody), True)
            for k in (Kind.seen, Kind.settlement, Kind.remark)
        ],
        *[
            (by(PartyKind.office, "G-00007", kind=k, **nobody), False)
            for k in (Kind.arrival, Kind.finish, Kind.settlement)
        ],
        (by(PartyKind.dispatcher, "D-00007", kind=Kind.correction, **nobody), True),
        (by(PartyKind.courier, "C-00417", kind=Kind.correction, **nobody), False),
        *[(DEVICE.receipt(DEVICE.certificate(start + hours * 3600)), hours <= 24) for hours in (-1, 23, 25)],
        *[(DEVICE.receipt(DEVICE.certificate(start - days * DAY_S)), days <= 31) for days in (29, 31, 32)],
    ]


def test_the_page_and_the_command_say_the_same(tmp_path: Path) -> None:
    receipts = table()
    answers = decide(*[{"text": receipt.digits()} for receipt, _ in receipts])
    assert [answer == "genuine" for answer in answers] == [holds for _, holds in receipts]
    keys = tmp_path / "operator.keys"
    keys.write_text(f"{OPERATOR.line}\n")
    for receipt, holds in receipts:
        command = [sys.executable, str(ROOT / "scripts" / "verify"), receipt.digits(), "--keys", str(keys), "--json"]
        assert subprocess.run(command, capture_output=True, timeout=60).returncode == (0 if holds else 1), receipt


def test_what_is_no_receipt_is_told_from_what_is_half_of_one() -> None:
    digits = GOOD.digits()
    verdicts = decide(
        *({"text": one} for one in ("", "hello", "https://example.com/menu", "123456", "9" * 1500, "<b>#1</b>")),
        *({"text": one} for one in (digits[:500], digits + "1", digits[:-1] + "…", "3" + digits[1:])),
        {"text": DEVICE.receipt(kind=Kind.countersignature).digits()},
    )
    assert verdicts == [*["not_ours"] * 6, *["unreadable"] * 4, "not_ours"]


def test_the_ledger_is_believed_for_what_it_proves() -> None:
    cases = [
        {"text": GOOD.digits(), "entry": entry(GOOD, OPERATOR, index, size)}
        for size in (1, 2, 3, 7, 8, 9, 13)
        for index in range(size)
    ]
    assert decide(*cases) == ["recorded"] * len(cases)


def test_a_ledger_that_says_or_proves_something_else_is_found_out() -> None:
    good = entry(GOOD, OPERATOR)
    other = DEVICE.receipt(leg=2)

    def but(**changes: Any) -> dict[str, Any]:
        return {"text": GOOD.digits(), "entry": {**copy.deepcopy(good), **changes}}

    unproven = [
        but(index=4),
        but(size=12),
        but(received_us=good["received_us"] + 1),
        but(inclusion=good["inclusion"][:-1]),
        but(inclusion=[*good["inclusion"], base64_of(bytes(32))]),
        but(inclusion=list(reversed(good["inclusion"]))),
        but(checkpoint=Operator(name=OPERATOR.name).note(good["checkpoint"].split("\n\n")[0] + "\n")),
        but(checkpoint=good["checkpoint"].replace("\n11\n", "\n12\n"), size=12),
        but(checkpoint=""),
        but(core=base64_of(other.core)),
        but(signature=base64_of(other.signature)),
        but(inclusion=None),
        but(index=2**40),
        *(
            but(inclusion=[*good["inclusion"][:i], base64_of(bytes(32)), *good["inclusion"][i + 1 :]])
            for i in range(len(good["inclusion"]))
        ),
    ]
    assert decide(*unproven) == ["ledger_unproven"] * len(unproven)
    assert decide({"text": GOOD.digits(), "entry": entry(other, OPERATOR)}) == ["ledger_differs"]
