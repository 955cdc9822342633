"""The courier's app in Chromium, a whole day of it: each screen in both languages, small, and with large letters."""

import random
import re

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from courier_api.settings import settings
from courier_api.web import courier_words
from scripts.simulation.cohort import Cohort
from scripts.simulation.today import Day, today
from tests.browser.driving import drive
from tests.browser.test_pages_in_browser import address

__all__ = ["address"]
SECONDS = 300


@pytest.fixture
def day(session: Session, ground: None, roads: None) -> Day:
    """A round of today."""
    made = today(Cohort(session, random.Random(7)))
    session.commit()
    return made


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_day_in_the_app(app: Flask, day: Day, address: str, language: str) -> None:
    found = drive("courier.mjs", address, seconds=SECONDS, PHONE=day.phone, SMS=settings().sms_log, LANGUAGE=language)
    assert found["axe"] == []
    assert found["small"] == []
    assert found["wide"] == []
    assert found["empty"] == []
    assert found["problems"] == []
    assert found["plain"] <= 5
    assert found["failure"] <= 3
    assert left_over(found["shown"], language) == []


def left_over(shown: dict[str, str], language: str) -> list[tuple[str, str]]:
    """What a screen says in the other language."""
    others = [both[language == "vi"] for both in courier_words.COURIER.values() if both[0] != both[1]]
    whole = [re.compile(rf"^{re.escape(words)}$", re.M) for words in others if "{" not in words and len(words) > 3]
    return [(name, found[0]) for name, text in shown.items() for one in whole if (found := one.search(text))]
