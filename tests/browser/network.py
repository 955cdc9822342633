"""A bad network between a browser and the server: it is cut, slow, away, or loses the answer."""

import random
import socket
import threading
import time
from contextlib import suppress

CHUNK = 4096


class Network:
    """Carries connections to a local port; `mode` says how well."""

    def __init__(self, port: int, seed: int = 7) -> None:
        self.mode = "good"
        self.lost = 0  # answers that came from the server and never arrived
        self._upstream = port
        self._chance = random.Random(seed)
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def become(self, mode: str) -> None:
        """Change the weather: `good`, `down`, `cuts`, `slow`, or `deaf`, which loses every answer to a sync."""
        self.mode = mode
        for one in list(self._open):
            _close(one)

    def close(self) -> None:
        """Take no more connections, and end those that are there."""
        _close(self._listener)
        self.become("down")

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        mode = self.mode
        if mode == "down":
            _close(client)
            return
        server = socket.create_connection(("127.0.0.1", self._upstream))
        both = (client, server)
        self._open.update(both)
        left = [self._chance.randrange(1_000, 90_000)] if mode == "cuts" else None
        heard = bytearray()
        there = threading.Thread(target=self._pump, args=(client, server, mode, left, heard, both), daemon=True)
        there.start()
        self._pump(server, client, mode, left, heard, both, answer=True)
        for one in both:
            _close(one)
        self._open.difference_update(both)

    def _pump(
        self,
        source: socket.socket,
        target: socket.socket,
        mode: str,
        left: list[int] | None,
        heard: bytearray,
        both: tuple[socket.socket, ...],
        *,
        answer: bool = False,
    ) -> None:
        with suppress(OSError):
            while chunk := source.recv(CHUNK):
                if not answer:
                    heard += chunk[: CHUNK - len(heard)] if len(heard) < 200 else b""
                elif mode == "deaf" and b"/couriers/sync" in heard:
                    self.lost += 1
                    break
                if mode == "slow":
                    time.sleep(0.02)
                if left is not None:
                    left[0] -= len(chunk)
                    if left[0] < 0:
                        break
                target.sendall(chunk)
            else:
                if not answer:
                    return  # the client has said all; the answer is still on its way
        for one in both:
            _close(one)


def _close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
