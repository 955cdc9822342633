"""Both languages say everything, with the same gaps to fill, and nothing is asked for that is not there."""

import re
from pathlib import Path

import pytest

from courier_api.custody import events
from courier_api.custody.models import CaseKind, IdentityCheck, Receiver, RemarkWhy
from courier_api.dossiers.states import DossierState
from courier_api.jobs.states import FailureReason, JobKind, NextAction
from courier_api.journey.correcting import DECISIONS
from courier_api.proof.core import Kind, PartyKind
from courier_api.rounds import daywork, planning
from courier_api.rounds.states import ArrivedWhy, Half, RoundState, StopState
from courier_api.web import assets, words
from routing.plan import Reason

TEMPLATES = Path(words.__file__).parent / "templates"
LISTS = {
    "PAGES": words.PAGES,
    "STATES": words.STATES,
    "NEXT": words.NEXT,
    "MAP": words.MAP,
    "ROUND_MAP": words.ROUND_MAP,
    "SIGN_IN": words.SIGN_IN,
    "CASES": words.CASES,
    "VERIFY": words.VERIFY,
}
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


def scripts_of(folder: str) -> str:
    """The scripts of one folder of js; those that lie in none of them, for the empty name."""
    names = (n.removeprefix("js/") for n in assets.own_files() if n.endswith(".js"))
    return "".join(
        assets.own_files()[f"js/{name}"].read_text()
        for name in names
        if (name.startswith(f"{folder}/") if folder else "/" not in name)
    )


def asked_by(scripts: str) -> set[str]:
    return set(re.findall(r'(?:say|figure|row)\("(\w+)"', scripts))


def test_scripts_ask_for_words_that_are_there_and_leave_none_of_the_sign_in_unused() -> None:
    scripts, device = scripts_of(""), scripts_of("device")
    asked = asked_by(scripts)
    assert asked
    assert asked <= words.MAP.keys() | words.SIGN_IN.keys()
    assert not words.MAP.keys() & words.SIGN_IN.keys()
    faults = {key for key in words.SIGN_IN if key.startswith("fault_")}
    assert faults - {"fault_key"} <= {f"fault_{code}" for code in quoted_in(device)}
    assert words.SIGN_IN.keys() <= asked | asked_by(device) | faults | quoted_in(scripts)


def quoted_in(scripts: str) -> set[str]:
    return set(re.findall(r'"(\w+)"', scripts))


def test_the_page_of_cases_asks_for_words_that_are_there_and_leaves_none_unused() -> None:
    html, scripts = (TEMPLATES / "cases.html").read_text(), scripts_of("cases")
    counted = {f"cases_{key}" for key in ("count", "count_one", "count_more", "count_none")}
    asked = (set(re.findall(r"\bc\.(\w+)", html)) | asked_by(scripts)) - counted
    assert asked <= words.CASES.keys() | words.SIGN_IN.keys()
    expected = {f"kind_{kind}" for kind in CaseKind} | {f"advice_{kind}" for kind in CaseKind}
    decisions = {decision for all_ in DECISIONS.values() for decision in all_}
    expected |= {f"do_{d}" for d in decisions} | {f"do_{d}_text" for d in decisions}
    expected |= {f"role_{role}" for role in events.PARTIES} | {f"identity_{check}" for check in IdentityCheck}
    expected |= {f"receiver_{who}" for who in Receiver} | {f"reason_{why}" for why in FailureReason}
    expected |= {f"next_{action}" for action in NextAction}
    expected |= {f"why_{why}" for why in ArrivedWhy} | {f"why_{why}" for why in RemarkWhy}
    expected |= {"do_note", "do_note_text"}  # of a remark, to dismiss it is to take note
    expected |= {"do_record_cash", "do_record_cash_text"}  # of a settlement, to record it is to take the cash in
    expected |= {f"act_{typ.replace('.', '_')}" for typ in events.TYPES if typ.startswith("courier.")}
    assert expected <= words.CASES.keys()
    made = {key for key in words.CASES if key.startswith(("ev_", "act_"))}
    assert words.CASES.keys() <= asked | expected | made | quoted_in(scripts)


def test_the_courier_s_map_asks_for_words_that_are_there_and_leaves_none_unused() -> None:
    asked, quoted = asked_by(scripts_of("app/map")), quoted_in(scripts_of("app/map"))
    ground = asked_by(assets.own_files()["js/ground.js"].read_text())
    kinds = {kind.value for kind in JobKind}
    assert asked
    assert asked | ground | kinds <= words.ROUND_MAP.keys()
    assert words.ROUND_MAP.keys() <= asked | ground | kinds | quoted


def test_the_verifying_page_asks_for_words_that_are_there_and_leaves_none_unused() -> None:
    html, scripts = (TEMPLATES / "verify.html").read_text(), scripts_of("verify")
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
