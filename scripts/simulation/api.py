"""One person at the API: signs in by the code that the log shows, calls, signs, and insists on the right answer."""

import base64
import json
import re
import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from scripts.simulation.device import Device
from scripts.simulation.signing import Handover

TUS = {"Tus-Resumable": "1.0.0"}
CODE = re.compile(r"\b(\d{6})\b")


class Unexpected(RuntimeError):
    """The API answered something that the story has no place for."""


class SmsLog:
    """The messages that would have gone to phones, read as they are written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = path.stat().st_size if path.exists() else 0
        self._latest: dict[str, str] = {}
        self._lock = threading.Lock()

    def code(self, phone: str) -> str:
        """Take the code that was sent last to a phone; wait for it up to five seconds."""
        for _ in range(500):
            with self._lock:
                self._read()
                if phone in self._latest:
                    return self._latest.pop(phone)
            time.sleep(0.01)
        raise Unexpected(f"no message came for {phone}")

    def _read(self) -> None:
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._at)
            for line in file:
                if not line.endswith(b"\n"):  # still being written
                    break
                self._at += len(line)
                message = json.loads(line)
                if found := CODE.search(message["text"]):
                    self._latest[message["phone"]] = found[1]


class Person:
    """Someone with a phone; of staff, it holds a key of theirs and signs."""

    def __init__(self, http: httpx.Client, sms: SmsLog, phone: str, role: str, full_name: str = "") -> None:
        self.http = http
        self.phone = phone
        self.audience = {"officer": "agencies"}.get(role, f"{role}s")
        self._device = Device() if role != "citizen" else None
        self._pen = threading.Lock()  # a device signs one thing after the other
        self._answer(http.post("/api/v1/public/sign-in-codes", json={"phone": phone}))
        code = sms.code(phone)
        body: dict[str, Any] = {"phone": phone, "code": code, "role": role, "full_name": full_name or None}
        if self._device is not None:
            body["device_key"] = self._device.offer(code)
        signed = self._answer(http.post("/api/v1/public/sign-ins", json=body))
        self.token: str = signed["token"]
        self.id: str = signed["person_id"]
        self.name: str = signed["full_name"]
        self.code: str = signed["staff_code"] or ""
        self.place: str = signed["place_code"] or ""

    @property
    def signs(self) -> Device:
        """The device of a member of staff."""
        assert self._device is not None, "citizens sign by hand"
        return self._device

    def get(self, path: str, **query: Any) -> Any:
        """Read."""
        return self._answer(self._send("GET", path, params=query))

    def every(self, path: str, **query: Any) -> list[Any]:
        """Read all pages of a list."""
        rows: list[Any] = []
        cursor: str | None = None
        while True:
            page = self.get(path, limit=200, **query, **({"cursor": cursor} if cursor else {}))
            rows += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return rows

    def post(self, path: str, body: Any) -> Any:
        """Create."""
        return self._answer(self._send("POST", path, json=body, headers={"Idempotency-Key": f'"{uuid4()}"'}))

    def put(self, path: str, body: Any = None) -> Any:
        """Write to a resource."""
        return self._answer(self._send("PUT", path, json=body))

    def delete(self, path: str) -> Any:
        """End."""
        return self._answer(self._send("DELETE", path))

    def hand_over(
        self, path: str, handover_id: str, body: dict[str, Any], said: Handover, other_side: "Person | None" = None
    ) -> Any:
        """Record a handover with its event; whoever stands on the other side may sign the same core."""
        with self._pen:
            signed = said.signed_by(self.signs, handover_id)
            if other_side is not None:
                signed["countersignature"] = other_side.signs.countersign(signed)
            answer = self.put(path, body | {"signed": signed})
            self.signs.count(signed)
        return answer | {"signed": signed}

    def countersign(self, handover_id: str, signed: dict[str, Any]) -> Any:
        """Sign what another recorded."""
        return self.put(f"/handovers/{handover_id}/countersignature", self.signs.countersign(signed))

    def upload(self, event_id: str, photo: bytes, piece: int) -> None:
        """Send a photo in pieces, each from where the server says that the last one ended (tus 1.0.0)."""
        place = self.announce(event_id, len(photo))
        while (offset := self.uploaded(place)) < len(photo):
            self.send_piece(place, offset, photo[offset : offset + piece])

    def announce(self, event_id: str, size: int) -> str:
        """Announce a photo of an event; the address to which it goes is given."""
        told = {"event": event_id, "kind": "photo"}
        metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in told.items())
        made = self._send("POST", "/evidence", headers=TUS | {"Upload-Length": str(size), "Upload-Metadata": metadata})
        self._answer(made)
        return made.headers["Location"]

    def uploaded(self, place: str) -> int:
        """How many bytes of an upload have come."""
        asked = self._send("HEAD", place)
        self._answer(asked)
        return int(asked.headers["Upload-Offset"])

    def send_piece(self, place: str, offset: int, piece: bytes) -> None:
        """Send the next bytes of an upload."""
        headers = TUS | {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        self._answer(self._send("PATCH", place, content=piece, headers=headers))

    def end_upload(self, place: str) -> None:
        """Give an upload up."""
        self._answer(self._send("DELETE", place, headers=TUS))

    def sign_out(self) -> None:
        """End the token."""
        self._answer(self._send("DELETE", "/api/v1/public/sign-ins/current"))

    def put_seen(self, path: str, action: str, body: Any = None) -> Any:
        """Write to a resource at the version that it has now."""
        seen = self._send("GET", path)
        self._answer(seen)
        headers = {"If-Match": seen.headers["ETag"]}
        return self._answer(self._send("PUT", f"{path}/{action}", json=body, headers=headers))

    def _send(self, method: str, path: str, headers: dict[str, str] | None = None, **kwargs: Any) -> httpx.Response:
        path = path if path.startswith("/api") else f"/api/v1/{self.audience}{path}"
        sent = {"Authorization": f"Bearer {self.token}", "Accept-Language": "en"} | (headers or {})
        return self.http.request(method, path, headers=sent, **kwargs)

    @staticmethod
    def _answer(response: httpx.Response) -> Any:
        if response.status_code >= 400:
            raise Unexpected(
                f"{response.request.method} {response.request.url.path}: {response.status_code} {response.text}"
            )
        said = response.content and response.headers.get("Content-Type", "").startswith("application/json")
        return response.json() if said else response.content or None
