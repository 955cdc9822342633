"""What a plain day does not show: bookings called off, stops moved, doors given up, rounds withdrawn."""

import random
from datetime import datetime
from typing import Any

from scripts.simulation import people
from scripts.simulation.api import Person, Unexpected
from scripts.simulation.day import Day
from scripts.simulation.phone import Phone


def change_minds(day: Day, times: int) -> None:
    """Book, call off, plan an afternoon, move stops, publish, give up at doors, book again, withdraw, sign out."""
    order = _afternoon_order(day)
    booked: dict[str, tuple[Person, dict[str, Any]]] = {}
    for n in range(times):
        citizen = Person(day.http, day.sms, people.phone(6, n), "citizen", "Người Thử")
        dossier = citizen.post("/dossiers", order)
        booked[dossier["id"]] = citizen, dossier
    for dossier_id, (citizen, _) in list(booked.items())[: times // 3]:
        citizen.put_seen(f"/dossiers/{dossier_id}", "cancellation")
    plan = day.plan("afternoon")
    drafts = [
        day.dispatcher.get(f"/rounds/{r['id']}")
        for r in day.dispatcher.every("/rounds", day=day.day.isoformat(), half="afternoon")
    ]
    for draft in drafts:
        _move_stops(day, draft, times)
    for draft in drafts:
        day.dispatcher.put_seen(f"/rounds/{draft['id']}", "publication")
    for _ in range(times):
        day.dispatcher.put(f"/plans/{plan['id']}/publication")
    for draft in drafts:
        if any(stop["job"]["dossier_id"] in booked for stop in draft["stops"]):
            _give_up(day, draft, booked, order["window"])
        day.dispatcher.put_seen(f"/rounds/{draft['id']}", "withdrawal")
    for citizen, _ in booked.values():
        citizen.sign_out()


def _afternoon_order(day: Day) -> dict[str, Any]:
    """A pickup between 14 and 16 o'clock, at the home of someone who booked one today."""
    order = dict(next(body for _, _, body in day.orders if "window" in body))
    return order | {"window": day.window("14:00", "16:00")}


def _move_stops(day: Day, draft: dict[str, Any], times: int) -> None:
    for stop in draft["stops"][:times]:
        path = f"/rounds/{draft['id']}"
        try:
            day.dispatcher.put_seen(path, f"stops/{stop['id']}/position", {"position": len(draft["stops"])})
        except Unexpected as refusal:
            if "move_breaks_round" not in str(refusal):
                raise


def _give_up(
    day: Day, draft: dict[str, Any], booked: dict[str, tuple[Person, dict[str, Any]]], window: dict[str, str]
) -> None:
    """Nobody at home or a paper missing at the new doors; half of them book again themselves, the others are helped."""
    courier = day.courier_of(draft)
    day.load(draft)
    courier.put_seen(f"/rounds/{draft['id']}", "start")
    at = draft["departs_at"]
    for n, stop in enumerate(draft["stops"]):
        dossier_id = stop["job"]["dossier_id"]
        if dossier_id not in booked:
            continue
        citizen = booked[dossier_id][0]
        courier.put(f"/stops/{stop['id']}/arrival", {"device_at": at, "place": stop["job"]["point"]})
        if n % 2:
            _miss_a_paper(courier, stop, at)
            courier.get(f"/stops/{stop['id']}/supplement-slip")
            citizen.get(f"/dossiers/{dossier_id}/supplement-slip")
            citizen.post(f"/dossiers/{dossier_id}/pickups", {"window": window})
        else:
            failure = {"reason": "not_home", "next_action": "give_up", "device_at": at}
            courier.put(f"/stops/{stop['id']}/failure", failure)
            day.dispatcher.post("/jobs", {"dossier_id": dossier_id, "kind": "pickup"})


def _miss_a_paper(courier: Person, stop: dict[str, Any], at: str) -> None:
    """The courier's phone reports the first paper of the checklist as not there."""
    phone = Phone(courier, random.Random(stop["id"]))
    first = courier.get(f"/stops/{stop['id']}")["documents"][0]["position"]
    said = {"missing": [[first, 0, 0]], "next": "give_up"}
    phone.fail(stop["id"], datetime.fromisoformat(at), "missing_document", "thiếu bản chính", **said)
    phone.send()
