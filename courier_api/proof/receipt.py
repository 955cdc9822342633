"""The receipt: core, signature and certificate in 299 bytes, written as the digits of one large number.

A printed code holds digits most tightly, and behind a `#` they go with an address that any phone's camera opens,
without being sent to us. The number is that of the bytes with a 1 in front, so that leading zeros are kept.
"""

from dataclasses import dataclass

from courier_api.proof import certificate, core

SIZE = core.SIZE + 64 + certificate.SIZE


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is handed out for one event."""

    core: bytes
    signature: bytes
    certificate: bytes

    def pack(self) -> bytes:
        """Its 299 bytes."""
        return self.core + self.signature + self.certificate

    def digits(self) -> str:
        """Its digits, for a code or an address."""
        return str(int.from_bytes(b"\1" + self.pack()))

    @classmethod
    def unpack(cls, content: bytes) -> "Receipt":
        """Take it apart; raises ValueError for another size."""
        if len(content) != SIZE:
            raise ValueError("no receipt")
        return cls(content[: core.SIZE], content[core.SIZE : core.SIZE + 64], content[core.SIZE + 64 :])

    @classmethod
    def read(cls, text: str) -> "Receipt":
        """Read digits, also behind an address and `#`; raises ValueError for anything else."""
        digits = "".join(text.rpartition("#")[2].split())
        if not (digits.isascii() and digits.isdecimal() and len(digits) < 1000):
            raise ValueError("no receipt")
        number = int(digits)
        content = number.to_bytes((number.bit_length() + 7) // 8)
        if content[:1] != b"\1":
            raise ValueError("no receipt")
        return cls.unpack(content[1:])
