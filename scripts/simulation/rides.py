"""All that a rider's phone has to send, signed beforehand, in order."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scripts.simulation import signing
from scripts.simulation.cohort import Rider
from scripts.simulation.photos import photo

FAILED = 0.1  # of doors
STROKES = 3


@dataclass(slots=True)
class Signed:
    """One operation, and what a checker must know of it without asking the server."""

    operation: dict[str, Any]
    typ: str
    subject: str  # the round, or the stop
    stop: dict[str, Any] | None = None
    photo: bytes | None = None

    @property
    def id(self) -> str:
        """The id of its event."""
        return self.operation["id"]


def sign_all(
    rider: Rider, rng: random.Random, photographed: float = 0.0, *, strokes_follow: bool = False
) -> list[Signed]:
    """Start, arrive, hand over or fail, finish: for each round of a rider.

    `strokes_follow`: signatures by hand are committed to and go up by themselves, as phones do it.
    """
    made = []
    for ride in rider.rides:
        made.append(Signed(signing.start(rider.device, ride.round_id, ride.departs_at), "courier.start", ride.round_id))
        for stop in ride.stops:
            made += _door(rider, stop, rng, photographed)
            if strokes_follow and made[-1].typ == "custody.handover":
                made[-1].operation |= {"signatures": [], "strokes_follow": True}
        back = ride.departs_at + timedelta(minutes=10 * len(ride.stops) + 15)
        made.append(Signed(signing.finish(rider.device, ride.round_id, back), "courier.finish", ride.round_id))
    return made


def _door(rider: Rider, stop: dict[str, Any], rng: random.Random, photographed: float) -> list[Signed]:
    at = datetime.fromisoformat(stop["arrival"]) + timedelta(seconds=rng.randint(-60, 60))
    door = stop["job"]["point"]
    place = {"lon": round(door["lon"] + rng.gauss(0, 8e-5), 7), "lat": round(door["lat"] + rng.gauss(0, 8e-5), 7)}
    there = signing.arrival(rider.device, stop["id"], at, place, rng.randint(4, 25))
    arrived = Signed(there, "courier.arrival", stop["id"], stop)
    at += timedelta(minutes=3)
    if rng.random() < FAILED:
        failed = signing.failure(rider.device, stop["id"], at, "not_home", "gọi hai lần không nghe máy")
        return [arrived, Signed(failed, "courier.failure", stop["id"], stop)]
    picture = photo(rng) if rng.random() < photographed else None
    given = signing.door(rider.device, rider.code, stop, _body(stop, at, place, rng), picture)
    return [arrived, Signed(given, "custody.handover", stop["id"], stop, picture)]


def _body(stop: dict[str, Any], at: datetime, place: dict[str, float], rng: random.Random) -> dict[str, Any]:
    pickup = stop["job"]["kind"] == "pickup"
    lines = stop["documents"] if pickup else stop["lines"]
    body = {
        "stop_id": stop["id"],
        "device_at": at.isoformat(),
        "place": place,
        "accuracy_m": rng.randint(4, 25),
        "lines": [{k: line[k] for k in ("position", "originals", "copies")} for line in lines],
        "identity_check": "card_seen",
        "fee_collected": stop["requirements"]["fee"],
        "signatures": [{"signer_name": stop["job"]["contact_name"], "strokes": _scribble(rng)}],
    }
    return body | ({"seal_number": f"NS{rng.randrange(10**8):08d}"} if pickup else {"receiver": "self"})


def _scribble(rng: random.Random) -> list[list[list[int]]]:
    return [
        [[10 * n + k, 60 + rng.randint(-30, 30), 16 * k, rng.randint(30, 90)] for k in range(18)]
        for n in range(STROKES)
    ]
