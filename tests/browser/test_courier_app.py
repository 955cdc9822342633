"""The courier's app in Chromium, from the sign-in to the last receipt: each screen in both languages, small and large."""

import json
import os
import random
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from courier_api.settings import settings
from courier_api.web import courier_words
from scripts.simulation.cohort import Cohort
from scripts.simulation.today import Day, today
from tests.browser.test_pages_in_browser import address, chromium

__all__ = ["address"]
HERE = Path(__file__).parent
PICTURES = HERE.parents[1] / ".local" / "screenshots"
SECONDS = 300


@pytest.fixture
def day(session: Session, ground: None, roads: None) -> Day:
    """A round of today."""
    made = today(Cohort(session, random.Random(7)))
    session.commit()
    return made


def drive(script: str, address: str, **said: str) -> dict[str, Any]:
    """Run a driver; what it found is on its last line."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    run = subprocess.run(
        ["node", HERE / script],
        env={
            **os.environ,
            "BASE": address,
            "SMS": str(settings().sms_log),
            "PICTURES": str(PICTURES),
            "CHROMIUM": chromium(),
            **said,
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_day_in_the_app(app: Flask, day: Day, address: str, language: str) -> None:
    found = drive("courier.mjs", address, PHONE=day.phone, LANGUAGE=language)
    assert found["faults"] == []
    assert found["outside"] == []
    assert found["axe"] == []
    assert found["small"] == []
    assert found["wide"] == []
    assert found["empty"] == []
    assert found["problems"] == []
    assert found["plain"] <= 5
    assert found["failure"] <= 3
    assert _left_over(found["shown"], language) == []


def _left_over(shown: dict[str, str], language: str) -> list[tuple[str, str]]:
    """What a screen says in the other language."""
    others = [both[language == "vi"] for both in courier_words.COURIER.values() if both[0] != both[1]]
    whole = [re.compile(rf"^{re.escape(words)}$", re.M) for words in others if "{" not in words and len(words) > 3]
    return [(name, found[0]) for name, text in shown.items() for one in whole if (found := one.search(text))]
