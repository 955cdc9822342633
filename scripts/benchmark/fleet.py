"""Phones that send everything several times, in any order, over lines that are cut, and write down each receipt."""

import base64
import hashlib
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from courier_api.custody.inbox import bytes_of
from scripts.benchmark.wire import Answer, Cut, Wire
from scripts.simulation.cohort import Rider
from scripts.simulation.phone import receipt_holds
from scripts.simulation.rides import Signed

TIMES = 5
MOST_AT_ONCE = 25
PIECE = 1500
REST_S = 0.2  # after a line was cut
SYNC = "/api/v1/couriers/sync"
EVIDENCE = "/api/v1/couriers/evidence"
GOOD = frozenset({"applied", "waiting", "duplicate"})


class Log:
    """The receipts that devices got and checked, on disk before anything else happens."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")
        self._lock = threading.Lock()

    def write(self, lines: Sequence[dict[str, Any]]) -> None:
        """Write lines down for good."""
        with self._lock:
            self._file.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
            self._file.flush()
            os.fsync(self._file.fileno())


@dataclass(slots=True)
class Phone:
    """One device with all that it has to send."""

    rider: Rider
    signed: Sequence[Signed]
    rng: random.Random
    receipts: dict[str, dict[str, str]] = field(default_factory=dict)
    uploaded: set[str] = field(default_factory=set)


class Fleet:
    """All the phones; each is a thread."""

    def __init__(self, url: str, phones: Sequence[Phone], operator: bytes, log: Log, until: float) -> None:
        """`until` is the monotonic time at which they give up."""
        self.url = url
        self.phones = phones
        self.operator = operator
        self.log = log
        self.until = until
        self.odd: Counter[str] = Counter()
        self.cuts: Counter[str] = Counter()
        self.sent = 0
        self.to_send = TIMES * sum(len(phone.signed) for phone in phones)
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._use, args=(phone,), daemon=True) for phone in phones]

    def start(self) -> None:
        """Let them go."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until all have sent all and hold all receipts, or have given up."""
        for thread in self._threads:
            thread.join(max(0.0, self.until - time.monotonic()) + 60)

    @property
    def progress(self) -> float:
        """How much of the sending is done, from 0 to 1."""
        return self.sent / self.to_send

    def _use(self, phone: Phone) -> None:
        wire = Wire(self.url, phone.rider.token, phone.rng)
        order = [one for one in phone.signed for _ in range(TIMES)]
        phone.rng.shuffle(order)
        photos = [one for one in phone.signed if one.photo is not None]
        phone.rng.shuffle(photos)
        while order and time.monotonic() < self.until:
            count = phone.rng.randint(1, MOST_AT_ONCE)
            batch, order = order[:count], order[count:]
            self._sync(phone, wire, batch)
            with self._lock:
                self.sent += len(batch)
            if photos and phone.rng.random() < 0.3:
                self._upload(phone, wire, photos.pop())
        while time.monotonic() < self.until:
            missing = [one for one in phone.signed if one.id not in phone.receipts]
            if not missing:
                break
            self._sync(phone, wire, missing[:MOST_AT_ONCE])
        while photos and time.monotonic() < self.until:
            self._upload(phone, wire, photos.pop())

    def _sync(self, phone: Phone, wire: Wire, batch: Sequence[Signed]) -> None:
        body = json.dumps({"operations": [one.operation for one in batch]}).encode()
        answer = self._send(phone, wire, "POST", SYNC, body, Content_Type="application/json")
        if answer is None:
            return
        results = json.loads(answer.content)["results"]
        new = []
        for one, result in zip(batch, results, strict=True):
            if result["result"] not in GOOD:
                self.odd[f"result {result['result']} {result['code']}"] += 1
            receipt = result["receipt"]
            first = phone.receipts.get(one.id)
            if first is not None:
                if receipt != first:
                    self.odd["another receipt than the first time"] += 1
            elif not receipt_holds(self.operator, one.operation, receipt):
                self.odd["a receipt that does not hold"] += 1
            else:
                new.append((one.id, receipt, one))
        self.log.write([{"op": id_, "receipt": receipt, "sha256": _digest(one)} for id_, receipt, one in new])
        phone.receipts |= {id_: receipt for id_, receipt, _ in new}

    def _upload(self, phone: Phone, wire: Wire, one: Signed) -> None:
        """Send a photo to its end, from wherever the server says that it is."""
        photo, place = one.photo, None
        assert photo is not None
        told = {"event": one.id, "kind": "photo"}
        metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in told.items())
        while time.monotonic() < self.until:
            tus = {"Tus_Resumable": "1.0.0"}
            if place is None:
                announced = {"Upload_Length": str(len(photo)), "Upload_Metadata": metadata}
                made = self._send(phone, wire, "POST", EVIDENCE, wanted=201, **tus, **announced)
                place = made.headers["location"] if made else None
                continue
            asked = self._send(phone, wire, "HEAD", place, **tus)
            if asked is None:
                continue
            offset = int(asked.headers["upload-offset"])
            if offset == len(photo):
                phone.uploaded.add(one.id)
                return
            headers = tus | {"Upload_Offset": str(offset), "Content_Type": "application/offset+octet-stream"}
            piece = photo[offset : offset + PIECE]
            self._send(phone, wire, "PATCH", place, piece, wanted=204, **headers)

    def _send(
        self, phone: Phone, wire: Wire, method: str, path: str, body: bytes = b"", wanted: int = 200, **headers: str
    ) -> Answer | None:
        """Send once; None when it has to be tried again. A server that is down or under repair is nothing odd."""
        try:
            answer = wire.send(method, path, body, **headers)
        except Cut as cut:
            self.cuts[str(cut)[:60]] += 1
            time.sleep(phone.rng.uniform(0, REST_S))
            return None
        if answer.status == wanted:
            return answer
        if answer.status < 500 and answer.status != 409:  # a piece that had come before its line was cut
            self.odd[f"{method} {path.partition('/evidence/')[0]}: {answer.status}"] += 1
        else:
            self.cuts[f"status {answer.status}"] += 1
        time.sleep(phone.rng.uniform(0, REST_S))
        return None


def _digest(one: Signed) -> str:
    return hashlib.sha256(bytes_of(one.operation)).hexdigest()
