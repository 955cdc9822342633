"""What a lost phone had saved is taken in as its own sync would have done it: once, however often it is restored."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from courier_api.custody import backup_keys, evidence, images
from courier_api.custody.models import Case, Entry, Evidence, Handover, Operation, Upload
from courier_api.people import devices
from courier_api.settings import settings
from scripts.commands import operator
from tests import cast as story
from tests.cast import Cast
from tests.custody.phone import Phone, nowhere
from tests.custody.sealed import Piece, seal
from tests.custody.test_uploads import Sender, a_photo, work

PHOTO = a_photo(300)


class Lost:
    """A phone that is lost after a handover with a photo, of which it had sent nothing."""

    def __init__(self, cast: Cast, folder: Path) -> None:
        story.book(cast)
        self.round = story.plan_and_publish(cast)
        self.cast, self.phone, self.file = cast, Phone(cast), folder / "phone.backup"
        self.stop = cast.courier.get(f"/stops/{self.round['stops'][0]['id']}")
        self.operations = [self.phone.start(self.round["id"]), self.phone.arrival(self.stop)]
        self.operations.append(self.phone.handover(self.stop, photo=PHOTO))
        self.handover = self.operations[-1]
        self.evidence: list[Piece] = [(self.handover["id"], "photo", PHOTO)]

    def save(self, **whose: Any) -> None:
        """Export what is there."""
        said = {"kid": self.phone.device.kid, "person": self.cast.courier.person_id} | whose
        self.file.write_bytes(seal(self.operations, self.evidence, **said))

    def restore(self, code: int = 0) -> str:
        """Run the command; its output."""
        result = CliRunner().invoke(operator.main, ["restore-backup", str(self.file)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.cast.session.expire_all()
        assert result.exit_code == code, result.output
        return result.output

    def written(self) -> list[int]:
        """How much there is of all that a restoring may write."""
        tables = (Operation, Entry, Handover, Case, Upload, Evidence)
        return [self.cast.session.scalar(select(func.count()).select_from(one)) or 0 for one in tables]


@pytest.fixture
def lost(cast: Cast, tmp_path: Path) -> Lost:
    return Lost(cast, tmp_path)


def counts(output: str) -> list[str]:
    """The last two lines: operations, evidence."""
    return output.splitlines()[-2:]


def test_a_lost_phones_work_is_taken_in(cast: Cast, lost: Lost) -> None:
    lost.save()
    output = lost.restore()
    assert output.startswith(f"phone {lost.phone.device.kid} of ")
    assert counts(output) == [
        "operations: 3 new, 0 duplicate, 0 rejected",
        "evidence: 1 new, 0 duplicate, 0 rejected",
    ]
    assert {o.state for o in cast.session.scalars(select(Operation))} == {"applied"}
    assert str(cast.session.scalars(select(Handover.id)).one()) == lost.handover["id"]
    work(cast)
    row = cast.session.scalars(select(Evidence).where(Evidence.kind == "photo")).one()
    assert evidence.content_of(row) == images.clean(PHOTO)


def test_restored_again_everything_is_a_duplicate(cast: Cast, lost: Lost) -> None:
    lost.save()
    lost.restore()
    work(cast)
    before = lost.written()
    for _ in range(2):
        assert counts(lost.restore()) == [
            "operations: 0 new, 3 duplicate, 0 rejected",
            "evidence: 0 new, 1 duplicate, 0 rejected",
        ]
        work(cast)
        assert lost.written() == before


def test_a_phone_that_is_found_sends_the_same_bytes(cast: Cast, lost: Lost) -> None:
    lost.save()
    lost.restore()
    assert [one["result"] for one in lost.phone.sync(*lost.operations)] == ["duplicate"] * 3
    location = Sender(cast).begin(lost.handover["id"], len(PHOTO))
    assert Sender(cast).ask("HEAD", location).headers["Upload-Offset"] == str(len(PHOTO))


def test_a_queue_that_was_half_sent_is_made_whole(cast: Cast, lost: Lost) -> None:
    assert [one["result"] for one in lost.phone.sync(*lost.operations[:2])] == ["applied"] * 2
    sender = Sender(cast)
    where = sender.begin(lost.handover["id"], len(PHOTO))
    sender.patch(where, 0, PHOTO[:7_000])
    lost.operations.append(lost.phone.finish(lost.round["id"]))
    lost.save()
    assert counts(lost.restore()) == [
        "operations: 2 new, 2 duplicate, 0 rejected",
        "evidence: 1 new, 0 duplicate, 0 rejected",
    ]
    assert cast.courier.get(f"/rounds/{lost.round['id']}")["state"] == "finished"
    assert cast.session.scalars(select(Upload.digest)).one() == hashlib.sha256(PHOTO).digest()
    work(cast)
    assert cast.session.query(Evidence).filter_by(kind="photo").count() == 1


def test_a_gap_waits_and_is_filled_by_another_backup(cast: Cast, lost: Lost) -> None:
    everything, lost.operations = lost.operations, lost.operations[1:]
    lost.save()
    output = lost.restore()
    assert output.count("new, waiting: an earlier operation is missing") == 2
    lost.operations = everything
    lost.save()
    assert counts(lost.restore())[0] == "operations: 1 new, 2 duplicate, 0 rejected"
    assert {o.state for o in cast.session.scalars(select(Operation))} == {"applied"}


def test_what_our_rules_refuse_is_parked_and_named(cast: Cast, lost: Lost) -> None:
    lost.operations.append(lost.phone.arrival({**lost.stop, "id": nowhere()}))
    lost.save()
    output = lost.restore()
    assert f"operation {lost.operations[-1]['id']}: new, parked: " in output
    assert counts(output)[0] == "operations: 4 new, 0 duplicate, 0 rejected"
    assert cast.session.scalars(select(Case.kind)).all() == ["parked"]


def test_a_phone_that_was_revoked_meanwhile(cast: Cast, lost: Lost) -> None:
    lost.phone.sync(lost.operations[0])
    devices.revoke(cast.session, lost.phone.device.kid)
    lost.save()
    output = lost.restore(1)
    assert "revoked" in output.splitlines()[0]
    assert output.count("rejected, rejected: This key is revoked") == 3
    assert counts(output)[0] == "operations: 0 new, 0 duplicate, 3 rejected"
    kept = cast.session.scalars(select(Operation).where(Operation.code == "key_revoked")).all()
    assert all(one.content for one in kept)
    again = lost.restore(1)
    assert counts(again)[0] == "operations: 0 new, 3 duplicate, 0 rejected"
    assert again.count("duplicate, rejected: This key is revoked") == 3


def test_one_id_with_two_contents_is_rejected(cast: Cast, lost: Lost) -> None:
    lost.phone.sync(lost.operations[0])
    lost.operations[0] = lost.operations[0] | {"note": "khác"}
    lost.save()
    assert counts(lost.restore(1))[0] == "operations: 2 new, 0 duplicate, 1 rejected"
    assert cast.session.scalars(select(Case.kind)).all() == ["id_reused"]


def test_evidence_that_is_not_what_was_signed_is_no_second_case(cast: Cast, lost: Lost) -> None:
    lost.evidence = [(lost.handover["id"], "photo", a_photo(310))]
    lost.save()
    lost.restore()
    work(cast)
    assert cast.session.scalars(select(Upload.fault)).all() == ["evidence_differs"]
    before = lost.written()
    output = lost.restore()
    assert "photo of " + lost.handover["id"] + ": duplicate: What was uploaded is not what was signed." in output
    work(cast)
    assert lost.written() == before


def test_evidence_of_other_peoples_events_is_not_taken(cast: Cast, lost: Lost) -> None:
    lost.phone.sync(*lost.operations)
    entry = cast.session.get_one(Entry, lost.handover["id"])
    other = next(a for role, a in cast.outsider.items() if role.value == "courier")
    stranger = Phone(cast, other)
    assert entry.kid != stranger.device.kid
    lost.operations = []
    lost.save(kid=stranger.device.kid, person=other.person_id)
    output = lost.restore(1)
    assert counts(output)[1] == "evidence: 0 new, 0 duplicate, 1 rejected"
    assert cast.session.query(Upload).count() == 0


def test_a_first_half_of_something_else_is_named_and_mended(cast: Cast, lost: Lost) -> None:
    lost.phone.sync(*lost.operations)
    lost.operations = []
    sender = Sender(cast)
    sender.patch(sender.begin(lost.handover["id"], len(PHOTO)), 0, b"x" * 100)
    lost.save()
    assert counts(lost.restore(1))[1] == "evidence: 0 new, 0 duplicate, 1 rejected"
    work(cast)
    assert counts(lost.restore())[1] == "evidence: 1 new, 0 duplicate, 0 rejected"
    work(cast)
    assert cast.session.query(Evidence).filter_by(kind="photo").count() == 1


def test_a_file_that_is_not_whole_changes_nothing(lost: Lost) -> None:
    lost.save()
    before, content = lost.written(), lost.file.read_bytes()
    broken = [content[:-1], content[: len(content) // 2], content[:-1] + bytes([content[-1] ^ 1]), content + b"\0", b""]
    for one in broken:
        lost.file.write_bytes(one)
        with pytest.raises(RuntimeError, match="backup"):
            lost.restore()
    assert lost.written() == before


def test_a_foreign_operators_file_changes_nothing(lost: Lost, tmp_path: Path) -> None:
    lost.save(point=backup_keys.make(tmp_path / "foreign"))
    with pytest.raises(RuntimeError, match="another operator's"):
        lost.restore()
    # Sealed to us, by a phone that is not one of our couriers'.
    for whose in ({"kid": "0123456789abcdef"}, {"person": nowhere()}):
        lost.save(**whose)
        with pytest.raises(RuntimeError, match="not a courier's here"):
            lost.restore()
    assert lost.written()[:3] == [0, 0, 0]


def test_it_ends_with_2_where_nothing_can_be_opened(lost: Lost, monkeypatch: pytest.MonkeyPatch) -> None:
    lost.file.write_bytes(b"\xff\xd8\xff")
    monkeypatch.setattr("sys.argv", ["scripts/operate", "restore-backup", str(lost.file)])
    with pytest.raises(SystemExit) as ended:
        operator.run()
    assert ended.value.code == 2


def test_more_than_one_batch_is_taken_in_order(cast: Cast, lost: Lost) -> None:
    lost.operations = lost.operations[:1] + [lost.phone.arrival({**lost.stop, "id": nowhere()}) for _ in range(45)]
    lost.save()
    assert counts(lost.restore())[0] == "operations: 46 new, 0 duplicate, 0 rejected"


def test_keys_are_made_where_they_are_missing_and_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = replace(settings(), operator_keys=tmp_path / "keys")
    for module in (operator, operator.files, backup_keys):
        monkeypatch.setattr(module, "settings", lambda: here)
    names = (operator.files.PRIVATE, "evidence.keys", backup_keys.PRIVATE, backup_keys.PUBLIC)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(operator.main, ["keys", *arguments], catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    run("make")
    kept = {name: (here.operator_keys / name).read_bytes() for name in names}
    for name in names[2:]:  # as a folder has it that was made before there were backups
        (here.operator_keys / name).unlink()
    assert "nothing is changed" not in run("make")
    assert (here.operator_keys / backup_keys.PRIVATE).read_bytes() != kept[backup_keys.PRIVATE]
    assert all((here.operator_keys / name).read_bytes() == kept[name] for name in names[:2])
    assert "nothing is changed" in run("make")
    first = backup_keys.public_point()
    said = run("rotate-backup")
    assert said == f"newest: {backup_keys.public_point()}\n"
    assert first not in said
    assert len(backup_keys.private_keys()) == 2
    run("rotate")
    assert len(backup_keys.private_keys()) == 2
