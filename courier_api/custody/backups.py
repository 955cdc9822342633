"""Opens the backup that a phone has sealed for the operator: record by record, each vouched for, none held for long."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from courier_api.custody import backup_keys, uploads
from courier_api.custody.models import EvidenceKind
from courier_api.errors import Invalid

NAME, MAGIC = b"courier backup v", b"courier backup v1\n"
POINT, PLACE, TAG = 65, 8, 16
MOST_SAID = 1 << 20  # an operation fits into a request
MOST_BYTES = 5 + MOST_SAID + uploads.MOST_BYTES + TAG
HEAD, OPERATION, EVIDENCE, END = 1, 2, 3, 4
_KID, _PLAIN = re.compile(r"[0-9a-f]{16}"), re.compile(r"[\w.:/+-]{0,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Head:
    """Whose phone it was, as the phone says; anyone can seal to a public key, so nothing is believed for it."""

    kid: str
    person: UUID
    app: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SavedOperation:
    """An operation as it would have been sent."""

    sent: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SavedEvidence:
    """A photo, or signatures by hand, with the event that it belongs to."""

    event: UUID
    kind: EvidenceKind
    content: bytes


type Saved = Head | SavedOperation | SavedEvidence


def read(file: BinaryIO) -> Iterator[Saved]:
    """Give what a backup holds: its head first, then operations and evidence as they stand in it.

    Raises Invalid where the file is not whole, perhaps only at its end: read it through before you act on it.
    """
    counted = {"operations": 0, "evidence": 0}
    for number, (kind, said, content) in enumerate(_opened(file)):
        if (kind == HEAD) != (number == 0):
            raise Invalid("backup_malformed")
        if kind == END:
            if said != counted:
                raise Invalid("backup_malformed")
            return
        saved = _saved(kind, said, content)
        counted["operations"] += isinstance(saved, SavedOperation)
        counted["evidence"] += isinstance(saved, SavedEvidence)
        yield saved


def _saved(kind: int, said: dict[str, Any], content: bytes) -> Saved:
    try:
        if kind == HEAD:
            if not _KID.fullmatch(said["kid"]) or not _PLAIN.fullmatch(said["app"]):
                raise ValueError
            return Head(said["kid"], UUID(said["person"]), said["app"], datetime.fromisoformat(said["at"]))
        if kind == OPERATION:
            return SavedOperation(said)
        if kind == EVIDENCE:
            return SavedEvidence(UUID(said["event"]), EvidenceKind(said["kind"]), content)
    except (KeyError, ValueError, TypeError, AttributeError):
        pass
    raise Invalid("backup_malformed")


def _opened(file: BinaryIO) -> Iterator[tuple[int, dict[str, Any], bytes]]:
    """Each record's kind, what it says and the bytes behind it; ends after the last one, with nothing behind it."""
    key = _key(file)
    number = 0
    while True:
        place = _exactly(file, PLACE)
        if int.from_bytes(place[:4]) != number:
            raise Invalid("backup_out_of_order")
        size = int.from_bytes(place[4:])
        if not TAG < size <= MOST_BYTES:
            raise Invalid("backup_changed")
        try:
            content = key.decrypt(bytes(8) + place[:4], _exactly(file, size), place)
        except InvalidTag:
            raise Invalid("backup_changed") from None
        record = _apart(content)
        if record[0] == END and file.read(1):
            raise Invalid("backup_goes_on")
        yield record
        number += 1


def _key(file: BinaryIO) -> AESGCM:
    magic = file.read(len(MAGIC))
    if magic != MAGIC:
        raise Invalid("backup_of_other_version" if magic.startswith(NAME) else "backup_not_one")
    kid, ephemeral = _exactly(file, 8), _exactly(file, POINT)
    private = backup_keys.private_keys().get(kid)
    if private is None:
        raise Invalid("backup_for_another")
    try:
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), ephemeral)
    except ValueError:
        raise Invalid("backup_changed") from None
    mine = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    derivation = HKDF(hashes.SHA256(), 32, salt=MAGIC + kid + ephemeral, info=MAGIC + mine)
    return AESGCM(derivation.derive(private.exchange(ec.ECDH(), theirs)))


def _exactly(file: BinaryIO, size: int) -> bytes:
    content = file.read(size)
    if len(content) < size:
        raise Invalid("backup_cut_off")
    return content


def _apart(content: bytes) -> tuple[int, dict[str, Any], bytes]:
    end = 5 + int.from_bytes(content[1:5])
    try:
        said = json.loads(content[5:end])
    except (ValueError, RecursionError):
        raise Invalid("backup_malformed") from None
    if end > len(content) or end > 5 + MOST_SAID or not isinstance(said, dict):
        raise Invalid("backup_malformed")
    return content[0], said, content[end:]
