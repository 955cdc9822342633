"""The witness before an honest ledger and before ones that forget, shrink and show two faces."""

import base64
import fcntl
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from courier_api.proof import tree
from courier_api.proof.note import COSIGNATURE, Checkpoint, VerifierKey, open_checkpoint, sign
from scripts.commands import witness
from scripts.commands.witness import WitnessKey
from tests.proof.samples import OPERATOR, OPERATOR_KEY, ORIGIN, Store, b64, leaves, private

URL = "https://post.example"


class Log:
    """A ledger as its public endpoints show it; each part of an answer can be put in its place."""

    def __init__(self) -> None:
        self.store = Store(leaves(5))
        self.note: str | None = None
        self.proof: object = None
        self.status = 201
        self.asked: list[str] = []
        self.cosigned: list[str] = []

    def grow(self, to: int) -> None:
        """Add leaves."""
        for leaf in leaves(to)[self.store.frontier.size :]:
            self.store.append(leaf)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What the ledger answers."""
        self.asked.append(request.url.path.rpartition("/")[2])
        assert request.url.path.startswith("/api/v1/public/ledger/")
        if request.method == "POST":
            note = json.loads(request.content)["note"]
            if self.status == 201:
                self.cosigned.append(note)
            return httpx.Response(self.status, json={})
        if request.url.path.endswith("/checkpoint"):
            return httpx.Response(200, text=self.note or self.store.note())
        old, new = (int(request.url.params[name]) for name in ("old", "new"))
        hashes = (
            [b64(one) for one in tree.consistency_proof(old, new, self.store)] if self.proof is None else self.proof
        )
        return httpx.Response(200, json={"old": old, "new": new, "hashes": hashes})


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    """A ledger with five entries, which the witness reaches."""
    log = Log()
    monkeypatch.setattr(witness, "connect", lambda: httpx.Client(transport=httpx.MockTransport(log.answer)))
    return log


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    """Run the witness in a folder with its key and the operator's."""
    (tmp_path / "operator.keys").write_text(OPERATOR_KEY.write() + "\n")
    made = CliRunner().invoke(witness.main, ["new-key", str(tmp_path / "w.key"), "witness.example/w1"])
    assert made.exit_code == 0, made.output
    (tmp_path / "w.pub").write_text(made.output)

    def run(command: str = "once", *more: str, **changed: str) -> Result:
        files = {"keys": "operator.keys", "key": "w.key", "state": "state"} | changed
        arguments = [part for name, file in files.items() for part in (f"--{name}", str(tmp_path / file))]
        return CliRunner().invoke(witness.main, [command, "--url", f"{URL}/", *arguments, *more])

    return run


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where the witness writes down what it has seen."""
    return tmp_path / "state"


def refused(result: Result, words: str, code: int = 1) -> None:
    """The witness ended without cosigning, and said why."""
    assert (result.exit_code, result.exception.__class__) == (code, SystemExit), result.output
    assert words in result.output


def test_a_new_key_is_kept_private(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "w.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    public = VerifierKey.read((tmp_path / "w.pub").read_text().strip())
    assert (public.name, public.algorithm) == ("witness.example/w1", COSIGNATURE)
    assert WitnessKey.read(file.read_text()).public == public
    before = file.read_text()
    again = CliRunner().invoke(witness.main, ["new-key", str(file), "witness.example/w1"])
    assert again.exit_code == 1
    assert file.read_text() == before


@pytest.mark.parametrize("name", ["", "a b", "a+b"])
def test_names_that_a_key_cannot_have(tmp_path: Path, name: str) -> None:
    result = CliRunner().invoke(witness.main, ["new-key", str(tmp_path / "w.key"), name])
    assert result.exit_code == 1
    assert "no name of a key" in result.output
    assert not (tmp_path / "w.key").exists()


def test_it_cosigns_what_it_sees_first_and_what_grows_from_it(
    run: Callable[..., Result], log: Log, state: Path, tmp_path: Path
) -> None:
    assert "5 entries, seen for the first time" in run().output
    for size in (6, 8, 300):
        log.grow(size)
        result = run()
        assert result.exit_code == 0, result.output
        assert f"cosigned: {size} entries" in result.output
    public = VerifierKey.read((tmp_path / "w.pub").read_text().strip())
    assert state.read_text() == log.cosigned[-1]
    for note, size in zip(log.cosigned, (5, 6, 8, 300), strict=True):
        checkpoint, signed = open_checkpoint(note, [OPERATOR_KEY], [public])
        assert checkpoint.size == size
        assert signed[1].key == public
        assert signed[1].time_s is not None
    assert log.asked.count("consistency") == 3


def test_a_ledger_that_began_empty(run: Callable[..., Result], log: Log) -> None:
    log.store = Store()
    assert run().exit_code == 0
    log.grow(3)
    assert run().exit_code == 0
    assert "consistency" not in log.asked


def test_what_it_has_cosigned_it_does_not_cosign_again(run: Callable[..., Result], log: Log) -> None:
    run()
    log.note = log.cosigned[0]
    result = run()
    assert (result.exit_code, result.output) == (0, "nothing new: 5 entries\n")
    assert len(log.cosigned) == 1


def test_a_cosignature_that_did_not_arrive_is_sent_again(run: Callable[..., Result], log: Log, state: Path) -> None:
    log.status = 503
    refused(run(), "No answer: POST /cosignatures", code=2)
    assert state.exists()  # it did cosign, and must not forget that
    log.status = 201
    assert run().exit_code == 0
    assert len(log.cosigned) == 1


def forked(log: Log, size: int) -> str:
    """A checkpoint of a ledger that had the first three entries in common with this one."""
    other = Store([*leaves(3), *leaves(size - 3, b"other")])
    log.proof = [b64(one) for one in tree.consistency_proof(5, size, other)] if size > 5 else None
    return other.note()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda log: forked(log, 8), "5 first entries are not the ones it had"),
        (lambda log: forked(log, 5), "two faces"),
        (lambda log: log.store.note(4), "shrank from 5 entries to 4"),
        (lambda log: log.store.note(0), "shrank from 5 entries to 0"),
        (lambda log: forked(log, 3), "shrank from 5 entries to 3"),
    ],
)
def test_a_ledger_that_was_changed_is_not_cosigned(
    run: Callable[..., Result], log: Log, state: Path, change: Callable[[Log], str], words: str
) -> None:
    run()
    before = state.read_text()
    log.note = change(log)
    for _ in range(2):  # it stays at that
        refused(run(), "DO NOT TRUST THIS LEDGER")
        assert words in run().output
        assert state.read_text() == before
        assert len(log.cosigned) == 1
    assert state.with_name("state.broken").read_text() == log.note


@pytest.mark.parametrize("proof", [[], [b64(bytes(32))] * 4, [b64(bytes(32))] * 1000, [b64(b"short")]])
def test_a_wrong_proof_is_no_proof(run: Callable[..., Result], log: Log, state: Path, proof: list[str]) -> None:
    run()
    before = state.read_text()
    log.grow(9)
    log.proof = proof
    refused(run(), "DO NOT TRUST THIS LEDGER")
    assert state.read_text() == before


@pytest.mark.parametrize("proof", ["text", 5, {"a": 1}, [5], ["!"], {}])
def test_what_is_not_even_a_proof_is_no_answer(run: Callable[..., Result], log: Log, state: Path, proof: Any) -> None:
    run()
    before = state.read_text()
    log.grow(9)
    log.proof = proof
    refused(run(), "no proof", code=2)
    assert (state.read_text(), len(log.cosigned)) == (before, 1)


OTHER = private(9)


@pytest.mark.parametrize(
    ("note", "words"),
    [
        (Store(leaves(6)).note(key=VerifierKey.of(ORIGIN, OTHER), by=OTHER), "no known key has signed"),
        (Store(leaves(6)).note().replace("\n6\n", "\n7\n"), "the signature of post.example/ledger is wrong"),
        (sign(Checkpoint("other.example", 6, bytes(32)).write(), OPERATOR_KEY, OPERATOR), "of another log"),
        (sign("no checkpoint\n", OPERATOR_KEY, OPERATOR), "three lines"),
        ("<html>log in here</html>", "a note is a text"),
    ],
)
def test_what_the_ledger_did_not_sign_is_not_cosigned(
    run: Callable[..., Result], log: Log, state: Path, note: str, words: str
) -> None:
    run()
    before = state.read_text()
    log.note = note
    refused(run(), words)
    assert (state.read_text(), len(log.cosigned)) == (before, 1)


def test_no_answer(run: Callable[..., Result], log: Log, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    for answer in (down, lambda request: httpx.Response(500), lambda request: httpx.Response(302)):
        monkeypatch.setattr(
            witness, "connect", lambda answer=answer: httpx.Client(transport=httpx.MockTransport(answer))
        )
        refused(run(), "No answer: GET /checkpoint", code=2)
        assert not state.exists()


def test_bytes_that_are_no_text(
    run: Callable[..., Result], state: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=b"\xff\xfe"))
    monkeypatch.setattr(witness, "connect", lambda: httpx.Client(transport=transport))
    refused(run(), "no text", code=2)


def test_a_damaged_state_is_not_a_first_time(run: Callable[..., Result], log: Log, state: Path) -> None:
    for content in ("", "5\n", log.store.note()[:-10]):
        state.write_text(content)
        refused(run(), str(state), code=2)
        assert state.read_text() == content
    assert log.asked == []


def test_two_witnesses_do_not_share_a_state(run: Callable[..., Result], log: Log, state: Path) -> None:
    with state.with_name("state.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        refused(run(), "another witness has it in use", code=2)
    assert run().exit_code == 0


@pytest.mark.parametrize("kind", ["keys", "key"])
def test_files_that_are_no_keys(run: Callable[..., Result], log: Log, tmp_path: Path, kind: str) -> None:
    (tmp_path / "wrong").write_text("nonsense\n")
    assert run("once", **{kind: "wrong"}).exit_code == 2
    assert run("once", **{kind: "missing"}).exit_code == 2
    assert log.asked == []


def test_private_keys_that_are_none() -> None:
    good = WitnessKey.make("w.example").write()
    as_log = base64.b64encode(b"\1" + bytes(32)).decode()
    for text in (
        "",
        good[1:],
        good.replace("w.example", "v.example"),
        good.rpartition("+")[0] + "+" + as_log,
        good.strip()[:-4],
        good.strip() + "!",
    ):
        with pytest.raises(ValueError):  # noqa: PT011  # of whatever words
            WitnessKey.read(text)


def test_watching_goes_on_until_the_ledger_is_broken(
    run: Callable[..., Result], log: Log, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = iter(
        (
            lambda: log.grow(7),
            lambda: setattr(log, "note", "<html>"),
            lambda: setattr(log, "note", None),
            lambda: setattr(log, "proof", 5) or log.grow(9),
            lambda: setattr(log, "proof", None),
            lambda: setattr(log, "note", log.store.note(4)),
        )
    )
    monkeypatch.setattr(witness.time, "sleep", lambda seconds: next(steps)())
    refused(run("watch", "--every", "5"), "shrank from 9 entries to 4")
    assert next(steps, None) is None
    public = log.cosigned[-1]
    assert "\n9\n" in public


def test_a_rotated_key_does_not_stop_it(run: Callable[..., Result], log: Log, tmp_path: Path) -> None:
    assert run().exit_code == 0
    key = VerifierKey.of(ORIGIN, OTHER)
    (tmp_path / "operator.keys").write_text(f"{OPERATOR_KEY.write()}\n{key.write()}\n")
    log.grow(8)
    log.note = log.store.note(key=key, by=OTHER)
    assert run().exit_code == 0
