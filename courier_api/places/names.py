"""The one normal form in which names of places and procedures are stored for searching and compared."""

import re
import unicodedata

# Words that say what a unit is, in full and as people shorten them ("P. Hiến Nam", "TP Hưng Yên"). They are matched
# with their accents, or with none at all: so "Xã Phương Nam" keeps its "Phương", which is no "Phường".
COMMUNE_WORDS = ("xã", "phường", "thị trấn", "đặc khu", "x", "p", "tt")
DISTRICT_WORDS = ("huyện", "quận", "thị xã", "thành phố", "h", "q", "tx", "tp")
PROVINCE_WORDS = ("tỉnh", "t")

_LETTERS = str.maketrans({"đ": "d", "ð": "d"})  # the second is Icelandic, and often typed for the first
_WORD = re.compile(r"[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*")
_NOT_ALNUM = re.compile(r"[^0-9a-z]+")
# After a consonant, or after "qu", i and y are the same sound and both spellings are in use: Quí/Quý, Mĩ/Mỹ, Lí/Lý.
_Y_FOR_I = re.compile(r"^(qu|[bcdghklmnprstvx]{1,3})y")


def nfc(text: str) -> str:
    """Compose the letters, trim, and leave single spaces: the form in which names are stored for reading."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def words(text: str) -> list[str]:
    """The words of a text, small and composed, with their accents and without punctuation."""
    small = unicodedata.normalize("NFD", text).casefold()
    return [word for word in _WORD.findall(unicodedata.normalize("NFC", small)) if bare(word)]


def bare(word: str) -> str:
    """One word as small letters a-z and digits; `y` becomes `i` where both spellings are in use."""
    letters = unicodedata.normalize("NFD", word.casefold()).translate(_LETTERS)
    return _Y_FOR_I.sub(r"\1i", _NOT_ALNUM.sub("", letters))


def plain(text: str) -> str:
    """Bare words, one space apart: NFC and NFD, `Thuỵ` and `Thụy`, `Quí` and `Quý`, `Đ` and `d` become the same."""
    return " ".join(map(bare, words(text)))


def fold(text: str) -> str:
    """`plain`, less the word in front that says what the unit is: `TP. Hưng Yên` becomes `hung yen`.

    For names: apply it once, to what a person wrote, for `phuong nam` may be Phường Nam or Phương Nam.
    """
    found = words(text)
    kind = unit_words(found, 0)
    return " ".join(map(bare, found[len(kind) :] or found))


def unit_words(found: list[str], at: int) -> list[str]:
    """The one or two words from `at` on that say what kind of unit follows; none when no name follows them."""
    for length in (2, 1):
        taken = found[at : at + length]
        if at + length < len(found) and " ".join(taken) in _UNIT_WORDS:
            return taken
    return []


def unit_kind(taken: list[str]) -> str:
    """`commune`, `district`, `province` or nothing, for what `unit_words` gave."""
    return _UNIT_WORDS.get(" ".join(taken), "")


_SHORT = {"xa": "x", "phuong": "p", "huyen": "h", "quan": "q", "tinh": "t"}


def unit_type(name: str) -> str:
    """What a unit calls itself, shortened: `Thị trấn Vương` and `TT Vương` give `tt`; nothing when it does not say."""
    taken = unit_words(words(name), 0)
    letters = "".join(bare(word)[0] for word in taken) if len(taken) > 1 else bare(taken[0]) if taken else ""
    return _SHORT.get(letters, letters)


def _spellings() -> dict[str, str]:
    kinds = {"commune": COMMUNE_WORDS, "district": DISTRICT_WORDS, "province": PROVINCE_WORDS}
    spelt = {}
    for kind, names in kinds.items():
        for name in names:
            spelt[name] = spelt[" ".join(map(bare, name.split()))] = kind
    return spelt


_UNIT_WORDS = _spellings()
