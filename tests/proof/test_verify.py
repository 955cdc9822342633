"""The program for auditors, run as they run it: on receipts that hold, and on each thing that can be wrong."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from courier_api.proof import canonical
from courier_api.proof.canonical import commitment
from courier_api.proof.core import NOWHERE, Core, Kind, PartyKind
from courier_api.proof.keys import ORDER, key_id
from courier_api.proof.note import COSIGNATURE, Checkpoint, VerifierKey, cosign, sign
from courier_api.proof.receipt import Receipt
from tests.proof.samples import (
    OPERATOR,
    OPERATOR_KEY,
    ORIGIN,
    SALT,
    Store,
    b64,
    certificate,
    core,
    device,
    entry,
    event,
    leaves,
    private,
    receipt,
    sign_as_device,
)

PROGRAM = Path(__file__).parents[2] / "scripts" / "verify"
OPENINGS = {
    "salts": dict.fromkeys(("citizen", "seal", "documents"), SALT.hex()),
    "citizen": "Nguyễn Thị Hoa",
    "seal": "NP-0042",
    "documents": [[1, "Đơn", 1, 0]],
}


@dataclass(frozen=True)
class Answer:
    """How the program ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def wrong(self) -> set[str]:
        """The checks that do not hold."""
        return {check["name"] for check in json.loads(self.out)["checks"] if check["holds"] is False}


