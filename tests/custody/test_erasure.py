"""A person is erased: not a byte of theirs is left in the database or the store, and what was signed still holds."""

import base64
import json
import re
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from courier_api.custody import evidence, ledger, uploads
from courier_api.custody.models import Entry, Evidence, EvidenceKind, Handover, Opening, Operation, OperationState
from courier_api.db import Base
from courier_api.dossiers.models import Dossier
from courier_api.errors import NotFound, Refused
from courier_api.journey import erasing
from courier_api.people.models import Person, Role
from tests import cast as story
from tests.cast import STROKES, Cast, tomorrow
from tests.custody.phone import Phone, nowhere
from tests.custody.test_cases import decide

PHONE = "0912000001"
THEIRS = ("Nguyễn Thị Hoa", "912000001", "Ngõ 17 Điện Biên", "Gọi trước", json.dumps(STROKES)[2:-2])


def everything(session: Session) -> str:
    """All rows of all tables, as text, bytes as text where they are any."""
    found = []
    for name, table in Base.metadata.tables.items():
        if name in ("road", "commune", "hamlet", "procedure_version", "document_requirement"):
            continue
        for row in session.execute(table.select()):
            found += [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in row]
    return "\n".join([*found, *(unescaped(one) for one in found)])


def unescaped(text_: str) -> str:
    """What stands inside JSON, and inside base64 inside JSON."""
    try:
        value = json.loads(text_)
    except ValueError:
        return ""
    inside = json.dumps(value, ensure_ascii=False)
    for one in re.findall(r'"([A-Za-z0-9+/=]{40,})"', inside):
        with suppress(ValueError):
            inside += base64.b64decode(one).decode("utf-8", "replace")
    return inside


def dismiss(cast: Cast) -> None:
    """The dispatcher ends the one case, with a note that names the citizen."""
    (case,) = cast.dispatcher.get("/cases")["items"]
    device = cast.dispatcher.signer.device  # type: ignore[union-attr]
    said = {"of": case["operation_id"], "case": case["id"], "decision": "dismiss"}
    note = "Nguyễn Thị Hoa đã gọi"
    event, salts = device.event("custody.correction", tomorrow(9), {"note": note}, **said)
    signed = device.signed(event, salts)
    body = {"decision": "dismiss", "note": note, "signed": signed}
    cast.dispatcher.put(f"/cases/{case['id']}/decision", body)
    device.count(signed)


def sent_on_its_way(cast: Cast, *, decided: bool = True) -> dict[str, Any]:
    """A dossier of the send-only kind that has come to its end, with a failed visit and a refused operation before."""
    dossier = story.book(cast, service="send", address="Ngõ 17 Điện Biên")
    round_ = story.plan_and_publish(cast)
    phone = Phone(cast)
    stop = cast.courier.get(f"/stops/{round_['stops'][0]['id']}")
    phone.sync(phone.start(round_["id"]), phone.arrival(stop))
    bad = phone.handover(stop)
    bad["lines"] = "none"
    assert phone.sync(bad)[0]["result"] == "parked"
    if decided:
        dismiss(cast)
    assert phone.sync(phone.handover(stop))[0]["result"] == "applied"
    item = story.receive(cast)
    manifest = cast.clerk.post("/manifests", {"centre_id": str(cast.centre.id), "item_ids": [item["id"]]})
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    return dossier


def test_nothing_is_left_and_the_proofs_hold(cast: Cast) -> None:
    dossier = sent_on_its_way(cast)
    before = everything(cast.session)
    assert all(words in before for words in THEIRS[:4])
    rows = cast.session.scalars(select(Evidence)).all()
    assert STROKES[0][0] == json.loads(evidence.content_of(rows[0]))[0]["strokes"][0][0]
    erased = erasing.erase(cast.session, PHONE)
    cast.session.commit()
    cast.session.expire_all()
    assert (erased.dossiers, len(erased.files)) == (1, len(rows))
    after = everything(cast.session)
    assert [words for words in THEIRS if words in after] == []
    entries = {e.id: e for e in cast.session.scalars(select(Entry))}
    assert all(entries[h.id].event for h in cast.session.scalars(select(Handover)))
    for opening in cast.session.scalars(select(Opening).where(Opening.content.is_(None))):
        listed = json.loads(entries[opening.erased_by].event or b"")["entries"]
        assert str(opening.entry_id) in listed
    for row in rows:
        with pytest.raises(NotFound):
            evidence.content_of(row)
    ledger.grow(cast.session)
    assert ledger.proven(cast.session, entries[next(iter(entries))].id).inclusion is not None
    cast.citizen.get("/dossiers", 401)
    assert cast.session.get_one(Dossier, UUID(dossier["id"])).contact_name == ""


