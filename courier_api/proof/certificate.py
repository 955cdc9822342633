"""The certificate: 121 bytes with which the operator vouches that a device's key is in one person's hand.

0    1   version, 1
1    4   which key of the operator: the first 4 bytes of its key id
5   33   the device's public key, compressed
38   1   role of its holder (PartyKind)
39  10   the holder's staff code, ASCII, padded with zeros
49   4   valid from, seconds since 1970
53   4   valid until
57  64   Ed25519 signature over CONTEXT and the 57 bytes before
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from courier_api.proof.core import PartyKind, ascii_bytes, ascii_text
from courier_api.proof.keys import key_id

SIZE = 121
CONTEXT = b"courier certificate v1\n"
_FORM = struct.Struct(">B4s33sB10sII")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its fields apart."""

    operator: bytes
    public_key: bytes
    role: PartyKind
    holder: str
    not_before: int
    not_after: int
    signature: bytes = b""

    @property
    def kid(self) -> bytes:
        """The key id of the device."""
        return key_id(self.public_key)

    def signed_part(self) -> bytes:
        """The 57 bytes that the operator vouches for; raises ValueError for what does not fit."""
        holder = ascii_bytes(self.holder)
        if (len(self.operator), len(self.public_key)) != (4, 33) or len(holder) > 10:
            raise ValueError("an operator's key has 4 bytes here, a device's 33, a staff code 10 at most")
        try:
            return _FORM.pack(1, self.operator, self.public_key, self.role, holder, self.not_before, self.not_after)
        except struct.error as error:
            raise ValueError(str(error)) from None

    def issue(self, sign: Callable[[bytes], bytes]) -> bytes:
        """Write it, signed."""
        part = self.signed_part()
        return part + sign(CONTEXT + part)

    @classmethod
    def unpack(cls, content: bytes) -> "Certificate":
        """Read it; raises ValueError for what is no certificate of version 1. The signature is not checked."""
        if len(content) != SIZE or content[0] != 1:
            raise ValueError("no certificate of version 1")
        _, operator, public, role, holder, start, end = _FORM.unpack(content[:57])
        return cls(operator, public, PartyKind(role), ascii_text(holder), start, end, content[57:])
