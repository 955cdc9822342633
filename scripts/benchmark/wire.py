"""A connection that is cut: before all is sent, after it, in the middle of the answer; or it only dawdles."""

import http.client
import random
import socket
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

CUTS = 0.4  # of requests
SLOW = 0.2
MOST_PAUSE_S = 0.3
WAIT_S = 30


class Cut(Exception):
    """The answer did not come, or not all of it: nobody knows what the server has done."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back in full."""

    status: int
    headers: dict[str, str]
    content: bytes


class Wire:
    """Sends requests of one device, each on a connection of its own; what happens to it is chance, but repeatable."""

    def __init__(self, url: str, token: str, rng: random.Random) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._token = token
        self._rng = rng

    def send(self, method: str, path: str, body: bytes = b"", cuts: float = CUTS, **headers: str) -> Answer:
        """Send a request and give its answer; raises Cut."""
        fate = self._rng.choice(("before", "after", "middle")) if self._rng.random() < cuts else ""
        request = self._written(method, path, body, headers)
        try:
            with socket.create_connection(self._address, WAIT_S) as line:
                if fate == "before":
                    line.sendall(request[: self._rng.randrange(len(request))])
                    raise Cut("before all was sent")
                self._trickle(line, request)
                if fate == "after":
                    raise Cut("after it was sent")
                if fate == "middle":
                    line.recv(self._rng.randint(1, 120))
                    raise Cut("in the middle of the answer")
                response = http.client.HTTPResponse(line, method=method)
                response.begin()
                return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        except (OSError, http.client.HTTPException) as fault:
            raise Cut(repr(fault)) from None

    def _written(self, method: str, path: str, body: bytes, headers: dict[str, Any]) -> bytes:
        sent = {"Host": "test", "Authorization": f"Bearer {self._token}", "Connection": "close"}
        sent |= {"Content-Length": str(len(body))} | {k.replace("_", "-"): v for k, v in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body

    def _trickle(self, line: socket.socket, request: bytes) -> None:
        if self._rng.random() >= SLOW:
            line.sendall(request)
            return
        half = self._rng.randrange(len(request))
        line.sendall(request[:half])
        time.sleep(self._rng.uniform(0, MOST_PAUSE_S))
        line.sendall(request[half:])
