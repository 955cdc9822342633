"""The day: citizens book, agencies give results, a plan is made, couriers ride it, clerks and officers take over."""

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from scripts.simulation import people, signing
from scripts.simulation.api import Person, SmsLog, Unexpected
from scripts.simulation.device import party
from scripts.simulation.phone import Phone
from scripts.simulation.photos import photo
from scripts.simulation.signing import Handover, holder_of, papers_of

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
WINDOWS = (("07:30", "09:30"), ("08:00", "10:00"), ("08:30", "10:30"), ("07:30", "11:00"))
AFTERNOON = (("14:00", "16:00"), ("14:30", "16:30"))
FAILED = 0.06  # of doors where nobody opens, and the like
REFUSED = 0.03  # of dossiers that the agency does not take
PHOTOGRAPHED = 0.15  # of handovers at doors
COVERED = 0.4  # of doors with a network; what was signed before is sent from there
IN_TOWN = 4  # the couriers of one office in so many always have a network, and call as they go
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
        self.handovers: list[tuple[Person, str]] = []  # who recorded it, and its id
        self.phones: list[Phone] = []
        self._signed_in: dict[str, Person] = {}
        self._signing_in: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def live(self, homes: list[Home], pickups: list[dict[str, Any]], results: list[dict[str, Any]], jobs: int) -> Tally:
        """Live the day with so many jobs, one pickup to three results; homes are drawn as given."""
        self._shifts()
        dossiers = self._book(homes, pickups, results, jobs)
        self._give_results([d for d in dossiers if d["service"] == "return"])
        self._plan()
        self._ride()
        self._hand_to_agencies()
        return self.tally

    def leave_an_afternoon(
        self, homes: list[Home], pickups: list[dict[str, Any]], results: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Book, plan, publish and load an afternoon that nobody rides; its rounds are given back."""
        first = len(self.orders)
        self.orders += [
            self._order(first + n, home, self.rng.choice(pickups if n % 3 == 0 else results), n % 3 == 0, AFTERNOON)
            for n, home in enumerate(homes)
        ]
        dossiers = self._all(self._submit, self.orders[first:])
        self._give_results([d for d in dossiers if d["service"] == "return"])
        plan = self.plan("afternoon")
        rounds: list[dict[str, Any]] = self.dispatcher.put(f"/plans/{plan['id']}/publication")
        for round_ in rounds:
            clerk = self.staff_member(self.staff.clerks[round_["office"]["id"]], "clerk")
            shown = {r["id"]: r for r in clerk.get("/rounds", day=self.day.isoformat())}
            self.load(shown[round_["id"]])
        return rounds

    def _person(self, phone: str, role: str) -> Person:
        return Person(self.http, self.sms, phone, role)

    def staff_member(self, phone: str, role: str) -> Person:
        """Someone of the staff, signed in once."""
        with self._signing_in[phone]:
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

    def _order(
        self,
        n: int,
        home: Home,
        procedure: dict[str, Any],
        collect: bool,
        windows: tuple[tuple[str, str], ...] = WINDOWS,
    ) -> tuple[str, str, dict[str, Any]]:
        phone, full_name = people.phone(5, n), people.name(random.Random(n))
        body = {
            "procedure_code": procedure["code"],
            "procedure_suffix": procedure["suffix"],
            "service": ("both" if procedure["eligibility"] == "both" else "send") if collect else "return",
            "contact_name": full_name,
            "contact_phone": phone,
            "address": f"{home.hamlet}, {home.commune}",
            "note": self.rng.choice(("", "", "Nhà trong ngõ", "Cổng xanh", "Đối diện trường học")),
            "cautions": self.rng.choice(([], [], [], ["call_first"], ["gate"], ["dog"])),
            "point": {"lon": home.lon, "lat": home.lat},
            "consent": True,
        }
        if collect:
            body["window"] = self.window(*self.rng.choice(windows))
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
                self._give_result(officer, dossier["id"], f"000.00.33.H33-{serial}-{n:04d}")

        self._all(give, list(by_centre))

    def _give_result(self, officer: Person, dossier_id: str, code: str) -> None:
        seen = officer.get(f"/dossiers/{dossier_id}")
        clerk = seen["office_clerks"][0]
        body = {
            "dossier_id": dossier_id,
            "papers": [{"name": "Kết quả giải quyết thủ tục", "originals": 1, "copies": 0}],
            "received_by": clerk["id"],
            "dossier_code": code,
            "device_at": (self._at("16:00") - timedelta(days=1)).isoformat(),
        }
        sides = party("agency", officer.place), party("office", seen["office_code"])
        by = f"G-{clerk['staff_number']:05d}"
        said = Handover(seen["result"], body, papers_of(body["papers"]), sides, by=by, code=code)
        self._record(officer, "/results/{}", body, said)

    def _record(
        self, who: Person, path: str, body: dict[str, Any], said: Handover, other_side: Person | None = None
    ) -> dict[str, Any]:
        """Record a handover under an id of its own, and count it."""
        handover_id = who.signs.new_id()
        answer: dict[str, Any] = who.hand_over(path.format(handover_id), handover_id, body, said, other_side)
        self._count_handover(who, handover_id)
        return answer

    def _count_handover(self, who: Person, handover_id: str) -> None:
        self.tally.handovers += 1
        self.handovers.append((who, handover_id))

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
        in_town = list(self.staff.clerks).index(office_id) % IN_TOWN == 0
        for round_ in rounds:
            self.load(round_)
            courier = self.courier_of(round_)
            if in_town:
                self._ride_online(courier, round_)
            else:
                phone = self._ride_offline(courier, round_)
            back_at = datetime.fromisoformat(round_["returns_at"]) + _COUNTING
            held = clerk.get(f"/couriers/{courier.id}/items")
            if in_town:
                for item in held:
                    self._take_over(clerk, courier, item, back_at)
                courier.put_seen(f"/rounds/{round_['id']}", "finish")
            else:
                self._give_in(phone, clerk, held, back_at)
                phone.finish(round_["id"], back_at)
                phone.send()

    def _give_in(self, phone: Phone, clerk: Person, held: list[dict[str, Any]], at: datetime) -> None:
        """Bags and cash go in on the courier's own phone, and the clerk signs on its glass."""
        office, rng = phone.courier.get("/office")["code"], random.Random(phone.courier.id)
        by_clerk = [{"signer_name": clerk.name, "relationship": "clerk", "strokes": _scribble(rng)}]
        for item in held:
            phone.to_office(office, clerk, item, _at_counter(item, at) | {"signatures": by_clerk})
            self.tally.handovers += 1
        phone.settle(office, clerk, by_clerk, at)

    def load(self, round_: dict[str, Any]) -> None:
        """The clerk gives the courier all that he is to deliver, and the courier signs for it on his own phone."""
        clerk = self.staff_member(self.staff.clerks[round_["office"]["id"]], "clerk")
        courier = self.courier_of(round_)
        held = {i["tracking_number"]: i for i in clerk.every("/items")}
        for stop in round_["stops"]:
            if stop["job"]["kind"] == "delivery":
                item = held[stop["job"]["tracking_number"]]
                body = _at_counter(item, self._at("07:00")) | {"courier_id": courier.id}
                said = Handover(item["custody"], body, papers_of(item["lines"]), _sides(item, "courier", courier.code))
                loaded = self._record(clerk, "/loadings/{}", body, said)
                courier.countersign(loaded["id"], loaded["signed"])

    def courier_of(self, round_: dict[str, Any]) -> Person:
        """The courier who rides a round."""
        for phone in self.staff.couriers[round_["office"]["id"]]:
            courier = self.staff_member(phone, "courier")
            if courier.id == round_["courier"]["id"]:
                return courier
        raise Unexpected(f"nobody of the staff rides round {round_['id']}")

    def _take_over(self, clerk: Person, courier: Person, item: dict[str, Any], at: datetime) -> None:
        body = _at_counter(item, at)
        said = Handover(item["custody"], body, papers_of(item["lines"]), _sides(item, "office", clerk.place))
        self._record(clerk, "/receipts/{}", body, said, courier)

    def _visits(self, round_: dict[str, Any]) -> Iterable[tuple[random.Random, dict[str, Any], datetime, Any]]:
        """The doors of a round with when the courier is there and where his phone thinks that it is."""
        rng = random.Random(round_["id"])
        for stop in round_["stops"]:
            at = datetime.fromisoformat(stop["arrival"]) + timedelta(seconds=rng.randint(-120, 300))
            door = stop["job"]["point"]
            yield rng, stop, at, {"lon": door["lon"] + rng.gauss(0, 8e-5), "lat": door["lat"] + rng.gauss(0, 8e-5)}

    def _ride_offline(self, courier: Person, round_: dict[str, Any]) -> Phone:
        """Read everything before leaving, then send what was done wherever there is a network."""
        phone = Phone(courier, random.Random(round_["id"]))
        self.phones.append(phone)
        read = {stop["id"]: stop for stop in courier.get(f"/rounds/{round_['id']}/doors")}
        phone.see(round_["id"], round_["version"], datetime.fromisoformat(round_["departs_at"]))
        phone.start(round_["id"], datetime.fromisoformat(round_["departs_at"]))
        for rng, stop, at, place in self._visits(round_):
            phone.arrive(stop["id"], at, place)
            at += timedelta(minutes=4)
            if rng.random() < FAILED:
                phone.fail(stop["id"], at, reason := rng.choice(REASONS))
                self.tally.failed[reason] += 1
            else:
                body = self._door(read[stop["id"]], at, place, rng)
                phone.hand_over(read[stop["id"]], body, photo(rng) if rng.random() < PHOTOGRAPHED else None)
                self._count_handover(courier, phone.waiting[-1]["id"])
            if rng.random() < COVERED:
                phone.send()
        phone.send()
        return phone

    def _ride_online(self, courier: Person, round_: dict[str, Any]) -> None:
        """Call as one goes."""
        courier.put_seen(f"/rounds/{round_['id']}", "start")
        for rng, stop, at, place in self._visits(round_):
            courier.put(f"/stops/{stop['id']}/arrival", {"device_at": at.isoformat(), "place": place})
            at += timedelta(minutes=4)
            if rng.random() < FAILED:
                reason = rng.choice(REASONS)
                body = {"reason": reason, "device_at": at.isoformat(), "place": place}
                courier.put(f"/stops/{stop['id']}/failure", body)
                self.tally.failed[reason] += 1
            else:
                read = courier.get(f"/stops/{stop['id']}")
                body = self._door(read, at, place, rng)
                self._record(courier, "/handovers/{}", body, signing.at_door(courier.code, read, body))

    def _door(self, stop: dict[str, Any], at: datetime, place: dict[str, float], rng: random.Random) -> dict[str, Any]:
        """What is recorded at a door where all goes well."""
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
        recalled = [{k: paper[k] for k in ("position", "originals")} for paper in stop["requirements"]["recalled"]]
        body |= {"recalled": recalled} if recalled else {}
        body |= {"seal_number": f"NS{rng.randrange(10**8):08d}"} if pickup else {"receiver": "self"}
        if pickup:
            self.tally.collected += 1
        else:
            self.tally.delivered += 1
        return body

    def _hand_to_agencies(self) -> None:
        self.say("manifests to the agencies")
        self._all(self._manifests_of, list(self.staff.clerks))

    def _manifests_of(self, office_id: str) -> None:
        clerk = self.staff_member(self.staff.clerks[office_id], "clerk")
        waiting = [i for i in clerk.every("/items") if i["state"] == "at_office"]
        for centre_id, items in _grouped(waiting, lambda i: i["centre"]["id"]).items():
            manifest = clerk.post("/manifests", {"centre_id": centre_id, "item_ids": [i["id"] for i in items]})
            self._answer_manifest(clerk, centre_id, manifest["id"])

    def _answer_manifest(self, clerk: Person, centre_id: str, manifest_id: str) -> None:
        """The officer answers each line, and the clerk signs beside him what was taken."""
        officer = self.staff_member(self.staff.officers[centre_id], "officer")
        rng = random.Random(manifest_id)
        serial = f"{self.day:%y%m%d}"
        manifest = officer.get(f"/manifests/{manifest_id}")
        for line in manifest["lines"]:
            path = f"/manifests/{manifest_id}/lines/{line['item']['id']}"
            seldom = self.tally.refused == 0 and self.tally.received > 0  # once a day at least, however small it is
            if seldom or rng.random() < REFUSED:
                officer.put(f"{path}/refusal", {"reason": "Sai mẫu đơn, đề nghị làm lại"})
                self.tally.refused += 1
                continue
            handover_id = officer.signs.new_id()
            body = {
                "handover_id": handover_id,
                "device_at": self._at("14:00").isoformat(),
                "lines": _counted(line["lines"]),
                "dossier_code": f"000.00.33.H33-{serial}-{rng.randrange(10**6):06d}",
                "due_date": (self.day + timedelta(days=7)).isoformat(),
            }
            told = {"code": body["dossier_code"], "due": body["due_date"], "manifest": manifest["number"]}
            sides = _sides(line, "agency", officer.place)
            said = Handover(line["custody"], body, papers_of(line["lines"]), sides, **told)
            taken = officer.hand_over(f"{path}/acceptance", handover_id, body, said)
            clerk.countersign(handover_id, taken["signed"])
            self._count_handover(officer, handover_id)
            self.tally.received += 1


def _grouped(rows: list[dict[str, Any]], key: Callable[[dict[str, Any]], str]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _counted(lines: list[dict[str, Any]]) -> list[dict[str, int]]:
    return [{k: line[k] for k in ("position", "originals", "copies")} for line in lines]


def _at_counter(item: dict[str, Any], at: datetime) -> dict[str, Any]:
    return {"item_id": item["id"], "device_at": at.isoformat(), "lines": _counted(item["lines"])}


def _sides(item: dict[str, Any], role: str, code: str) -> tuple[dict[str, str], dict[str, str]]:
    """From who holds it to this party."""
    return holder_of(item["custody"]), party(role, code)


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
