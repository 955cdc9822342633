"""Takes in what a phone has saved into a backup: its operations as its own sync would, then its evidence as uploads."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import batched, groupby
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from courier_api.api import sync
from courier_api.custody import backups, uploads
from courier_api.custody.backups import Head, Saved, SavedEvidence, SavedOperation
from courier_api.custody.inbox import Kept
from courier_api.custody.models import Operation, OperationState
from courier_api.db import transaction
from courier_api.errors import DomainError, Invalid, Unavailable
from courier_api.messages import say
from courier_api.people.models import Device, Person, Role

AT_ONCE = 20  # operations
WORDS = ("new", "duplicate", "rejected")


@click.command("restore-backup")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_context
def restore_backup(context: click.Context, file: Path) -> None:
    """Take in what a courier's phone has saved for the operator; again it changes nothing.

    Exit code 1: something was rejected, and is named. 2: the file cannot be opened, nothing is taken in.
    """
    try:
        restored = Restoring(file).run()
    except (Invalid, Unavailable) as fault:
        raise RuntimeError(say(fault.code, "en", **fault.values)) from None
    context.exit(1 if restored.refused else 0)


class Restoring:
    """One backup on its way in, and what became of each piece."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self.path = path
        self.refused = False
        self.counted = {"operations": Counter[str](), "evidence": Counter[str]()}

    def run(self) -> "Restoring":
        """Read all of it once to know that it is whole, then take it in."""
        with self.path.open("rb") as file:
            for _ in backups.read(file):
                pass
            file.seek(0)
            saved = backups.read(file)
            person_id = self._person(next(saved))
            for kind, some in groupby(saved, type):
                if kind is SavedOperation:
                    self._operations(person_id, some)
                else:
                    self._evidence(person_id, some)
        for name, counts in self.counted.items():
            click.echo(f"{name}: " + ", ".join(f"{counts[word]} {word}" for word in WORDS))
        return self

    def _person(self, head: Saved) -> UUID:
        assert isinstance(head, Head)
        with transaction() as session:
            device = session.get(Device, head.kid)
            if device is None or (device.role, device.person_id) != (Role.courier, head.person):
                raise Invalid("backup_device_unknown", kid=head.kid)
            revoked = ", revoked" if device.revoked_at else ""
            click.echo(f"phone {head.kid}{revoked} of {device.person.full_name}, saved {head.at:%Y-%m-%d %H:%M %Z}")
            return device.person_id

    def _operations(self, person_id: UUID, saved: Iterable[Saved]) -> None:
        for some in batched(_sent(saved), AT_ONCE):
            kept = sync.take_in(person_id, some)
            with transaction() as session:
                stand = sync.standing(session, kept)
            for one, k in zip(some, kept, strict=True):
                self._tell(one, k, stand[k.operation.id])

    def _tell(self, sent: dict[str, Any], kept: Kept, operation: Operation) -> None:
        code = kept.fault or operation.code
        rejected = kept.fault is not None or operation.state is OperationState.rejected
        word = "duplicate" if kept.again and not kept.fault else "rejected" if rejected else "new"
        self.counted["operations"][word] += 1
        self.refused |= rejected
        if code is not None or operation.state is OperationState.waiting:
            values = (operation.detail or {}).get("values", {})
            why = say(code, "en", **values) if code else "an earlier operation is missing"
            click.echo(f"operation {_name(sent, operation)}: {word}, {operation.state}: {why}")

    def _evidence(self, person_id: UUID, saved: Iterable[Saved]) -> None:
        for one in saved:
            assert isinstance(one, SavedEvidence)
            try:
                word, fault = _upload(person_id, one)
            except DomainError as error:
                word, fault = "rejected", say(error.code, "en", **error.values)
            self.counted["evidence"][word] += 1
            self.refused |= word == "rejected"
            if fault:
                click.echo(f"{one.kind} of {one.event}: {word}: {fault}")


def _sent(saved: Iterable[Saved]) -> Iterator[dict[str, Any]]:
    for one in saved:
        assert isinstance(one, SavedOperation)
        yield one.sent


def _name(sent: dict[str, Any], operation: Operation) -> str:
    try:
        return str(UUID(sent["id"]))
    except (KeyError, ValueError, AttributeError, TypeError):
        return str(operation.id)  # what it says is no id, and may be anything


def _upload(person_id: UUID, saved: SavedEvidence) -> tuple[str, str | None]:
    """Send what is still missing of a piece of evidence; what became of it, and what is wrong with it."""
    digest = hashlib.sha256(saved.content).digest()
    with transaction() as session:
        person = session.get_one(Person, person_id)
        known = uploads.known(session, person, saved.event, saved.kind, digest)
        if known is not None:
            return "duplicate", say(known.fault, "en") if known.fault else None
        begun = uploads.begin(session, person, saved.event, saved.kind, len(saved.content))
        upload = uploads.of_person(session, person, begun.id, lock=True)
        if upload.offset == upload.length and upload.digest is None:
            return "duplicate", None  # complete before digests were kept
        if upload.offset < upload.length:
            uploads.add(session, upload, upload.offset, saved.content[upload.offset :])
        # What had come before may be the beginning of something else: then its worker asks a dispatcher.
        return ("new", None) if upload.digest == digest else ("rejected", say("evidence_differs", "en"))
