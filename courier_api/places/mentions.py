"""Takes a written address apart into the runs of words that may name a place, with what stands before each."""

import re
import unicodedata
from dataclasses import dataclass

from courier_api.places.names import bare, unit_kind, unit_words, words

_BETWEEN = re.compile(r"[,;\n\r|/\\()]+|\s[-–—]+\s")
_STREET_WORDS = frozenset(
    {"đường", "duong", "phố", "pho", "ngõ", "ngo", "ngách", "ngach", "hẻm", "hem", "số", "so", "lộ", "lo"}
)
_LONGEST_TEXT, _LONGEST_NAME, _MOST_WORDS = 200, 5, 40


@dataclass(frozen=True, slots=True)
class Mention:
    """A run of words in one part of the address."""

    name: str  # bare words, as search_name has them
    marks: str  # its accents, wherever in their words they stand; empty when written without
    kind: str  # what the words before it say it is: commune, district, province, street, or nothing
    unit: tuple[str, ...]  # those words
    part: int
    start: int
    end: int
    last_part: int

    def inside(self, other: "Mention") -> bool:
        """Whether a longer run holds this one."""
        return (
            self.part == other.part
            and other.start <= self.start
            and self.end <= other.end
            and self.end - self.start < other.end - other.start
        )

    def overlaps(self, other: "Mention") -> bool:
        """Whether the two runs share a word."""
        return self.part == other.part and self.start < other.end and other.start < self.end

    def unit_belongs_to(self, other: "Mention") -> bool:
        """Whether the word before this run is the end of another name: the `Xa` of `Lieu Xa, Yen My` is no `xã`."""
        return bool(self.kind) and self.part == other.part and other.end == self.start and other.end - other.start > 1


def mentions(text: str) -> list[Mention]:
    """Every run of up to five words, in the order of the text; parts are what commas and dashes part."""
    parts = [found for part in _BETWEEN.split(text[:_LONGEST_TEXT]) if (found := words(part))]
    runs: list[Mention] = []
    left = _MOST_WORDS
    for number, part in enumerate(parts):
        part = part[:left]
        left -= len(part)
        plain = [bare(word) for word in part]
        for start in range(len(part)):
            kind, unit = _before(part, start)
            for end in range(start + 1, min(start + _LONGEST_NAME, len(part)) + 1):
                name = " ".join(plain[start:end])
                runs.append(Mention(name, accents(part[start:end]), kind, unit, number, start, end, len(parts) - 1))
    return runs


def accents(found: list[str]) -> str:
    """The accents of a name, not where they stand: the same for `Thuỵ` and `Thụy`, empty for `Thuy`."""
    marked = []
    for word in found:
        letters = unicodedata.normalize("NFD", word)
        marked.append("".join(sorted(letter for letter in letters if unicodedata.combining(letter) or letter == "đ")))
    return " ".join(marked) if any(marked) else ""


def _before(part: list[str], start: int) -> tuple[str, tuple[str, ...]]:
    for length in (2, 1):
        if start >= length:
            taken = unit_words(part, start - length)
            if len(taken) == length:
                return unit_kind(taken), tuple(taken)
    if start and part[start - 1] in _STREET_WORDS:
        return "street", ()
    return "", ()
