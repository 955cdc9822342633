"""A backup is opened by its operator alone, and only as it was sealed: whole, in order, no bit of it changed."""

import io
import os
import random
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from courier_api.custody import backup_keys, backups
from courier_api.custody.backups import Head, Saved, SavedEvidence, SavedOperation
from courier_api.custody.models import EvidenceKind
from courier_api.errors import Invalid, Unavailable
from courier_api.settings import settings
from tests.custody.sealed import HEADER, records, seal

KID, PERSON = "5f1c0d9a3b7e2468", uuid4()
OPERATIONS: list[dict[str, Any]] = [
    {
        "id": str(uuid4()),
        "signed": {"event": "e30="},
        "note": "Không có ai ở nhà 🛵",
        "place": {"lon": 106.062, "lat": 1e-7},
    },
    {"id": str(uuid4()), "signed": {}},
]
EVIDENCE = [(str(uuid4()), "photo", random.Random(n).randbytes(5000 + n)) for n in range(2)]
EVIDENCE.append((str(uuid4()), "strokes", '[{"signer_name":"Đỗ Thị Lan"}]'.encode()))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's folder with nothing in it."""
    here = replace(settings(), operator_keys=tmp_path / "keys")
    monkeypatch.setattr(backup_keys, "settings", lambda: here)
    return tmp_path / "keys"


@pytest.fixture
def sealed(folder: Path) -> bytes:
    """A backup to the key of the folder."""
    return seal(OPERATIONS, EVIDENCE, KID, PERSON)


def opened(content: bytes) -> list[Saved]:
    return list(backups.read(io.BytesIO(content)))


def fault(content: bytes) -> str:
    """What is said of a file that is not as it was sealed."""
    with pytest.raises(Invalid) as refused:
        opened(content)
    return refused.value.code


def test_what_the_phone_sealed_is_what_is_read(sealed: bytes) -> None:
    head, *rest = opened(sealed)
    assert isinstance(head, Head)
    assert (head.kid, head.person, head.app) == (KID, PERSON, "web-1a2b3c4d")
    assert head.at.tzinfo is not None
    assert rest[:2] == [SavedOperation(one) for one in OPERATIONS]
    assert rest[2:] == [SavedEvidence(UUID(e), EvidenceKind(kind), content) for e, kind, content in EVIDENCE]


def test_nothing_of_it_can_be_read_in_the_file(sealed: bytes) -> None:
    for secret in (KID, str(PERSON), OPERATIONS[0]["id"], EVIDENCE[0][0], "signer_name", "web-1a2b3c4d"):
        assert secret.encode() not in sealed
    assert EVIDENCE[0][2][:16] not in sealed
    again = seal(OPERATIONS, EVIDENCE, KID, PERSON)
    assert records(again)[1][8:] != records(sealed)[1][8:]  # another pair, another key


def test_an_empty_phone_gives_a_whole_file(folder: Path) -> None:
    assert [type(one) for one in opened(seal())] == [Head]


def test_every_flipped_byte_is_found(sealed: bytes) -> None:
    ends = [HEADER + sum(map(len, records(sealed)[:n])) for n in range(len(records(sealed)))]
    edges = [*range(HEADER), *(end + n for end in ends for n in range(12)), *range(len(sealed) - 20, len(sealed))]
    found = set()
    for at in [*edges, *random.Random(7).sample(range(len(sealed)), 300)]:
        found.add(fault(sealed[:at] + bytes([sealed[at] ^ (1 << at % 8)]) + sealed[at + 1 :]))
    assert found <= {
        "backup_not_one", "backup_of_other_version", "backup_for_another", "backup_changed", "backup_out_of_order",
        "backup_cut_off",
    }  # fmt: skip
    body = HEADER + 8 + 30  # inside the first record
    assert fault(sealed[:body] + bytes([sealed[body] ^ 1]) + sealed[body + 1 :]) == "backup_changed"


def test_a_file_that_is_cut_off_says_so_wherever_it_was(sealed: bytes) -> None:
    ends = [HEADER + sum(map(len, records(sealed)[:n])) for n in range(len(records(sealed)))]
    for size in {*ends, *(end + 5 for end in ends), *(end + 20 for end in ends), len(sealed) - 1, HEADER - 1, 19}:
        assert fault(sealed[:size]) == "backup_cut_off"
    assert fault(b"") == "backup_not_one"


def test_records_in_another_order_or_missing_are_found(sealed: bytes) -> None:
    header, parts = sealed[:HEADER], records(sealed)
    assert b"".join([header, *parts]) == sealed
    swapped = [*parts[:1], parts[2], parts[1], *parts[3:]]
    assert fault(header + b"".join(swapped)) == "backup_out_of_order"
    assert fault(header + b"".join([*parts[:2], *parts[3:]])) == "backup_out_of_order"
    assert fault(header + b"".join([*parts[:2], parts[1], *parts[2:]])) == "backup_out_of_order"
    # Numbered anew they are no longer what was sealed.
    numbered = [n.to_bytes(4) + part[4:] for n, part in enumerate(swapped)]
    assert fault(header + b"".join(numbered)) == "backup_changed"


