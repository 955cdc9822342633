"""A courier's phone on a bad network: signs at once, sends when it can, keeps all until its receipt is checked."""

import base64
import hashlib
import json
import random
from datetime import datetime
from typing import Any

from courier_api.custody.inbox import RECEIPT, bytes_of
from courier_api.proof.keys import verify_operator
from courier_api.proof.note import read_keys
from scripts.simulation import signing
from scripts.simulation.api import Person, Unexpected

LOST = 0.15  # of answers: the phone cannot know, and sends all of it again
MOST_AT_ONCE = 100
PIECE = 4096  # bytes of a photo that go through in one go


def receipt_holds(operator: bytes, operation: dict[str, Any], receipt: dict[str, str]) -> bool:
    """Whether this is the operator's word that it has exactly this operation."""
    text, signature = receipt["text"], base64.b64decode(receipt["signature"])
    said = json.loads(text)
    same = (said["op"], said["sha256"]) == (operation["id"], hashlib.sha256(bytes_of(operation)).hexdigest())
    return same and verify_operator(operator, signature, RECEIPT + text.encode())


class Phone:
    """What one courier's phone holds during a round."""

    def __init__(self, courier: Person, rng: random.Random) -> None:
        self.courier = courier
        self.rng = rng
        keys = courier.http.get("/api/v1/public/ledger/keys").raise_for_status().text
        self.operator = read_keys(keys)[-1].public
        self.waiting: list[dict[str, Any]] = []
        self.photos: dict[str, bytes] = {}
        self.receipts: dict[str, dict[str, str]] = {}

    def start(self, round_id: str, at: datetime) -> None:
        """Leave the office."""
        self.waiting.append(signing.start(self.courier.signs, round_id, at))

    def finish(self, round_id: str, at: datetime) -> None:
        """Be back."""
        self.waiting.append(signing.finish(self.courier.signs, round_id, at))

    def arrive(self, stop_id: str, at: datetime, place: dict[str, float]) -> None:
        """Be at the door."""
        self.waiting.append(signing.arrival(self.courier.signs, stop_id, at, place, self.rng.randint(4, 25)))

    def fail(self, stop_id: str, at: datetime, reason: str, note: str | None = None, **said: Any) -> None:
        """Leave the door as it was."""
        self.waiting.append(signing.failure(self.courier.signs, stop_id, at, reason, note, **said))

    def see(self, round_id: str, version: int, at: datetime) -> None:
        """Know what became of the round."""
        self.waiting.append(signing.seen(self.courier.signs, round_id, version, at))

    def to_office(self, office: str, clerk: Person, item: dict[str, Any], body: dict[str, Any]) -> None:
        """Give a bag in, the clerk signing on this phone."""
        made = signing.to_office(self.courier.signs, self.courier.code, office, clerk.code, item, body)
        self.waiting.append(made)

    def settle(self, office: str, clerk: Person, signatures: list[dict[str, Any]], at: datetime) -> None:
        """Pay in what was collected, the clerk signing on this phone."""
        vouchers = self.courier.get("/vouchers")
        if vouchers:
            made = signing.settlement(self.courier.signs, at, office, clerk.code, vouchers, signatures)
            self.waiting.append(made)

    def remark(self, of: str, at: datetime, why: str, note: str) -> None:
        """Ask for a correction."""
        self.waiting.append(signing.remark(self.courier.signs, of, at, why, note))

    def hand_over(self, stop: dict[str, Any], body: dict[str, Any], photo: bytes | None) -> None:
        """Take the papers or give the result."""
        made = signing.door(self.courier.signs, self.courier.code, stop, body, photo)
        self.waiting.append(made)
        if photo is not None:
            self.photos[made["id"]] = photo

    def send(self) -> None:
        """Send what waits. Now and then the answer is lost on its way: sent again, everything is a duplicate."""
        while self.waiting:
            batch = self.waiting[:MOST_AT_ONCE]
            results = self._sync(batch, "applied")
            if self.rng.random() < LOST:
                results = self._sync(batch, "duplicate")
            for operation, result in zip(batch, results, strict=True):
                if not receipt_holds(self.operator, operation, result["receipt"]):
                    raise Unexpected(f"the receipt of operation {operation['id']} does not hold")
                self.receipts[operation["id"]] = result["receipt"]
            del self.waiting[: len(batch)]
        while self.photos:
            event_id, photo = self.photos.popitem()
            self.courier.upload(event_id, photo, PIECE)

    def _sync(self, batch: list[dict[str, Any]], wanted: str) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = self.courier.post("/sync", {"operations": batch})["results"]
        other = [r for r in results if r["result"] != wanted or r["state"] != "applied"]
        if other:
            raise Unexpected(f"sync: {other[0]}")
        return results
