"""The papers of a real story: what the citizen, the courier, the clerk and the officer can print, and who cannot."""

import io
from typing import Any
from uuid import uuid4

from pypdf import PdfReader
from sqlalchemy import select

from courier_api.custody.models import Handover
from courier_api.people.models import Role
from courier_api.proof.receipt import Receipt
from tests import cast as story
from tests.cast import Actor, Cast
from tests.custody.phone import Phone


def printed(who: Actor, path: str) -> str:
    """The text of a PDF that somebody asks for."""
    answer = who.client.get(
        f"/api/v1/{who.audience}{path}", headers={"Authorization": f"Bearer {who.token}"}, buffered=True
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.content_type == "application/pdf"
    assert answer.headers["Cache-Control"] == "no-store"
    return " ".join("\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages).split())


def leg(cast: Cast, number: int) -> Any:
    """A handover of the story by its leg."""
    return cast.session.scalars(select(Handover).where(Handover.leg == number).order_by(Handover.at)).first()


def test_the_citizens_receipt(cast: Cast) -> None:
    dossier, _, stop = story.collected(cast)
    shown = cast.citizen.get(f"/dossiers/{dossier['id']}/handovers")["items"]
    assert [h["leg"] for h in shown] == [1]
    assert Receipt.read(shown[0]["receipt"])
    text = printed(cast.citizen, f"/dossiers/{dossier['id']}/handovers/{shown[0]['id']}/receipt")
    for words in ("Nguyễn Thị Hoa", "Trần Văn Nam", "NS-004217", dossier["items"][0]["tracking_number"]):
        assert words in text, (words, text)
    assert text == printed(cast.courier, f"/handovers/{shown[0]['id']}/receipt")
    assert stop["documents"][0]["name"][:20] in text


def test_the_agencys_record(cast: Cast) -> None:
    dossier, manifest, item = story.listed(cast)
    body = story.acceptance(item)
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", body)
    body["handover_id"] = cast.officer.signer.own(body["handover_id"])  # type: ignore[union-attr]
    text = printed(cast.officer, f"/handovers/{body['handover_id']}/record")
    for words in ("Đỗ Thị Lan", manifest["number"], body["dossier_code"], cast.centre.name, cast.office.name):
        assert words in text, (words, text)
    assert text == printed(cast.clerk, f"/handovers/{body['handover_id']}/record")
    receipt = leg(cast, 2)
    assert "Lê Thị Mai" in printed(cast.clerk, f"/handovers/{receipt.id}/record")
    assert dossier


def test_the_slip_for_a_missing_paper(cast: Cast) -> None:
    dossier = story.book(cast)
    round_, stop = story.ride(cast)
    phone = Phone(cast)
    sent = phone.failure(stop, "thiếu bản gốc", reason="missing_document", missing=[[1, 0, 0]])
    assert phone.sync(sent)[0]["result"] == "applied"
    text = printed(cast.courier, f"/stops/{stop['id']}/supplement-slip")
    assert stop["documents"][0]["name"][:20] in text
    assert "thiếu bản gốc" in text
    assert text == printed(cast.citizen, f"/dossiers/{dossier['id']}/supplement-slip")
    assert round_


def test_nobody_prints_what_is_not_theirs(cast: Cast) -> None:
    dossier, _, _ = story.collected(cast)
    handover = leg(cast, 1)
    cast.outsider[Role.citizen].get(f"/dossiers/{dossier['id']}/handovers", 404)
    cast.outsider[Role.citizen].get(f"/dossiers/{dossier['id']}/handovers/{handover.id}/receipt", 404)
    cast.outsider[Role.courier].get(f"/handovers/{handover.id}/receipt", 404)
    cast.clerk.get(f"/handovers/{handover.id}/record", 404)  # the post office was no side of it
    cast.officer.get(f"/handovers/{uuid4()}/record", 404)
    cast.citizen.get(f"/dossiers/{dossier['id']}/supplement-slip", 404)
