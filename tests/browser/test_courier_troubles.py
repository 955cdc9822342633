"""What goes wrong on a courier's phone, in Chromium: a screen says what to do about it, and nothing is lost."""

import random
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session, sessionmaker

from courier_api import db
from courier_api.custody import backups, events
from courier_api.custody.models import Case, Entry, EvidenceKind, Handover, Opening, Operation, Upload
from courier_api.db import now, transaction
from courier_api.dossiers.models import Dossier
from courier_api.errors import Refused
from courier_api.jobs.models import Job
from courier_api.journey import booking, dispatching
from courier_api.money.models import Recalled
from courier_api.people.models import AccessToken, Device
from courier_api.procedures import catalogue
from courier_api.procedures.models import Authorization, ProcedureVersion
from courier_api.rounds import drawing_up
from courier_api.rounds.models import Round, Stop
from courier_api.rounds.states import RoundState
from courier_api.settings import settings
from courier_api.web.courier_words import COURIER
from scripts.simulation.cohort import Cohort
from scripts.simulation.today import Day, today
from tests.browser import camera_pictures as pictures
from tests.browser.camera_pictures import code_128, jpeg, on_paper, qr
from tests.browser.driving import drive
from tests.browser.test_courier_app import left_over
from tests.serving import serving

SECONDS = 900  # some 300 on an idle machine, for all of them
SEAL = "NS-004217"
UNKNOWN = "RB123456785GB"  # a right number that no round has
STRANGER = "Phan Thị Lạ"
# Of each trouble: how many doors its round has.
TROUBLES = {
    "codes": 8,
    "fullDisk": 8,
    "storageRefused": 4,
    "keyRevoked": 8,
    "withdrawn": 8,
    "twoPhones": 8,
    "brokenPhoto": 6,
    "changedPlan": 8,
    "wrongClock": 6,
    "signedOut": 8,
    "takenBack": 8,
    "denied": 4,
    "anotherCourier": 8,
    "rules": 14,
    "loadedLater": 8,  # the last, for days that are made after it are loaded
}
# What rules which delivery goes by: a procedure with its own way of authorising, or with an old original to take back.
RULES = {
    "recalled": "1.014063",
    "forbidden": Authorization.forbidden,
    "family": Authorization.family_exempt,
    "written": Authorization.anyone_written,
}


@dataclass(slots=True)
class Troubles:
    """All that was driven in one language: the days, and what was found on each."""

    days: dict[str, list[Day]] = field(default_factory=dict)
    stops: dict[str, str] = field(default_factory=dict)
    found: dict[str, dict[str, Any]] = field(default_factory=dict)
    language: str = "vi"


