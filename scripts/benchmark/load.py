"""An open load: requests fall due by the clock, whether the server keeps up or not; each is timed from then."""

import http.client
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

WAIT_S = 60


@dataclass(slots=True)
class Request:
    """One request of one caller, due so many seconds after the beginning."""

    due: float
    caller: int  # the same caller's requests go one after the other
    path: str
    token: str
    body: bytes
    status: int = 0
    answer: bytes = b""
    answered: float = 0.0

    @property
    def seconds(self) -> float:
        """From when it was due to when its answer had come."""
        return self.answered - self.due

    def results(self) -> Any:
        """The answer, read."""
        return json.loads(self.answer)


def send(url: str, requests: Sequence[Request], threads: int) -> None:
    """Send every request when it is due, by so many threads; a caller stays with one of them."""
    shares: list[list[Request]] = [[] for _ in range(threads)]
    for request in sorted(requests, key=lambda one: one.due):
        shares[request.caller % threads].append(request)
    began = time.perf_counter() + 0.2
    senders = [threading.Thread(target=_send_all, args=(url, share, began)) for share in shares]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()


def _send_all(url: str, requests: Sequence[Request], began: float) -> None:
    for request in requests:
        time.sleep(max(0.0, began + request.due - time.perf_counter()))
        # A connection for each: phones call from many places and minutes apart, and keep none open.
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=WAIT_S)
        headers = {
            "Authorization": f"Bearer {request.token}",
            "Content-Type": "application/json",
            "Connection": "close",
        }
        try:
            connection.request("POST", request.path, request.body, headers)
            response = connection.getresponse()
            request.status, request.answer = response.status, response.read()
        except (OSError, http.client.HTTPException) as fault:
            request.answer = repr(fault).encode()
        finally:
            connection.close()
        request.answered = time.perf_counter() - began
