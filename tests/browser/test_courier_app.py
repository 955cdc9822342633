"""The courier's app in Chromium, a whole day of it: each screen in both languages, small, and with large letters."""

import re
from typing import Any

import pytest

from courier_api.settings import settings
from courier_api.web import courier_words
from scripts.simulation.cohort import Cohort
from scripts.simulation.today import Day, today
from tests.browser.driving import drive

SECONDS = 300


@pytest.fixture
def day(cohort: Cohort) -> Day:
    """A round of today."""
    made = today(cohort)
    cohort.session.commit()
    return made


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_day_in_the_app(day: Day, address: str, language: str) -> None:
    found = drive("courier.mjs", address, seconds=SECONDS, PHONE=day.phone, SMS=settings().sms_log, LANGUAGE=language)
    assert found["axe"] == []
    assert found["small"] == []
    assert found["wide"] == []
    assert found["empty"] == []
    assert found["problems"] == []
    assert found["plain"] <= 5
    assert found["failure"] <= 3
    assert left_over(found["shown"], language) == []
    signed_for(found, language)
    paid(found, language)
    word = words_in(language)
    assert [said for said, _ in found["hours"]] == [shown for _, shown in found["hours"]]
    assert found["far"] == word["why_missing"]
    assert found["finding"] == word["finding_place"]
    assert found["dropped"] == ["#/", 0, word["arrived"]]
    assert found["offline"] == word["kept_offline"]
    assert found["offlineQueue"] == word["sending_offline"]


def words_in(language: str) -> dict[str, str]:
    """What the app says, by key."""
    return {key: both[language == "en"] for key, both in courier_words.COURIER.items()}


def signed_for(found: dict[str, Any], language: str) -> None:
    """A signature stands for the papers named above it, by whoever gives them, and for nothing else."""
    word = words_in(language)
    assert found["unnamed"] == []
    assert found["again"] == [True, False]
    assert found["resign"] == [word["sign_anew"], word["signature_missing"], "sign"]
    upright, *turned = found["ink"]
    assert all(abs(ink["shape"] / upright["shape"] - 1) < 0.1 for ink in turned)
    assert all(ink["below"] > 2 and ink["beside"] > 2 for ink in found["ink"])
    assert found["unscanned"] == [word["bag_not_scanned"]]
    assert found["nothing"] == [word["count_again"], "papers"]
    assert found["giver"] == [word["giver_name_missing"], "family", "Trần Thị Bé"]
    assert found["extra"] == [word["extra_name_missing"], word["extra_reason_missing"]]


def paid(found: dict[str, Any], language: str) -> None:
    """Less than is due does not go on; sums are read in thousands."""
    text, kind, step, said = found["short"]
    value, fee = found["exact"]
    assert re.sub(r"\D", "", text) == str(fee - 1000)
    assert re.sub(r"\D", "", said) == re.sub(r"\D", "", value) == str(fee)
    assert "bad" in kind.split()
    assert step == "papers"
    assert found["grouped"] == ("1.234.567" if language == "vi" else "1,234,567")


def left_over(shown: dict[str, str], language: str) -> list[tuple[str, str]]:
    """What a screen says in the other language."""
    others = [both[language == "vi"] for both in courier_words.COURIER.values() if both[0] != both[1]]
    whole = [re.compile(rf"^{re.escape(words)}$", re.M) for words in others if "{" not in words and len(words) > 3]
    return [(name, found[0]) for name, text in shown.items() for one in whole if (found := one.search(text))]