Run = Callable[..., Answer]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run it in a folder of its own; what is given as bytes, text or object becomes a file."""
    (tmp_path / "operator.keys").write_text(OPERATOR_KEY.write() + "\n")

    def run(given: str | None, *more: str, stdin: str = "", keys: str = "operator.keys", **files: Any) -> Answer:
        arguments = [] if given is None else [given]
        for name, content in files.items():
            if not isinstance(content, str | bytes):
                content = json.dumps(content)
            (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
            arguments += [f"--{name}", name]
        # -I: neither this folder nor the environment lends it anything of the project.
        command = [sys.executable, "-I", str(PROGRAM), *arguments, "--keys", keys, *more]
        done = subprocess.run(command, cwd=tmp_path, input=stdin, capture_output=True, text=True, timeout=60)
        assert "Traceback" not in done.stderr
        return Answer(done.returncode, done.stdout, done.stderr)

    return run


GOOD = receipt()
EVENT = canonical.write(event())


def test_it_says_what_happened_in_vietnamese(run: Run) -> None:
    answer = run(GOOD.digits())
    assert answer.code == 0, answer.out + answer.err
    for words in (
        "Bàn giao bưu gửi", "EH123456785VN, chặng 1", "công dân", "bưu tá C-00417", "22/11/2026 10:14:15 (UTC+7)",
        "20.6600000, 106.0620000", "mọi điều đã kiểm tra đều đúng", "Sổ cái: chưa kiểm tra",
    ):  # fmt: skip
        assert words in answer.out


def test_it_says_so_in_english(run: Run) -> None:
    answer = run(GOOD.digits(), "--lang", "en", event=EVENT, openings=OPENINGS, entry=entry(GOOD))
    assert answer.code == 0, answer.out + answer.err
    for words in (
        "Handover of a postal item", "Given by", "citizen", "courier C-00417", "everything that was checked holds",
        "citizen: Nguyễn Thị Hoa", "seal: NP-0042", "number: 6 / 9", "Received by the server", "10:14:16 (UTC+7)",
    ):  # fmt: skip
        assert words in answer.out


@pytest.mark.parametrize("form", ["address", "base64", "urlsafe", "text file", "binary file", "stdin"])
def test_every_form_of_a_receipt(run: Run, tmp_path: Path, form: str) -> None:
    plain = b64(GOOD.pack())
    (tmp_path / "r.txt").write_text(f"https://post.example/verify#{GOOD.digits()}\n")
    (tmp_path / "r.bin").write_bytes(GOOD.pack())
    given = {
        "address": f"https://post.example/verify#{GOOD.digits()}",
        "base64": plain,
        "urlsafe": plain.replace("+", "-").replace("/", "_").rstrip("="),
        "text file": "r.txt",
        "binary file": "r.bin",
        "stdin": "-",
    }[form]
    assert run(given, stdin=GOOD.digits()).code == 0


def test_an_entry_can_stand_for_the_receipt(run: Run) -> None:
    answer = run(None, "--json", entry=entry(GOOD))
    assert answer.code == 0, answer.out + answer.err
    said = json.loads(answer.out)
    assert said["holds"] is True
    assert said["states"]["to"] == {"role": "courier", "code": "C-00417"}


def tampered(at: int, *, to: int | None = None) -> Receipt:
    """The receipt with one byte changed."""
    content = bytearray(GOOD.pack())
    content[at] = content[at] ^ 1 if to is None else to
    return Receipt.unpack(bytes(content))


def high_s() -> Receipt:
    """The receipt with the other of its two signatures."""
    s = ORDER - int.from_bytes(GOOD.signature[32:])
    return replace(GOOD, signature=GOOD.signature[:32] + s.to_bytes(32))


OTHER_DEVICE = Receipt(GOOD.core, sign_as_device(device(2), GOOD.core), GOOD.certificate)


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (tampered(13), {"signature"}),  # the counter
        (tampered(90), {"signature"}),  # the digest
        (tampered(120), {"signature"}),  # the signature itself
        (tampered(5), {"signature"}),  # the key id
        (tampered(298), {"certificate"}),  # the operator's signature
        (tampered(178 + 52), {"certificate"}),  # when it begins
        (tampered(178 + 3), {"certificate_unknown"}),
        (tampered(178, to=2), {"certificate", "signature"}),  # another version
        (tampered(178 + 5, to=9), {"certificate", "signature"}),  # the point
        (high_s(), {"signature"}),
        (OTHER_DEVICE, {"signature"}),
        (receipt(vouched=certificate(not_before=1_700_000_000, not_after=1_702_592_000)), {"validity"}),
        (receipt(vouched=certificate(not_before=1_800_000_000, not_after=1_802_592_000)), {"validity"}),
        (receipt(vouched=certificate(holder="C-00001")), {"party"}),
        (receipt(vouched=certificate(role=PartyKind.agency)), {"party"}),
        (receipt(core(giver=PartyKind.none, kind=Kind.evidence)), {"party"}),
        (receipt(core(kind=Kind.arrival), certificate(role=PartyKind.office)), {"party"}),
    ],
)
def test_each_thing_that_can_be_wrong_with_a_receipt(run: Run, given: Receipt, wrong: set[str]) -> None:
    answer = run(given.digits(), "--json")
    assert answer.code == 1
    assert answer.wrong == wrong
    assert json.loads(answer.out)["holds"] is False


def test_it_says_that_it_is_not_to_be_trusted(run: Run) -> None:
    answer = run(tampered(13).digits())
    assert answer.code == 1
    assert "KHÔNG ĐƯỢC TIN" in answer.out
    assert "[SAI]" in answer.out


@pytest.mark.parametrize(
    ("signed", "holder"),
    [
        (core(giver=PartyKind.courier, giver_code="C-00417", taker=PartyKind.office, taker_code="160000"), {}),
        (core(taker=PartyKind.office, taker_code="160000"), {"role": PartyKind.office, "holder": "G-00031"}),
        (core(kind=Kind.countersignature, counter=0), {}),
        (core(kind=Kind.start, giver=PartyKind.none, taker=PartyKind.none, taker_code="", leg=0), {}),
        (core(kind=Kind.correction), {"role": PartyKind.dispatcher, "holder": "D-00001"}),
        (core(lat=NOWHERE, lon=NOWHERE), {}),
    ],
)
def test_others_who_may_sign(run: Run, signed: Core, holder: dict[str, Any]) -> None:
    assert run(receipt(signed, certificate(**holder)).digits()).code == 0


def operators(kind: Kind) -> dict[str, Any]:
    """The ledger's entry of an event that the operator signed itself."""
    content = core(kind=kind, kid=key_id(OPERATOR_KEY.public), counter=1).pack()
    made = entry(Receipt(content, OPERATOR.sign(content), b""))
    return made | {"certificate": None}


def test_the_operator_s_own_events(run: Run) -> None:
    assert run(None, entry=operators(Kind.erasure)).code == 0
    assert run(None, "--json", entry=operators(Kind.handover)).wrong == {"party"}


def test_keys_from_before_a_rotation(run: Run, tmp_path: Path) -> None:
    later = VerifierKey.of(ORIGIN, private(7)).write()
    (tmp_path / "both.keys").write_text(f"# oldest first\n{OPERATOR_KEY.write()}\n{later}\n")
    (tmp_path / "later.keys").write_text(f"{later}\n")
    assert run(GOOD.digits(), keys="both.keys").code == 0
    assert run(GOOD.digits(), "--json", keys="later.keys").wrong == {"certificate_unknown"}


