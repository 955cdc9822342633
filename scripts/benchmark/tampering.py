"""A small ledger with everything in it that custody has, changed in one place after another: each must be found."""

import random
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import create_engine, select, text

from courier_api import create_app, tasks
from courier_api.custody import ledger, uploads
from courier_api.custody.audit.auditing import audit
from courier_api.custody.audit.trust import Trust
from courier_api.custody.models import EvidenceKind
from courier_api.custody.stores import FolderStore
from courier_api.db import transaction
from courier_api.people.models import Person
from courier_api.proof.note import cosign
from courier_api.queue import Outbox
from courier_api.settings import settings
from scripts.benchmark.ledger import build
from scripts.benchmark.mutations import Tried, remember, try_many
from scripts.commands.witness import WitnessKey
from scripts.simulation import signing
from scripts.simulation.cohort import Cohort, Rider
from scripts.simulation.rides import Signed, sign_all

EVENTS = 80
COURIERS = 2
STOPS = 4


def measure(count: int, say: Callable[[str], None]) -> Tried:
    """Make so many changes in DATABASE_URL, which has the ground only, and audit after each."""
    rng = random.Random(20261124)
    folder = settings().operator_keys
    witness = WitnessKey.make("bench.example/witness")
    (folder / "witness.keys").write_text(f"{witness.public.write()}\n")
    trust = Trust.read(folder / "operator.keys", folder / "witness.keys", settings().evidence_store, folder)
    engine = create_engine(settings().database_url)
    build(settings().database_url, EVENTS, evidence=EVENTS // 8, processes=1)
    with transaction() as session:
        session.execute(text("SELECT setval('staff_number', max(staff_number)) FROM person"))
        riders = Cohort(session, rng).ride(COURIERS, 1, STOPS)
    signed = [sign_all(rider, rng, photographed=0.5) for rider in riders]
    client = create_app().test_client()

    def send(rider: Rider, theirs: Sequence[Signed]) -> None:
        headers = {"Authorization": f"Bearer {rider.token}"}
        body = {"operations": [one.operation for one in theirs]}
        answer = client.post("/api/v1/couriers/sync", json=body, headers=headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        _upload(rider, theirs)

    for rider, theirs in zip(riders, signed, strict=True):
        send(rider, theirs[: len(theirs) // 2])
    _log(witness)
    with engine.connect() as connection:
        remember(connection)  # gone with the connection, but not with a transaction
        connection.commit()
        for rider, theirs in zip(riders, signed, strict=True):
            send(rider, [*theirs[len(theirs) // 2 :], _nowhere(rider)])
        newest = _log(witness)
        before = audit(connection, trust, seen=[newest], overdue=timedelta(0))
        assert before.clean, before.findings[:5]
        connection.rollback()
        say(f"a ledger of {before.size} entries, audited in {before.seconds:.2f} s, is changed {count} times")
        tried = try_many(connection, trust, count, rng, FolderStore(Path(settings().evidence_store)), [newest])
        connection.rollback()
    engine.dispose()
    return tried


def _nowhere(rider: Rider) -> Signed:
    """At a door of no round: it is parked, and becomes a case."""
    stop = str(uuid4())
    place = {"lon": 106.06, "lat": 20.66}
    return Signed(signing.arrival(rider.device, stop, rider.rides[0].departs_at, place, 9), "courier.arrival", stop)


def _upload(rider: Rider, theirs: Sequence[Signed]) -> None:
    for one in theirs:
        if one.photo is not None:
            with transaction() as session:
                person = session.get_one(Person, UUID(rider.person_id))
                upload = uploads.begin(session, person, UUID(one.id), EvidenceKind.photo, len(one.photo))
                uploads.add(session, upload, 0, one.photo)
    with transaction() as session:
        waiting = session.scalars(select(Outbox.id).where(Outbox.done_at.is_(None))).all()
    for row_id in waiting:
        tasks.run(str(row_id))


def _log(witness: WitnessKey) -> str:
    """Give everything its place, and have it cosigned; the checkpoint is given."""
    with transaction() as session:
        ledger.grow(session)
    with transaction() as session:
        newest = ledger.latest(session).note
        ledger.cosign(session, cosign(newest, witness.public, witness.private, int(time.time())))
    return newest
