"""What follows the doors, in Chromium: taking back, giving in at the office by one signature, saying what was wrong."""

import pytest

from courier_api.settings import settings
from scripts.simulation.cohort import Cohort
from scripts.simulation.today import Day, today
from tests.browser.driving import drive
from tests.browser.test_courier_app import left_over

SECONDS = 300
DOOR = ["courier.arrival", "custody.handover"]
WORDS = {
    "vi": {
        "undo": "Hoàn tác",
        "also": "Mất luôn 2 việc",
        "pickup": "Thu gom",
        "choose": "Quét 2 túi",
        "left": "Còn 1 túi chưa chọn",
        "unsigned": "Chưa có chữ ký",
        "report": "Báo sai sót",
        "slip": "Xem phiếu bổ sung",
        "bags": "2 túi",
    },
    "en": {
        "undo": "Undo",
        "also": "undone too (2)",
        "pickup": "Pickup",
        "choose": "Scan the bags: 2",
        "left": "Bags not chosen: 1",
        "unsigned": "no signature",
        "report": "Report a mistake",
        "slip": "supplement slip",
        "bags": "Bags: 2",
    },
}


@pytest.fixture
def day(cohort: Cohort) -> Day:
    """A round of today with enough pickups."""
    made = today(cohort, stops=14)
    cohort.session.commit()
    return made


@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_follows_the_doors(day: Day, address: str, language: str) -> None:
    found = drive(
        "courier_office.mjs", address, seconds=SECONDS, PHONE=day.phone, SMS=settings().sms_log, LANGUAGE=language
    )
    says = WORDS[language]
    for fault in ("axe", "small", "wide", "empty"):
        assert found[fault] == [], fault
    assert left_over(found["shown"], language) == []

    before, after = found["stood"]
    assert abs(after - before) < 3
    assert before > 100

    # What has not left is taken back, with what came after it.
    assert found["before"] == found["kept"] == DOOR * 2
    assert found["after"] == [*DOOR, "courier.arrival"]
    assert found["stopLinks"][-1] == says["undo"]
    assert says["report"] not in found["stopLinks"]
    assert says["also"] in found["also"]
    assert says["pickup"] in found["titles"]
    assert found["slip"].startswith("#/slip/")
    assert found["slipInQueue"] == 1

    # One signature for all of it, which stands in the queue together or not at all.
    assert found["nothingChosen"] == says["choose"]
    assert found["left"] == says["left"]
    assert found["survives"] == [1, True]
    assert (found["stillChosen"], found["nothingGivenIn"]) == (2, 0)
    assert says["unsigned"] in found["notSigned"]
    counters, typs, together = zip(*found["given"], strict=True)
    assert list(counters) == list(range(counters[0], counters[0] + len(counters)))
    assert typs == ("custody.handover", "custody.handover", "courier.settlement")
    assert len(set(together)) == 1
    numbers = [row.split()[0] for row in found["listed"]]  # two bags, then what was paid for each
    assert len(numbers) == 4
    assert numbers[:2] == numbers[2:]
    assert [row.split()[0] for row in found["record"]] == numbers
    assert ["BL-" in row for row in found["listed"]] == [False, False, True, True]
    assert found["recordLinks"] == [says["undo"]]
    assert [says["bags"] in row for row in found["today"]] == [True]

    # What has left is not edited; a word to the dispatcher that was begun is not lost.
    assert says["report"] in found["linksAfter"]
    assert says["undo"] not in found["linksAfter"]
    assert found["fetchedAgain"]
    assert found["begun"] == [1, "Thu thừa 5.000 đồng", 1]
    remark = found["remark"]
    drafts = found["drafts"]
    assert {"office", remark} <= set(drafts["same"])
    assert remark in drafts["tomorrow"]
    assert "office" not in drafts["tomorrow"]
    assert remark not in drafts["forgotten"]
