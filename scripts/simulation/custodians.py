"""What is done around custody that a plain day does not show: papers, the ledger, lost devices, cases."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from courier_api.proof.note import cosign, open_checkpoint, read_keys
from courier_api.proof.tree import write_index
from scripts.commands.witness import WitnessKey
from scripts.simulation import people, signing
from scripts.simulation.api import Person, Unexpected
from scripts.simulation.day import Day
from scripts.simulation.photos import photo

LEDGER = "/api/v1/public/ledger"

type Repeat = Callable[[Callable[[int], Any]], None]


def look_after_custody(day: Day, repeat: Repeat, witnesses: Path) -> None:
    """Do all of it, each so many times; `witnesses` is the file with the keys of those who may cosign."""
    print_papers(day, repeat)
    read_ledger(day, repeat, witnesses)
    use_phones(day, repeat)
    decide_cases(day, repeat)
    lose_devices(day, repeat)


def print_papers(day: Day, repeat: Repeat) -> None:
    """The citizen, the courier, the clerk and the officer print what they were part of."""
    citizen = Person(day.http, day.sms, people.phone(5, 0), "citizen")
    mine = citizen.every("/dossiers")[0]["id"]
    repeat(lambda _: citizen.get(f"/dossiers/{mine}/handovers"))
    shown = citizen.get(f"/dossiers/{mine}/handovers")["items"]
    own = [h["id"] for h in shown if "citizen" in (h["from_role"], h["to_role"])]
    repeat(lambda _: citizen.get(f"/dossiers/{mine}/handovers/{own[0]}/receipt"))
    for audience, paper in (("couriers", "receipt"), ("clerks", "record"), ("agencies", "record")):
        recorded = [(who, handover) for who, handover in day.handovers if who.audience == audience]
        repeat(_each(recorded, lambda who, handover, paper=paper: who.get(f"/handovers/{handover}/{paper}")))


def read_ledger(day: Day, repeat: Repeat, witnesses: Path) -> None:
    """Anybody checks that what was recorded stands in the ledger, and a witness cosigns it."""
    anyone = day.dispatcher
    keys = read_keys(day.http.get(f"{LEDGER}/keys").text)
    repeat(lambda _: anyone.get(f"{LEDGER}/keys"))
    size = _settled(day, keys)
    repeat(lambda n: anyone.get(f"{LEDGER}/consistency", old=1 + n % size, new=size))
    repeat(lambda n: anyone.get(f"{LEDGER}/entries/{day.handovers[n % len(day.handovers)][1]}"))
    repeat(lambda n: anyone.get(f"{LEDGER}/tile/0/{write_index(0, min(size, 256) - n % min(size, 256))}"))
    key = WitnessKey.make("bench.example/witness")
    witnesses.write_text(f"{key.public.write()}\n")

    def cosign_newest(_: int) -> None:
        note = day.http.get(f"{LEDGER}/checkpoint").text
        cosigned = cosign(note, key.public, key.private, int(time.time()))
        day.http.post(f"{LEDGER}/cosignatures", json={"note": cosigned}).raise_for_status()

    repeat(cosign_newest)


def _settled(day: Day, keys: Any) -> int:
    """Wait until the newest checkpoint covers all handovers, ten seconds at most; its size is given."""
    for _ in range(100):
        checkpoint = open_checkpoint(day.http.get(f"{LEDGER}/checkpoint").text, keys)[0]
        if checkpoint.size >= len(day.handovers):
            break
        time.sleep(0.1)
    return checkpoint.size


def use_phones(day: Day, repeat: Repeat) -> None:
    """Phones ask what became of their operations, what changed meanwhile, and resume uploads."""
    rides = [(phone.courier, operation) for phone in day.phones for operation in phone.receipts]
    repeat(_each(rides, lambda who, operation: who.get(f"/operations/{operation}")))
    repeat(_each(rides, lambda who, _: who.get("/changes", limit=50)))
    repeat(_each(rides, lambda who, _: who.get("/office")))
    repeat(_each(rides, lambda who, _: who.get("/vouchers")))
    repeat(_each(rides, lambda who, _: who.get("/recalled")))
    taken = [(who, handover) for who, handover in day.handovers if who.audience == "couriers"]
    rng = random.Random(1)

    def send_picture(n: int) -> None:
        who, handover = taken[n % len(taken)]
        picture = photo(rng)  # not what was signed: it is taken in all the same, and becomes a case
        if n % 2:
            who.upload(handover, picture, len(picture))
        else:
            who.end_upload(who.announce(handover, len(picture)))

    repeat(lambda n: send_picture(2 * n))
    repeat(lambda n: send_picture(2 * n + 1))


def decide_cases(day: Day, repeat: Repeat) -> None:
    """Couriers report a door that is in no plan, and the dispatcher puts each case aside with a signed word."""
    dispatcher = day.dispatcher
    courier = day.phones[0].courier
    at = datetime.fromisoformat(day.window("11:00", "12:00")["start"])
    place = {"lon": 106.06, "lat": 20.66}

    def report(_: int) -> None:
        odd = signing.arrival(courier.signs, str(uuid4()), at, place, 9)
        courier.post("/sync", {"operations": [odd]})

    repeat(report)
    repeat(lambda _: dispatcher.get("/cases"))
    waiting = [case for case in dispatcher.every("/cases") if case["kind"] == "parked"]
    repeat(lambda n: dispatcher.get(f"/cases/{waiting[n % len(waiting)]['id']}"))

    def decide(n: int) -> None:
        case, body = waiting[n % len(waiting)], {"decision": "dismiss", "note": "Bưu tá báo nhầm điểm dừng"}
        said = {"case": case["id"], "decision": body["decision"], "of": case["operation_id"]}
        event, salts = dispatcher.signs.event("custody.correction", at, {"note": body["note"]}, **said)
        signed = dispatcher.signs.signed(event, salts)
        dispatcher.put(f"/cases/{case['id']}/decision", body | {"signed": signed})
        dispatcher.signs.count(signed)

    repeat(decide)


def lose_devices(day: Day, repeat: Repeat) -> None:
    """Everybody lists devices and ends one that was lost; an officer signs beside what no one else records of his."""
    officer, accepted = next((who, handover) for who, handover in day.handovers if who.audience == "agencies")
    clerk = next(who for who, _ in day.handovers if who.audience == "clerks")
    for who, role in ((day.phones[0].courier, "courier"), (clerk, "clerk"), (officer, "officer")):
        repeat(lambda _, who=who: who.get("/devices"))
        repeat(lambda _, who=who, role=role: who.put(f"/devices/{_lost(day, who.phone, role)}/revocation"))
    repeat(lambda _: day.dispatcher.get("/devices"))
    repeat(lambda _: day.dispatcher.put(f"/devices/{_lost(day, clerk.phone, 'clerk')}/revocation"))
    nothing = {"kid": officer.signs.kid, "signature": "AA=="}

    def sign_in_vain(_: int) -> None:
        with suppress(Unexpected):
            officer.put(f"/handovers/{accepted}/countersignature", nothing)

    repeat(sign_in_vain)


def _lost(day: Day, phone: str, role: str) -> str:
    """The key id of another device of theirs, just certified."""
    return Person(day.http, day.sms, phone, role).signs.kid


def _each[T](pairs: list[tuple[Person, T]], call: Callable[[Person, T], Any]) -> Callable[[int], Any]:
    """Go through pairs of a person and a thing, again from the beginning."""
    return lambda n: call(*pairs[n % len(pairs)])
