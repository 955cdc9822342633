"""The keys of phones' backups: pages seal to the newest, every one that there ever was still opens."""

import base64
import os
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from courier_api.custody.folders import changing
from courier_api.errors import Unavailable
from courier_api.proof.keys import compressed, key_id
from courier_api.settings import settings

PRIVATE, PUBLIC = "backup.key", "backup.keys"
_PEM = re.compile(rb"-----BEGIN PRIVATE KEY-----.+?-----END PRIVATE KEY-----\n?", re.DOTALL)


def public_point() -> str:
    """The newest public key as pages are told it, 65 bytes in base64; the first is made where there is none yet.

    Only the public half is needed for it: the private one may lie elsewhere until a backup is to be opened.
    """
    folder = settings().operator_keys
    try:
        known = _points(folder)
        return known[-1] if known else make(folder)
    except OSError:
        raise Unavailable("no_backup_key") from None


def private_keys(folder: Path | None = None) -> dict[bytes, ec.EllipticCurvePrivateKey]:
    """All private keys by their key id; raises Unavailable where there are none."""
    try:
        found = [_read(pem) for pem in _pems(folder or settings().operator_keys)]
    except FileNotFoundError:
        raise Unavailable("no_backup_key") from None
    return {key_id(compressed(key.public_key())): key for key in found}


def make(folder: Path, *, rotate: bool = False) -> str:
    """Make the first key, or with `rotate` a newer one beside those that are there; the newest point is given.

    The private half is written first: nothing may be sealed to a key that nobody has.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with changing(folder):
        known, there = _points(folder), (folder / PRIVATE).exists()
        if known and not rotate:
            return known[-1]
        if known and not there:
            raise FileNotFoundError(f"{PRIVATE} is kept elsewhere: rotate where it is, or older backups open no more")
        pems = _pems(folder) if there else []
        if rotate or not pems:
            new = ec.generate_private_key(ec.SECP256R1())
            pems.append(new.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        _write(folder / PRIVATE, b"".join(pems), 0o600)
        points = [_point(_read(pem)) for pem in pems]
        _write(folder / PUBLIC, "".join(f"{point}\n" for point in points).encode(), 0o644)
        return points[-1]


def _points(folder: Path) -> list[str]:
    path = folder / PUBLIC
    return path.read_text("ascii").split() if path.exists() else []


def _pems(folder: Path) -> list[bytes]:
    return _PEM.findall((folder / PRIVATE).read_bytes())


def _read(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RuntimeError(f"a key in {PRIVATE} is not of P-256")
    return key


def _point(key: ec.EllipticCurvePrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)).decode()


def _write(path: Path, content: bytes, mode: int) -> None:
    new = path.with_suffix(path.suffix + ".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
