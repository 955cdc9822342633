"""Signed notes, checkpoints, cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature): written, verified."""

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from courier_api.proof.keys import verify_operator

ED25519, COSIGNATURE = 1, 4
MOST_BYTES, MOST_SIGNATURES = 1_000_000, 100
_DASH = "\u2014 "

Signer = Callable[[bytes], bytes] | Ed25519PrivateKey


class NoteError(ValueError):
    """What is wrong with a note, a key or a checkpoint, in words."""


class BadKey(NoteError):
    """No verifier key of a kind that we know."""


class BadNote(NoteError):
    """No signed note: its form is wrong."""


class BadCheckpoint(NoteError):
    """A note whose text is no checkpoint, or another log's."""


class NotSigned(NoteError):
    """A note that no known key has signed, or one with a wrong signature of a known key."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A name and a public key of 32 bytes, for notes (`ED25519`) or for cosignatures (`COSIGNATURE`)."""

    name: str
    public: bytes
    algorithm: int = ED25519

    def __post_init__(self) -> None:
        if not _is_name(self.name):
            raise BadKey(f"no name of a key: {self.name!r}")
        if self.algorithm not in (ED25519, COSIGNATURE) or len(self.public) != 32:
            raise BadKey(f"{self.name}: no Ed25519 key for notes or cosignatures")

    @classmethod
    def of(cls, name: str, private: Ed25519PrivateKey, algorithm: int = ED25519) -> "VerifierKey":
        """The verifier key of a private key."""
        return cls(name, private.public_key().public_bytes_raw(), algorithm)

    @classmethod
    def read(cls, text: str) -> "VerifierKey":
        """Read NAME+HASH+KEY; raises BadKey."""
        name, _, rest = text.partition("+")
        digest, _, encoded = rest.partition("+")
        try:
            content = _unbase64(encoded)
        except ValueError:
            raise BadKey(f"no verifier key: {text[:80]!r}") from None
        key = cls(name, content[1:], content[0])
        if key.hash.hex() != digest:
            raise BadKey(f"{name}: the hash {digest[:8]!r} is not this key's")
        return key

    def write(self) -> str:
        """Write it as NAME+HASH+KEY."""
        return f"{self.name}+{self.hash.hex()}+{_base64(bytes([self.algorithm]) + self.public)}"

    @property
    def hash(self) -> bytes:
        """The 4 bytes by which signature lines name it, beside its name."""
        return hashlib.sha256(f"{self.name}\n".encode() + bytes([self.algorithm]) + self.public).digest()[:4]


def read_keys(text: str) -> list[VerifierKey]:
    """Read verifier keys, one a line, without empty lines and comments (`#`); raises BadKey."""
    lines = (line.strip() for line in text.splitlines())
    return [VerifierKey.read(line) for line in lines if line and not line.startswith("#")]


@dataclass(frozen=True, slots=True)
class Line:
    """One signature line, not verified."""

    name: str
    hash: bytes
    signature: bytes

    def write(self) -> str:
        """The line with its line end."""
        return f"{_DASH}{self.name} {_base64(self.hash + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature that holds: whose it is and, of a cosignature, when it was made in seconds since 1970."""

    key: VerifierKey
    time_s: int | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size and root of a log's tree."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def write(self) -> str:
        """The text of the note; raises BadCheckpoint for what would not read back."""
        text = "".join(f"{line}\n" for line in (self.origin, self.size, _base64(self.root), *self.extensions))
        if Checkpoint.read(text) != self:
            raise BadCheckpoint("a line of a checkpoint holds no line end")
        return text

    @classmethod
    def read(cls, text: str) -> "Checkpoint":
        """Read the text of a note; raises BadCheckpoint."""
        lines = text.removesuffix("\n").split("\n")
        if not text.endswith("\n") or len(lines) < 3 or "" in lines or _has_control(text):
            raise BadCheckpoint("a checkpoint has three lines or more, and none is empty")
        origin, size, encoded, *extensions = lines
        if not (size.isascii() and size.isdecimal() and len(size) < 20) or str(int(size)) != size:
            raise BadCheckpoint(f"no size of a tree: {size[:40]!r}")
        try:
            root = _unbase64(encoded)
        except ValueError:
            root = b""
        if len(root) != 32:
            raise BadCheckpoint(f"no root of a tree: {encoded[:80]!r}")
        return cls(origin, int(size), root, tuple(extensions))


def sign(text: str, key: VerifierKey, signer: Signer) -> str:
    """Write a note with one signature; raises BadNote for a text that cannot be signed."""
    return add(f"{text}\n", text, _line(text, key, signer, None))