def test_records_of_two_backups_are_not_mixed(sealed: bytes) -> None:
    other = records(seal(OPERATIONS, EVIDENCE, KID, PERSON))
    parts = records(sealed)
    assert fault(sealed[:HEADER] + b"".join([parts[0], other[1], *parts[2:]])) == "backup_changed"


def test_what_stands_behind_the_end_is_not_overlooked(sealed: bytes) -> None:
    assert fault(sealed + b"\0") == "backup_goes_on"
    assert fault(sealed + sealed) == "backup_goes_on"


def test_a_file_of_something_else_is_named(sealed: bytes) -> None:
    assert fault(b"\xff\xd8\xff\xe0" + bytes(500)) == "backup_not_one"
    assert fault(sealed.replace(b"backup v1", b"backup v2", 1)) == "backup_of_other_version"


def test_a_foreign_operators_file_does_not_open(folder: Path, sealed: bytes) -> None:
    foreign = seal(OPERATIONS, point=backup_keys.make(folder.parent / "foreign"))
    assert fault(foreign) == "backup_for_another"
    # Nor does it with our own key's name written over theirs.
    at = len(backups.MAGIC)
    assert fault(foreign[:at] + sealed[at : at + 8] + foreign[at + 8 :]) == "backup_changed"


@pytest.mark.parametrize(
    "whose", [{"kid": "\x1b[2J"}, {"kid": "5F1C0D9A3B7E2468"}, {"person": "nobody"}, {"app": "a\nb"}, {"app": "a" * 65}]
)
def test_a_head_that_says_no_phone_is_refused(folder: Path, whose: dict[str, str]) -> None:
    assert fault(seal(OPERATIONS, **whose)) == "backup_malformed"  # type: ignore[arg-type]


def test_wrong_forms_inside_are_refused(folder: Path) -> None:
    for operations in ([1], [["a"]], [None]):
        assert fault(seal(operations)) == "backup_malformed"  # type: ignore[arg-type]
    for event, kind in (("x", "photo"), (str(uuid4()), "video")):
        assert fault(seal(evidence=[(event, kind, b"x")])) == "backup_malformed"


def test_a_large_backup_is_read_piece_by_piece(folder: Path, tmp_path: Path) -> None:
    content = os.urandom(350_000)
    path = tmp_path / "phone.backup"
    path.write_bytes(seal(evidence=[(str(uuid4()), "photo", content)] * 60))
    assert path.stat().st_size > 60 * len(content)
    tracemalloc.start()
    with path.open("rb") as file:
        sizes = [len(one.content) for one in backups.read(file) if isinstance(one, SavedEvidence)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sizes == [len(content)] * 60
    assert peak < 6 * len(content)


def test_older_keys_open_what_was_sealed_to_them(folder: Path, sealed: bytes) -> None:
    first = backup_keys.public_point()
    second = backup_keys.make(folder, rotate=True)
    assert backup_keys.public_point() == second != first
    assert len(backup_keys.private_keys()) == 2
    assert len(opened(sealed)) == len(opened(seal(OPERATIONS, EVIDENCE, KID, PERSON))) == 6


def test_keys_are_made_once_and_are_the_owners(folder: Path) -> None:
    first = backup_keys.make(folder)
    assert backup_keys.make(folder) == backup_keys.public_point() == first
    assert (folder / backup_keys.PRIVATE).stat().st_mode & 0o777 == 0o600
    (folder / backup_keys.PUBLIC).unlink()  # lost, it follows from the private one
    assert backup_keys.public_point() == first


def test_many_at_once_make_one_key(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        assert len(set(pool.map(backup_keys.make, [tmp_path / "keys"] * 12))) == 1


def test_the_private_key_may_lie_elsewhere_until_it_is_needed(folder: Path, sealed: bytes) -> None:
    point = backup_keys.public_point()
    (folder / backup_keys.PRIVATE).rename(folder.parent / "in the safe")
    assert backup_keys.public_point() == point
    with pytest.raises(Unavailable, match="no_backup_key"):
        opened(sealed)
    with pytest.raises(FileNotFoundError):
        backup_keys.make(folder, rotate=True)
    (folder.parent / "in the safe").rename(folder / backup_keys.PRIVATE)
    assert len(opened(sealed)) == 6


def test_a_folder_that_cannot_be_written_gives_no_key(folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    with pytest.raises(Unavailable, match="no_backup_key"):
        backup_keys.public_point()