def test_another_event_is_not_the_one_signed(run: Run) -> None:
    for content in (EVENT + b" ", canonical.write(event(leg=2)), b"", b"\xff\xfe"):
        assert run(GOOD.digits(), "--json", event=content).wrong == {"event"}


@pytest.mark.parametrize(
    "changed",
    [
        {"eid": "019aa999-1f86-7c37-9d3a-0123456789ac"},
        {"typ": "courier.arrival"},
        {"no": "EH123456799VN"},
        {"leg": 2},
        {"from": {"r": "office", "id": "160000"}},
        {"to": {"r": "courier", "id": "C-00418"}},
        {"to": {"r": "wizard", "id": "C-00417"}},
        {"t": "2026-11-22T03:14:15.927Z"},
        {"t": "yesterday"},
        {"geo": {"lat": 206_600_001, "lon": 1_060_620_000}},
        {"geo": None},
        {"dev": {"kid": "0" * 16, "ctr": 42}},
        {"dev": None},
        {"ev": []},
        {"ev": [1]},
    ],
)
def test_a_core_that_says_other_than_its_event(run: Run, changed: dict[str, Any]) -> None:
    content = canonical.write(event(**changed))
    answer = run(receipt(core(content)).digits(), "--json", event=content)
    if changed == {"ev": []}:  # no commitments, and nothing wrong with that
        assert answer.code == 0
    else:
        assert (answer.code, answer.wrong) == (1, {"event_says"})


def test_a_countersignature_is_of_the_same_event(run: Run) -> None:
    signed = replace(core(), kind=Kind.countersignature, counter=0)
    assert run(receipt(signed).digits(), event=EVENT).code == 0


def test_openings(run: Run) -> None:
    assert run(GOOD.digits(), event=EVENT, openings=OPENINGS).code == 0
    in_base64 = {"salts": {"seal": b64(SALT)}, "seal": {"base64": b64(b"NP-0042")}}
    answer = run(GOOD.digits(), event=EVENT, openings=in_base64)
    assert answer.code == 0
    assert "không kèm theo: citizen" in answer.out
    for changed in (
        {"seal": "NP-0043"},
        {"documents": [[1, "Đơn", 1, 1]]},
        {"photo": "never committed"},
        {"salts": OPENINGS["salts"] | {"seal": bytes(32).hex()}},
        {"salts": {"citizen": SALT.hex(), "documents": SALT.hex()}},
        {"salts": OPENINGS["salts"] | {"seal": b64(SALT + b"N")}, "seal": "P-0042"},
    ):
        assert run(GOOD.digits(), "--json", event=EVENT, openings=OPENINGS | changed).wrong == {"opening"}


def test_what_is_opened_cannot_play_with_the_terminal(run: Run) -> None:
    content = canonical.write(event(ev={"note": commitment(SALT, b"\x1b[2Jok")}))
    given = {"salts": {"note": SALT.hex()}, "note": "\x1b[2Jok"}
    answer = run(receipt(core(content)).digits(), event=content, openings=given)
    assert answer.code == 0
    assert "\x1b" not in answer.out


def resigned(given: dict[str, Any], by: Ed25519PrivateKey = OPERATOR, **changed: Any) -> str:
    """The checkpoint of an entry with something in it changed and signed again."""
    text = given["checkpoint"].partition("\n\n")[0] + "\n"
    return sign(replace(Checkpoint.read(text), **changed).write(), VerifierKey.of(ORIGIN, by), by)


ENTRY = entry(GOOD)


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"core": b64(tampered(13).core)}, {"entry"}),
        ({"signature": b64(high_s().signature)}, {"entry"}),
        ({"received_us": ENTRY["received_us"] + 1}, {"inclusion"}),
        ({"index": 4}, {"inclusion"}),
        ({"index": 9}, {"inclusion"}),
        ({"size": 8}, {"inclusion"}),
        ({"inclusion": ENTRY["inclusion"][:-1]}, {"inclusion"}),
        ({"inclusion": [*ENTRY["inclusion"], b64(bytes(32))]}, {"inclusion"}),
        ({"inclusion": []}, {"inclusion"}),
        ({"checkpoint": ENTRY["checkpoint"].replace("\n9\n", "\n09\n")}, {"checkpoint"}),
        ({"checkpoint": resigned(ENTRY, size=10)}, {"inclusion"}),
        ({"checkpoint": resigned(ENTRY, root=bytes(32))}, {"inclusion"}),
        ({"checkpoint": resigned(ENTRY, origin="other.example")}, {"checkpoint"}),
        ({"checkpoint": Store(leaves(9)).note()}, {"inclusion"}),
        ({"checkpoint": resigned(ENTRY, by=private(9))}, {"checkpoint"}),
    ],
)  # fmt: skip
def test_each_thing_that_can_be_wrong_with_an_entry(run: Run, changed: dict[str, Any], wrong: set[str]) -> None:
    answer = run(GOOD.digits(), "--json", entry=ENTRY | changed)
    assert answer.code == 1
    assert answer.wrong == wrong


