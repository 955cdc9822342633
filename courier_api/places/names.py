"""The one normal form in which names of places and procedures are stored for searching and compared."""

import re
import unicodedata

# Words that say what a unit is, in full and as people shorten them ("P. Hiến Nam", "TP Hưng Yên").
COMMUNE_WORDS = frozenset({"xa", "phuong", "thi tran", "x", "p", "tt", "dac khu"})
DISTRICT_WORDS = frozenset({"huyen", "quan", "thi xa", "thanh pho", "h", "q", "tx", "tp"})
PROVINCE_WORDS = frozenset({"tinh", "t"})
UNIT_WORDS = COMMUNE_WORDS | DISTRICT_WORDS | PROVINCE_WORDS

_LETTERS = str.maketrans({"đ": "d", "ð": "d"})  # the second is Icelandic, and often typed for the first
_NOT_ALNUM = re.compile(r"[^0-9a-z]+")
# After a consonant, or after "qu", i and y are the same sound and both spellings are in use: Quí/Quý, Mĩ/Mỹ, Lí/Lý.
_Y_FOR_I = re.compile(r"\b(qu|[bcdghklmnprstvx]{1,3})y")


def nfc(text: str) -> str:
    """Compose the letters, trim, and leave single spaces: the form in which names are stored for reading."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def plain(text: str) -> str:
    """Lower-case letters and digits in words one space apart, without accents, y written i where it sounds i.

    NFC and NFD, `Thuỵ` and `Thụy`, `Quí` and `Quý`, `Đ` and `d` all become the same.
    """
    letters = unicodedata.normalize("NFD", text.casefold()).translate(_LETTERS)
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _Y_FOR_I.sub(r"\1i", _NOT_ALNUM.sub(" ", bare).strip())


def fold(text: str) -> str:
    """`plain` without the words in front that say what a unit is: `TP. Hưng Yên` becomes `hung yen`.

    A name that consists of such words only keeps the last of them, so that nothing folds to nothing.
    """
    words = plain(text).split()
    while len(words) > 1:
        taken = unit_words(words, 0)
        if not taken or taken >= len(words):
            break
        words = words[taken:]
    return " ".join(words)


def unit_words(words: list[str], at: int) -> int:
    """How many words from `at` on say what kind of unit follows: 0, 1 or 2."""
    if " ".join(words[at : at + 2]) in UNIT_WORDS and at + 1 < len(words):
        return 2
    return 1 if words[at] in UNIT_WORDS else 0
