"""Evidence in pieces over a bad network: resumed at the last byte, kept once and only if it is what was signed."""

import base64
import hashlib
import io
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image
from sqlalchemy import select, text

from courier_api import tasks
from courier_api.custody import evidence, uploads
from courier_api.custody.evidence_receipts import RECEIPT
from courier_api.custody.models import Case, Entry, Evidence, EvidenceKind, Upload, UploadChunk
from courier_api.people.models import Person
from courier_api.proof import canonical
from courier_api.proof.files import operator_key
from courier_api.proof.keys import verify_operator
from courier_api.queue import Outbox
from tests import cast as story
from tests.cast import Cast
from tests.custody.phone import Phone, nowhere
from tests.custody.test_attacks import came_long_ago
from tests.custody.test_cases import decide, the_case

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = "application/offset+octet-stream"


def a_photo(size: int = 900) -> bytes:
    """A photo with where it was taken."""
    picture = Image.effect_noise((size, size), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x010F] = "Máy ảnh của Nam"
    exif.get_ifd(0x8825)[2] = (20.0, 39.0, 36.0)
    content = io.BytesIO()
    picture.save(content, "JPEG", exif=exif)
    return content.getvalue()


class Sender:
    """A phone that sends evidence."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.headers = TUS | {"Authorization": f"Bearer {cast.courier.token}"}

    def ask(self, method: str, path: str, data: bytes = b"", **headers: str) -> Any:
        sent = self.headers | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.cast.client.open(path, method=method, data=data, headers=sent)

    def begin(self, event: str, length: int, kind: str = "photo") -> str:
        told = ",".join(
            f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in {"event": event, "kind": kind}.items()
        )
        answer = self.ask("POST", "/api/v1/couriers/evidence", Upload_Length=str(length), Upload_Metadata=told)
        assert answer.status_code == 201, answer.data
        return str(answer.headers["Location"])

    def patch(self, where: str, offset: int, data: bytes, **headers: str) -> Any:
        return self.ask("PATCH", where, data, Upload_Offset=str(offset), Content_Type=PIECE, **headers)


@pytest.fixture
def sender(cast: Cast) -> Sender:
    return Sender(cast)


def work(cast: Cast) -> None:
    """A worker does what the uploads left for it."""
    cast.session.expire_all()
    for row in cast.session.scalars(select(Outbox).where(Outbox.done_at.is_(None), Outbox.task == uploads.TASK)).all():
        tasks.run(str(row.id))
    cast.session.expire_all()


def with_photo(cast: Cast, photo: bytes, **changes: Any) -> tuple[dict[str, Any], Any]:
    """A handover that commits to a photo, signed and not yet sent, and the phone."""
    story.book(cast)
    round_ = story.plan_and_publish(cast)
    phone = Phone(cast)
    stop = cast.courier.get(f"/stops/{round_['stops'][0]['id']}")
    phone.sync(phone.start(round_["id"]), phone.arrival(stop))
    return phone.handover(stop, photo=photo, **changes), phone


def test_a_photo_comes_in_pieces_and_is_cleaned(cast: Cast, sender: Sender) -> None:
    photo = a_photo()
    operation, phone = with_photo(cast, photo)
    assert phone.sync(operation)[0]["result"] == "applied"
    where = sender.begin(operation["id"], len(photo))
    assert sender.begin(operation["id"], len(photo)) == where  # announced again: go on with it
    at = 0
    while at < len(photo):
        assert sender.ask("HEAD", where).headers["Upload-Offset"] == str(at)
        piece = photo[at : at + 50_000]
        checksum = "sha256 " + base64.b64encode(hashlib.sha256(piece).digest()).decode()
        assert sender.patch(where, at, piece, Upload_Checksum=checksum).status_code == 204
        at += len(piece)
    work(cast)
    row = cast.session.scalars(select(Evidence).where(Evidence.kind == "photo")).one()
    kept = evidence.content_of(row)
    assert not Image.open(io.BytesIO(kept)).getexif()
    assert b"Nam" not in kept
    said = json.loads(cast.session.get_one(Entry, row.proof_id).event or b"")
    event = json.loads(cast.session.get_one(Entry, row.entry_id).event or b"")
    assert said["original"] == event["ev"]["photo"]
    assert said["stored"] == row.digest.hex()
    assert cast.session.query(UploadChunk).count() == 0
    work(cast)
    assert cast.session.query(Evidence).filter_by(kind="photo").count() == 1


def test_a_photo_may_come_before_its_event(cast: Cast, sender: Sender) -> None:
    photo = a_photo(300)
    operation, phone = with_photo(cast, photo)
    where = sender.begin(operation["id"], len(photo))
    assert sender.patch(where, 0, photo).status_code == 204
    work(cast)
    assert cast.session.query(Evidence).count() == 0
    assert phone.sync(operation)[0]["result"] == "applied"
    work(cast)
    assert cast.session.query(Evidence).filter_by(kind="photo").count() == 1


def test_signatures_by_hand_may_follow(cast: Cast, sender: Sender) -> None:
    story.book(cast)
    round_ = story.plan_and_publish(cast)
    phone = Phone(cast)
    stop = cast.courier.get(f"/stops/{round_['stops'][0]['id']}")
    phone.sync(phone.start(round_["id"]), phone.arrival(stop))
    operation = phone.handover(stop)
    strokes = evidence_of(operation)
    operation |= {"signatures": [], "strokes_follow": True}
    assert phone.sync(operation)[0]["result"] == "applied"
    where = sender.begin(operation["id"], len(strokes), "strokes")
    sender.patch(where, 0, strokes)
    work(cast)
    row = cast.session.scalars(select(Evidence)).one()
    assert evidence.content_of(row) == strokes


def evidence_of(operation: dict[str, Any]) -> bytes:
    """The signatures by hand as they are committed to."""
    written = [{"relationship": "self"} | one for one in operation["signatures"]]
    return json.dumps(written, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_what_is_not_what_was_signed_is_kept_apart(cast: Cast, sender: Sender) -> None:
    operation, phone = with_photo(cast, a_photo(300))
    phone.sync(operation)
    other = a_photo(310)
    where = sender.begin(operation["id"], len(other))
    sender.patch(where, 0, other)
    work(cast)
    upload = cast.session.scalars(select(Upload)).one()
    assert upload.fault == "evidence_differs"
    assert cast.session.query(UploadChunk).count() == 1  # its bytes are kept
    assert cast.session.scalars(select(Case.code)).all() == ["evidence_differs"]
    assert sender.ask("HEAD", where).headers["Upload-Fault"] == "evidence_differs"
    # The right one may still come.
    assert sender.begin(operation["id"], len(other)) != where


def test_a_bomb_of_an_image_is_refused_and_kept(cast: Cast, sender: Sender) -> None:
    content = io.BytesIO()
    Image.new("1", (6000, 6000)).save(content, "PNG")  # 36 megapixels in some kB
    bomb = content.getvalue()
    assert len(bomb) < 20_000
    operation, phone = with_photo(cast, bomb)
    phone.sync(operation)
    sender.patch(sender.begin(operation["id"], len(bomb)), 0, bomb)
    work(cast)
    assert cast.session.scalars(select(Case.code)).all() == ["image_too_large"]
    assert cast.session.query(UploadChunk).count() == 1


def test_a_piece_that_does_not_follow_on_is_refused(cast: Cast, sender: Sender) -> None:
    where = sender.begin(nowhere(), 100)
    assert sender.patch(where, 0, b"x" * 40).status_code == 204
    for offset in (0, 39, 41, 100):
        answer = sender.patch(where, offset, b"y" * 10)
        assert answer.status_code == 409
        assert answer.get_json()["type"].endswith("upload_offset")
    assert sender.patch(where, 40, b"x" * 61).status_code == 422
    assert sender.ask("HEAD", where).headers["Upload-Offset"] == "40"


def test_a_piece_with_a_wrong_checksum_is_thrown_away(cast: Cast, sender: Sender) -> None:
    where = sender.begin(nowhere(), 100)
    wrong = "sha256 " + base64.b64encode(bytes(32)).decode()
    assert sender.patch(where, 0, b"x" * 40, Upload_Checksum=wrong).status_code == 460
    assert sender.ask("HEAD", where).headers["Upload-Offset"] == "0"
    for given in ("md5 AAAA", "sha256 !!!", "sha256"):
        assert sender.patch(where, 0, b"x" * 40, Upload_Checksum=given).status_code in (422, 460)


def test_what_is_cut_off_is_kept_as_far_as_it_came(cast: Cast, sender: Sender) -> None:
    class Cut(io.BytesIO):
        """A connection that ends in the middle."""

        def read(self, size: int = -1) -> bytes:
            piece = super().read(min(size if size > 0 else 30, 30))
            if not piece:
                raise OSError("reset by peer")
            return piece

    where = sender.begin(nowhere(), 100)
    headers = sender.headers | {"Upload-Offset": "0", "Content-Type": PIECE, "Content-Length": "100"}
    answer = cast.client.open(where, method="PATCH", input_stream=Cut(b"x" * 70), headers=headers)
    assert answer.headers["Upload-Offset"] == "70"
    assert sender.patch(where, 70, b"x" * 30).status_code == 204


@pytest.mark.parametrize(
    "headers",
    [
        {"Tus-Resumable": "0.2.2"},
        {"Upload-Length": "0"},
        {"Upload-Length": str((15 << 20) + 1)},
        {"Upload-Length": "-1"},
        {"Upload-Length": "ten"},
        {"Upload-Metadata": "event !!!,kind cGhvdG8="},
        {"Upload-Metadata": "kind cGhvdG8="},
        {"Upload-Metadata": "event MDE5MzJmNjAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAx,kind dmlkZW8="},
    ],
)
def test_a_wrong_announcement_is_named(cast: Cast, sender: Sender, headers: dict[str, str]) -> None:
    right = {
        "Upload-Length": "10",
        "Upload-Metadata": "event MDE5MzJmNjAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAx,kind cGhvdG8=",
    }
    sent = sender.headers | right | headers
    answer = cast.client.post("/api/v1/couriers/evidence", headers=sent)
    assert answer.status_code == 422, answer.data
    assert cast.session.query(Upload).count() == 0


def test_an_upload_is_given_up(cast: Cast, sender: Sender) -> None:
    where = sender.begin(nowhere(), 100)
    sender.patch(where, 0, b"x" * 40)
    assert sender.ask("DELETE", where).status_code == 204
    assert sender.ask("HEAD", where).status_code == 404
    assert cast.session.query(UploadChunk).count() == 0


def test_nobody_elses_upload_is_seen(cast: Cast, sender: Sender) -> None:
    where = sender.begin(nowhere(), 100)
    other = next(a for r, a in cast.outsider.items() if r.value == "courier")
    sender.headers["Authorization"] = f"Bearer {other.token}"
    assert sender.ask("HEAD", where).status_code == 404
    assert sender.patch(where, 0, b"x").status_code == 404


def receipt_in(answer: Any) -> tuple[str, str]:
    """The receipt that an answer carries."""
    return answer.headers["Upload-Receipt"], answer.headers["Upload-Receipt-Signature"]


def test_what_is_complete_is_receipted_and_nothing_before(cast: Cast, sender: Sender) -> None:
    event, content = nowhere(), b"x" * 99 + b"y"
    where = sender.begin(event, 100)
    before = [sender.ask("HEAD", where), sender.patch(where, 0, content[:99])]
    assert all("Upload-Receipt" not in answer.headers for answer in before)
    text, signature = receipt_in(sender.patch(where, 99, content[99:]))
    said = canonical.read(text.encode("ascii"))
    at, key = said.pop("at"), said.pop("key")
    digest = hashlib.sha256(content).hexdigest()
    assert said == {"v": 1, "event": event, "kind": "photo", "size": 100, "sha256": digest}
    assert at.endswith("Z")
    assert key == operator_key().id.hex()
    assert verify_operator(operator_key().public, base64.b64decode(signature), RECEIPT + text.encode())


def test_a_receipt_stays_the_same_for_ever(cast: Cast, sender: Sender) -> None:
    photo = a_photo(300)
    operation, phone = with_photo(cast, photo)
    where = sender.begin(operation["id"], len(photo))
    sender.patch(where, 0, photo[:70])
    first = receipt_in(sender.patch(where, 70, photo[70:]))
    # The answer was lost: the phone sends the end again, sends nothing, asks, or announces it anew.
    assert sender.patch(where, 70, photo[70:]).status_code == 409
    assert receipt_in(sender.patch(where, len(photo), b"")) == first
    phone.sync(operation)
    work(cast)
    assert cast.session.scalars(select(Upload.kept_at)).one() is not None
    assert cast.session.query(UploadChunk).count() == 0
    assert receipt_in(sender.ask("HEAD", where)) == first
    assert receipt_in(announced(sender, operation["id"], len(photo))) == first


def announced(sender: Sender, event: str, length: int) -> Any:
    """The whole answer to an announcement."""
    told = f"event {base64.b64encode(event.encode()).decode()},kind {base64.b64encode(b'photo').decode()}"
    return sender.ask("POST", "/api/v1/couriers/evidence", Upload_Length=str(length), Upload_Metadata=told)


def test_what_differs_from_the_event_was_received_all_the_same(cast: Cast, sender: Sender) -> None:
    photo = a_photo(300)
    operation, phone = with_photo(cast, photo)
    phone.sync(operation)
    other = photo[:-1] + bytes([photo[-1] ^ 1])
    wrong = sender.begin(operation["id"], len(other))
    sender.patch(wrong, 0, other)
    work(cast)
    answer = sender.ask("HEAD", wrong)
    assert answer.headers["Upload-Fault"] == "evidence_differs"
    assert json.loads(receipt_in(answer)[0])["sha256"] == hashlib.sha256(other).hexdigest()
    # The right one, of the same size, has a receipt of its own.
    right = sender.begin(operation["id"], len(photo))
    said = json.loads(receipt_in(sender.patch(right, 0, photo))[0])
    assert said["sha256"] == hashlib.sha256(photo).hexdigest()
    work(cast)
    assert "Upload-Fault" not in sender.ask("HEAD", right).headers
    assert receipt_in(sender.ask("HEAD", wrong)) == receipt_in(answer)


def test_an_upload_from_before_there_were_receipts_has_none(cast: Cast, sender: Sender) -> None:
    event = nowhere()
    where = sender.begin(event, 10)
    sender.patch(where, 0, b"x" * 10)
    row = cast.session.scalars(select(Upload)).one()
    row.digest = row.receipt = row.receipt_signature = None
    cast.session.flush()
    for answer in (sender.ask("HEAD", where), announced(sender, event, 10)):
        assert answer.status_code < 300
        assert answer.headers["Upload-Offset"] == "10"
        assert "Upload-Receipt" not in answer.headers


# --- what waits for a dispatcher


def long_ago(cast: Cast, ago: str = "40 days") -> None:
    """All that came, came then."""
    came_long_ago(cast, ago)
    for column in ("operation.received_at", "upload.created_at", "custody_case.decided_at"):
        table, name = column.split(".")
        cast.session.execute(text(f"UPDATE {table} SET {name} = {name} - interval '{ago}'"))
    cast.session.commit()
    cast.session.expire_all()


def sent_whole(sender: Sender, operation: dict[str, Any], photo: bytes) -> str:
    """A photo that is here and receipted: from now on the phone has it no more."""
    where = sender.begin(operation["id"], len(photo))
    receipt_in(sender.patch(where, 0, photo))
    return where


def before_leaving(cast: Cast) -> tuple[Any, dict[str, Any]]:
    """A phone whose round is not started, so that all of it is parked, and the door."""
    phone: Any = Phone(cast)
    phone.dossier, phone.round_ = story.book(cast), story.plan_and_publish(cast)
    return phone, cast.courier.get(f"/stops/{phone.round_['stops'][0]['id']}")


@pytest.mark.parametrize(("decision", "ago"), [("record", "40 days"), ("retry", "40 days"), ("record", "9 days")])
def test_what_was_receipted_is_there_however_late_it_is_decided(
    cast: Cast, sender: Sender, decision: str, ago: str
) -> None:
    photo = a_photo(300)
    phone, stop = before_leaving(cast)
    if decision == "record":
        cast.citizen.put(f"/dossiers/{phone.dossier['id']}/cancellation", If_Match="*")
        operation = phone.handover(stop, photo=photo)
        strokes = evidence_of(operation)
        operation |= {"signatures": [], "strokes_follow": True}
    else:
        operation, strokes = phone.failure(stop, reason="road_closed", files={"photo": photo}), b""
    assert phone.sync(operation)[0]["code"] == "round_not_started"
    sent_whole(sender, operation, photo)
    if strokes:
        sender.patch(sender.begin(operation["id"], len(strokes), "strokes"), 0, strokes)
    work(cast)
    long_ago(cast, ago)
    uploads.report_missing(cast.session)
    assert uploads.forget_unasked(cast.session) == 0
    assert phone.sync(phone.start(phone.round_["id"]))[0]["result"] == "applied"
    decide(cast, the_case(cast), decision)
    uploads.report_missing(cast.session)  # before a worker has come to it: nothing is missing
    work(cast)
    expected = {EvidenceKind.photo, EvidenceKind.strokes} if strokes else {EvidenceKind.photo}
    kept = {e.kind: e for e in cast.session.scalars(select(Evidence).where(Evidence.entry_id == UUID(operation["id"])))}
    assert set(kept) == expected
    assert not strokes or evidence.content_of(kept[EvidenceKind.strokes]) == strokes
    long_ago(cast, "25 hours")
    uploads.report_missing(cast.session)
    assert cast.session.scalars(select(Case.kind)).all() == ["parked"]


def test_what_never_came_for_what_was_decided_late_is_asked_for(cast: Cast, sender: Sender) -> None:
    phone, stop = before_leaving(cast)
    failed = phone.failure(stop, reason="road_closed", files={"photo": b"a closed road"})
    assert phone.sync(failed)[0]["code"] == "round_not_started"
    long_ago(cast)
    phone.sync(phone.start(phone.round_["id"]))
    decide(cast, the_case(cast), "retry")
    uploads.report_missing(cast.session)
    assert cast.session.scalars(select(Case.kind)).all() == ["parked"]
    came_long_ago(cast, "41 days")
    cast.session.execute(text("UPDATE custody_case SET decided_at = now() - interval '25 hours'"))
    uploads.report_missing(cast.session)
    assert cast.session.scalars(select(Case.code).where(Case.kind == "evidence")).all() == ["evidence_missing"]


def test_what_nobody_asked_for_and_what_was_never_finished_goes(cast: Cast, sender: Sender) -> None:
    photo = a_photo(300)
    operation, phone = with_photo(cast, photo)
    kept = sent_whole(sender, operation, photo)
    gone = [sent_whole(sender, {"id": nowhere()}, photo), sender.begin(operation["id"], len(photo) + 1)]
    phone.arrival({"id": nowhere(), "job": {"point": {"lat": 20, "lon": 106}}})  # is lost: what follows waits for it
    waiting = phone.failure({"id": nowhere()}, files={"photo": photo})
    assert phone.sync(waiting)[0]["result"] == "waiting"
    kept_too = sent_whole(sender, waiting, photo)
    cast.session.execute(text("UPDATE upload SET created_at = now() - interval '31 days'"))
    # Of the first one the event has not come yet either, and is now in the inbox.
    phone.sync(operation)
    assert uploads.forget_unasked(cast.session) == len(gone)
    assert [sender.ask("HEAD", where).status_code for where in (kept, kept_too, *gone)] == [200, 200, 404, 404]


def test_what_waits_for_long_shuts_nobody_out(cast: Cast, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_OPEN", 1)
    photo = a_photo(300)
    operation, phone = with_photo(cast, photo)
    operation["lines"] = "none"
    assert phone.sync(operation)[0]["result"] == "parked"
    sent_whole(sender, operation, photo)
    mine = cast.session.get_one(Person, UUID(cast.courier.person_id))
    with pytest.raises(Exception, match="too_many_uploads"):
        uploads.begin(cast.session, mine, uuid4(), EvidenceKind.photo, 10)
    cast.session.execute(text("UPDATE upload SET created_at = now() - interval '31 days'"))
    uploads.begin(cast.session, mine, uuid4(), EvidenceKind.photo, 10)
