"""Our signed word for the bytes of an upload: with it in hand a phone may let go of its photo."""

from datetime import datetime

from courier_api.custody import events
from courier_api.custody.models import Upload
from courier_api.proof import canonical
from courier_api.proof.files import operator_key

RECEIPT = b"evidence receipt v1\n"


def sign(upload: Upload, digest: bytes, at: datetime) -> None:
    """Write down, for ever, that these bytes have come; whether they are what was signed is found out later."""
    key = operator_key()
    text = canonical.write(
        {
            "v": 1,
            "event": str(upload.entry_id),
            "kind": upload.kind.value,
            "size": upload.length,
            "sha256": digest.hex(),
            "at": events.moment(at),
            "key": key.id.hex(),
        }
    )
    upload.digest, upload.receipt, upload.receipt_signature = digest, text.decode("ascii"), key.sign(RECEIPT + text)
