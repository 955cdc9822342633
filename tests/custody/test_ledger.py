"""The ledger over its API: what is logged is proven, what grew is consistent, witnesses and old keys hold."""

import base64
import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session, sessionmaker

from courier_api.custody import entries, ledger
from courier_api.custody.models import Checkpoint, Entry, Leaf, Node, Waiting
from courier_api.proof import files, note, tree
from courier_api.proof.core import Kind
from courier_api.settings import settings
from tests import cast as story
from tests.cast import Cast
from tests.refusals import problem_in

PUBLIC = "/api/v1/public/ledger"


def log(session: Session, count: int) -> list[UUID]:
    """Entries of the operator's own, all logged."""
    made = [entries.by_operator(session, "custody.erasure", entries=[str(n)]).id for n in range(count)]
    session.flush()
    ledger.grow(session)
    session.commit()
    return made


def checkpoint_of(client: Any) -> note.Checkpoint:
    """The served checkpoint, its signature checked."""
    served = client.get(f"{PUBLIC}/checkpoint")
    assert served.content_type.startswith("text/plain")
    keys = [note.VerifierKey.read(x) for x in client.get(f"{PUBLIC}/keys").text.splitlines()]
    found, signed = note.open_checkpoint(served.text, keys)
    assert signed
    return found


def test_every_entry_is_proven(client: Any, session: Session) -> None:
    made = log(session, 3) + log(session, 300) + log(session, 5)
    checkpoint = checkpoint_of(client)
    assert checkpoint.size == 308
    for entry_id in made[::17]:
        shown = client.get(f"{PUBLIC}/entries/{entry_id}").get_json()
        leaf = tree.ledger_leaf(
            base64.b64decode(shown["core"]), base64.b64decode(shown["signature"]), shown["received_us"]
        )
        proof = [base64.b64decode(h) for h in shown["inclusion"]]
        assert tree.verify_inclusion(leaf, shown["index"], shown["size"], proof, checkpoint.root)
        assert shown["checkpoint"].startswith(settings().ledger_origin)
    assert session.query(Waiting).count() == 0
    assert session.query(Node).count() == 1


def test_it_only_grows(client: Any, session: Session) -> None:
    sizes = []
    for count in (1, 6, 249, 1, 300):
        log(session, count)
        sizes.append(checkpoint_of(client))
    for old in sizes:
        for new in sizes:
            answer = client.get(f"{PUBLIC}/consistency?old={old.size}&new={new.size}")
            if old.size > new.size:
                problem_in(answer, 404, "not_found")
                continue
            proof = [base64.b64decode(h) for h in answer.get_json()["hashes"]]
            assert tree.verify_consistency(old.size, new.size, old.root, new.root, proof)
    problem_in(client.get(f"{PUBLIC}/consistency?old=1&new=10000"), 404, "not_found")


def test_tiles_rebuild_the_root(client: Any, session: Session) -> None:
    log(session, 700)
    checkpoint = checkpoint_of(client)
    hashes: list[bytes] = []
    for index, width in ((0, 256), (1, 256), (2, 188)):
        path = tree.tile_path(0, index, width).removeprefix("tile/0/")
        served = client.get(f"{PUBLIC}/tile/0/{path}")
        assert len(served.data) == 32 * width
        hashes += [served.data[n : n + 32] for n in range(0, len(served.data), 32)]
    assert tree.root(hashes) == checkpoint.root
    assert client.get(f"{PUBLIC}/tile/1/000.p/2").data[:32] == tree.root(hashes[:256])
    for path in ("0/003", "0/002", "0/002.p/189", "0/x", "9/000", "0/000.p/0", "0/000.p/256"):
        assert client.get(f"{PUBLIC}/tile/{path}").status_code == 404, path


def test_what_is_not_logged_yet_is_not_proven(client: Any, session: Session) -> None:
    entry = entries.by_operator(session, "custody.erasure", entries=[])
    session.commit()
    problem_in(client.get(f"{PUBLIC}/entries/{entry.id}"), 404, "not_found")
    problem_in(client.get(f"{PUBLIC}/checkpoint"), 404, "not_found")
    assert ledger.grow(session) is not None
    assert client.get(f"{PUBLIC}/entries/{entry.id}").status_code == 200
    assert ledger.grow(session) is None  # no checkpoint without something new


