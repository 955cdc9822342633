"""Canonical JSON: one spelling, and every other refused with its reason."""

import hashlib
from typing import Any
from unicodedata import normalize

import pytest
import rfc8785
from hypothesis import assume, given
from hypothesis import strategies as st

from courier_api.proof import canonical
from courier_api.proof.canonical import MOST_BYTES, MOST_LEVELS, SAFE, Malformed, commitment
from tests.proof.samples import SALT, event

texts = st.text(st.characters(codec="utf-8", max_codepoint=0x24F))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-SAFE + 1, SAFE - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def nested(levels: int) -> Any:
    """A value within so many lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@given(st.dictionaries(texts, values, max_size=4))
def test_what_is_written_reads_back(value: dict[str, Any]) -> None:
    try:
        content = canonical.write(value)
    except Malformed:  # not in NFC
        assume(False)
    assert canonical.read(content) == value
    assert canonical.write(canonical.read(content)) == content


def test_an_event_reads_back() -> None:
    assert canonical.read(canonical.write(event())) == event()


def test_keys_stand_in_the_order_of_utf_16() -> None:
    # U+1F600 is written with surrogates in UTF-16 and comes before U+E000, unlike in UTF-8.
    assert canonical.write({"\ue000": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ue000":1}'.encode()


def test_controls_and_quotes_have_one_escape() -> None:
    assert canonical.write({"a": '\b\t\n\f\r"\\/\x01\x7fé'}) == '{"a":"\\b\\t\\n\\f\\r\\"\\\\/\\u0001\x7fé"}'.encode()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "event_not_json"),
        (b"{", "event_not_json"),
        (b'{"a":1}{}', "event_not_json"),
        (b'{"a":1}x', "event_not_json"),
        (b'{"a":1}\0', "event_not_json"),
        (b"[1]", "event_not_json"),
        (b'"text"', "event_not_json"),
        (b"null", "event_not_json"),
        (b'{"a":\xff}', "event_not_json"),
        (b'{"a":"\xc3\x28"}', "event_not_json"),
        (b'{"a":"\x01"}', "event_not_json"),
        (b'{"a":01}', "event_not_json"),
        (b'{"a":"\\ud800"}', "event_not_json"),
        (b'{"\\udc00":1}', "event_not_json"),
        (b'{"a":["\\udc00\\ud800"]}', "event_not_json"),
        (b'{"a":"\xed\xa0\x80"}', "event_not_json"),  # a surrogate that was written as UTF-8
        (b'{"a":%s}' % (b"9" * 5000), "event_not_json"),
        (b'{"a":1.5}', "event_has_float"),
        (b'{"a":1.0}', "event_has_float"),
        (b'{"a":1e2}', "event_has_float"),
        (b'{"a":-0.0}', "event_has_float"),
        (b'{"a":NaN}', "event_has_float"),
        (b'{"a":[Infinity]}', "event_has_float"),
        (b'{"a":-Infinity}', "event_has_float"),
        (b'{"a":9007199254740992}', "event_number_too_large"),
        (b'{"a":-9007199254740992}', "event_number_too_large"),
        (b'{"a":[{"b":9007199254740993}]}', "event_number_too_large"),
        ('{"a":"e\u0301"}'.encode(), "event_not_nfc"),
        ('{"Nguye\u0302\u0303n":1}'.encode(), "event_not_nfc"),
        (b'{"a":"e\\u0301"}', "event_not_nfc"),
        (b'{"a":1,"a":2}', "event_not_canonical"),
        (b'{"a":1,"a":1}', "event_not_canonical"),
        (b'{"a":{"b":1,"b":1}}', "event_not_canonical"),
        (b'{"b":1,"a":2}', "event_not_canonical"),
        (b'{"a": 1}', "event_not_canonical"),
        (b' {"a":1}', "event_not_canonical"),
        (b'{"a":1}\n', "event_not_canonical"),
        (b'{"a":-0}', "event_not_canonical"),
        (b'{"a":"\\u00e9"}', "event_not_canonical"),
        (b'{"a":"\\/"}', "event_not_canonical"),
        (b'{"a":"\\u001F"}', "event_not_canonical"),
        (b'\xef\xbb\xbf{"a":1}', "event_not_canonical"),
        ('{"a":1}'.encode("utf-16"), "event_not_canonical"),
        ('{"a":1}'.encode("utf-16-le"), "event_not_canonical"),
        ('{"a":1}'.encode("utf-32"), "event_not_canonical"),
        (b'{"a":"%s"}' % (b"x" * MOST_BYTES), "event_too_large"),
    ],
)
def test_what_is_no_canonical_event(content: bytes, code: str) -> None:
    with pytest.raises(Malformed) as fault:
        canonical.read(content)
    assert fault.value.code == code


@pytest.mark.parametrize("levels", [MOST_LEVELS + 1, 300, 900, 999, 1000, 2000, 8000])
def test_depth_alone_does_no_harm(levels: int) -> None:
    for opened, closed in ((b"[", b"]"), (b'{"a":', b"}")):
        content = b'{"a":' + opened * levels + b"1" + closed * levels + b"}"
        with pytest.raises(Malformed) as fault:
            canonical.read(content)
        assert fault.value.code in {"event_not_json", "event_too_large"}
    with pytest.raises(Malformed):
        canonical.read(b'{"a":' + b"[" * levels)
    with pytest.raises(Malformed, match="event_not_json"):
        canonical.write(nested(levels))


def test_as_deep_as_it_may_be() -> None:
    assert canonical.read(canonical.write({"a": nested(MOST_LEVELS - 1)}))


def test_a_value_within_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(Malformed, match="event_not_json"):
        canonical.write(endless)


def test_the_largest_integers_are_taken() -> None:
    for number in (SAFE - 1, 1 - SAFE, 0, -1):
        assert canonical.read(canonical.write({"a": number})) == {"a": number}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1.5, "event_has_float"),
        ({"a": float("nan")}, "event_has_float"),
        (SAFE, "event_number_too_large"),
        ({1: "a"}, "event_not_json"),
        ({None: "a"}, "event_not_json"),
        ("\ud800", "event_not_json"),
        ("e\u0301", "event_not_nfc"),
        (b"bytes", "event_has_float"),
    ],
)
def test_what_cannot_be_written(value: Any, code: str) -> None:
    with pytest.raises(Malformed) as fault:
        canonical.write(value)
    assert fault.value.code == code


def test_a_commitment_hides_and_binds() -> None:
    assert commitment(SALT, b"NP-0042") == hashlib.sha256(SALT + b"NP-0042").hexdigest()
    assert commitment(bytes(32), b"NP-0042") != commitment(SALT, b"NP-0042")


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_salt_of_another_length_would_open_to_two_contents(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        commitment(bytes(size), b"content")


LETTERS = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | LETTERS.map(lambda t: normalize("NFC", t)),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner),
        max_leaves=20,
    )
)
def test_the_quick_writer_writes_what_rfc_8785_does(value: Any) -> None:
    assert canonical.write(value) == rfc8785.dumps(value)
