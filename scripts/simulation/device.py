"""A phone or a counter's browser that signs: what an app must do, in Python, for simulations, benchmarks and tests."""

import base64
import hashlib
import os
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from courier_api.custody import events
from courier_api.people.devices import challenge
from courier_api.proof import canonical
from courier_api.proof.core import Core, event_id
from courier_api.proof.keys import compressed, key_id, low_s


def base64_of(content: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(content).decode()


class Device:
    """A key that stays here, the counter, and the hash of the last event."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.public = compressed(self._key.public_key())
        self.kid = key_id(self.public).hex()
        self.counter = 0
        self.previous = events.NO_EVENT
        self.boot = os.urandom(2).hex()
        self._ticks = 0

    def new_id(self) -> str:
        """The id of an event that this device is going to sign."""
        self._ticks = max(self._ticks + 1, time.time_ns() // 1_000_000 << 12)
        return str(event_id(bytes.fromhex(self.kid), self._ticks))

    def sign(self, content: bytes) -> bytes:
        """r || s with the lower s, as WebCrypto gives it after the app has made s low."""
        r, s = decode_dss_signature(self._key.sign(content, ec.ECDSA(hashes.SHA256())))
        return low_s(r.to_bytes(32) + s.to_bytes(32))

    def offer(self, code: str) -> dict[str, str]:
        """What goes with a sign-in to have the key certified."""
        return {
            "public_key": base64_of(self.public),
            "signature": base64_of(self.sign(challenge(code, self.public))),
            "label": "simulated",
        }

    def event(
        self, typ: str, at: datetime, values: Mapping[str, Any] | None = None, **fields: Any
    ) -> tuple[dict[str, Any], dict[str, bytes]]:
        """The next event, not yet counted, and the salts of its commitments; `values` are the contents behind them.

        The content `citizen` goes to whichever side is a citizen; what is None is left out. `files` among the fields
        holds the bytes of what will be uploaded, by kind.
        """
        files: dict[str, bytes] = fields.pop("files", None) or {}
        made = events.contents(values or {}) | files
        salts = {name: os.urandom(32) for name in made}
        committed = {name: canonical.commitment(salts[name], content) for name, content in made.items()}
        citizen = committed.pop("citizen", None)
        for side in ("from", "to"):
            if (fields.get(side) or {}).get("r") == "citizen":
                fields[side] = {"r": "citizen", "c": citizen}
        event = {
            "v": events.VERSION,
            "typ": typ,
            "eid": fields.pop("eid", None) or self.new_id(),
            "dev": {"kid": self.kid, "ctr": self.counter + 1, "prev": self.previous.hex()},
            "t": events.moment(at),
            "mono": time.monotonic_ns() // 1_000_000,
            "boot": self.boot,
            "app": "simulated",
        }
        event |= {name: value for name, value in fields.items() if value is not None}
        if committed:
            event["ev"] = committed
        return event, salts

    def signed(self, event: Mapping[str, Any], salts: Mapping[str, bytes] | None = None) -> dict[str, Any]:
        """Write the event, sign its core, and give what goes with the request. `count` says that it was taken."""
        content = canonical.write(event)
        core = events.core_of(event, hashlib.sha256(content).digest()).pack()
        return {
            "event": base64_of(content),
            "core": base64_of(core),
            "signature": base64_of(self.sign(core)),
            "salts": {name: base64_of(salt) for name, salt in (salts or {}).items()},
        }

    def count(self, signed: Mapping[str, Any]) -> None:
        """The event was kept: the next one follows on it."""
        self.counter += 1
        self.previous = hashlib.sha256(base64.b64decode(signed["event"])).digest()

    def countersign(self, signed: Mapping[str, Any]) -> dict[str, str]:
        """This side's signature beside the other's."""
        core = Core.unpack(base64.b64decode(signed["core"]))
        return {"kid": self.kid, "signature": base64_of(self.sign(core.countersigned_by(bytes.fromhex(self.kid))))}


def party(role: str, code: str) -> dict[str, str]:
    """A party as events name it."""
    return {"r": role} if role == "citizen" else {"r": role, "id": code}


def handover_values(body: Mapping[str, Any], papers: list[list[Any]], citizen: str | None) -> dict[str, Any]:
    """The contents behind a handover's commitments, from the request that it goes with."""
    name, authorization = body.get("receiver_name"), body.get("authorization_reference")
    written = [
        {
            "relationship": s.get("relationship", "self"),
            "signer_name": s["signer_name"],
            "strokes": s["strokes"],
        }
        for s in body.get("signatures") or []
    ]
    return {
        "citizen": citizen,
        "documents": papers,
        "seal": body.get("seal_number"),
        "third_party": {"authorization": authorization, "name": name} if name or authorization else None,
        "strokes": written or None,
    }


def handover_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a handover's event says in plain, from the request that it goes with."""
    place = body.get("place")
    geo = {"lat": round(place["lat"] * 1e7), "lon": round(place["lon"] * 1e7)} if place else None
    if geo and body.get("accuracy_m") is not None:
        geo["acc"] = body["accuracy_m"]
    return {
        "geo": geo,
        "fee": body.get("fee_collected", 0),
        "identity": body.get("identity_check"),
        "receiver": body.get("receiver"),
        "recalled": [[one["position"], one["originals"]] for one in body.get("recalled") or []] or None,
    }


_FRACTION = re.compile(r"(\.\d{3})\d+")


def moment(text: str) -> datetime:
    """A time out of a request, to the millisecond: events know no finer."""
    return datetime.fromisoformat(_FRACTION.sub(r"\1", text)).astimezone(UTC)
