"""What an audit found: each finding with its table, its row, a stable code and a sentence; all of them counted."""

from collections import Counter
from dataclasses import dataclass, field

from courier_api.custody.audit.sentences import SENTENCES

KEPT = 10_000  # of each kind; more are counted only


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that is not what it must be; `row` is its primary key."""

    code: str
    table: str
    row: str
    text: str


@dataclass(slots=True)
class Report:
    """Findings (something was changed, lost or invented), notices (worth a look), and how much was looked at."""

    findings: list[Finding] = field(default_factory=list)
    notices: list[Finding] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)
    noticed: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    size: int = 0  # of the tree
    checkpoint: str | None = None  # the newest, when it covers the whole tree
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether nothing was found; notices do not count."""
        return not self.found

    def find(self, code: str, table: str, row: object, **values: object) -> None:
        """Add a finding."""
        self.found[code] += 1
        if len(self.findings) < KEPT:
            self.findings.append(Finding(code, table, str(row), SENTENCES[code].format(**values)))

    def notice(self, code: str, table: str, row: object, **values: object) -> None:
        """Add a notice."""
        self.noticed[code] += 1
        if len(self.notices) < KEPT:
            self.notices.append(Finding(code, table, str(row), SENTENCES[code].format(**values)))

    def count(self, table: str, rows: int = 1) -> None:
        """Count rows that were looked at."""
        self.counted[table] += rows

    def merge(self, other: "Report") -> None:
        """Take in what another part of the same audit found."""
        self.findings += other.findings[: KEPT - len(self.findings)]
        self.notices += other.notices[: KEPT - len(self.notices)]
        self.found += other.found
        self.noticed += other.noticed
        self.counted += other.counted
        self.size = max(self.size, other.size)
        self.checkpoint = self.checkpoint or other.checkpoint
