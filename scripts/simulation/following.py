"""Phones that tell where their couriers are, and a dispatcher who looks."""

import time
from collections.abc import Callable
from typing import Any

from scripts.simulation.api import Unexpected
from scripts.simulation.day import Day

KINDS = ("app", "traccar")
FIXES = 20

type Repeat = Callable[[Callable[[int], Any]], None]


def follow_couriers(day: Day, repeat: Repeat) -> None:
    """A courier gives his phone an id, the phone tells where he was on his round, and he ends it."""
    courier = day.phones[0].courier
    repeat(lambda n: courier.post("/tracking-device", {"kind": KINDS[n % 2]}))
    app = courier.post("/tracking-device", {"kind": "app"})["device_id"]
    old = courier.post("/tracking-device", {"kind": "traccar"})["device_id"]
    back = time.time()  # just now: what comes a little later counts still

    def tell(n: int) -> None:
        at = back - n * FIXES
        if n % 2:
            said = {"id": old, "timestamp": int(at), "lat": 20.66, "lon": 106.06, "speed": 12, "accuracy": 8}
            answer = day.http.post("/positions", params=said)
        else:
            answer = day.http.post("/positions", json={"device_id": app, "locations": _ride(at)})
        told = answer.raise_for_status().json()
        if not told["kept"]:
            raise Unexpected(f"nothing was kept of a round that is just over: {told}")

    repeat(tell)
    repeat(lambda n: courier.get("/tracking-device", kind=KINDS[n % 2]))
    repeat(lambda _: day.dispatcher.get("/positions"))
    repeat(lambda n: courier.delete(f"/tracking-device?kind={KINDS[n % 2]}"))


def _ride(until: float) -> list[dict[str, Any]]:
    return [
        {
            "timestamp": until - second,
            "coords": {"latitude": 20.66 + second / 10_000, "longitude": 106.06, "accuracy": 9, "speed": 7},
            "is_moving": True,
        }
        for second in range(FIXES)
    ]
