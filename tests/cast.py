"""The fixed cast: a citizen, a courier, a clerk, a dispatcher, an agency officer, and an outsider in each role."""

import re
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from courier_api import tasks
from courier_api.db import now
from courier_api.people import signing_in
from courier_api.people.devices import OfferedKey
from courier_api.people.models import Role
from courier_api.places.models import Commune, ServicePoint
from courier_api.queue import Outbox
from courier_api.settings import settings
from scripts.commands.operator import post
from scripts.simulation.device import Device
from tests.signing import Signer

PROCEDURE = "2.000635"
HOME = (106.0620, 20.6600)  # inside Phường Phố Hiến
STROKES = [[[10, 12, 0, 50], [14, 18, 16, 60], [22, 15, 33, 55]]]


@dataclass
class Actor:
    """Someone with a token, calling his part of the API."""

    client: FlaskClient
    token: str
    person_id: str
    audience: str
    etags: dict[str, str] = field(default_factory=dict)
    signer: Signer | None = None

    def signed(self, path: str, body: Any) -> tuple[str, Any]:
        """The path and body of a handover with the event that this actor's device signs for it."""
        return self.signer.sign(path, body) if self.signer else (path, body)

    def call(self, method: str, path: str, body: Any = None, status: int | None = None, **headers: str) -> Any:
        """Call, remember the ETag, and give the decoded answer; fail with the answer when the status is another."""
        path = path if path.startswith("/api") else f"/api/v1/{self.audience}{path}"
        sent = {"Authorization": f"Bearer {self.token}", "Accept-Language": "en"}
        sent |= {k.replace("_", "-"): v for k, v in headers.items()}
        path, body = self.signed(path, body)
        response = self.client.open(path, method=method, json=body, headers=sent)
        if self.signer:
            self.signer.answered(path, body, response.status_code < 300)
        if status is not None:
            assert response.status_code == status, (response.status_code, response.get_data(as_text=True))
        if "ETag" in response.headers:
            self.etags[path] = response.headers["ETag"]
        self.last = response
        return response.get_json() if response.data else None

    def get(self, path: str, status: int = 200, **headers: str) -> Any:
        return self.call("GET", path, None, status, **headers)

    def put(self, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        return self.call("PUT", path, body, status, **headers)

    def post(self, path: str, body: Any, status: int = 201, **headers: str) -> Any:
        headers.setdefault("Idempotency_Key", f'"{uuid4()}"')
        return self.call("POST", path, body, status, **headers)


@dataclass
class Cast:
    """Everybody, around one post office and one one-stop unit."""

    session: Session
    client: FlaskClient
    office: ServicePoint
    centre: ServicePoint
    citizen: Actor
    courier: Actor
    clerk: Actor
    dispatcher: Actor
    officer: Actor
    outsider: dict[Role, Actor]


def tomorrow(hour: int = 0, minute: int = 0, *, later: int = 0) -> datetime:
    """A moment of tomorrow, or of some days later, local time."""
    zone = settings().timezone
    return datetime.combine(now().astimezone(zone).date() + timedelta(days=1 + later), time(hour, minute), zone)


def assemble(session: Session, client: FlaskClient) -> Cast:
    """Put the cast in place: the office of Phố Hiến, its commune's one-stop unit, outsiders elsewhere."""
    commune = session.scalars(select(Commune).where(Commune.short_name == "Phố Hiến")).one()
    office = session.get_one(ServicePoint, commune.post_office_id)
    centre = session.scalars(
        select(ServicePoint).where(ServicePoint.commune_code == commune.code, ServicePoint.level == "commune")
    ).one()
    other_office = session.scalars(
        select(ServicePoint).where(ServicePoint.kind == "post_office", ServicePoint.id != office.id).limit(1)
    ).one()
    other_centre = session.scalars(
        select(ServicePoint).where(ServicePoint.level == "commune", ServicePoint.id != centre.id).limit(1)
    ).one()

    def actor(phone: str, name: str, role: Role, place: ServicePoint | None) -> Actor:
        if place is not None:
            post(session, phone, name, role, place)
        device = Device()
        key = OfferedKey(device.public, b"", "test") if place is not None else None
        signed = signing_in.sign_in(session, phone, role, name, key)
        audience = {"officer": "agencies"}.get(role.value, f"{role.value}s")
        signer = Signer(session, device, signed.person.staff_code(role), place) if place is not None else None
        return Actor(client, signed.token, str(signed.person.id), audience, signer=signer)

    everybody = Cast(
        session,
        client,
        office,
        centre,
        citizen=actor("+84912000001", "Nguyễn Thị Hoa", Role.citizen, None),
        courier=actor("+84912000002", "Trần Văn Nam", Role.courier, office),
        clerk=actor("+84912000003", "Lê Thị Mai", Role.clerk, office),
        dispatcher=actor("+84912000004", "Phạm Văn Dũng", Role.dispatcher, office),
        officer=actor("+84912000005", "Đỗ Thị Lan", Role.officer, centre),
        outsider={
            Role.citizen: actor("+84912000011", "Kẻ Lạ", Role.citizen, None),
            Role.courier: actor("+84912000012", "Bưu Tá Khác", Role.courier, other_office),
            Role.clerk: actor("+84912000013", "Giao Dịch Viên Khác", Role.clerk, other_office),
            Role.officer: actor("+84912000015", "Cán Bộ Khác", Role.officer, other_centre),
        },
    )
    session.commit()
    return everybody


def booking(checklist: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """A booking that is right in every field; `changes` makes it wrong."""
    body = {
        "procedure_code": PROCEDURE,
        "service": "both",
        "contact_name": "Nguyễn Thị Hoa",
        "contact_phone": "0912000001",
        "address": "Số 2 Chùa Chuông",
        "note": "Gọi trước",
        "point": {"lon": HOME[0], "lat": HOME[1]},
        "window": {"start": tomorrow(8).isoformat(), "end": tomorrow(10).isoformat()},
        "documents": [
            {"position": r["position"], "originals": r["originals"], "copies": r["copies"]} for r in checklist
        ],
        "consent": True,
    }
    return body | changes


def counted(lines: list[dict[str, Any]]) -> list[dict[str, int]]:
    """The same papers, counted again."""
    return [{k: line[k] for k in ("position", "originals", "copies")} for line in lines]


def sent_code(text: str) -> str:
    """The six digits in a message."""
    found = re.search(r"\b(\d{6})\b", text)
    assert found
    return found[1]


# --- the story, step by step; each step takes up where the last one ended -------------------------------------------


def book(cast: Cast, **changes: Any) -> dict[str, Any]:
    """The citizen books."""
    checklist = cast.citizen.get(f"/api/v1/public/procedures/{PROCEDURE}")["requirements"]
    return cast.citizen.post("/dossiers", booking(checklist, **changes))


def give_shift(cast: Cast, courier: Actor, day: int = 0) -> dict[str, Any]:
    """The dispatcher gives a courier a whole day's shift, `day` days after tomorrow."""
    hours = {"starts_at": tomorrow(6, 30, later=day).isoformat(), "ends_at": tomorrow(19, later=day).isoformat()}
    return cast.dispatcher.post("/shifts", {"courier_id": courier.person_id, **hours})


def plan(cast: Cast, half: str = "morning", day: int = 0) -> dict[str, Any]:
    """The dispatcher asks for a plan and a worker makes it, or fails to."""
    asked = cast.dispatcher.post("/plans", {"day": tomorrow(later=day).date().isoformat(), "half": half}, 202)
    work(cast)
    return cast.dispatcher.get(f"/plans/{asked['id']}")


def work(cast: Cast) -> None:
    """A worker does what waits in the outbox."""
    cast.session.expire_all()
    row = cast.session.scalars(select(Outbox).where(Outbox.done_at.is_(None))).one()
    tasks.run(str(row.id))
    cast.session.expire_all()


def window_on(day: int) -> dict[str, Any]:
    """A window in the morning, `day` days after tomorrow."""
    return {"window": {"start": tomorrow(8, later=day).isoformat(), "end": tomorrow(10, later=day).isoformat()}}


def plan_and_publish(cast: Cast, half: str = "morning", day: int = 0) -> dict[str, Any]:
    """The dispatcher gives the courier a shift, plans and publishes; the round is given back."""
    shifts = cast.dispatcher.get(f"/shifts?day={tomorrow(later=day).date()}")["items"]
    if not any(s["courier"]["id"] == cast.courier.person_id for s in shifts):
        give_shift(cast, cast.courier, day)
    done = plan(cast, half, day)
    assert done["state"] == "done", done
    rounds = cast.dispatcher.put(f"/plans/{done['id']}/publication")
    mine = [r for r in rounds if r["courier"]["id"] == cast.courier.person_id]
    return cast.courier.get(f"/rounds/{mine[0]['id']}") if mine else done


def start(cast: Cast, round_id: str) -> None:
    """The courier leaves."""
    cast.courier.get(f"/rounds/{round_id}")
    etag = cast.courier.etags[f"/api/v1/couriers/rounds/{round_id}"]
    cast.courier.put(f"/rounds/{round_id}/start", If_Match=etag)


def arrive(cast: Cast, stop: dict[str, Any]) -> dict[str, Any]:
    """The courier is at the door; the stop with its papers is given back."""
    place = {"lon": stop["job"]["point"]["lon"], "lat": stop["job"]["point"]["lat"]}
    cast.courier.put(f"/stops/{stop['id']}/arrival", {"device_at": tomorrow(8, 5).isoformat(), "place": place})
    return cast.courier.get(f"/stops/{stop['id']}")


def pickup(cast: Cast, stop: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What the courier records when everything is right at a pickup."""
    body = {
        "stop_id": stop["id"],
        "device_at": tomorrow(8, 12).isoformat(),
        "place": {"lon": HOME[0], "lat": HOME[1]},
        "accuracy_m": 8,
        "lines": counted(stop["documents"]),
        "seal_number": "NS-004217",
        "identity_check": "card_seen",
        "fee_collected": stop["requirements"]["fee"],
        "signatures": [{"signer_name": "Nguyễn Thị Hoa", "strokes": STROKES}],
    }
    return body | changes


def delivery(cast: Cast, stop: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What the courier records when everything is right at a delivery."""
    body = pickup(cast, stop) | {"lines": counted(stop["lines"]), "seal_number": None, "receiver": "self"}
    return body | changes


def at_counter(item: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What is recorded at a counter when everything is right."""
    return {
        "item_id": item["id"],
        "device_at": tomorrow(11, 10).isoformat(),
        "lines": counted(item["lines"]),
    } | changes


def checklist(cast: Cast, code: str = PROCEDURE) -> list[dict[str, Any]]:
    """What papers a procedure asks for."""
    return cast.citizen.get(f"/api/v1/public/procedures/{code}")["requirements"]


def ride(cast: Cast, half: str = "morning", day: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """A round is planned, published and started; the courier is at its first door."""
    round_ = plan_and_publish(cast, half, day)
    start(cast, round_["id"])
    return round_, arrive(cast, round_["stops"][0])


def fail(cast: Cast, stop: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The courier leaves the door with nothing changed hands."""
    body = {"reason": "not_home", "device_at": tomorrow(8, 10).isoformat()} | changes
    return cast.courier.put(f"/stops/{stop['id']}/failure", body)


def finish(cast: Cast, round_id: str) -> None:
    """The courier is back."""
    cast.courier.get(f"/rounds/{round_id}")
    cast.courier.put(f"/rounds/{round_id}/finish", If_Match=cast.courier.etags[f"/api/v1/couriers/rounds/{round_id}"])


def collected(cast: Cast) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A dossier, and the started round and stop with which the courier collected it."""
    dossier = book(cast)
    round_, stop = ride(cast)
    cast.courier.put(f"/handovers/{uuid4()}", pickup(cast, stop))
    return dossier, round_, stop


def receive(cast: Cast) -> dict[str, Any]:
    """The clerk takes over the one item that the courier holds; it is given back with its lines."""
    item = cast.clerk.get(f"/couriers/{cast.courier.person_id}/items")[0]
    cast.clerk.put(f"/receipts/{uuid4()}", at_counter(item))
    return item


def listed(cast: Cast) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A dossier at the post office on a manifest for its agency: dossier, manifest and item."""
    dossier, round_, _ = collected(cast)
    item = receive(cast)
    finish(cast, round_["id"])
    manifest = cast.clerk.post("/manifests", {"centre_id": str(cast.centre.id), "item_ids": [item["id"]]})
    return dossier, manifest, item


def acceptance(item: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What an officer sends when everything is right."""
    return {
        "handover_id": str(uuid4()),
        "device_at": tomorrow(14).isoformat(),
        "lines": counted(item["lines"]),
        "dossier_code": "000.00.31.H31-261124-0001",
        "due_date": tomorrow().date().isoformat(),
    } | changes


def result(cast: Cast, dossier: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What an officer sends with a result."""
    return {
        "dossier_id": dossier["id"],
        "papers": [{"name": "Giấy chứng nhận", "originals": 1, "copies": 0}],
        "received_by": cast.clerk.person_id,
        "device_at": tomorrow(15).isoformat(),
    } | changes


def load(cast: Cast) -> dict[str, Any]:
    """The clerk gives the courier the one item that the office holds."""
    item = cast.clerk.get("/items")["items"][0]
    cast.clerk.put(f"/loadings/{uuid4()}", at_counter(item, courier_id=cast.courier.person_id))
    return item
