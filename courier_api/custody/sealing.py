"""Sealing of evidence: AES-256-GCM, a key for each row, and master keys in a file that wrap those."""

import base64
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from courier_api.custody.folders import changing

FILE = "evidence.keys"
_NONCE = 12  # bytes; drawn anew each time, so a master key should be rotated long before it has wrapped 2^32 keys
_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_CONTENT = b"evidence content v1\n"
_KEY = b"evidence key v1\n"
_HEAD = "# Master keys of the evidence, ID:KEY, newest last. Who loses this file loses all evidence; keep every line.\n"


class Tampered(ValueError):
    """What was sealed is not what is there, or not where it was."""


class UnknownKey(LookupError):
    """Sealed under a master key that this ring does not hold."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """One sealed content. Without `wrapped_key` nobody can read it or a copy of it: erase that, and all is erased."""

    key_id: str
    wrapped_key: bytes
    content: bytes


@dataclass(frozen=True, slots=True, repr=False)
class MasterKeys:
    """The ring of master keys, 32 bytes by their ids, newest last; read once, kept by the process."""

    keys: Mapping[str, bytes]

    @property
    def newest(self) -> str:
        """The id of the key that new seals are made with."""
        return list(self.keys)[-1]

    @classmethod
    def read(cls, folder: Path) -> "MasterKeys":
        """Read the ring in a folder; raises RuntimeError when there is none or a line is wrong."""
        try:
            text = (folder / FILE).read_text("ascii")
        except FileNotFoundError:
            raise RuntimeError(f"there are no master keys in {folder / FILE}") from None
        except UnicodeDecodeError:
            raise RuntimeError(f"{folder / FILE} is not plain ASCII") from None
        keys: dict[str, bytes] = {}
        for number, line in enumerate(map(str.strip, text.splitlines()), 1):
            if not line or line.startswith("#"):
                continue
            name, _, value = line.partition(":")
            key = _decoded(value)
            if key is None or not _ID.fullmatch(name) or name in keys:
                # The line itself is a secret and may not go to a log.
                raise RuntimeError(f"{folder / FILE}: line {number} is not a new ID:KEY of 32 bytes in base64")
            keys[name] = key
        if not keys:
            raise RuntimeError(f"there are no master keys in {folder / FILE}")
        return cls(keys)

    @classmethod
    def make(cls, folder: Path) -> "MasterKeys":
        """Write a ring of one key, readable by its owner only; raises FileExistsError where there is one already."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with changing(folder):
            if (folder / FILE).exists():
                raise FileExistsError(folder / FILE)
            _write(folder, _HEAD + _new_line(()))
        return cls.read(folder)

    @classmethod
    def rotate(cls, folder: Path) -> "MasterKeys":
        """Append a new key, the newest from now on; processes that run take it when they start anew."""
        with changing(folder):
            ring = cls.read(folder)
            text = (folder / FILE).read_text("ascii")
            _write(folder, text + ("" if text.endswith("\n") else "\n") + _new_line(ring.keys))
        return cls.read(folder)


def seal(keys: MasterKeys, content: bytes, bound_to: bytes) -> Sealed:
    """Encrypt under a fresh key, wrapped by the newest master key; only the same `bound_to` (row and kind) opens it."""
    data_key = AESGCM.generate_key(256)
    nonce = secrets.token_bytes(_NONCE)
    hidden = nonce + AESGCM(data_key).encrypt(nonce, content, _CONTENT + bound_to)
    return Sealed(keys.newest, _wrap(keys, keys.newest, data_key), hidden)


def unseal(keys: MasterKeys, sealed: Sealed, bound_to: bytes) -> bytes:
    """Decrypt; raises Tampered where any of it was changed or stood elsewhere, UnknownKey for a master key not here."""
    return _decrypt(_unwrap(keys, sealed), sealed.content, _CONTENT + bound_to)


def rewrap(keys: MasterKeys, sealed: Sealed) -> Sealed:
    """Wrap the key anew by the newest master key, the content as it is; raises as `unseal` does."""
    if sealed.key_id == keys.newest:
        return sealed
    data_key = _unwrap(keys, sealed)
    return replace(sealed, key_id=keys.newest, wrapped_key=_wrap(keys, keys.newest, data_key))


def _wrap(keys: MasterKeys, key_id: str, data_key: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(keys.keys[key_id]).encrypt(nonce, data_key, _KEY + key_id.encode())


def _unwrap(keys: MasterKeys, sealed: Sealed) -> bytes:
    master = keys.keys.get(sealed.key_id)
    if master is None:
        raise UnknownKey(f"no master key {sealed.key_id!r}")
    return _decrypt(master, sealed.wrapped_key, _KEY + sealed.key_id.encode())


def _decrypt(key: bytes, hidden: bytes, bound_to: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(hidden[:_NONCE], hidden[_NONCE:], bound_to)
    except (InvalidTag, ValueError):
        raise Tampered("what was sealed has been changed, or belongs elsewhere") from None


def _decoded(value: str) -> bytes | None:
    try:
        key = base64.b64decode(value, validate=True)
    except ValueError:
        return None
    return key if len(key) == 32 else None


def _new_line(taken: Mapping[str, bytes] | tuple[()]) -> str:
    name = secrets.token_hex(4)
    while name in taken:
        name = secrets.token_hex(4)
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}\n"


def _write(folder: Path, text: str) -> None:
    draft = folder / f".{FILE}.{secrets.token_hex(4)}"
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / FILE)
    finally:
        draft.unlink(missing_ok=True)
