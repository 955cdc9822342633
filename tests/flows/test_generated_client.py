"""The contract is enough: a client generated from the served OpenAPI document runs the whole story over a socket."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from courier_api import tasks
from courier_api.people.models import Role
from courier_api.queue import Outbox
from scripts.simulation import device as devices
from scripts.simulation.device import Device
from tests import cast as story
from tests.cast import HOME, PROCEDURE, STROKES, Cast, tomorrow
from tests.serving import serving

PACKAGE = "generated_courier_client"


@pytest.fixture
def served(app: Flask, cast: Cast) -> Iterator[str]:
    """The application on a socket, one request at a time: it works on the test's own connection."""
    with serving(app, threaded=False) as address:
        yield address


@pytest.fixture
def generated(served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The client that openapi-python-client writes from the document as served."""
    document = tmp_path / "openapi.json"
    document.write_bytes(httpx.get(f"{served}/api/openapi.json").content)
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    where = [
        "--path",
        str(document),
        "--output-path",
        str(tmp_path / PACKAGE),
        "--config",
        str(_without_hooks(tmp_path)),
    ]
    subprocess.run([*command, *where], check=True, capture_output=True, cwd=tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module(PACKAGE)
    for name in [n for n in sys.modules if n == PACKAGE or n.startswith(f"{PACKAGE}.")]:
        del sys.modules[name]


def _without_hooks(folder: Path) -> Path:
    config = folder / "config.yml"
    overrides = dict.fromkeys(("application/pdf", "application/offset+octet-stream"), "application/octet-stream")
    config.write_text(json.dumps({"post_hooks": [], "content_type_overrides": overrides}))
    return config


def signed(
    device: Device, eid: UUID, body: dict[str, Any], custody: Any, sides: tuple[str, str], papers: Any, **stated: Any
) -> dict[str, Any]:
    """A handover's body with the event for it, made of nothing but what the API has shown; sides are role:code."""
    giver, taker = (devices.party(*side.split(":")) for side in sides)
    fields = devices.handover_fields(body) | {
        "item": str(custody.item_id),
        "no": custody.tracking_number,
        "leg": custody.leg,
        "from": giver,
        "to": taker,
    }
    counted = [[n, p["name"], p["originals"], p["copies"]] for n, p in enumerate(papers, 1)]
    values = devices.handover_values(body, counted, stated.pop("citizen", None))
    event, salts = device.event(
        "custody.handover", devices.moment(body["device_at"]), values, eid=str(eid), **fields, **stated
    )
    said = device.signed(event, salts)
    device.count(said)
    return body | {"signed": said}


class Person:
    """Someone who only knows the generated client."""

    device: Device
    staff: Any

    def __init__(self, package: ModuleType, url: str, token: str) -> None:
        self.client = package.AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True)

    def ask(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        """Call an operation; fail unless the answer is a success."""
        return self.answer(operation, *args, **kwargs).parsed

    def answer(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        """Call an operation and give the whole response."""
        module = importlib.import_module(f"{PACKAGE}.api.{operation}")
        response = module.sync_detailed(*args, client=self.client, **kwargs)
        assert response.status_code < 300, (operation, response.status_code, response.content)
        return response


def model(name: str) -> Any:
    """A class of the generated models."""
    return getattr(importlib.import_module(f"{PACKAGE}.models"), name)


def test_a_generated_client_runs_the_story(
    generated: ModuleType, served: str, cast: Cast, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages: list[str] = []
    monkeypatch.setattr("courier_api.api.public.send_sms", lambda phone, text: messages.append(text))

    def sign_in(phone: str, role: Role) -> Person:
        nobody = Person(generated, served, "none yet")
        nobody.ask("public.request_sign_in_code", body=model("CodeRequest")(phone=phone))
        code, device = story.sent_code(messages[-1]), Device()
        key = device.offer(code) if role is not Role.citizen else None
        body = model("SignIn").from_dict({"phone": phone, "code": code, "role": role.value, "device_key": key})
        staff = nobody.ask("public.sign_in", body=body)
        person = Person(generated, served, staff.token)
        person.device, person.staff = device, staff
        return person

    citizen = sign_in("0912000001", Role.citizen)
    courier = sign_in("0912000002", Role.courier)
    clerk = sign_in("0912000003", Role.clerk)
    dispatcher = sign_in("0912000004", Role.dispatcher)
    officer = sign_in("0912000005", Role.officer)

    checklist = citizen.ask("public.get_procedure", PROCEDURE).requirements
    both = model("GetQuoteService")("both")
    quote = citizen.ask("public.get_quote", procedure=PROCEDURE, service=both)
    assert quote.total == quote.state_fee + quote.postage + quote.fee_transfer
    booking = story.booking([r.to_dict() for r in checklist])
    dossier = citizen.ask("citizens.submit_dossier", body=model("DossierIn").from_dict(booking), idempotency_key=_key())

    def plan(half: str) -> Any:
        body = model("PlanIn").from_dict({"day": tomorrow().date().isoformat(), "half": half})
        asked = dispatcher.ask("dispatchers.request_plan", body=body, idempotency_key=_key())
        row = session.scalars(select(Outbox).where(Outbox.done_at.is_(None))).one()
        tasks.run(str(row.id))
        session.expire_all()
        assert dispatcher.ask("dispatchers.get_plan", asked.id).state == "done"
        rounds = dispatcher.ask("dispatchers.publish_plan", asked.id)
        return next(r for r in rounds if r.courier.id == UUID(cast.courier.person_id))

    shift = {
        "courier_id": cast.courier.person_id,
        "starts_at": tomorrow(6, 30).isoformat(),
        "ends_at": tomorrow(19).isoformat(),
    }
    dispatcher.ask("dispatchers.define_shift", body=model("ShiftIn").from_dict(shift), idempotency_key=_key())

    def door(round_id: UUID, **more: Any) -> Any:
        seen = courier.answer("couriers.get_my_round", round_id)
        courier.ask("couriers.start_round", round_id, if_match=seen.headers["ETag"])
        stop_id = seen.parsed.stops[0].id
        place = {"lon": HOME[0], "lat": HOME[1]}
        arrival = {"device_at": tomorrow(8, 5).isoformat(), "place": place}
        courier.ask("couriers.arrive_at_stop", stop_id, body=model("Arrival").from_dict(arrival))
        stop = courier.ask("couriers.get_my_stop", stop_id)
        body = {
            "stop_id": str(stop_id),
            "device_at": tomorrow(8, 12).isoformat(),
            "place": place,
            "lines": _counted(stop.documents if stop.job.kind == "pickup" else stop.lines),
            "identity_check": "card_seen",
            "fee_collected": stop.requirements.fee,
            "signatures": [{"signer_name": "Nguyễn Thị Hoa", "strokes": STROKES}],
        }
        pickup = stop.job.kind == "pickup"
        mine, eid = f"courier:{courier.staff.staff_code}", UUID(courier.device.new_id())
        sides = ("citizen:", mine) if pickup else (mine, "citizen:")
        papers = [p.to_dict() for p in (stop.documents if pickup else stop.lines)]
        stated = {"stop": str(stop_id), "citizen": stop.job.contact_name}
        body = signed(courier.device, eid, body | more, stop.custody, sides, papers, **stated)
        return courier.ask("couriers.record_handover", eid, body=model("DoorHandoverIn").from_dict(body))

    morning = plan("morning")
    assert door(morning.id, seal_number="NS-1").leg == 1
    item = clerk.ask("clerks.list_courier_items", UUID(cast.courier.person_id))[0]
    office = f"office:{clerk.staff.place_code}"
    holder, eid = item.custody.holder, UUID(clerk.device.new_id())
    sides = (f"{holder.role}:{holder.code}", office)
    body = signed(clerk.device, eid, _at_counter(item), item.custody, sides, [x.to_dict() for x in item.lines])
    clerk.ask("clerks.receive_from_courier", eid, body=model("CounterHandoverIn").from_dict(body))
    body = model("ManifestIn").from_dict({"centre_id": str(cast.centre.id), "item_ids": [str(item.id)]})
    manifest = clerk.ask("clerks.make_manifest", body=body, idempotency_key=_key())
    seen = courier.answer("couriers.get_my_round", morning.id)
    courier.ask("couriers.finish_round", morning.id, if_match=seen.headers["ETag"])
    line = officer.ask("agencies.get_manifest", manifest.id).lines[0]
    acceptance = {
        "handover_id": officer.device.new_id(),
        "device_at": tomorrow(14).isoformat(),
        "lines": _counted(line.lines),
        "dossier_code": "000.00.33.H33-261124-0001",
        "due_date": tomorrow().date().isoformat(),
    }
    agency = f"agency:{officer.staff.place_code}"
    stated = {"code": acceptance["dossier_code"], "due": acceptance["due_date"], "manifest": manifest.number}
    papers = [x.to_dict() for x in line.lines]
    eid = UUID(acceptance["handover_id"])
    acceptance = signed(officer.device, eid, acceptance, line.custody, (office, agency), papers, **stated)
    accepted = officer.ask(
        "agencies.accept_line", manifest.id, item.id, body=model("AcceptanceIn").from_dict(acceptance)
    )
    assert accepted.state == "accepted"
    result = {
        "dossier_id": str(dossier.id),
        "papers": [{"name": "Bản sao trích lục", "originals": 1, "copies": 0}],
        "received_by": cast.clerk.person_id,
        "device_at": tomorrow(15).isoformat(),
    }
    seen, eid = officer.ask("agencies.get_agency_dossier", dossier.id), UUID(officer.device.new_id())
    clerks = {str(c.id): c.staff_number for c in seen.office_clerks}
    stated = {"by": f"G-{clerks[cast.clerk.person_id]:05d}"}
    result = signed(officer.device, eid, result, seen.result, (agency, office), result["papers"], **stated)
    officer.ask("agencies.hand_back_result", eid, body=model("ResultIn").from_dict(result))

    afternoon = plan("afternoon")
    bag = next(i for i in clerk.ask("clerks.list_office_items").items if i.kind == "result")
    loading = _at_counter(bag) | {"courier_id": cast.courier.person_id}
    sides, eid = (office, f"courier:{courier.staff.staff_code}"), UUID(clerk.device.new_id())
    loading = signed(clerk.device, eid, loading, bag.custody, sides, [x.to_dict() for x in bag.lines])
    clerk.ask("clerks.load_courier", eid, body=model("LoadingIn").from_dict(loading))
    assert door(afternoon.id, receiver="self").to_role == "citizen"

    end = citizen.ask("citizens.get_dossier", dossier.id)
    assert end.state == "delivered"
    assert end.due_date == datetime.fromisoformat(acceptance["due_date"]).date()
    digits = citizen.ask("public.find_tracking", number=end.items[0].tracking_number, phone_digits="0001")
    assert digits.state == "delivered"


def _key() -> str:
    return f'"{uuid4()}"'


def _counted(lines: Any) -> list[dict[str, int]]:
    return [{"position": x.position, "originals": x.originals, "copies": x.copies} for x in lines]


def _at_counter(item: Any) -> dict[str, Any]:
    return {"item_id": str(item.id), "device_at": tomorrow(11).isoformat(), "lines": _counted(item.lines)}
