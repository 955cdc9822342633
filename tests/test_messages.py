"""Every code that the product can raise, and every event it can tell, has its sentence in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from courier_api import messages
from courier_api.jobs.states import FailureReason

SOURCE = Path(messages.__file__).parent
RAISED = {
    "Refused", "Invalid", "NotFound", "NotAllowed", "NotSignedIn", "FieldError", "TooMany", "Stale",
    "PreconditionMissing", "BadJson", "Alarm", "Malformed", "BadImage", "ValidationError", "problem",
}  # fmt: skip
LANGUAGES = ("vi", "en")


def calls() -> Iterator[tuple[str, ast.Call, str]]:
    """Every call in the source: the name called, the call, and where."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                yield name, node, f"{path.relative_to(SOURCE)}:{node.lineno}"


def literals(node: ast.expr) -> Iterator[str]:
    """The strings that an expression may be, as far as they are written out."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)


def raised() -> Iterator[tuple[str, str]]:
    """Every code written out in the source, and where."""
    for name, call, where in calls():
        if name in RAISED:
            code = {"FieldError": 1, "problem": 1}.get(name, 0)
            if len(call.args) > code:
                yield from ((text, where) for text in literals(call.args[code]))
        for keyword in call.keywords:
            if name in ("Regexp", "Length", "Range") and keyword.arg == "error":
                yield from ((text, where) for text in literals(keyword.value))


def told() -> Iterator[tuple[str, ast.Call, str]]:
    """Every event told with its kind written out."""
    for name, call, where in calls():
        if name == "tell" and len(call.args) >= 3:
            kind = call.args[2]
            if isinstance(kind, ast.JoinedStr):
                ending = kind.values[-1].value
                yield from ((f"{job}{ending}", call, where) for job in ("pickup", "delivery"))
            else:
                yield from ((text, call, where) for text in literals(kind))


RAISED_CODES = sorted(set(raised()))
TOLD = list(told())


def test_the_source_was_read() -> None:
    assert len({code for code, _ in RAISED_CODES}) > 60
    assert len({kind for kind, _, _ in TOLD}) == len(messages.EVENTS)


@pytest.mark.parametrize("code", sorted({code for code, _ in RAISED_CODES}))
def test_every_code_has_a_sentence(code: str) -> None:
    where = [place for raised_code, place in RAISED_CODES if raised_code == code]
    assert code in messages.TEXTS, where


@pytest.mark.parametrize("texts", [messages.TEXTS, messages.EVENTS, messages.WORDS], ids=["texts", "events", "words"])
def test_every_sentence_is_in_both_languages_with_the_same_gaps(texts: dict[str, tuple[str, str]]) -> None:
    for code, (vietnamese, english) in texts.items():
        assert re.fullmatch(r"[a-z_]+", code)
        assert vietnamese.strip(), code
        assert english.strip(), code
        assert vietnamese != english, code
        gaps = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (vietnamese, english)]
        assert gaps[0] == gaps[1], code


def test_every_gap_of_an_event_is_filled_where_it_is_told() -> None:
    for kind, call, where in TOLD:
        given = {keyword.arg for keyword in call.keywords}
        gaps = {name for _, name, _, _ in Formatter().parse(messages.EVENTS[kind][0]) if name}
        assert gaps <= given, (kind, where)


def test_every_reason_has_its_words() -> None:
    assert {reason.value for reason in FailureReason} <= set(messages.WORDS)


def test_a_sentence_never_breaks_on_what_fills_it() -> None:
    for language in LANGUAGES:
        assert messages.say("wrong_state", language) != ""
        assert "{0}" in messages.tell("not_received", language, {"place": "{0}", "reason": "{x} %s"})
        assert messages.say("no such code", language) == messages.say("bad_request", language)