class Site:
    """The application, and under /test/ what others do meanwhile."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.address = ""
        self.told: dict[str, Callable[[Session, UUID | str], Any]] = {
            "end": lambda session, kid: session.execute(
                update(Device).where(Device.kid == kid).values(revoked_at=now())
            ),
            "signout": lambda session, person: session.execute(
                update(AccessToken).where(AccessToken.person_id == person).values(revoked_at=now())
            ),
            "withdraw": lambda session, id_: dispatching.withdraw_round(
                session, drawing_up.round_by_id(session, UUID(str(id_)), lock=True)
            ),
            "move": _last_comes_first,
            "cancel": _called_off,
            "seen": _seen,
        }

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        _, first, *rest = environ["PATH_INFO"].split("/")
        if first != "test":
            return self.app(environ, start_response)
        with transaction() as session:
            self.told[rest[0]](session, rest[1])
        start_response("200 OK", [])
        return [b""]


def _last_comes_first(session: Session, round_id: UUID | str) -> None:
    """The last stop that can come first does."""
    round_ = drawing_up.round_by_id(session, UUID(str(round_id)), lock=True)
    for stop in reversed(round_.stops):
        with suppress(Refused):
            dispatching.move_stop(session, round_, stop.id, round_.id, 1)
            return
    raise AssertionError("no stop can come first")


def _called_off(session: Session, stop_id: UUID | str) -> None:
    dossier = session.get_one(Stop, UUID(str(stop_id))).job.dossier
    booking.cancel_dossier(session, dossier.citizen, dossier.id)


def _seen(session: Session, round_id: UUID | str) -> None:
    """The dispatcher looks: the courier has seen the plan as it is now."""
    round_ = session.get_one(Round, UUID(str(round_id)))
    assert round_.seen_version == round_.version


@pytest.fixture(scope="module")
def site(committed: Engine, app: Flask, roads: None) -> Iterator[Site]:
    """A live server, each request in a transaction of its own: what others did is seen once it is committed."""
    db.use_sessions(sessionmaker(committed, expire_on_commit=False))
    site = Site(app)
    with serving(site) as site.address:
        yield site
    db.use_sessions(None)


@pytest.fixture(scope="module")
def cohort(committed: Engine, site: Site) -> Iterator[Cohort]:
    with Session(committed, expire_on_commit=False) as session:
        made = Cohort(session, random.Random(11))
        site.told["load"] = lambda _, but: _loaded(made, int(str(but)))
        yield made


@pytest.fixture(scope="module", params=["vi", pytest.param("en", marks=pytest.mark.long)])
def troubles(
    request: pytest.FixtureRequest, cohort: Cohort, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Troubles:
    """All troubles that are asked for, driven in one go."""
    driven = Troubles(language=request.param)
    asked = {mark.args[0] for item in request.session.items if (mark := item.get_closest_marker("trouble"))}
    wanted = [name for name in TROUBLES if name in asked]
    for name in wanted:
        couriers = 2 if name == "anotherCourier" else 1
        driven.days[name] = [_mixed(cohort, TROUBLES[name], loaded=name != "loadedLater") for _ in range(couriers)]
    if "changedPlan" in wanted:
        _without_promises(cohort.session, driven.days["changedPlan"][0])
    if "rules" in wanted:
        driven.stops = _ruled(cohort.session, driven.days["rules"][0])
    cohort.session.commit()
    films = tmp_path_factory.mktemp("films")
    _film(films, driven)
    scenes = {
        name: {
            "phones": [day.phone for day in days],
            "round": days[0].round_id,
            "person": days[0].rider.person_id,
            "stops": driven.stops if name == "rules" else {},
        }
        for name, days in driven.days.items()
    }
    driven.found = drive(
        "courier_troubles.mjs",
        site.address,
        seconds=SECONDS,
        SMS=settings().sms_log,
        cases=scenes,
        FILMS=str(films),
        SEEN=str(films / "seen.y4m"),
        LANGUAGE=driven.language,
    )["troubles"]
    return driven


def _loaded(cohort: Cohort, but: int) -> None:
    """The clerk loads what was left in the office, all but so many bags."""
    cohort.load(but=but)
    cohort.session.commit()


def _mixed(cohort: Cohort, stops: int, *, loaded: bool = True) -> Day:
    """A day with enough doors of either kind."""
    while True:
        cohort.load()  # nothing is left of a day that was thrown away
        day = today(cohort, stops, loaded=loaded)
        deliveries = _deliveries(day)
        if stops // 3 <= deliveries <= stops - stops // 3:
            return day


def _deliveries(day: Day) -> int:
    return sum(door["job"]["kind"] == "delivery" for door in day.rider.rides[0].stops)


def _without_promises(session: Session, day: Day) -> None:
    """No promised windows, so that the stops may stand in any order."""
    jobs = select(Stop.job_id).where(Stop.round_id == UUID(day.round_id))
    session.execute(update(Job).where(Job.id.in_(jobs)).values(window_start=None, window_end=None))


def _ruled(session: Session, day: Day) -> dict[str, str]:
    """Give deliveries of the round procedures with their own rules; the stops by name, and a pickup."""
    doors = day.rider.rides[0].stops
    deliveries = [door["id"] for door in doors if door["job"]["kind"] == "delivery"]
    stops = {"pickup": next(door["id"] for door in doors if door["job"]["kind"] == "pickup")}
    for (name, rule), stop in zip(RULES.items(), deliveries, strict=False):
        if isinstance(rule, Authorization):
            query = select(ProcedureVersion).where(
                ProcedureVersion.authorization == rule,
                ProcedureVersion.valid_to.is_(None),
                ~ProcedureVersion.requirements.any(recalled_original=True),
            )
            version = session.scalars(query.limit(1)).one()
        else:
            version = catalogue.current(session, rule, "", now().date())
        dossier_id = session.get_one(Stop, UUID(stop)).job.dossier_id
        session.execute(update(Dossier).where(Dossier.id == dossier_id).values(procedure_version_id=version.id))
        stops[name] = stop
    assert stops.keys() >= RULES.keys()
    return stops


def _film(folder: Path, driven: Troubles) -> None:
    """What the camera sees in `codes`, each by itself, and a photo of a door."""
    size = (1280, 720)
    (folder / "photo.jpg").write_bytes(jpeg(Image.effect_noise((640, 480), 60).convert("RGB")))
    (folder / "large.jpg").write_bytes(jpeg(pictures.noise((1600, 1200))))
    if "codes" not in driven.days:
        return
    doors = driven.days["codes"][0].rider.rides[0].stops
    pickups, deliveries = ([door for door in doors if door["job"]["kind"] == kind] for kind in ("pickup", "delivery"))
    label = {
        name: code_128(number)
        for name, number in {
            "other-bag": deliveries[1]["custody"]["tracking_number"],
            "bag": deliveries[0]["custody"]["tracking_number"],
            "picked-up": pickups[0]["custody"]["tracking_number"],
            "unknown-bag": UNKNOWN,
            "seal": SEAL,
        }.items()
    }
    cards = {
        "other-card": qr(_card(STRANGER)),
        "card": qr(_card(pickups[0]["job"]["contact_name"].upper())),
    }
    for name, code in (label | cards).items():
        frame = on_paper(code, size, 4, 0.6)
        pictures.film(folder / f"{driven.language}-{name}.y4m", [frame] * 5, 5)


def _card(name: str) -> str:
    return f"033190001234|145678901|{name}|02091990|Nữ|Phố Hiến, Hưng Yên|10052022"


trouble = pytest.mark.trouble


@pytest.fixture
def found(request: pytest.FixtureRequest, troubles: Troubles) -> dict[str, Any]:
    """What was found in the trouble of this test; its screens are good ones."""
    mark = request.node.get_closest_marker("trouble")
    assert mark
    found = troubles.found[mark.args[0]]
    assert "broke" not in found, found["broke"]
    for fault in ("faults", "outside", "axe", "small", "wide", "empty"):
        assert found[fault] == [], fault
    assert left_over(found["shown"], troubles.language) == []
    return found


@pytest.fixture
def looked(committed: Engine, troubles: Troubles) -> Iterator[Session]:
    """The database as it is afterwards."""
    with Session(committed) as session:
        yield session


def says(troubles: Troubles, text: str, key: str, **values: object) -> bool:
    """Whether a screen says what stands under `key`, in the language of its reader."""
    words = COURIER[key][troubles.language == "en"]
    return words.format(**values) in text


def ends(session: Session, ids: Iterable[str]) -> list[tuple[str, str | None]]:
    """What the server says became of operations."""
    known = session.scalars(select(Operation).where(Operation.id.in_(ids)))
    by_id = {str(operation.id): (operation.state.value, operation.code) for operation in known}
    return [by_id[one] for one in ids]


def came(session: Session, id_: str) -> list[EvidenceKind]:
    """What came up with an operation, whole and as it was signed."""
    uploads = session.scalars(select(Upload).where(Upload.entry_id == UUID(id_), Upload.fault.is_(None)))
    return sorted(upload.kind for upload in uploads if upload.offset == upload.length)


# --- the phone -------------------------------------------------------------------------------------------------------


@trouble("fullDisk")
def test_a_full_disk_keeps_all_that_was_there(troubles: Troubles, found: dict[str, Any], looked: Session) -> None:
    assert (found["tilesBefore"], found["tilesAfter"], found["first"]) == (True, False, "receipt")
    assert says(troubles, found["shown"]["trouble-full"], "full_text")
    assert found["same"]
    assert (found["counter"], found["draft"]) == (0, 2)
    assert ends(looked, [found["made"]]) == [("applied", None)]


@trouble("storageRefused")
def test_storage_that_is_not_promised_is_said(troubles: Troubles, found: dict[str, Any]) -> None:
    for name in ("trouble-persist-ready", "trouble-persist-me"):
        assert says(troubles, found["shown"][name], "lack_persist"), name
    assert says(troubles, found["said"], "persist_refused")
    assert found["promised"] == 0


@trouble("wrongClock")
def test_a_clock_that_is_a_day_wrong(troubles: Troubles, found: dict[str, Any], looked: Session) -> None:
    much = COURIER["hours"][troubles.language == "en"].format(n=24)
    assert says(troubles, found["shown"]["trouble-clock"], "clock_wrong", much=much)
    assert says(troubles, found["shown"]["trouble-clock-ready"], "lack_clock")
    assert ends(looked, [found["made"]]) == [("applied", None)]
    entry = looked.get_one(Entry, UUID(found["made"]))
    off = entry.signed_at - entry.received_at
    assert abs(off - timedelta(days=found["ahead"])) < timedelta(minutes=5)
    assert abs(entry.received_at - now()) < timedelta(hours=1)
    assert looked.get_one(Handover, entry.id).device_at == entry.signed_at


# --- who signs -------------------------------------------------------------------------------------------------------


@trouble("keyRevoked")
def test_a_key_that_was_ended_keeps_its_queue(troubles: Troubles, found: dict[str, Any], looked: Session) -> None:
    shown = found["shown"]
    for name in ("trouble-key-banner", "trouble-key"):
        assert says(troubles, shown[name], "key_key_revoked"), name
    assert len(found["queue"]) == 2
    assert found["work"] in found["queue"]
    with Path(found["backup"]).open("rb") as file:
        head, *saved = backups.read(file)
    assert isinstance(head, backups.Head)
    assert head.kid == found["old"]
    operations = [one.sent for one in saved if isinstance(one, backups.SavedOperation)]
    assert [one["id"] for one in operations] == found["queue"]
    files = [[str(o.event), o.kind.value, len(o.content)] for o in saved if isinstance(o, backups.SavedEvidence)]
    assert files == found["evidence"]
    assert len(files) == 1
    assert found["new"] != found["old"]
    assert found["fault"] is None
    assert ends(looked, [found["fresh"]]) == [("applied", None)]
    assert looked.get_one(Entry, UUID(found["fresh"])).kid == found["new"]
    assert found["stays"] == found["queue"]
    assert says(troubles, shown["trouble-key-queue"], "problem_ended_key", n=2)


@trouble("signedOut")
def test_who_was_signed_out_goes_on_working(troubles: Troubles, found: dict[str, Any], looked: Session) -> None:
    assert says(troubles, found["shown"]["trouble-signed-out"], "signed_out_text")
    assert says(troubles, found["shown"]["trouble-signed-out-queue"], "sending_signed_out")
    assert set(found["made"]) <= set(found["waiting"])
    assert found["sameKey"] == [True]
    assert found["ends"] == ["applied"] * len(found["waiting"])
    assert ends(looked, found["waiting"]) == [("applied", None)] * len(found["waiting"])
    assert found["banner"] == 0


@trouble("anotherCourier")
def test_two_couriers_on_one_phone(troubles: Troubles, found: dict[str, Any], looked: Session) -> None:
    first, second = (UUID(day.rider.person_id) for day in troubles.days["anotherCourier"])
    assert found["seen"] == []
    assert (found["rounds"], found["theirSeen"]) == (0, 0)
    assert found["still"] == len(found["mine"]) == 3
    assert found["ends"] == ["applied"] * 3
    for ids, person in ((found["mine"], first), (found["theirs"], second)):
        owners = looked.scalars(select(Operation.person_id).where(Operation.id.in_(ids))).all()
        assert owners == [person] * len(ids)
        assert ends(looked, ids) == [("applied", None)] * len(ids)


# --- what others did meanwhile ---------------------------------------------------------------------------------------


@trouble("withdrawn")
def test_a_round_that_was_withdrawn_while_he_was_away(
    troubles: Troubles, found: dict[str, Any], looked: Session
) -> None:
    shown = found["shown"]
    assert found["ends"] == [["parked", "not_found"]] * 2
    assert ends(looked, found["made"]) == [("parked", "not_found")] * 2
    assert says(troubles, shown["trouble-withdrawn-banner"], "withdrawn_text")
    assert says(troubles, shown["trouble-withdrawn"], "withdrawn_step_bring")
    bags = _deliveries(troubles.days["withdrawn"][0]) + 2
    assert says(troubles, shown["trouble-withdrawn"], "you_hold", n=bags)
    assert says(troubles, shown["trouble-withdrawn-queue"], "trouble_not_yours")
    assert says(troubles, shown["trouble-withdrawn-office"], "bags_to_hand_in", n=bags)
    assert found["banner"] == 0


@trouble("twoPhones")
def test_one_door_done_by_two_phones(troubles: Troubles, found: dict[str, Any], looked: Session) -> None:
    first, second = found["ends"]
    assert first == ["applied", None]
    assert second[0] == "parked"
    assert ends(looked, [found["first"], found["second"]]) == [tuple(first), tuple(second)]
    for name in ("trouble-twice-stop", "trouble-twice-queue"):
        assert says(troubles, found["shown"][name], "trouble_done_elsewhere"), name
    legs = select(Handover.id).where(Handover.id.in_([found["first"], found["second"]]))
    assert [str(one) for one in looked.scalars(legs)] == [found["first"]]
    assert looked.scalars(select(Case.kind).where(Case.operation_id == UUID(found["second"]))).all() == ["parked"]


@trouble("loadedLater")
def test_bags_that_are_loaded_after_the_round_was_fetched(
    troubles: Troubles, found: dict[str, Any], looked: Session
) -> None:
    bags = _deliveries(troubles.days["loadedLater"][0])
    assert says(troubles, found["shown"]["trouble-not-loaded"], "lack_bags")
    assert (found["lacking"], found["lackingThen"]) == (min(bags, 5) + (bags > 5), 1)
    assert says(troubles, found["asked"], "leave_anyway_text")
    # He has left, with a bag too few; what he has is delivered by the leg that it is on now.
    assert ends(looked, found["made"]) == [("applied", None)] * 3
    assert looked.get_one(Handover, UUID(found["made"][-1])).leg == 3
    assert looked.get_one(Round, UUID(troubles.days["loadedLater"][0].round_id)).state is RoundState.started


@trouble("changedPlan")
def test_a_plan_that_changes_is_read_first(troubles: Troubles, found: dict[str, Any], looked: Session) -> None:
    before, after = found["before"], found["after"]
    assert after[0] != before[0]
    assert after == [after[0], *(one for one in before if one != after[0])]
    assert "moved" in found["kinds"]
    assert found["offline"] == 0
    assert "removed" in found["cancelled"]
    assert says(troubles, found["shown"]["trouble-plan"], "diff_moved")
    assert says(troubles, found["shown"]["trouble-stop-cancelled"], "cancelled_text")
    round_ = looked.get_one(Round, UUID(troubles.days["changedPlan"][0].round_id))
    assert found["seen"][-1] == [round_.version, "applied"]
    assert len(found["seen"]) == 2
    assert round_.seen_version == round_.version


# --- at the door -----------------------------------------------------------------------------------------------------


@trouble("brokenPhoto")
def test_a_photo_that_cannot_be_opened(troubles: Troubles, found: dict[str, Any], looked: Session) -> None:
    assert found["broken"] == {"photo": None, "hash": "seal"}
    assert says(troubles, found["shown"]["trouble-photo"], "photo_broken")
    assert found["again"] > 10_000
    assert found["evidence"] == [found["again"]]
    assert came(looked, found["made"]) == [EvidenceKind.photo, EvidenceKind.strokes]


@trouble("codes")
def test_codes_of_something_else(troubles: Troubles, found: dict[str, Any], looked: Session) -> None:
    shown = found["shown"]
    doors = troubles.days["codes"][0].rider.rides[0].stops
    other = [door for door in doors if door["job"]["kind"] == "delivery"][1]
    assert says(troubles, found["noCard"], "no_card_code")
    assert STRANGER in shown["trouble-other-card"]
    assert (found["identity"], found["cardKept"]) == ("card_scanned", False)
    for name in ("trouble-seal-other", "trouble-bag-other"):
        assert other["custody"]["tracking_number"] in shown[name]
        assert other["job"]["contact_name"] in shown[name]
    assert found["notFilled"] == ""
    assert found["seal"] == SEAL
    assert SEAL in found["sealWord"]
    assert UNKNOWN in found["unknown"]
    assert says(troubles, found["right"], "bag_right")
    assert UNKNOWN in found["notYours"]
    pickups = [door for door in doors if door["job"]["kind"] == "pickup"]
    assert found["leftBefore"] == [pickups[0]["custody"]["tracking_number"]]
    assert found["chosenBefore"] == 0
    assert says(troubles, found["yours"], "scanned_all", n=1)
    opening = looked.get_one(Opening, UUID(found["made"]))
    assert opening.content
    assert opening.content["seal"] == SEAL
    assert looked.get_one(Handover, UUID(found["made"])).identity_check == "card_scanned"


@trouble("takenBack")
def test_what_is_taken_back(troubles: Troubles, found: dict[str, Any], looked: Session) -> None:
    assert found["arrivals"] == [1, 0]
    assert says(troubles, found["arrivedAgain"], "arrived")
    assert found["seal"] == "NS-000001"
    assert found["reloaded"] == [None]
    assert not looked.scalars(select(Operation).where(Operation.id.in_(found["gone"]))).all()
    held = looked.get_one(Entry, UUID(found["held"]))
    assert held.received_at - held.signed_at > timedelta(seconds=9.5)
    assert says(troubles, found["said"], "undo_late")
    assert ends(looked, [found["late"]]) == [("applied", None)]
    assert says(troubles, found["shown"]["trouble-remark"], "remark_note_missing")
    assert found["none"] == 0
    assert found["remarks"] == [[found["late"], "wrong_reason", "applied"]]
    courier = UUID(troubles.days["takenBack"][0].rider.person_id)
    assert looked.scalars(select(Case.kind).where(Case.person_id == courier)).all() == ["remark"]


@trouble("denied")
def test_a_day_without_position_camera_and_network(troubles: Troubles, found: dict[str, Any], looked: Session) -> None:
    shown = found["shown"]
    assert says(troubles, shown["trouble-gps"], "no_place_text")
    assert says(troubles, shown["trouble-gps-me"], "duty_denied")
    assert says(troubles, shown["trouble-camera"], "camera_denied")
    assert found["arrival"]["why"] == "no_signal"
    assert found["arrival"]["geo"] is None
    arrival = looked.get_one(Entry, UUID(found["arrival"]["id"]))
    assert events.read(arrival.event or b"").fields["why"] == "no_signal"
    assert len(found["made"]) == 4
    assert ends(looked, found["made"]) == [("applied", None)] * 4
    other = {"vi": ["en", COURIER["tab_round"][1]], "en": ["vi", COURIER["tab_round"][0]]}[troubles.language]
    assert found["language"] == [*other, other[0]]
    assert set(found["ends"]) == {"applied"}


@trouble("rules")
def test_what_the_procedure_asks_at_the_door(troubles: Troubles, found: dict[str, Any], looked: Session) -> None:
    assert found["ends"] == []
    made = {name: looked.get_one(Handover, UUID(id_)) for name, id_ in found["made"].items()}
    content = {name: looked.get_one(Opening, one.id).content or {} for name, one in made.items()}
    assert found["recalledFirst"][2] == "papers"
    assert says(troubles, found["recalledFirst"][0], "recalled_first")
    row = looked.scalars(select(Recalled).where(Recalled.handover_id == made["recalled"].id)).one()
    assert row.originals == 1
    doors = troubles.days["rules"][0].rider.rides[0].stops
    (theirs,) = [door for door in doors if str(door["id"]) == troubles.stops["recalled"]]
    heading = COURIER["recalled_taken"][troubles.language == "en"]
    _, card = found["shown"]["trouble-office-recalled"].split(heading, 1)
    assert theirs["custody"]["tracking_number"] in card
    assert theirs["job"]["contact_name"] in card
    assert found["choices"] == {"forbidden": 1, "family": 3}
    assert says(troubles, found["shown"]["trouble-in-person"], "only_in_person")
    assert [made[name].receiver for name in ("recalled", "forbidden", "family", "written")] == [
        "self", "self", "family", "family",
    ]  # fmt: skip
    assert content["family"]["third_party"] == {"authorization": None, "name": "Trần Thị Bé"}
    assert content["written"]["third_party"] == {"authorization": "12/UQ ngày 20/11/2026", "name": "Lê Văn Em"}
    assert says(troubles, found["missing"], "authorization_missing")
    assert says(troubles, found["noPhoto"], "authorization_photo_missing")
    assert came(looked, found["made"]["written"]) == [EvidenceKind.photo, EvidenceKind.strokes]
    assert came(looked, found["made"]["family"]) == [EvidenceKind.strokes]
    fee = made["pickup"].fee_collected
    assert re.sub(r"\D", "", found["change"]) == str(500_000 - fee)
    assert re.sub(r"\D", "", found["short"]) == str(fee - 1000)
    assert found["noReason"][1] == 0
    assert says(troubles, found["noReason"][0], "extra_reason_missing")
    *listed, extra = content["pickup"]["documents"]
    assert extra == [len(listed) + 1, "Đơn xin giải trình", 0, 1, "citizen_insists"]
