"""What somebody with a real key, a copied one or a stolen token may try, and that it stops nobody else."""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from courier_api.api import operations
from courier_api.custody import events, evidence, ledger, uploads
from courier_api.custody.models import Case, Entry, EvidenceKind, Handover, Operation
from courier_api.db import now
from courier_api.errors import NotFound
from courier_api.people import devices, signing_in
from courier_api.people.models import Device, Person, Role
from courier_api.proof import files, note
from courier_api.proof.core import Core, Kind
from courier_api.settings import settings
from scripts.simulation.device import base64_of
from tests import cast as story
from tests.cast import Cast
from tests.custody.phone import Phone, nowhere
from tests.refusals import problem_in


@pytest.fixture
def phone(cast: Cast) -> Any:
    """A courier at a door."""
    phone: Any = Phone(cast)
    phone.dossier = story.book(cast)
    phone.round_, phone.stop = story.ride(cast)
    return phone


def results(answers: list[dict[str, Any]]) -> list[tuple[str, str | None]]:
    return [(a["result"], a["code"]) for a in answers]


def recored(phone: Any, operation: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The device signs another core about the same event."""
    core = Core.unpack(base64.b64decode(operation["signed"]["core"]))
    packed = type(core)(**{f: getattr(core, f) for f in core.__slots__} | fields).pack()
    signed = operation["signed"] | {"core": base64_of(packed), "signature": base64_of(phone.device.sign(packed))}
    return operation | {"signed": signed}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kind": Kind.countersignature}, "kind_not_signed_here"),
        ({"kind": Kind.erasure}, "kind_not_signed_here"),
        ({"kind": Kind.correction}, "kind_not_signed_here"),
        ({"counter": 2**31}, "counter_out_of_range"),
        ({"counter": 0}, "counter_out_of_range"),
        ({"event_id": UUID("b1a3c0de-5a1e-4c1b-9d2f-0e7a6b5c4d3f")}, "id_of_another_key"),
    ],
    ids=str,
)
def test_a_core_that_is_none_of_a_couriers_is_rejected_and_blocks_nothing(
    cast: Cast, phone: Any, fields: dict[str, Any], code: str
) -> None:
    good = phone.handover(phone.stop)
    bad = recored(phone, good, **fields)
    assert results(phone.sync(bad, good)) == [("rejected", code), ("applied", None)]
    assert cast.session.query(Operation).where(Operation.content.is_not(None)).count() == 1


def test_a_field_with_a_nul_blocks_nothing(cast: Cast, phone: Any) -> None:
    bad = phone.handover(phone.stop) | {"\x00": "\x00\ud800"}
    assert results(phone.sync(bad, phone.handover(phone.stop))) == [("parked", "bad_fields"), ("applied", None)]


def test_an_id_in_capitals_is_the_same_id(cast: Cast, phone: Any) -> None:
    sent = phone.handover(phone.stop)
    assert phone.sync(sent | {"id": sent["id"].upper()})[0]["result"] == "applied"


def test_a_handover_without_a_signature_by_hand_is_not_one(cast: Cast, phone: Any) -> None:
    bare = phone.handover(phone.stop, signatures=[], strokes_follow=True)
    assert results(phone.sync(bare)) == [("parked", "requirements_missing")]
    assert cast.session.query(Handover).count() == 0


def test_strokes_that_never_come_are_asked_for(cast: Cast, phone: Any) -> None:
    sent = phone.handover(phone.stop)
    assert phone.sync(sent | {"signatures": [], "strokes_follow": True})[0]["result"] == "applied"
    uploads.report_missing(cast.session)
    assert cast.session.query(Case).count() == 0
    came_long_ago(cast, "25 hours")
    for _ in range(2):
        uploads.report_missing(cast.session)
    assert cast.session.scalars(select(Case.code)).all() == ["evidence_missing"]


def came_long_ago(cast: Cast, ago: str) -> None:
    """What is in the ledger came then."""
    cast.session.execute(text("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_append_only"))
    cast.session.execute(text(f"UPDATE ledger_entry SET received_at = now() - interval '{ago}'"))


@pytest.mark.parametrize("ago", ["25 hours", "9 days"])  # what was parked is opened late
def test_a_photo_of_a_closed_door_that_never_comes_is_asked_for(cast: Cast, phone: Any, ago: str) -> None:
    failed = phone.failure(phone.stop, files={"photo": b"a closed door"})
    assert results(phone.sync(failed)) == [("applied", None)]
    uploads.report_missing(cast.session)
    assert cast.session.query(Case).count() == 0
    came_long_ago(cast, ago)
    for _ in range(2):
        uploads.report_missing(cast.session)
    case = cast.session.scalars(select(Case)).one()
    assert (case.code, case.detail, str(case.operation_id)) == ("evidence_missing", {"kind": "photo"}, failed["id"])
    assert str(case.person_id) == cast.courier.person_id


def test_a_settlement_whose_signature_never_comes_is_asked_for(cast: Cast, phone: Any) -> None:
    phone.sync(taken := phone.handover(phone.stop))
    owed = {"handover_id": taken["id"], "amount": taken["fee_collected"]}
    paid = phone.settlement([owed], {"strokes_follow": True})
    assert results(phone.sync(paid)) == [("applied", None)]
    came_long_ago(cast, "25 hours")
    uploads.report_missing(cast.session)
    case = cast.session.scalars(select(Case)).one()
    assert (case.detail, str(case.operation_id)) == ({"kind": "strokes"}, paid["id"])


def test_the_same_event_online_and_then_from_the_queue_is_one(cast: Cast, phone: Any) -> None:
    sent = phone.handover(phone.stop)
    cast.courier.put(f"/handovers/{sent['id']}", {k: v for k, v in sent.items() if k != "id"})
    (answer,) = phone.sync(sent)
    assert answer["result"] == "applied"  # its answer was lost, and nothing else
    assert cast.session.query(Handover).count() == 1
    assert cast.session.scalars(select(Device.quarantined_at)).all() == [None] * cast.session.query(Device).count()
    assert phone.sync(phone.finish(phone.round_["id"]))[0]["result"] == "applied"


def test_the_honest_phone_of_a_copied_key_is_heard(cast: Cast, phone: Any) -> None:
    before = (phone.device.counter, phone.device.previous)
    thiefs = phone.failure(phone.stop, reason="postponed")
    phone.device.counter, phone.device.previous = before
    honest = phone.handover(phone.stop)
    assert results(phone.sync(thiefs)) == [("applied", None)]
    assert results(phone.sync(honest)) == [("parked", "key_cloned")]
    case = next(c for c in cast.dispatcher.get("/cases")["items"] if c["operation_id"] == honest["id"])
    assert case["decisions"] == ["record", "dismiss"]
    device = cast.dispatcher.signer.device  # type: ignore[union-attr]
    said = {"of": honest["id"], "case": case["id"], "decision": "record"}
    event, salts = device.event("custody.correction", now(), {"note": "đúng"}, **said)
    body = {"decision": "record", "note": "đúng", "signed": device.signed(event, salts)}
    cast.dispatcher.put(f"/cases/{case['id']}/decision", body)
    assert cast.session.scalars(select(Handover.id)).all() == [UUID(honest["id"])]


def test_another_event_in_a_skipped_place_is_a_copied_key(cast: Cast, phone: Any) -> None:
    before = (phone.device.counter, phone.device.previous)
    phone.arrival(phone.stop)
    later = phone.handover(phone.stop)
    phone.sync(later)
    cast.session.execute(text("UPDATE device SET last_counter = last_counter + 1"))  # as a skip does
    last = base64.b64decode(later["signed"]["event"])
    cast.session.execute(
        text("UPDATE device SET last_digest = :d WHERE kid = :k"),
        {"d": events.read(last).previous, "k": phone.device.kid},
    )
    cast.session.commit()
    cast.session.expire_all()
    assert results(phone.sync(later))[0][0] == "duplicate"
    phone.device.counter, phone.device.previous = before
    filler = phone.failure(phone.stop)
    assert results(phone.sync(filler)) == [("parked", "key_cloned")]


def test_a_full_store_parks_nothing(cast: Cast, phone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = phone.handover(phone.stop)

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    with monkeypatch.context() as failing:
        failing.setattr(evidence.store(), "put", full)
        (answer,) = phone.sync(sent)
    assert answer["result"] == "waiting"
    cast.session.expire_all()
    assert cast.session.query(Case).count() == cast.session.query(Handover).count() == 0
    cast.session.execute(text("UPDATE operation SET received_at = now() - interval '1 minute'"))
    cast.session.commit()
    assert operations.apply_left() == 1
    assert cast.session.query(Handover).count() == 1


def test_one_broken_device_keeps_no_other_waiting(cast: Cast, phone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Phone(cast, cast.outsider[Role.courier])
    for who in (phone, other):
        sent = who.operation("courier.start", round=nowhere())
        row = {"id": UUID(sent["id"]), "kid": who.device.kid}
        assert who.sync(sent)[0]["result"] == "parked"
        again = text("UPDATE operation SET state = 'received', received_at = :at WHERE id = :id")
        cast.session.execute(again, {"at": now() - timedelta(minutes=1), "id": row["id"]})
    cast.session.commit()
    real = operations.syncing.apply

    def broken(session: Any, courier: Any, kid: str, perform: Any) -> int:
        if kid == min(phone.device.kid, other.device.kid):
            raise ZeroDivisionError
        return real(session, courier, kid, perform)

    monkeypatch.setattr(operations.syncing, "apply", broken)
    assert operations.apply_left() == 1


def test_evidence_comes_from_who_signed(cast: Cast, phone: Any) -> None:
    sent = phone.handover(phone.stop)
    phone.sync(sent)
    stranger = cast.session.get_one(Person, UUID(cast.outsider[Role.courier].person_id))
    with pytest.raises(NotFound):
        uploads.begin(cast.session, stranger, UUID(sent["id"]), EvidenceKind.photo, 10)
    mine = cast.session.get_one(Person, UUID(cast.courier.person_id))
    first = uploads.begin(cast.session, mine, UUID(sent["id"]), EvidenceKind.photo, 10)
    assert uploads.begin(cast.session, mine, UUID(sent["id"]), EvidenceKind.photo, 10).id == first.id


def test_unfinished_uploads_have_an_end(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_OPEN", 3)
    mine = cast.session.get_one(Person, UUID(cast.courier.person_id))
    for _ in range(3):
        uploads.begin(cast.session, mine, uuid4(), EvidenceKind.photo, 10)
    with pytest.raises(Exception, match="too_many_uploads"):
        uploads.begin(cast.session, mine, uuid4(), EvidenceKind.photo, 10)
    cast.session.execute(text("UPDATE upload SET created_at = now() - interval '31 days'"))
    assert uploads.forget_unasked(cast.session) == 3


def test_a_rotation_cut_in_the_middle_harms_no_checkpoint(cast: Cast) -> None:
    path = settings().operator_keys / files.PUBLIC
    whole = path.read_text()
    try:
        new = files.VerifierKey.of(settings().ledger_origin, files.Ed25519PrivateKey.generate())
        path.write_text(f"{whole}{new.write()}\n")  # the public half is written first, and then the power went
        story.collected(cast)
        checkpoint = ledger.grow(cast.session)
        assert checkpoint is not None
        keys = note.read_keys(whole)
        assert note.open_checkpoint(checkpoint.note, keys)[0].size == checkpoint.size
    finally:
        path.write_text(whole)


def test_who_is_dismissed_signs_no_more(cast: Cast, phone: Any) -> None:
    sent = phone.handover(phone.stop)
    signing_in.dismiss(cast.session, "0912000002", Role.courier)
    cast.session.commit()
    device = cast.session.get_one(Device, phone.device.kid)
    assert device.revoked_at is not None
    cast.courier.call("POST", "/sync", {"operations": [sent]}, 401)


def test_a_receipt_carries_the_certificate_of_its_time(cast: Cast, phone: Any) -> None:
    old = devices.certificate_at(cast.session, phone.device.kid, now())
    sent = phone.handover(phone.stop, device_at=now().replace(microsecond=0).isoformat())
    cast.session.execute(text("UPDATE device_certificate SET issued_at = issued_at - interval '1 day'"))
    person = cast.session.get_one(Person, UUID(cast.courier.person_id))
    devices.certify(cast.session, person, Role.courier, phone.device.public)
    newest = "issued_at > now() - interval '1 hour'"
    cast.session.execute(text(f"UPDATE device_certificate SET issued_at = now() + interval '1 hour' WHERE {newest}"))
    cast.session.commit()
    phone.sync(sent)
    entry = cast.session.get_one(Entry, UUID(sent["id"]))
    assert devices.certificate_at(cast.session, entry.kid, entry.signed_at) == old


@pytest.mark.parametrize("kid", ["\x00", "x" * 16, "5F1C0D9A3B7E2468", ""])
def test_a_key_id_that_is_none_is_named(cast: Cast, phone: Any, kid: str) -> None:
    cast.courier.call("PUT", f"/handovers/{uuid4()}/countersignature", {"kid": kid, "signature": "AA=="})
    problem_in(cast.courier.last, 422, "bad_fields", "/kid")
    assert cast.session.scalar(select(func.count()).select_from(Entry)) == 0