def cosign(note: str, key: VerifierKey, signer: Signer, time_s: int) -> str:
    """The same note with a cosignature below the signatures it has; raises BadNote or BadCheckpoint.

    Nothing is verified here: first open it, and check that it is consistent with the last that was cosigned.
    """
    text, _ = split(note)
    Checkpoint.read(text)
    return add(note, text, _line(text, key, signer, time_s))


def split(note: str | bytes) -> tuple[str, list[Line]]:
    """Take a note apart into text and signature lines, strictly; raises BadNote. Nothing is verified."""
    try:
        note = note.decode() if isinstance(note, bytes) else note
        size = len(note.encode())
    except UnicodeError:
        raise BadNote("a note is UTF-8") from None
    if size > MOST_BYTES:
        raise BadNote("the note is too large")
    if _has_control(note):
        raise BadNote("a note holds no control characters")
    text, gap, below = note.rpartition("\n\n")
    if not gap or not below.endswith("\n"):
        raise BadNote("a note is a text, an empty line and signature lines, each with its line end")
    lines = below[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise BadNote("the note has too many signatures")
    return text + "\n", [_read_line(line) for line in lines]


def open_note(note: str | bytes, keys: Iterable[VerifierKey]) -> tuple[str, list[Signed]]:
    """The text of a note and who of the known keys signed it, lines of other keys left aside.

    Raises BadNote, and NotSigned when no known key signed it or the signature of a known key is wrong.
    """
    text, lines = split(note)
    known = {(key.name, key.hash): key for key in keys}
    signed: dict[VerifierKey, Signed] = {}
    for line in lines:
        key = known.get((line.name, line.hash))
        if key is not None:
            signed.setdefault(key, _verify(text, key, line.signature))
    if not signed:
        raise NotSigned("no known key has signed this")
    return text, list(signed.values())


def open_checkpoint(
    note: str | bytes,
    log_keys: Sequence[VerifierKey],
    witness_keys: Sequence[VerifierKey] = (),
    origin: str | None = None,
) -> tuple[Checkpoint, list[Signed]]:
    """The checkpoint in a note that its log signed, and all known signatures on it.

    Its origin must be the one given, or else the name of a log's key that signed it. Raises any NoteError.
    """
    text, signed = open_note(note, [*log_keys, *witness_keys])
    names = {one.key.name for one in signed if one.key in log_keys and one.key.algorithm == ED25519}
    if not names:
        raise NotSigned("the log itself has not signed this")
    checkpoint = Checkpoint.read(text)
    if checkpoint.origin not in ({origin} if origin is not None else names):
        raise BadCheckpoint(f"the checkpoint is of another log: {checkpoint.origin!r}")
    return checkpoint, signed


def add(note: str, text: str, line: Line) -> str:
    """Put a further signature line below a note, or below a text and an empty line; raises BadNote."""
    longer = note + line.write()
    if split(longer)[0] != text:
        raise BadNote("the text of a note ends with a line end and cannot be told from signatures otherwise")
    return longer


def _line(text: str, key: VerifierKey, signer: Signer, time_s: int | None) -> Line:
    if key.algorithm != (ED25519 if time_s is None else COSIGNATURE):
        raise BadKey(f"{key.name}: a key for notes signs no cosignatures, nor the other way round")
    signing = signer.sign if isinstance(signer, Ed25519PrivateKey) else signer
    if time_s is None:
        return Line(key.name, key.hash, signing(text.encode()))
    return Line(key.name, key.hash, _time_bytes(time_s) + signing(_cosigned(text, time_s)))


def _verify(text: str, key: VerifierKey, signature: bytes) -> Signed:
    time_s, content = None, text.encode()
    if key.algorithm == COSIGNATURE:
        time_s, signature = int.from_bytes(signature[:8]), signature[8:]
        content = _cosigned(text, time_s)
    if not verify_operator(key.public, signature, content) or (time_s or 0) >= 2**63:
        raise NotSigned(f"the signature of {key.name} is wrong")
    return Signed(key, time_s)


def _cosigned(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def _time_bytes(time_s: int) -> bytes:
    if not 0 <= time_s < 2**63:
        raise BadNote(f"no time: {time_s}")
    return time_s.to_bytes(8)


def _read_line(line: str) -> Line:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        content = _unbase64(encoded)
    except ValueError:
        content = b""
    if not line.startswith(_DASH) or not _is_name(name) or len(content) < 5:
        raise BadNote(f"no signature line: {line[:80]!r}")
    return Line(name, content[:4], content[4:])


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(c.isspace() or c < " " for c in name)


def _has_control(text: str) -> bool:
    return any(c < " " and c != "\n" for c in text)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _unbase64(text: str) -> bytes:
    """Decode standard base64 in its one spelling; raises ValueError, also for nothing."""
    try:
        content = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeError, binascii.Error):
        raise ValueError(text) from None
    if not content or _base64(content) != text:
        raise ValueError(text)
    return content
