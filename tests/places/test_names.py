"""Names fold to one form, however they are typed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courier_api.places.mentions import mentions
from courier_api.places.names import fold, nfc, plain, unit_type


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("Phường Hiến Nam", "hien nam"),
        ("P.Hiến Nam", "hien nam"),
        ("P. HIẾN  NAM", "hien nam"),
        ("phuong hien nam", "hien nam"),
        ("TP. Hưng Yên", "hung yen"),
        ("Thành phố Hưng Yên", "hung yen"),
        ("TT Vương", "vuong"),
        ("Thị trấn Vương", "vuong"),
        ("X. Đoàn Đào", "doan dao"),
        ("Xã Ðoàn Đào", "doan dao"),  # the first letter is Icelandic
        ("Huyện Thái Thuỵ", "thai thuy"),
        ("Huyện Thái Thụy", "thai thuy"),
        ("Xã Lê Quí Đôn", "le qui don"),
        ("Xã Lê Quý Đôn", "le qui don"),
        ("Yên Mĩ", "yen mi"),
        ("Yên Mỹ", "yen mi"),
        ("Quỳnh Côi", "quinh coi"),
        ("Xã Phương Nam", "phuong nam"),  # Phương is no Phường
        ("Xã", "xa"),
        ("", ""),
        ("...", ""),
    ],
)
def test_spellings_of_one_name_meet(typed: str, form: str) -> None:
    assert fold(typed) == form


def test_the_sounds_of_y_that_differ_stay_apart() -> None:
    assert fold("Xã Tây Sơn") != fold("Xã Tai Sơn")
    assert fold("Thuy") != fold("Thui")


@given(st.text(max_size=80))
def test_composition_and_case_do_not_matter(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text)) == fold(text)
    assert fold(text.casefold()) == fold(text)


@given(st.text(max_size=80))
def test_plain_is_its_own_plain_and_holds_nothing_special(text: str) -> None:
    form = plain(text)
    assert plain(form) == form
    assert all(letter == " " or (letter.isascii() and letter.isalnum()) for letter in form)
    assert nfc(nfc(text)) == nfc(text)


@given(st.text(max_size=400))
def test_any_text_can_be_taken_apart(text: str) -> None:
    assert len(mentions(text)) <= 200


def test_the_word_before_a_name_says_what_it_is() -> None:
    kinds = {run.name: run.kind for run in mentions("Số 2 Chùa Chuông, P. Hiến Nam, TP Hưng Yên, đường Lê Lợi")}
    assert kinds["hien nam"] == "commune"
    assert kinds["hung yen"] == "district"
    assert kinds["le loi"] == "street"


def test_short_and_long_unit_words_are_one() -> None:
    assert unit_type("Thị trấn Vương") == unit_type("TT. Vương") == "tt"
    assert unit_type("Phường Hiến Nam") == unit_type("P Hiến Nam") == "p"
    assert unit_type("Hiến Nam") == ""
