"""The operator's keys as they lie in a folder outside the database: read, made, rotated."""

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from courier_api.errors import Unavailable
from courier_api.proof.keys import key_id
from courier_api.proof.note import VerifierKey
from courier_api.settings import settings

PRIVATE, PUBLIC = "operator.key", "operator.keys"


@dataclass(frozen=True, slots=True)
class OperatorKey:
    """The key in use: signs certificates, checkpoints, receipts and the operator's own events."""

    private: Ed25519PrivateKey
    public: bytes

    @property
    def id(self) -> bytes:
        """Its key id, 8 bytes."""
        return key_id(self.public)

    @property
    def short_id(self) -> bytes:
        """The 4 bytes by which certificates name it."""
        return self.id[:4]

    def sign(self, content: bytes) -> bytes:
        """Sign with Ed25519; 64 bytes."""
        return self.private.sign(content)


_read: tuple[Path, int, OperatorKey] | None = None


def operator_key() -> OperatorKey:
    """Read the key in use, again whenever the file has changed; raises Unavailable without one."""
    global _read
    path = settings().operator_keys / PRIVATE
    try:
        changed = path.stat().st_mtime_ns
        if _read is None or _read[:2] != (path, changed):
            private = load_pem_private_key(path.read_bytes(), None)
            assert isinstance(private, Ed25519PrivateKey)
            _read = (path, changed, OperatorKey(private, _public(private)))
    except FileNotFoundError:
        raise Unavailable("no_operator_key") from None
    return _read[2]


def verifier_keys(folder: Path | None = None) -> list[str]:
    """The public halves of all keys there ever were, one C2SP verifier key each, oldest first."""
    path = (folder or settings().operator_keys) / PUBLIC
    if not path.exists():
        return []
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def public_keys(folder: Path | None = None) -> dict[bytes, bytes]:
    """The same keys by their key id, 32 bytes each."""
    found = [VerifierKey.read(line).public for line in verifier_keys(folder)]
    return {key_id(public): public for public in found}


def make(folder: Path, name: str, *, rotate: bool = False) -> str:
    """Make a key where there is none, or another one in its place, and give its verifier key.

    The public half is written first: a key that signs must be known by then to everyone who checks.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (folder / PRIVATE).exists() and not rotate:
        raise FileExistsError(folder / PRIVATE)
    private = Ed25519PrivateKey.generate()
    line = VerifierKey.of(name, private).write()
    known = "".join(f"{one}\n" for one in [*verifier_keys(folder), line])
    _write(folder / PUBLIC, known.encode(), 0o644)
    _write(folder / PRIVATE, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    return line


def _public(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _write(path: Path, content: bytes, mode: int) -> None:
    new = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
