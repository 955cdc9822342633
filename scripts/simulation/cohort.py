"""Couriers with full bags and published rounds, written straight into the database: what a benchmark rides."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, islice
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from courier_api.custody.models import Entry, Handover, Opening, Waiting
from courier_api.db import Base, lon_lat, new_id, now
from courier_api.dossiers.models import Document, Dossier, NumberRange, PostalItem
from courier_api.dossiers.numbers import tracking_number
from courier_api.dossiers.states import Service
from courier_api.jobs.models import Job
from courier_api.money import quoting
from courier_api.money.models import Charge, ChargeKind
from courier_api.people import signing_in
from courier_api.people.devices import OfferedKey
from courier_api.people.models import Device as DeviceRow
from courier_api.people.models import Person, Role
from courier_api.places.models import Commune, Hamlet, PointQuality, ServicePoint, ServicePointKind
from courier_api.procedures import catalogue
from courier_api.proof.core import Kind
from courier_api.rounds import changes
from courier_api.rounds.models import DayPlan, Round, Shift, Stop
from courier_api.settings import settings
from scripts.commands.operator import post
from scripts.simulation import people
from scripts.simulation.device import Device, base64, moment, party
from scripts.simulation.signing import Handover as Said
from scripts.simulation.signing import papers_of

PROCEDURE = "2.000635"  # its papers may go both ways
DELIVERIES = 0.5  # of doors
PAPER = {"position": 1, "name": "Kết quả giải quyết thủ tục", "originals": 1, "copies": 0}


@dataclass(slots=True)
class Ride:
    """One round, its doors as `getMyStop` would show them."""

    round_id: str
    departs_at: datetime
    stops: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Rider:
    """A courier with a phone that is signed in."""

    person_id: str
    code: str
    token: str
    device: Device
    rides: list[Ride] = field(default_factory=list)


@dataclass(slots=True)
class _Staff:
    """Somebody who signs, as events name them."""

    person: Person
    place: ServicePoint
    device: Device
    token: str
    role: Role

    @property
    def code(self) -> str:
        return self.person.staff_code(self.role)


class Cohort:
    """Makes riders with rounds; everything is written when all of them are made."""

    def __init__(self, session: Session, rng: random.Random) -> None:
        self.session = session
        self.rng = rng
        self._rows: dict[type[Base], list[dict[str, Any]]] = {}
        self._day = (now() + timedelta(days=1)).astimezone(settings().timezone).date()
        self._version = catalogue.current(session, PROCEDURE, "", self._day)
        self._prices = {s: quoting.quote(session, self._version, s, self._day) for s in (Service.both, Service.return_)}
        self._serials = _serials(session)
        offices = _points(session, ServicePointKind.post_office)
        self._clerks = [self._hire(n, 3, Role.clerk, office) for n, office in enumerate(offices)]
        self._officers = {}
        self._homes = self._homes_by_office()
        self._plans: dict[int, UUID] = {}
        self._citizens, self._couriers = count(), count()
        self._in_office: list[tuple[_Staff, _Staff, dict[str, Any]]] = []

    def _hire(self, number: int, group: int, role: Role, place: ServicePoint) -> _Staff:
        phone = people.phone(group, 900_000 + number)
        person = post(self.session, phone, people.name(random.Random(phone)), role, place)
        device = Device()
        signed = signing_in.sign_in(self.session, phone, role, None, OfferedKey(device.public, b"", "cohort"))
        return _Staff(person, place, device, signed.token, role)

    def _homes_by_office(self) -> dict[UUID, list[tuple[str, float, float]]]:
        homes: dict[UUID, list[tuple[str, float, float]]] = {}
        rows = self.session.execute(select(Hamlet.point, Commune).join(Commune, Commune.code == Hamlet.commune_code))
        for at, commune in rows:
            if commune.post_office_id is not None:
                homes.setdefault(commune.post_office_id, []).append((commune.code, *lon_lat(at)))
        return homes

    def ride(self, couriers: int, rounds: int, stops: int, *, loaded: bool = True) -> list[Rider]:
        """So many couriers, each with so many rounds of so many doors, one round a day; else to be loaded by `load`."""
        offices = [clerk for clerk in self._clerks if clerk.place.id in self._homes]
        riders = []
        for n in islice(self._couriers, couriers):
            clerk = offices[n % len(offices)]
            courier = self._hire(n, 2, Role.courier, clerk.place)
            rider = Rider(str(courier.person.id), courier.code, courier.token, courier.device)
            rider.rides = [self._round(courier, clerk, day, stops) for day in range(rounds)]
            riders.append(rider)
        if loaded:
            self._load(len(self._in_office))
        self._write()
        return riders

    def load(self, *, but: int = 0) -> None:
        """Give couriers the bags that lie in the office, all but so many."""
        for courier, item_id in self._load(len(self._in_office) - but):
            changes.add(self.session, courier.person.id, "item_loaded", item_id)
        self._write()

    def _load(self, bags: int) -> list[tuple[_Staff, UUID]]:
        given = self._in_office[:bags]
        del self._in_office[:bags]
        for clerk, courier, custody in given:
            sides = party("office", clerk.place.code), party("courier", courier.code)
            self._handover(clerk, custody, sides, (clerk.place.id, courier.person.id))
        return [(courier, UUID(custody["item_id"])) for _, courier, custody in given]

    def _round(self, courier: _Staff, clerk: _Staff, day: int, stops: int) -> Ride:
        date = self._day + timedelta(days=day)
        departs = datetime.combine(date, datetime.min.time(), settings().timezone) + timedelta(hours=7)
        back = departs + timedelta(minutes=10 * stops + 20)
        shift = self._row(
            Shift,
            courier_id=courier.person.id,
            office_id=courier.place.id,
            starts_at=departs - timedelta(minutes=30),
            ends_at=departs + timedelta(hours=12),
            capacity=200,
        )
        round_id = self._row(
            Round,
            plan_id=self._plan(day, date),
            shift_id=shift,
            courier_id=courier.person.id,
            office_id=courier.place.id,
            day=date,
            half="morning",
            state="published",
            departs_at=departs,
            returns_at=back,
            metres=1000 * stops,
            travel_seconds=120 * stops,
        )
        ride = Ride(str(round_id), departs)
        for position in range(1, stops + 1):
            ride.stops.append(
                self._door(courier, clerk, round_id, position, departs + timedelta(minutes=10 * position))
            )
        return ride

    def _plan(self, day: int, date: Any) -> UUID:
        if day not in self._plans:
            values = {"day": date, "half": "morning", "state": "done", "progress": 100}
            self._plans[day] = self._row(DayPlan, requested_by=self._clerks[0].person.id, finished_at=now(), **values)
        return self._plans[day]

    def _door(self, courier: _Staff, clerk: _Staff, round_id: UUID, position: int, arrival: datetime) -> dict[str, Any]:
        delivery = self.rng.random() < DELIVERIES
        dossier, price = self._dossier(clerk, delivery=delivery)
        number = tracking_number(settings().tracking_prefix, next(self._serials))
        kind = "result" if delivery else "send"
        item = self._row(PostalItem, dossier_id=dossier["id"], kind=kind, tracking_number=number)
        job = self._row(
            Job,
            dossier_id=dossier["id"],
            item_id=item,
            kind="delivery" if delivery else "pickup",
            state="open",
            office_id=clerk.place.id,
            point=dossier["point"],
            service_seconds=240,
        )
        stop = self._row(
            Stop,
            round_id=round_id,
            job_id=job,
            position=position,
            arrival=arrival,
            service_start=arrival,
            departure=arrival + timedelta(minutes=5),
        )
        custody = {"item_id": str(item), "tracking_number": number, "leg": 1}
        if delivery:
            self._bring_result(clerk, courier, dossier, custody)
        return {
            "id": str(stop),
            "arrival": arrival.isoformat(),
            "job": {"kind": "delivery" if delivery else "pickup", "contact_name": dossier["contact_name"]}
            | {"point": dict(zip(("lon", "lat"), dossier["at"], strict=True))},
            "requirements": {"fee": price},
            "documents": [] if delivery else self._documents(dossier["id"]),
            "lines": [PAPER] if delivery else [],
            "custody": custody,
        }

    def _dossier(self, clerk: _Staff, *, delivery: bool) -> tuple[dict[str, Any], int]:
        service = Service.return_ if delivery else Service.both
        commune, lon, lat = self.rng.choice(self._homes[clerk.place.id])
        at = (round(lon + self.rng.gauss(0, 0.001), 7), round(lat + self.rng.gauss(0, 0.001), 7))
        name = people.name(self.rng)
        phone = people.phone(7, next(self._citizens))
        citizen = self._row(Person, phone=phone, full_name=name)
        point = f"SRID=4326;POINT({at[0]!r} {at[1]!r})"
        values = {"contact_name": name, "contact_phone": phone, "commune_code": commune, "point": point}
        dossier_id = self._row(
            Dossier,
            citizen_id=citizen,
            procedure_version_id=self._version.id,
            service=service,
            state="out_for_delivery" if delivery else "submitted",
            link_secret=f"{self.rng.randbytes(16).hex()}-cohort",
            address="Số 1",
            point_quality=PointQuality.pinned,
            office_id=clerk.place.id,
            centre_id=self._officer(commune).place.id,
            competent_agency=self._version.competent_agency,
            **values,
        )
        price = self._prices[service]
        for kind in ChargeKind:
            self._rows.setdefault(Charge, []).append(
                {"dossier_id": dossier_id, "kind": kind, "amount": getattr(price, kind.value)}
            )
        return {"id": dossier_id, "at": at, "commune": commune} | values, price.total

    def _officer(self, commune: str) -> _Staff:
        if commune not in self._officers:
            query = select(ServicePoint).where(ServicePoint.commune_code == commune, ServicePoint.level == "commune")
            place = self.session.scalars(query.order_by(ServicePoint.code).limit(1)).one()
            self._officers[commune] = self._hire(len(self._officers), 4, Role.officer, place)
        return self._officers[commune]

    def _documents(self, dossier_id: UUID) -> list[dict[str, Any]]:
        shown = []
        for requirement in self._version.requirements:
            counts = {"originals": requirement.originals, "copies": requirement.copies}
            self._row(
                Document, dossier_id=dossier_id, requirement_id=requirement.id, position=requirement.position, **counts
            )
            shown.append({"position": requirement.position, "name": requirement.name, **counts})
        return shown

    def _bring_result(self, clerk: _Staff, courier: _Staff, dossier: dict[str, Any], custody: dict[str, Any]) -> None:
        """The agency gave the result; it lies in the office."""
        officer = self._officer(dossier["commune"])
        agency, office = party("agency", officer.place.code), party("office", clerk.place.code)
        code = f"000.00.33.H33-261124-{self.rng.randrange(10**6):06d}"
        by = {"by": clerk.code, "code": code}
        self._handover(officer, custody, (agency, office), (officer.place.id, clerk.place.id), **by)
        self._in_office.append((clerk, courier, custody))

    def _handover(
        self,
        who: _Staff,
        custody: dict[str, Any],
        sides: tuple[dict[str, str], dict[str, str]],
        ids: tuple[UUID, UUID],
        **more: Any,
    ) -> None:
        at = now()
        said = Said(custody, {"device_at": at.isoformat()}, papers_of([PAPER]), sides, **more)
        handover_id = UUID(who.device.new_id())
        signed = said.signed_by(who.device, str(handover_id))
        who.device.count(signed)
        entry = {name: base64.b64decode(signed[name]) for name in ("event", "core", "signature")}
        self._row(
            Entry,
            id=handover_id,
            kind=Kind.handover,
            kid=who.device.kid,
            counter=who.device.counter,
            received_at=at,
            **entry,
        )
        self._rows.setdefault(Waiting, []).append({"entry_id": handover_id})
        salts = {name: base64.b64decode(salt).hex() for name, salt in signed["salts"].items()}
        content = {"salts": salts} | {name: value for name, value in said.values.items() if value is not None}
        self._rows.setdefault(Opening, []).append({"entry_id": handover_id, "content": content})
        self._row(
            Handover,
            id=handover_id,
            item_id=UUID(custody["item_id"]),
            leg=custody["leg"],
            from_role=sides[0]["r"],
            from_id=ids[0],
            to_role=sides[1]["r"],
            to_id=ids[1],
            recorded_by=who.person.id,
            recorded_role=who.role.value,
            device_at=moment(at.isoformat()),
            at=at,
            request_digest=hashlib.sha256(handover_id.bytes).digest(),
        )
        custody["leg"] += 1

    def _row(self, model: type[Base], **values: Any) -> UUID:
        row = {"id": new_id()} | values
        self._rows.setdefault(model, []).append(row)
        return row["id"]

    def _write(self) -> None:
        order = {table: n for n, table in enumerate(Base.metadata.sorted_tables)}
        for model in sorted(self._rows, key=lambda m: order[m.__table__]):
            self.session.execute(insert(model.__table__), self._rows[model])
        for who in (*self._clerks, *self._officers.values()):
            ends = {"last_counter": who.device.counter, "last_digest": who.device.previous}
            self.session.execute(update(DeviceRow).where(DeviceRow.kid == who.device.kid).values(**ends))
        self._rows.clear()


def _points(session: Session, kind: ServicePointKind) -> Sequence[ServicePoint]:
    return session.scalars(select(ServicePoint).where(ServicePoint.kind == kind).order_by(ServicePoint.code)).all()


def _serials(session: Session) -> Any:
    """Numbers of the last range, from its end: they are taken from the others first."""
    last = session.scalar(
        select(NumberRange.last)
        .where(NumberRange.prefix == settings().tracking_prefix)
        .order_by(NumberRange.last.desc())
    )
    assert last is not None
    return iter(range(last, 0, -1))
