"""What a courier does offline reaches the server exactly once: through kills, cuts, lost answers, and in two tabs."""

import base64
import hashlib
import io
import json
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from courier_api import tasks
from courier_api.custody import events, ledger
from courier_api.custody.models import Case, Entry, Evidence, Handover, Operation, OperationState, Upload
from courier_api.db import transaction
from courier_api.people import devices
from courier_api.people.models import Device, OneTimeCode
from courier_api.proof.files import verifier_keys
from courier_api.queue import Outbox
from courier_api.settings import settings
from courier_api.web import assets
from courier_api.web.headers import HEADERS
from tests import cast as story
from tests.browser.driving import drive
from tests.browser.network import Network
from tests.cast import HOME, Cast, tomorrow
from tests.serving import serving

SECONDS = 300  # some 60 on an idle machine
PHONE = "0912000002"
DOORS = 14  # with start and finish, thirty operations
PIECE = 32 * 1024


def photo(seed: int) -> bytes:
    """A JPEG of some 80 kB, another for each seed."""
    noise = random.Random(seed).randbytes(160 * 120 * 3)
    made = io.BytesIO()
    Image.frombytes("RGB", (160, 120), noise).resize((640, 480)).save(made, "JPEG", quality=88)
    return made.getvalue()


@pytest.fixture
def round_(cast: Cast) -> dict[str, Any]:
    """A round of many doors, as the phone has fetched it."""
    window = {"start": tomorrow(7, 30).isoformat(), "end": tomorrow(11, 30).isoformat()}
    for n in range(DOORS + 1):
        story.book(cast, point={"lon": HOME[0] + n * 0.0004, "lat": HOME[1]}, window=window)
    shown = story.plan_and_publish(cast)
    assert len(shown["stops"]) == DOORS + 1  # of which the last one will be called off
    return {"round": shown, "doors": cast.courier.get(f"/rounds/{shown['id']}/doors")}


class Site:
    """The application, a page of nothing but the scripts, and under /test/ what others do meanwhile."""

    def __init__(self, app: Flask, cast: Cast, round_: dict[str, Any]) -> None:
        self.app = app
        self.patched = 0  # bytes of evidence that came, those that came twice included
        self.network: Network | None = None
        self.told: dict[str, Callable[[str], bytes]] = {
            "page": lambda _: page().encode(),
            "round": lambda _: json.dumps(round_).encode(),
            "photo": lambda seed: photo(int(seed)),
            "network": lambda mode: self._become(mode),
            "older": lambda _: _committed(lambda session: session.execute(OLDER)),
            "cancel": lambda dossier: json.dumps(_called_off(cast, dossier)).encode(),
            "grow": lambda _: _committed(ledger.grow),
            "revoke": lambda kid: _committed(lambda session: devices.revoke(session, kid)),
            "quarantine": lambda kid: _committed(lambda session: devices.quarantine(session, kid)),
        }

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        _, first, *rest = environ["PATH_INFO"].split("/")
        if first != "test":
            if environ["REQUEST_METHOD"] == "PATCH":
                self.patched += int(environ.get("CONTENT_LENGTH") or 0)
            return self.app(environ, start_response)
        content = self.told[rest[0]](rest[-1])
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8"), *HEADERS.items()])
        return [content]

    def _become(self, mode: str) -> bytes:
        assert self.network
        self.network.become(mode)
        return b""


def _called_off(cast: Cast, dossier: str) -> Any:
    return cast.citizen.put(f"/dossiers/{dossier}/cancellation", If_Match="*")


OLDER = update(OneTimeCode).values(created_at=OneTimeCode.created_at - timedelta(days=2))


def _committed(work: Callable[[Session], Any]) -> bytes:
    with transaction() as session:
        work(session)
    return b""


def page() -> str:
    """A page that knows what the app's page is told, and nothing else."""
    told = {
        "words": {},
        "timezone": settings().timezone.key,
        "dexie": assets.library_url(assets.DEXIE),
        "canonicalize": assets.library_url("canonicalize/lib/canonicalize.js"),
        "ed25519": assets.library_url("@noble/ed25519/index.js"),
        "keys": verifier_keys(),
        "app": "test",
        "js": assets.own_url("js/told.js").removesuffix("told.js"),
    }
    return f"""<!doctype html><html lang="vi"><title>…</title>
<script type="application/json" id="told">{json.dumps(told)}</script><body></body></html>"""


@pytest.fixture
def site(app: Flask, cast: Cast, round_: dict[str, Any]) -> Iterator[Site]:
    """The site behind a network that is not always good."""
    site = Site(app, cast, round_)
    with serving(site) as address:
        site.network = Network(int(address.rpartition(":")[2]))
        yield site
        site.network.close()


