"""What an import did: counts, rows refused by line and reason, and notes on what was put right."""

from collections.abc import Callable
from dataclasses import dataclass, field

from courier_api.errors import Invalid

type Progress = Callable[[int, int], None]  # (rows done, rows in all)


class BadFile(Invalid):
    """The file as a whole cannot be used; nothing of it is written. `str()` is one plain sentence."""

    def __init__(self, code: str, sentence: str, **values: object) -> None:
        super().__init__(code, **values)
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class BadRow(ValueError):
    """One row cannot be used; its text is the reason a person reads."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that did not come in: its line in the file (or its way's id), its own code if it has one, and why."""

    line: int
    key: str
    reason: str


@dataclass(slots=True)
class ImportReport:
    """Counts of one file."""

    kind: str
    source: str
    rows: int = 0
    added: int = 0
    changed: int = 0
    skipped: bool = False  # these very bytes are in already
    refused: list[RefusedRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def rows_in(self) -> int:
        """Rows that were good, whether or not they changed anything."""
        return self.rows - len(self.refused)

    def refuse(self, line: int, key: object, reason: object) -> None:
        """Leave one row out."""
        self.refused.append(RefusedRow(line, str(key or ""), str(reason)))


def quiet(done: int, total: int) -> None:
    """No progress shown."""
