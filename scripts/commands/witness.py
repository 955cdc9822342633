"""The witness: sees that the ledger only ever grows, and cosigns what it has found so (C2SP tlog-cosignature)."""

import base64
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from courier_api.proof.note import (
    COSIGNATURE,
    Checkpoint,
    NoteError,
    VerifierKey,
    cosign,
    open_checkpoint,
    read_keys,
)
from courier_api.proof.tree import verify_consistency

LEDGER = "/api/v1/public/ledger"
SECRET = "PRIVATE+KEY"  # noqa: S105  # how the file of a key begins; a name holds no +
MOST_HASHES = 64  # no tree is taller


class Broken(Exception):
    """A signed checkpoint that does not follow from the last one: the ledger was changed, or shows two faces."""


class NoAnswer(Exception):
    """The ledger could not be reached, or what came is not what it should send."""


class BadState(Exception):
    """The file with the last checkpoint is damaged, or another witness has it in use: nothing can be compared."""


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """The key that a witness signs with."""

    public: VerifierKey
    private: Ed25519PrivateKey

    @classmethod
    def make(cls, name: str) -> "WitnessKey":
        """A new key; raises BadKey for a name that keys cannot have."""
        private = Ed25519PrivateKey.generate()
        return cls(VerifierKey.of(name, private, COSIGNATURE), private)

    @classmethod
    def read(cls, text: str) -> "WitnessKey":
        """Read what `write` wrote; raises ValueError."""
        start, _, rest = text.strip().partition(f"{SECRET}+")
        name, _, rest = rest.partition("+")
        digest, _, encoded = rest.partition("+")
        content = base64.b64decode(encoded, validate=True)
        if start or content[:1] != bytes([COSIGNATURE]) or len(content) != 33:
            raise ValueError("no key of a witness")
        private = Ed25519PrivateKey.from_private_bytes(content[1:])
        key = cls(VerifierKey.of(name, private, COSIGNATURE), private)
        if key.public.hash.hex() != digest:
            raise ValueError("no key of a witness: its hash is wrong")
        return key

    def write(self) -> str:
        """One line with the name and the private key."""
        content = bytes([COSIGNATURE]) + self.private.private_bytes_raw()
        return f"{SECRET}+{self.public.name}+{self.public.hash.hex()}+{base64.b64encode(content).decode()}\n"


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness of one ledger; `state` is the file with the last checkpoint that it cosigned."""

    client: httpx.Client
    url: str
    log_keys: Sequence[VerifierKey]
    key: WitnessKey
    state: Path

    def once(self) -> str:
        """Look at the ledger once, and say what was done.

        1. Read the checkpoint, which the ledger has signed.
        2. Compare it with the last one: as large or larger, and with the same beginning.
        3. Write it down as the last, durably, before anyone sees the cosignature.
        4. Send the cosignature.

        Raises Broken, with the state untouched and the new note kept beside it as evidence; BadState; and, where
        another look may help, NoteError and NoAnswer.
        """
        with _alone(self.state):
            seen = self._seen()
            note = self._note()
            new, signed = open_checkpoint(note, self.log_keys, [self.key.public])
            if seen is not None:
                try:
                    self._compare(seen, new)
                except Broken:
                    _write(self.state.with_name(self.state.name + ".broken"), note)
                    raise
                if seen.size == new.size and any(one.key == self.key.public for one in signed):
                    return f"nothing new: {new.size} entries"
            cosigned = cosign(note, self.key.public, self.key.private, int(time.time()))
            _write(self.state, cosigned)
            self._ask("POST", "/cosignatures", json={"note": cosigned})
        return f"cosigned: {new.size} entries, " + (f"{seen.size} before" if seen else "seen for the first time")

    def _seen(self) -> Checkpoint | None:
        if not self.state.exists():
            return None
        try:
            return open_checkpoint(self.state.read_bytes(), self.log_keys)[0]
        except NoteError as error:
            raise BadState(f"{self.state}: {error}") from None

    def _note(self) -> str:
        try:
            return self._ask("GET", "/checkpoint").content.decode()
        except UnicodeDecodeError:
            raise NoAnswer("the checkpoint is no text") from None

    def _compare(self, seen: Checkpoint, new: Checkpoint) -> None:
        if seen.origin != new.origin:
            raise Broken(f"this is another ledger: {new.origin}, it was {seen.origin}")
        if new.size < seen.size:
            raise Broken(f"the ledger shrank from {seen.size} entries to {new.size}")
        if new.size == seen.size and new.root != seen.root:
            raise Broken(f"the ledger has two faces: with {new.size} entries, it has two roots")
        proof = self._proof(seen.size, new.size) if 0 < seen.size < new.size else []
        if not verify_consistency(seen.size, new.size, seen.root, new.root, proof):
            raise Broken(f"the ledger was changed: its {seen.size} first entries are not the ones it had")

    def _proof(self, old: int, new: int) -> list[bytes]:
        answer = self._ask("GET", "/consistency", params={"old": old, "new": new})
        try:
            hashes = answer.json()["hashes"]
            return [base64.b64decode(one, validate=True) for one in hashes[:MOST_HASHES]]
        except (ValueError, TypeError, KeyError):
            raise NoAnswer("what came is no proof") from None

    def _ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        try:
            answer = self.client.request(method, self.url.rstrip("/") + LEDGER + path, **sent)
            return answer.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoAnswer(f"{method} {path}: {error}") from None


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Hold the state for one witness: two at once could each write down what the other must not forget."""
    with state.with_name(state.name + ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadState(f"{state}: another witness has it in use") from None
        yield


def _write(path: Path, text: str) -> None:
    """Put a file in place of another: after a power cut, there is the old one or the new one."""
    fresh = path.with_name(path.name + ".new")
    with fresh.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def connect() -> httpx.Client:
    """The way to the ledger."""
    return httpx.Client(timeout=30)


@click.group()
def main() -> None:
    """Watch the ledger from outside, and cosign it while nothing in it changes."""


@main.command("new-key")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("name")
def new_key(file: Path, name: str) -> None:
    """Make a witness's key in FILE and print its public half, which the ledger's operator needs.

    NAME stands beside each signature: an address without its scheme, as witness.example/w1.
    """
    try:
        key = WitnessKey.make(name)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(key.write())
    except (NoteError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(key.public.write())


def _watching(command: Callable[..., None]) -> Callable[..., None]:
    existing = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option(
            "--state", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The last one seen."
        ),
        click.option("--key", "key_file", required=True, type=existing, help="What new-key made."),
        click.option("--keys", "keys_file", required=True, type=existing, help="The operator's keys, operator.keys."),
        click.option("--url", required=True, help="Where the ledger is, as https://post.example."),
    ):
        command = option(command)
    return command


@main.command("once")
@_watching
def once(url: str, keys_file: Path, key_file: Path, state: Path) -> None:
    """Look at the ledger once.

    Ends with 1 when the ledger must not be trusted, with 2 when it could not be looked at.
    """
    with connect() as client:
        _look(_witness(client, url, keys_file, key_file, state), lasting=False)


@main.command("watch")
@_watching
@click.option("--every", default=60, show_default=True, type=click.IntRange(1), help="Seconds between two looks.")
def watch(url: str, keys_file: Path, key_file: Path, state: Path, every: int) -> None:
    """Look at the ledger again and again; ends with 1 once it must not be trusted any more."""
    with connect() as client:
        witness = _witness(client, url, keys_file, key_file, state)
        while True:
            _look(witness, lasting=True)
            time.sleep(every)


def _witness(client: httpx.Client, url: str, keys_file: Path, key_file: Path, state: Path) -> Witness:
    try:
        key = WitnessKey.read(key_file.read_text())
    except ValueError as error:
        raise click.UsageError(f"{key_file}: {error}") from None
    try:
        log_keys = read_keys(keys_file.read_text())
    except ValueError as error:
        raise click.UsageError(f"{keys_file}: {error}") from None
    return Witness(client, url, log_keys, key, state)


def _look(witness: Witness, *, lasting: bool) -> None:
    """Look once; a fault that may pass ends only a witness that is not to last."""
    try:
        click.echo(witness.once())
    except Broken as error:
        click.secho(f"DO NOT TRUST THIS LEDGER: {error}.", fg="red", bold=True, err=True)
        click.echo(
            f"Both signed checkpoints are kept as evidence: {witness.state} and {witness.state}.broken", err=True
        )
        raise SystemExit(1) from None
    except NoteError as error:
        click.secho(f"Not cosigned: {error}.", fg="red", err=True)
        if not lasting:
            raise SystemExit(1) from None
    except NoAnswer as error:
        click.echo(f"No answer: {error}", err=True)
        if not lasting:
            raise SystemExit(2) from None
    except BadState as error:
        raise click.UsageError(str(error)) from None


if __name__ == "__main__":
    main()
