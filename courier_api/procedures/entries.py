"""One procedure as a catalogue file gives it, checked, before it becomes a version in the database."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from courier_api.places.imports.reading import text_cell, whole_cell
from courier_api.places.imports.report import BadRow
from courier_api.places.imports.writing import digest
from courier_api.procedures.models import AgencyLevel, Authorization, Eligibility

_CODE = re.compile(r"([0-9]\.[0-9]{6})(?:\.([A-Za-z0-9.\-]{1,30}))?")


@dataclass(frozen=True, slots=True)
class Paper:
    """One line of a checklist."""

    name: str
    name_en: str | None
    originals: int
    copies: int
    mandatory: bool = True
    recalled_original: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One procedure from one day on."""

    code: str
    suffix: str
    valid_from: date
    name: str
    name_en: str | None
    field: str
    level: AgencyLevel
    competent_agency: str
    eligibility: Eligibility
    authorization: Authorization
    working_days: int | None
    state_fee: int | None
    papers: tuple[Paper, ...] = ()

    @property
    def bookable(self) -> bool:
        """Complete enough that a courier can be sent: checklist, fee and days known."""
        return bool(self.papers) and self.state_fee is not None and self.working_days is not None

    @property
    def digest(self) -> str:
        """The same content gives the same text, whichever file it came from; the day it holds from is not content."""
        content = asdict(self)
        del content["valid_from"]
        return digest(json.dumps(content, ensure_ascii=False, sort_keys=True))


def code_cell(row: Mapping[str, Any]) -> tuple[str, str]:
    """National code and agency suffix: `1.004203` or `1.004203.000.00.00.H31`."""
    text = text_cell(row, "code", 60)
    match = _CODE.fullmatch(text)
    if not match:
        raise BadRow(f"code is not like 1.004203: {text!r}")
    suffix = text_cell(row, "suffix", 30, optional=True)
    if suffix and match[2]:
        raise BadRow("the suffix stands both in code and in suffix")
    return match[1], suffix or match[2] or ""


def choice_cell[E: StrEnum](row: Mapping[str, Any], name: str, kind: type[E]) -> E:
    """One of the words of an enum."""
    text = text_cell(row, name, 40)
    try:
        return kind(text)
    except ValueError:
        raise BadRow(f"{name} is none of {', '.join(kind)}: {text!r}") from None


def day_cell(row: Mapping[str, Any], name: str) -> date:
    """A date as 2026-01-31."""
    text = text_cell(row, name, 40)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadRow(f"{name} is not a date like 2026-01-31: {text!r}") from None


def entry(row: Mapping[str, Any], papers: tuple[Paper, ...], default_day: date) -> Entry:
    """Check one procedure of our own format; raise BadRow for what cannot be right."""
    code, suffix = code_cell(row)
    return Entry(
        code=code,
        suffix=suffix,
        valid_from=day_cell(row, "valid_from") if row.get("valid_from") else default_day,
        name=text_cell(row, "name", 2000),
        name_en=text_cell(row, "name_en", 2000, optional=True) or None,
        field=text_cell(row, "field", 200),
        level=choice_cell(row, "level", AgencyLevel),
        competent_agency=text_cell(row, "competent_agency", 200),
        eligibility=choice_cell(row, "eligibility", Eligibility),
        authorization=choice_cell(row, "authorization", Authorization),
        working_days=whole_cell(row, "working_days", 1000),
        state_fee=whole_cell(row, "state_fee", 1_000_000_000),
        papers=papers,
    )


def paper(row: Mapping[str, Any]) -> Paper:
    """Check one line of a checklist."""
    originals, copies = whole_cell(row, "originals", 99) or 0, whole_cell(row, "copies", 99) or 0
    name = text_cell(row, "name", 300)
    if originals + copies == 0:
        raise BadRow(f"document {name!r}: neither originals nor copies")
    if row.get("recalled_original") and not originals:
        raise BadRow(f"document {name!r}: only an original can be recalled")
    return Paper(
        name=name,
        name_en=text_cell(row, "name_en", 300, optional=True) or None,
        originals=originals,
        copies=copies,
        mandatory=_flag(row, "mandatory", True),
        recalled_original=_flag(row, "recalled_original", False),
    )


def _flag(row: Mapping[str, Any], name: str, default: bool) -> bool:
    value = row.get(name, default)
    if not isinstance(value, bool):
        raise BadRow(f"{name} is neither true nor false: {value!r}")
    return value