def test_an_entry_that_commits_late_is_not_passed_over(committed: Engine) -> None:
    make = sessionmaker(committed)
    with make() as late, make() as soon:
        one = entries.by_operator(late, "custody.erasure", entries=["late"]).id
        late.flush()
        two = entries.by_operator(soon, "custody.erasure", entries=["soon"]).id
        soon.commit()
        with make.begin() as keeper:
            ledger.grow(keeper)
        late.commit()
    with make.begin() as keeper:
        ledger.grow(keeper)
        placed = dict(keeper.execute(select(Leaf.entry_id, Leaf.index).where(Leaf.entry_id.in_([one, two]))).all())
    assert placed[one] > placed[two]


def test_two_keepers_make_one_tree(committed: Engine) -> None:
    make = sessionmaker(committed)
    with make.begin() as session:
        entries.by_operator(session, "custody.erasure", entries=[])
    with make() as one, make() as other:
        assert ledger.grow(one) is not None
        assert ledger.grow(other) is None
        one.commit()
        assert ledger.grow(other) is None


def test_a_handovers_receipt_is_in_the_ledger(cast: Cast) -> None:
    story.collected(cast)
    ledger.grow(cast.session)
    cast.session.commit()
    entry = cast.session.scalars(select(Entry).where(Entry.kind == Kind.handover)).one()
    shown = cast.client.get(f"{PUBLIC}/entries/{entry.id}").get_json()
    assert base64.b64decode(shown["certificate"])
    assert "Nguyễn" not in str(shown)  # it names nobody
    assert hashlib.sha256(entry.event or b"").digest() == base64.b64decode(shown["core"])[-32:]


def test_a_rotated_key_leaves_what_was_signed_checkable(
    client: Any, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(session, 2)
    old = session.scalars(select(Checkpoint.note)).one()
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in (files.PRIVATE, files.PUBLIC):
        (folder / name).write_bytes((settings().operator_keys / name).read_bytes())
    (folder / files.PRIVATE).chmod(0o600)
    files.make(folder, settings().ledger_origin, rotate=True)
    monkeypatch.setenv("OPERATOR_KEYS", str(folder))
    settings.cache_clear()
    try:
        log(session, 1)
        keys = [note.VerifierKey.read(x) for x in client.get(f"{PUBLIC}/keys").text.splitlines()]
        assert len(keys) == 2
        assert note.open_checkpoint(old, keys)[0].size == 2
        assert checkpoint_of(client).size == 3
        new = session.scalars(select(Checkpoint.note).where(Checkpoint.size == 3)).one()
        with pytest.raises(note.NoteError):
            note.open_checkpoint(new, keys[:1])
        assert (folder / files.PRIVATE).stat().st_mode & 0o077 == 0
        with pytest.raises(FileExistsError):
            files.make(folder, "another")
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_a_witness_that_we_know_cosigns(
    client: Any, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log(session, 2)
    private = Ed25519PrivateKey.generate()
    witness = note.VerifierKey.of("witness.example", private, note.COSIGNATURE)
    served = client.get(f"{PUBLIC}/checkpoint").text
    cosigned = note.cosign(served, witness, private, 1_790_000_000)
    problem_in(client.post(f"{PUBLIC}/cosignatures", json={"note": cosigned}), 422, "cosignature_wrong", "/note")
    monkeypatch.setattr(ledger, "witness_keys", lambda: [witness.write()])
    for _ in range(2):
        assert client.post(f"{PUBLIC}/cosignatures", json={"note": cosigned}).get_json() == {"size": 2}
    assert client.get(f"{PUBLIC}/checkpoint").text == cosigned
    forged = note.cosign(served.replace("\n2\n", "\n3\n"), witness, private, 1_790_000_000)
    problem_in(client.post(f"{PUBLIC}/cosignatures", json={"note": forged}), 422, "checkpoint_unknown", "/note")
    broken = cosigned[:-10] + "A" * 9 + "\n"
    problem_in(client.post(f"{PUBLIC}/cosignatures", json={"note": broken}), 422, "cosignature_wrong", "/note")
    assert session.scalar(text("SELECT count(*) FROM cosignature")) == 1


def test_an_unknown_entry(client: Any) -> None:
    problem_in(client.get(f"{PUBLIC}/entries/{uuid4()}"), 404, "not_found")
