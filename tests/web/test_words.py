"""Both languages say everything, with the same gaps to fill, and nothing is asked for that is not there."""

import re
from pathlib import Path

import pytest

from courier_api.dossiers.states import DossierState
from courier_api.jobs.states import JobKind
from courier_api.rounds import daywork, planning
from courier_api.rounds.states import Half, RoundState, StopState
from courier_api.web import assets, words
from routing.plan import Reason

TEMPLATES = Path(words.__file__).parent / "templates"
LISTS = {"PAGES": words.PAGES, "STATES": words.STATES, "NEXT": words.NEXT, "MAP": words.MAP}
GAP = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("name", LISTS)
def test_both_languages_say_the_same(name: str) -> None:
    for key, (vietnamese, english) in LISTS[name].items():
        assert vietnamese.strip(), key
        assert english.strip(), key
        assert sorted(GAP.findall(vietnamese)) == sorted(GAP.findall(english)), key
    assert words.spoken(LISTS[name], "vi").keys() == words.spoken(LISTS[name], "en").keys()


def test_pages_ask_for_words_that_are_there_and_leave_none_unused() -> None:
    html = "".join(p.read_text() for p in TEMPLATES.glob("*.html"))
    python = "".join(p.read_text() for p in TEMPLATES.parent.glob("*.py") if p.name != "words.py")
    asked = set(re.findall(r'w\("(\w+)"\)', html))
    assert asked <= words.PAGES.keys()
    spoken = (
        set(re.findall(r'"(\w+)"', python))
        | asked
        | {f"{k}_{p}" for k in ("missing", "fault", "too_many") for p in ("heading", "text")}
    )
    assert words.PAGES.keys() <= spoken


def test_scripts_ask_for_words_that_are_there() -> None:
    scripts = "".join(p.read_text() for n, p in assets.own_files().items() if n.endswith(".js"))
    asked = set(re.findall(r'(?:say|figure)\("(\w+)"', scripts))
    assert asked
    assert asked <= words.MAP.keys()


def test_every_state_and_reason_has_its_words() -> None:
    assert {s.value for s in DossierState} <= words.STATES.keys()
    assert words.STATES.keys() == words.NEXT.keys()
    expected = {f"round_{s.value}" for s in RoundState} | {f"stop_{s.value}" for s in StopState}
    unready = {planning.ITEM_NOT_AT_OFFICE, daywork.WINDOW_PAST, daywork.IN_ANOTHER_DRAFT}
    expected |= (
        {f"reason_{r}" for r in {r.value for r in Reason} | unready}
        | {h.value for h in Half}
        | {k.value for k in JobKind}
    )
    assert expected <= words.MAP.keys()
