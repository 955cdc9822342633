"""The page of cases in Chromium: shown, decided, signed by the browser's own key, and in the ledger."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from courier_api.api import operations
from courier_api.custody import events, ledger
from courier_api.custody.models import Case, Entry, Handover, Opening, Operation
from courier_api.people import devices
from courier_api.people.models import Device, OneTimeCode
from courier_api.proof.core import Kind
from courier_api.settings import settings
from tests import cast as story
from tests.browser.driving import drive
from tests.cast import HOME, Cast, tomorrow
from tests.custody.phone import Phone
from tests.serving import serving

SECONDS = 240  # some 40 on an idle machine
NOTE = "Bưu tá gọi, xác nhận đã nhận hồ sơ của chị Hoa"
PHONE = "0912000004"


@pytest.fixture
def parked(cast: Cast) -> dict[str, Any]:
    """Five cases: a door called off while the courier took the papers, three early finishes, and a gap behind them."""
    phone: Any = Phone(cast)
    dossiers = [story.book(cast, point={"lon": lon, "lat": HOME[1]}) for lon in (HOME[0], HOME[0] + 0.02)]
    round_ = story.plan_and_publish(cast)
    doors = [cast.courier.get(f"/stops/{stop['id']}") for stop in round_["stops"]]
    mine = {door["custody"]["tracking_number"]: door for door in doors}
    first = dossiers[0]
    door = next(door for door in doors if door["custody"]["item_id"] in json.dumps(first))
    other = next(d for d in mine.values() if d is not door)
    phone.sync(phone.start(round_["id"]), phone.arrival(door))
    cast.citizen.put(f"/dossiers/{first['id']}/cancellation", If_Match="*")
    handover = phone.handover(door)
    phone.sync(handover, *(phone.finish(round_["id"]) for _ in range(3)))
    phone.arrival(other)  # never sent
    phone.sync(phone.failure(other, "Chị Hoa xin hẹn lại", reason="postponed"))
    cast.session.execute(
        update(Operation).where(Operation.state == "waiting").values(received_at=tomorrow() - timedelta(days=3))
    )
    cast.session.commit()
    operations.apply_left()
    ledger.grow(cast.session)
    cast.session.commit()
    kinds = cast.session.scalars(select(Case.kind).order_by(Case.id)).all()
    assert kinds == ["parked"] * 4 + ["gap"]
    return {"handover": handover["id"], "number": door["custody"]["tracking_number"], "dossier": first["id"]}


@pytest.fixture
def address(app: Flask, cast: Cast) -> Iterator[str]:
    """A live server; /test/... is what others do meanwhile."""
    meanwhile: dict[str, Callable[[str], Any]] = {
        "older": lambda _: cast.session.execute(
            update(OneTimeCode).values(created_at=OneTimeCode.created_at - timedelta(days=2))
        ),
        "revoke": lambda kid: devices.revoke(cast.session, kid),
        "quarantine": lambda kid: devices.quarantine(cast.session, kid),
    }

    def site(environ: Any, start_response: Any) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/test/"):
            return app(environ, start_response)
        name, _, value = environ["PATH_INFO"].removeprefix("/test/").partition("/")
        meanwhile[name](value)
        cast.session.commit()
        start_response("200 OK", [])
        return [b""]

    with serving(site) as address:
        yield address


def test_cases_are_decided_and_signed_in_the_browser(cast: Cast, parked: dict[str, Any], address: str) -> None:
    found = drive(
        "cases.mjs",
        address,
        seconds=SECONDS,
        TOKEN=cast.dispatcher.token,
        PHONE=PHONE,
        NOTE=NOTE,
        SMS=settings().sms_log,
    )
    assert found["small"] == []
    assert found["bare"] == []
    _reads_well(found, parked)
    _is_recorded(cast, found, parked)


def _reads_well(found: dict[str, Any], parked: dict[str, Any]) -> None:
    shown = found["shown"]
    assert len(shown["vi"]["entries"]) == 5
    assert "Trần Văn Nam nhận hồ sơ từ người dân" in shown["vi"]["entries"][0]
    assert parked["number"] in shown["vi"]["entries"][0]
    assert "Trần Văn Nam took papers from a citizen" in shown["en"]["entries"][0]
    for tongue, words in (
        ("vi", ("Bưu tá\u00a0C-", "Người dân", "mã cam kết", "Danh mục giấy tờ", "Chữ ký tay", "08:12")),
        ("en", ("Courier\u00a0C-", "The citizen", "Commitments only", "Signatures by hand", "08:12")),
    ):
        for word in (*words, parked["number"]):
            assert word in shown[tongue]["detail"], word
    assert "đang ở trạng thái “đã huỷ”" in shown["vi"]["detail"]
    assert shown["vi"]["choices"] == ["retry", "record", "dismiss"]
    assert shown["finish"]["choices"] == ["retry", "dismiss"]
    assert found["signedOut"] == [True, False]
    assert found["missing"] == ["Hãy ghi vì sao bạn quyết định như vậy", "note"]
    assert "Ghi nhận bàn giao" in found["sure"]
    assert "không sửa hay xoá được" in found["sure"]
    assert "Chưa thực hiện được" in found["refused"]
    assert "trạng thái" in found["refused"]
    assert "vẫn còn vướng" in found["refused"]
    assert "Đã ký và ghi vào sổ cái: Ghi nhận bàn giao" in found["recorded"]
    assert "Ghi nhận bàn giao" in found["decidedShown"]
    assert "chưa có khoá ký" in found["noKey"]
    assert found["unsure"].count("sẽ không ghi hai lần") == 1
    assert "sao chép" in found["quarantined"]
    assert "hết hạn" in found["revoked"]
    assert found["noteKept"] == NOTE
    assert "Không có việc nào chờ bạn" in found["empty"]
    assert "5 việc chờ bạn quyết định" in found["home"]
    assert "ký bằng khoá" in found["home"]
    assert len(set(found["kids"])) == len(found["kids"]) == 3


def _is_recorded(cast: Cast, found: dict[str, Any], parked: dict[str, Any]) -> None:
    cast.session.expire_all()
    cases = cast.session.scalars(select(Case).order_by(Case.id)).all()
    assert [case.decision for case in cases] == ["record", "dismiss", "dismiss", "dismiss", "skip"]
    assert str(cast.session.scalars(select(Handover)).one().id) == parked["handover"]
    assert cast.citizen.get(f"/dossiers/{parked['dossier']}")["state"] == "collected"
    corrections = cast.session.scalars(select(Entry).where(Entry.kind == Kind.correction)).all()
    assert len(corrections) == 5
    by_id = {entry.id: entry for entry in corrections}
    for case in cases:
        assert case.correction_id is not None
        entry = by_id[case.correction_id]
        event = events.read(entry.event or b"")
        assert event.fields["case"] == str(case.id)
        assert event.fields["of"] == str(case.operation_id) == str(entry.of)
        assert event.fields["decision"] == case.decision
        assert len(event.fields["anchor"]) == 64
        opening = cast.session.get_one(Opening, entry.id)
        assert opening.content is not None
        assert opening.content["note"] == NOTE
    # Each key's events are counted without a gap, whatever was refused, lost on the way or signed in another tab.
    counters = {kid: sorted(e.counter or 0 for e in corrections if e.kid == kid) for kid in found["kids"]}
    assert counters == {found["kids"][0]: [1, 2, 3], found["kids"][1]: [1], found["kids"][2]: [1]}
    assert cast.session.get_one(Device, found["kids"][0]).last_counter == 3
    assert not cast.session.scalars(select(Operation).where(Operation.code.like("counter%"))).all()