def test_everything_arrives_exactly_once(cast: Cast, site: Site, tmp_path: Path) -> None:
    assert site.network
    found = drive(
        "app_outbox.mjs",
        f"http://127.0.0.1:{site.network.port}",
        seconds=SECONDS,
        CONTROL=f"http://127.0.0.1:{site.network._upstream}",
        PHONE=PHONE,
        SMS=settings().sms_log,
        PROFILE=tmp_path / "profile",
    )
    cast.session.rollback()  # and look anew
    _round_is_ridden(cast, site, found)
    _every_counter_once(cast, found)
    _says_what_is_wrong(found)


def _round_is_ridden(cast: Cast, site: Site, found: dict[str, Any]) -> None:
    ids = found["ridden"]
    assert len(ids) == len(set(ids)) == 2 * DOORS + 2
    operations = cast.session.scalars(select(Operation).where(Operation.id.in_(ids)).order_by(Operation.counter)).all()
    assert [(o.state, o.code) for o in operations] == [(OperationState.applied, None)] * len(ids)
    assert [o.counter for o in operations] == list(range(1, len(ids) + 1))
    handovers = select(func.count()).select_from(Handover).where(Handover.id.in_(ids))
    assert cast.session.scalar(handovers) == found["handovers"]
    # Photos and signatures: all of them, each byte, and no piece much more often than the line was cut.
    _work(cast)
    uploads = cast.session.scalars(select(Upload).where(Upload.entry_id.in_(ids))).all()
    assert len(uploads) == found["files"]
    assert {(u.fault, u.offset == u.length, u.kept_at is not None) for u in uploads} == {(None, True, True)}
    evidence = select(func.count()).select_from(Evidence).where(Evidence.entry_id.in_(ids))
    assert cast.session.scalar(evidence) == len(uploads)
    total = sum(u.length for u in uploads)
    assert total <= site.patched <= total + found["cuts"] * PIECE
    assert not cast.session.scalars(select(Case).where(Case.operation_id.in_(ids))).all()


def _every_counter_once(cast: Cast, found: dict[str, Any]) -> None:
    """What was taken back was never there, and its counter was used by what came after it."""
    for kid, last in found["last"].items():
        chain = select(Entry).where(Entry.kid == kid, Entry.counter.is_not(None))  # what was set aside has none
        entries = cast.session.scalars(chain.order_by(Entry.counter)).all()
        assert [e.counter for e in entries] == list(range(1, last + 1)), kid
        previous = events.NO_EVENT
        for entry in entries:
            event = events.read(entry.event or b"")
            assert event.previous == previous
            previous = hashlib.sha256(entry.event or b"").digest()
        assert cast.session.get_one(Device, kid).last_counter == last
    assert not cast.session.scalars(select(Operation).where(Operation.id.in_(found["undone"]))).all()
    assert not cast.session.scalars(select(Operation).where(Operation.code.in_(("key_cloned", "id_reused")))).all()


def _work(cast: Cast) -> None:
    """A worker does what waits."""
    for row in cast.session.scalars(select(Outbox).where(Outbox.done_at.is_(None))).all():
        tasks.run(str(row.id))
    cast.session.rollback()


def _says_what_is_wrong(found: dict[str, Any]) -> None:
    assert found["undo"] == {
        "held": True, "gone": True, "both": True, "inRow": True, "rowGone": True, "sent": False,
    }  # fmt: skip
    assert found["lost"] == ["duplicate"]
    assert found["wrong"] == {"kept": True, "problem": "receipt_wrong", "after": "duplicate"}
    upload = found["upload"]
    assert upload["kept"] == {"state": "waiting", "bytes": True, "problem": "receipt_wrong"}
    assert upload["after"] == {"state": "kept", "bytes": False}
    assert (upload["announced"], upload["again"]) == (2, found["photoPieces"] + 1)
    assert found["bad"] == {"stuck": 1, "code": "bad_fields", "others": 0, "after": 0}
    assert found["senders"] == [1, 0]  # one tab holds the lock, and the other waits for it
    assert found["counted"] == {"before": 6, "after": 0}
    assert found["full"] == {"fault": "StorageFull", "same": True, "half": 0, "after": True}
    assert found["quarantined"] == {"state": "parked", "fault": "key_quarantined"}
    assert found["revoked"] == {"state": "signed_out", "stuck": "key_revoked", "newKey": True, "applied": 0}
    assert abs(found["clock"]["skew_ms"]) < 5_000
    assert len(base64.b16decode(found["anchor"].upper())) == 32
    prepared = {"missing": ["clock"], "doors": DOORS + 1, "office": True, "tiles": True, "old": False}
    assert found["prepared"] == prepared
    assert found["tileMissing"] == ["clock", "tiles"]
    assert found["news"] == {"changes": ["stop_cancelled"], "differences": ["removed"], "again": []}
    # The server's picture of the ridden round, and this phone's own word on it, are one and the same.
    assert found["folded"] == {"ended": DOORS, "phone": 0, "bags": found["handovers"], "owed": found["vouchers"]}
    assert found["vouchers"] > 0
    assert found["parked"] > 0
