"""The day: citizens book, agencies give results, a plan is made, couriers ride it, clerks and officers take over."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx

from scripts.simulation import people
from scripts.simulation.api import Person, SmsLog, Unexpected

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
WINDOWS = (("07:30", "09:30"), ("08:00", "10:00"), ("08:30", "10:30"), ("07:30", "11:00"))
FAILED = 0.06  # of doors where nobody opens, and the like
REFUSED = 0.03  # of dossiers that the agency does not take
_COUNTING = timedelta(minutes=5)
REASONS = ("not_home", "not_home", "wrong_address", "postponed", "refused")


@dataclass(frozen=True, slots=True)
class Home:
    """Where someone lives: a point near a hamlet."""

    hamlet: str
    commune: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Staff:
    """Who works where, by service point id."""

    dispatcher: str
    couriers: dict[str, list[str]]  # post office -> phones
    clerks: dict[str, str]
    officers: dict[str, str]  # one-stop unit -> phone


@dataclass(slots=True)
class Tally:
    """What the day came to."""

    dossiers: int = 0
    jobs: int = 0
    planned: int = 0
    unassigned: Counter[str] = field(default_factory=Counter)
    metres: int = 0
    handovers: int = 0
    delivered: int = 0
    collected: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    received: int = 0
    refused: int = 0
    planning_seconds: float = 0.0


class Day:
    """One half-day from the first booking to the last line of the last manifest."""

    def __init__(
        self, url: str, sms_log: Path, day: date, staff: Staff, say: Callable[[str], None], at_once: int = 8
    ) -> None:
        """`at_once` is how many people call at the same moment."""
        self.at_once = at_once
        self.http = httpx.Client(base_url=url, timeout=60)
        self.sms = SmsLog(sms_log)
        self.day = day
        self.staff = staff
        self.say = say
        self.rng = random.Random(day.toordinal())
        self.tally = Tally()
        self.orders: list[tuple[str, str, dict[str, Any]]] = []
        self.dispatcher = self._person(staff.dispatcher, "dispatcher")
        self._signed_in: dict[str, Person] = {}

    def live(self, homes: list[Home], pickups: list[dict[str, Any]], results: list[dict[str, Any]], jobs: int) -> Tally:
        """Live the day with so many jobs, one pickup to three results; homes are drawn as given."""
        self._shifts()
        dossiers = self._book(homes, pickups, results, jobs)
        self._give_results([d for d in dossiers if d["service"] == "return"])
        self._plan()
        self._ride()
        self._hand_to_agencies()
        return self.tally

    def _person(self, phone: str, role: str) -> Person:
        return Person(self.http, self.sms, phone, role)

    def staff_member(self, phone: str, role: str) -> Person:
        """Someone of the staff, signed in once."""
        if phone not in self._signed_in:
            self._signed_in[phone] = self._person(phone, role)
        return self._signed_in[phone]

    def _at(self, clock: str) -> datetime:
        return datetime.fromisoformat(f"{self.day}T{clock}").replace(tzinfo=ZONE)

    def _all[T, R](self, work: Callable[[T], R], things: Iterable[T]) -> list[R]:
        """Do something for each, several at once; the first fault ends the day."""
        with ThreadPoolExecutor(self.at_once) as pool:
            return list(pool.map(work, things))

    def window(self, start: str, end: str) -> dict[str, str]:
        """From one time of the day to another."""
        return {"start": self._at(start).isoformat(), "end": self._at(end).isoformat()}

    def _shifts(self) -> None:
        self.say("shifts")
        couriers = self.dispatcher.get("/couriers")

        def define(courier: dict[str, Any]) -> None:
            body = {
                "courier_id": courier["id"],
                "starts_at": self._at("06:30").isoformat(),
                "ends_at": self._at("19:00").isoformat(),
                "capacity": 60,
            }
            self.dispatcher.post("/shifts", body)

        self._all(define, couriers)

    def _book(
        self, homes: list[Home], pickups: list[dict[str, Any]], results: list[dict[str, Any]], jobs: int
    ) -> list[dict[str, Any]]:
        self.say(f"{jobs} citizens book")
        for n, home in enumerate(homes[:jobs]):
            collect = n % 4 == 0
            procedure = self.rng.choice(pickups if collect else results)
            self.orders.append(self._order(n, home, procedure, collect))
        dossiers = self._all(self._submit, self.orders)
        self.tally.dossiers = len(dossiers)
        return dossiers

    def _order(self, n: int, home: Home, procedure: dict[str, Any], collect: bool) -> tuple[str, str, dict[str, Any]]:
        phone, full_name = people.phone(5, n), people.name(random.Random(n))
        body = {
            "procedure_code": procedure["code"],
            "procedure_suffix": procedure["suffix"],
            "service": ("both" if procedure["eligibility"] == "both" else "send") if collect else "return",
            "contact_name": full_name,
            "contact_phone": phone,
            "address": f"{home.hamlet}, {home.commune}",
            "note": self.rng.choice(("", "", "Gọi trước 10 phút", "Cổng xanh", "Có chó")),
            "point": {"lon": home.lon, "lat": home.lat},
            "consent": True,
        }
        if collect:
            body["window"] = self.window(*self.rng.choice(WINDOWS))
            body["documents"] = [
                {"position": r["position"], "originals": r["originals"], "copies": r["copies"]}
                for r in procedure["requirements"]
            ]
        return phone, full_name, body

    def _submit(self, order: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
        phone, full_name, body = order
        citizen = Person(self.http, self.sms, phone, "citizen", full_name)
        dossier: dict[str, Any] = citizen.post("/dossiers", body)
        return dossier

    def _give_results(self, dossiers: list[dict[str, Any]]) -> None:
        self.say(f"agencies give {len(dossiers)} results to the post")
        by_centre = _grouped(dossiers, lambda d: d["centre"]["id"])
        serial = self.day.strftime("%y%m%d")

        def give(centre_id: str) -> None:
            officer = self.staff_member(self.staff.officers[centre_id], "officer")
            for n, dossier in enumerate(by_centre[centre_id], 1):
                seen = officer.get(f"/dossiers/{dossier['id']}")
                body = {
                    "dossier_id": dossier["id"],
                    "papers": [{"name": "Kết quả giải quyết thủ tục", "originals": 1, "copies": 0}],
                    "received_by": seen["office_clerks"][0]["id"],
                    "dossier_code": f"000.00.33.H33-{serial}-{n:04d}",
                    "device_at": (self._at("16:00") - timedelta(days=1)).isoformat(),
                }
                officer.put(f"/results/{uuid4()}", body)
                self.tally.handovers += 1

        self._all(give, list(by_centre))

    def _plan(self) -> None:
        plan = self.plan("morning")
        self.tally.jobs, self.tally.planned, self.tally.metres = plan["jobs"], plan["planned"], plan["metres"]
        self.tally.planning_seconds = plan["seconds"]
        self.tally.unassigned = Counter(u["reason"] for u in self.dispatcher.get(f"/plans/{plan['id']}/unplanned"))
        self.dispatcher.put(f"/plans/{plan['id']}/publication")

    def plan(self, half: str) -> dict[str, Any]:
        """Ask for a plan of a half-day and wait for it."""
        began = time.monotonic()
        plan: dict[str, Any] = self.dispatcher.post("/plans", {"day": self.day.isoformat(), "half": half})
        while plan["state"] in ("queued", "running"):
            self.say(f"planning the {half} {plan['progress']} %")
            time.sleep(0.2)
            plan = self.dispatcher.get(f"/plans/{plan['id']}")
            if time.monotonic() - began > 120:
                raise Unexpected("the plan does not end; is a worker running?")
        if plan["state"] != "done":
            raise Unexpected(f"the plan failed: {plan['fault']}")
        return plan

    def _ride(self) -> None:
        offices = list(self.staff.clerks)
        self.say("couriers ride, clerks load and take over")
        self._all(self._office_morning, offices)

    def _office_morning(self, office_id: str) -> None:
        clerk = self.staff_member(self.staff.clerks[office_id], "clerk")
        rounds = [r for r in clerk.get("/rounds", day=self.day.isoformat()) if r["state"] == "published"]
        if not rounds:
            return
        for round_ in rounds:
            self.load(round_)
            courier = self.courier_of(round_)
            self._round(courier, round_)
            for item in clerk.get(f"/couriers/{courier.id}/items"):
                self._counter(clerk, "receipts", item, datetime.fromisoformat(round_["returns_at"]) + _COUNTING)
            courier.put_seen(f"/rounds/{round_['id']}", "finish")

    def load(self, round_: dict[str, Any]) -> None:
        """The clerk gives the courier all that he is to deliver."""
        clerk = self.staff_member(self.staff.clerks[round_["office"]["id"]], "clerk")
        held = {i["tracking_number"]: i for i in clerk.every("/items")}
        for stop in round_["stops"]:
            if stop["job"]["kind"] == "delivery":
                item = held[stop["job"]["tracking_number"]]
                self._counter(clerk, "loadings", item, self._at("07:00"), courier_id=round_["courier"]["id"])

    def courier_of(self, round_: dict[str, Any]) -> Person:
        """The courier who rides a round."""
        for phone in self.staff.couriers[round_["office"]["id"]]:
            courier = self.staff_member(phone, "courier")
            if courier.id == round_["courier"]["id"]:
                return courier
        raise Unexpected(f"nobody of the staff rides round {round_['id']}")

    def _counter(self, clerk: Person, what: str, item: dict[str, Any], at: datetime, **more: str) -> None:
        body = {"item_id": item["id"], "device_at": at.isoformat(), "lines": _counted(item["lines"])} | more
        clerk.put(f"/{what}/{uuid4()}", body)
        self.tally.handovers += 1

    def _round(self, courier: Person, round_: dict[str, Any]) -> None:
        rng = random.Random(round_["id"])
        courier.put_seen(f"/rounds/{round_['id']}", "start")
        for stop in round_["stops"]:
            at = datetime.fromisoformat(stop["arrival"]) + timedelta(seconds=rng.randint(-120, 300))
            door = stop["job"]["point"]
            place = {"lon": door["lon"] + rng.gauss(0, 8e-5), "lat": door["lat"] + rng.gauss(0, 8e-5)}
            courier.put(f"/stops/{stop['id']}/arrival", {"device_at": at.isoformat(), "place": place})
            at += timedelta(minutes=4)
            if rng.random() < FAILED:
                reason = rng.choice(REASONS)
                courier.put(
                    f"/stops/{stop['id']}/failure", {"reason": reason, "device_at": at.isoformat(), "place": place}
                )
                self.tally.failed[reason] += 1
            else:
                self._door(courier, courier.get(f"/stops/{stop['id']}"), at, place, rng)

    def _door(
        self, courier: Person, stop: dict[str, Any], at: datetime, place: dict[str, float], rng: random.Random
    ) -> None:
        pickup = stop["job"]["kind"] == "pickup"
        body = {
            "stop_id": stop["id"],
            "device_at": at.isoformat(),
            "place": place,
            "accuracy_m": rng.randint(4, 25),
            "lines": _counted(stop["documents"] if pickup else stop["lines"]),
            "identity_check": "card_seen",
            "fee_collected": stop["requirements"]["fee"],
            "signatures": [{"signer_name": stop["job"]["contact_name"], "strokes": _scribble(rng)}],
        }
        body |= {"seal_number": f"NS{rng.randrange(10**8):08d}"} if pickup else {"receiver": "self"}
        courier.put(f"/handovers/{uuid4()}", body)
        self.tally.handovers += 1
        if pickup:
            self.tally.collected += 1
        else:
            self.tally.delivered += 1

    def _hand_to_agencies(self) -> None:
        self.say("manifests to the agencies")
        self._all(self._manifests_of, list(self.staff.clerks))

    def _manifests_of(self, office_id: str) -> None:
        clerk = self.staff_member(self.staff.clerks[office_id], "clerk")
        waiting = [i for i in clerk.every("/items") if i["state"] == "at_office"]
        for centre_id, items in _grouped(waiting, lambda i: i["centre"]["id"]).items():
            manifest = clerk.post("/manifests", {"centre_id": centre_id, "item_ids": [i["id"] for i in items]})
            self._answer_manifest(centre_id, manifest["id"])

    def _answer_manifest(self, centre_id: str, manifest_id: str) -> None:
        officer = self.staff_member(self.staff.officers[centre_id], "officer")
        rng = random.Random(manifest_id)
        serial = f"{self.day:%y%m%d}"
        for line in officer.get(f"/manifests/{manifest_id}")["lines"]:
            path = f"/manifests/{manifest_id}/lines/{line['item']['id']}"
            if rng.random() < REFUSED:
                officer.put(f"{path}/refusal", {"reason": "Sai mẫu đơn, đề nghị làm lại"})
                self.tally.refused += 1
                continue
            body = {
                "handover_id": str(uuid4()),
                "device_at": self._at("14:00").isoformat(),
                "lines": _counted(line["lines"]),
                "dossier_code": f"000.00.33.H33-{serial}-{rng.randrange(10**6):06d}",
                "due_date": (self.day + timedelta(days=7)).isoformat(),
            }
            officer.put(f"{path}/acceptance", body)
            self.tally.handovers += 1
            self.tally.received += 1


def _grouped(rows: list[dict[str, Any]], key: Callable[[dict[str, Any]], str]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _counted(lines: list[dict[str, Any]]) -> list[dict[str, int]]:
    return [{k: line[k] for k in ("position", "originals", "copies")} for line in lines]


def _scribble(rng: random.Random) -> list[list[list[int]]]:
    """Three strokes of a hand."""
    strokes = []
    x, ms = 20, 0
    for _ in range(3):
        stroke = []
        for _ in range(rng.randint(12, 24)):
            x, ms = x + rng.randint(1, 6), ms + 16
            stroke.append([x, 60 + rng.randint(-30, 30), ms, rng.randint(30, 90)])
        strokes.append(stroke)
    return strokes