def test_witnesses(run: Run) -> None:
    witness, stranger = private(2), private(3)
    key = VerifierKey.of("witness.example/w1", witness, COSIGNATURE)
    other = VerifierKey.of("witness.example/w2", stranger, COSIGNATURE)
    cosigned = ENTRY | {"checkpoint": cosign(ENTRY["checkpoint"], key, witness, 1_795_317_300)}
    keys = f"{key.write()}\n{other.write()}\n"
    answer = run(GOOD.digits(), entry=cosigned, witnesses=keys)
    assert answer.code == 0
    assert "witness.example/w1" in answer.out
    assert run(GOOD.digits(), "--json", entry=ENTRY, witnesses=keys).wrong == {"witness"}
    forged = ENTRY | {"checkpoint": cosign(ENTRY["checkpoint"], key, stranger, 1)}
    assert run(GOOD.digits(), "--json", entry=forged, witnesses=keys).wrong == {"checkpoint", "witness"}


@pytest.mark.parametrize(
    "given",
    ["", "123", "hello", "9" * 720, "https://post.example/verify", "no-such-file", GOOD.digits()[:-1], b64(bytes(299))],
)
def test_no_receipt_is_unreadable(run: Run, given: str) -> None:
    answer = run(given)
    assert (answer.code, answer.out) == (2, "")


@pytest.mark.parametrize(
    "files",
    [
        {"entry": "no json"},
        {"entry": "[]"},
        {"entry": "[" * 100_000},
        {"entry": {}},
        {"entry": ENTRY | {"index": "5"}},
        {"entry": ENTRY | {"index": True}},
        {"entry": ENTRY | {"received_us": -1}},
        {"entry": ENTRY | {"core": 5}},
        {"entry": ENTRY | {"inclusion": ["!"]}},
        {"entry": ENTRY | {"checkpoint": "nothing\n"}},
        {"entry": ENTRY | {"checkpoint": ENTRY["checkpoint"][:-1]}},
        {"entry": ENTRY | {"checkpoint": "\ud800\n9\n" + b64(bytes(32)) + "\n\n\u2014 a AAAAAAAA\n"}},
        {"event": EVENT, "openings": {}},
        {"event": EVENT, "openings": {"salts": {"seal": 5}, "seal": "a"}},
        {"event": EVENT, "openings": {"salts": {}, "seal": "\ud800"}},
        {"openings": OPENINGS},
        {"witnesses": "x"},
        {"entry": ENTRY, "witnesses": "x"},
    ],
)
def test_files_that_are_unreadable(run: Run, files: dict[str, Any]) -> None:
    answer = run(GOOD.digits(), **files)
    assert (answer.code, answer.out) == (2, "")


def test_keys_that_are_unreadable(run: Run, tmp_path: Path) -> None:
    for number, content in enumerate(("", "nonsense\n", OPERATOR_KEY.write().replace("post", "pest"))):
        (tmp_path / f"{number}.keys").write_text(content)
        assert run(GOOD.digits(), keys=f"{number}.keys").code == 2
    assert run(GOOD.digits(), keys="none.keys").code == 2
    assert run(None).code == 2


def test_without_cryptography_it_says_what_is_missing(tmp_path: Path) -> None:
    # Something of that name that is not the library.
    (tmp_path / "cryptography.py").write_text("")
    program = tmp_path / "verify"
    program.write_text(PROGRAM.read_text())
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "pip install cryptography" in done.stderr


def test_it_is_one_file_that_runs() -> None:
    assert PROGRAM.stat().st_mode & 0o111
    text = PROGRAM.read_text()
    assert text.startswith("#!/usr/bin/env python3\n")
    assert "courier_api" not in text
