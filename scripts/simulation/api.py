"""One person at the API: signs in by the code that the log shows, calls, and insists on the right answer."""

import json
import re
import threading
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

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
    """Someone with a phone."""

    def __init__(self, http: httpx.Client, sms: SmsLog, phone: str, role: str, full_name: str = "") -> None:
        self.http = http
        self.phone = phone
        self.audience = {"officer": "agencies"}.get(role, f"{role}s")
        self._answer(http.post("/api/v1/public/sign-in-codes", json={"phone": phone}))
        body = {"phone": phone, "code": sms.code(phone), "role": role, "full_name": full_name or None}
        signed = self._answer(http.post("/api/v1/public/sign-ins", json=body))
        self.token: str = signed["token"]
        self.id: str = signed["person_id"]
        self.name: str = signed["full_name"]

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
        return response.json() if response.content else None