def test_nothing_more_is_taken_for_what_was_erased(cast: Cast) -> None:
    """Neither for what was done, nor for what was parked and left so: that would be kept for a decision."""
    sent_on_its_way(cast)
    courier = cast.session.get_one(Person, UUID(cast.courier.person_id))
    parked = cast.session.scalars(select(Operation.id).where(Operation.state == OperationState.parked)).one()
    done = cast.session.scalars(select(Handover.id).where(Handover.leg == 1)).one()
    for event in (parked, done):
        uploads.begin(cast.session, courier, event, EvidenceKind.photo, 10)
    erasing.erase(cast.session, PHONE)
    for event in (parked, done):
        with pytest.raises(NotFound):
            uploads.begin(cast.session, courier, event, EvidenceKind.photo, 10)


def test_a_new_citizen_may_have_the_phone(cast: Cast) -> None:
    erasing.erase(cast.session, PHONE)
    cast.session.commit()
    with pytest.raises(NotFound):
        erasing.erase(cast.session, PHONE)
    assert cast.session.scalars(select(Person.id).where(Person.phone == "+84912000001")).all() == []


def test_what_is_under_way_is_carried_to_its_end_first(cast: Cast) -> None:
    story.book(cast)
    with pytest.raises(Refused, match="dossier_under_way"):
        erasing.erase(cast.session, PHONE)


def test_staff_is_dismissed_first(cast: Cast) -> None:
    with pytest.raises(Refused, match="person_is_staff"):
        erasing.erase(cast.session, "0912000002")
    with pytest.raises(NotFound):
        erasing.erase(cast.session, "0912999999")


def test_a_case_is_decided_first(cast: Cast) -> None:
    sent_on_its_way(cast, decided=False)
    with pytest.raises(Refused, match="case_open"):
        erasing.erase(cast.session, PHONE)


def test_a_remark_is_read_first_and_goes_with_what_it_is_about(cast: Cast) -> None:
    sent_on_its_way(cast)
    phone = Phone(cast)
    taken = cast.session.scalars(select(Handover.id).where(Handover.leg == 1)).one()
    kept, parked = (phone.remark(str(taken), why, "Nguyễn Thị Hoa gọi lại") for why in ("other", "bored"))
    assert [a["result"] for a in phone.sync(kept, parked)] == ["applied", "parked"]
    for _ in range(2):
        with pytest.raises(Refused, match="case_open"):
            erasing.erase(cast.session, PHONE)
        case = cast.dispatcher.get("/cases")["items"][0]
        decide(cast, case, "dismiss")
    erasing.erase(cast.session, PHONE)
    cast.session.commit()
    cast.session.expire_all()
    assert [words for words in THEIRS if words in everything(cast.session)] == []
    assert cast.session.get_one(Opening, UUID(kept["id"])).content is None


def test_others_keep_what_is_theirs(cast: Cast) -> None:
    sent_on_its_way(cast)
    kept = cast.session.scalar(text("SELECT count(*) FROM operation WHERE content IS NOT NULL"))
    assert kept == 1
    # Another's bytes that hold what every operation holds, and a name that many have.
    other = Phone(cast, cast.outsider[Role.courier])
    waiting = other.operation("courier.start", {"note": "signed"}, round=nowhere())
    waiting = other.operation("courier.start", {"note": "Nguyễn Thị Hoa"}, round=nowhere())
    assert other.sync(waiting)[0]["result"] == "waiting"
    cast.session.execute(text("UPDATE dossier SET note = 'signed', address = 'event'"))
    cast.session.commit()
    cast.session.expire_all()
    erasing.erase(cast.session, PHONE)
    assert json.loads(cast.session.get_one(Operation, UUID(waiting["id"])).content or b"") == waiting
    names = cast.session.scalars(select(Person.full_name)).all()
    assert "Trần Văn Nam" in names
    assert "Nguyễn Thị Hoa" not in names
