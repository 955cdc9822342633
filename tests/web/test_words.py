"""Both languages say everything, with the same gaps to fill, and nothing is asked for that is not there."""

import re
from pathlib import Path

import pytest

from courier_api.dossiers.states import DossierState
from courier_api.jobs.states import JobKind
from courier_api.proof.core import Kind, PartyKind
from courier_api.rounds import daywork, planning
from courier_api.rounds.states import Half, RoundState, StopState
from courier_api.web import assets, words
from routing.plan import Reason

TEMPLATES = Path(words.__file__).parent / "templates"
LISTS = {"PAGES": words.PAGES, "STATES": words.STATES, "NEXT": words.NEXT, "MAP": words.MAP, "VERIFY": words.VERIFY}
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


def scripts_of(verifying: bool) -> str:
    names = (n for n in assets.own_files() if n.endswith(".js") and n.startswith("js/verify/") == verifying)
    return "".join(assets.own_files()[name].read_text() for name in names)


def test_scripts_ask_for_words_that_are_there() -> None:
    scripts = scripts_of(verifying=False)
    asked = set(re.findall(r'(?:say|figure)\("(\w+)"', scripts))
    assert asked
    assert asked <= words.MAP.keys()


def test_the_verifying_page_asks_for_words_that_are_there_and_leaves_none_unused() -> None:
    html, scripts = (TEMPLATES / "verify.html").read_text(), scripts_of(verifying=True)
    asked = set(re.findall(r"\bv\.(\w+)", html)) | set(re.findall(r'say\("(\w+)"', scripts))
    assert asked <= words.VERIFY.keys()
    looks = re.search(r"export const LOOKS = \{(.*?)\}", scripts, re.S)
    assert looks
    verdicts = re.findall(r"(\w+): ", looks[1])
    expected = {f"verdict_{name}" for name in verdicts} | {f"verdict_{name}_text" for name in verdicts}
    expected |= {f"role_{kind.name}" for kind in PartyKind}
    expected |= {f"kind_{kind.name}" for kind in Kind if f'"{kind.name}"' in scripts}
    expected |= {f"ledger_{state}" for state in re.findall(r'state: "(\w+)"', scripts)}
    assert expected <= words.VERIFY.keys()
    made = {key for key in words.VERIFY if key.startswith(("check_", "ledger_", "look_"))}
    quoted = set(re.findall(r'"(\w+)"', scripts))
    assert words.VERIFY.keys() <= asked | expected | made | quoted


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
