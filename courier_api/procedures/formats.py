"""Reads catalogue files: our own format as JSON or CSV, and the crawled list of the national portal.

Our JSON is a list of procedures, each with `documents`. Our CSV has the same columns; its `documents` cell holds one
line per paper: `1+0 Vietnamese name | English name`, originals before the plus and copies after it, then `?` when the
paper is optional and `!` when the original is recalled as the result is delivered: `1+0! Thẻ căn cước cũ | Old card`.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date
from math import ceil
from pathlib import Path
from typing import Any

from courier_api.places.imports import reading
from courier_api.places.imports.report import BadFile, BadRow, ImportReport
from courier_api.procedures.entries import Entry, Paper, code_cell, entry, paper
from courier_api.procedures.models import AgencyLevel, Authorization, Eligibility

type Numbered = tuple[int, str, Entry]

_OWN = (
    "code",
    "name",
    "field",
    "level",
    "competent_agency",
    "eligibility",
    "authorization",
    "working_days",
    "state_fee",
)
_CRAWLED = ("code", "name", "ministry", "level", "field", "post", "time", "time_unit", "fee_vnd")
_PAPER = re.compile(r"(\d+)\+(\d+)([?!]*) +([^|]+?)(?: *\| *(.+))?")
_MINISTRIES = {
    "bo-cong-an": "Bộ Công an",
    "bo-nong-nghiep-mt": "Bộ Nông nghiệp và Môi trường",
    "bo-tai-chinh": "Bộ Tài chính",
    "bo-tu-phap": "Bộ Tư pháp",
    "bo-xay-dung": "Bộ Xây dựng",
    "ngan-hang-nha-nuoc": "Ngân hàng Nhà nước",
    "toa-an-nhan-dan": "Toà án nhân dân",
}
# The level nearest to the citizen comes first: that is where the papers are handed in.
_LEVELS = {"Cấp xã": AgencyLevel.commune, "Cấp tỉnh": AgencyLevel.province, "Cấp bộ": AgencyLevel.ministry}
# How many working days a unit makes; always rounded up, so that no promise is shorter than the law's.
_WORKING_DAYS = {"ngày làm việc": 1.0, "ngày": 5 / 7, "giờ": 1 / 8, "tháng": 22.0}
_LONGEST = {"ngày làm việc": 366, "ngày": 366, "giờ": 720, "tháng": 24}
_SMALLEST_FEE = 1000  # đồng: no fee is less, a smaller number is a slip of the crawler


def read(content: bytes, path: Path, default_day: date, report: ImportReport) -> Iterator[Numbered]:
    """Line (or place in the list), code and content of each good procedure; the others go into the report."""
    build: Callable[[Any, date], Entry]
    if path.suffix.lower() == ".json":
        items = [(number, item) for number, item in enumerate(_items(content, path), start=1)]
        build = _from_json
    else:
        lines, bad = reading.parse_csv(content, path, ["code", "name", "level", "field"])
        header = set(lines[0][1]) if lines else set()
        crawled = {"fee_vnd", "time_unit"} <= header
        missing = [name for name in (_CRAWLED if crawled else _OWN) if lines and name not in header]
        if missing:
            raise BadFile("file_columns", f"{path}: columns missing: {', '.join(missing)}.", missing=", ".join(missing))
        report.rows += len(bad)
        for line, reason in bad:
            report.refuse(line, "", reason)
        items = list(lines)
        build = _crawled if crawled else _from_csv
    report.rows += len(items)
    seen: dict[tuple[str, str], int] = {}
    for line, item in items:
        try:
            found = build(item, default_day)
            first = seen.setdefault((found.code, found.suffix), line)
            if first != line:
                raise BadRow(f"the same code stands on line {first} already")
            yield line, found.code, found
        except BadRow as error:
            report.refuse(line, item.get("code", "") if isinstance(item, dict) else "", error)


def _items(content: bytes, path: Path) -> list[Any]:
    document = reading.parse_json(content, path)
    if not isinstance(document, list):
        raise BadFile("file_not_catalogue", f"{path}: not a list of procedures.")
    return document


def _from_json(item: Any, default_day: date) -> Entry:
    if not isinstance(item, dict):
        raise BadRow("not a procedure with named values")
    unknown = set(item) - {*_OWN, "suffix", "valid_from", "name_en", "documents"}
    if unknown:
        raise BadRow(f"unknown names: {', '.join(sorted(unknown))}")
    documents = item.get("documents") or []
    if not isinstance(documents, list) or not all(isinstance(document, dict) for document in documents):
        raise BadRow("documents is not a list of papers")
    return entry(item, tuple(paper(document) for document in documents), default_day)


def _from_csv(row: dict[str, str], default_day: date) -> Entry:
    return entry(row, tuple(_paper_line(line) for line in row.get("documents", "").splitlines()), default_day)


def _paper_line(line: str) -> Paper:
    match = _PAPER.fullmatch(line)
    if not match:
        raise BadRow(f"document is not like '1+0 Name | English name': {line!r}")
    originals, copies, marks, name, name_en = match.groups()
    return paper(
        {
            "name": name,
            "name_en": name_en,
            "originals": originals,
            "copies": copies,
            "mandatory": "?" not in marks,
            "recalled_original": "!" in marks,
        }
    )


def _crawled(row: dict[str, str], default_day: date) -> Entry:
    """A row of the portal: no checklist, so nothing that can be booked. What it leaves out stays unknown."""
    code, suffix = code_cell(row)
    if row["post"] not in ("0", "1"):
        raise BadRow(f"post is neither 0 nor 1: {row['post']!r}")
    return Entry(
        code=code,
        suffix=suffix,
        valid_from=default_day,
        name=reading.text_cell(row, "name", 2000),
        name_en=None,
        field=reading.text_cell(row, "field", 200),
        level=_level(row["level"]),
        competent_agency=_MINISTRIES.get(row["ministry"], "") or reading.text_cell(row, "ministry", 200),
        eligibility=Eligibility.both if row["post"] == "1" else Eligibility.none,
        authorization=Authorization.anyone_written,
        working_days=_days(row["time"], row["time_unit"]),
        state_fee=_fee(row),
    )


def _level(text: str) -> AgencyLevel:
    named = [part.strip() for part in text.split(",")]
    for name, level in _LEVELS.items():
        if name in named:
            return level
    raise BadRow(f"level names neither commune, province nor ministry: {text!r}")


def _days(time: str, unit: str) -> int | None:
    """Working days; None when the source is silent. A number that cannot be read is refused rather than guessed."""
    if not time:
        return None
    factor = _WORKING_DAYS.get(unit.casefold())
    if factor is None:
        raise BadRow(f"time has an unknown unit: {time!r} {unit!r}")
    if not re.fullmatch(r"\d{1,5}(\.\d)?", time):
        raise BadRow(f"time is not a number: {time!r} {unit}")
    number = float(time)
    if number > _LONGEST[unit.casefold()]:
        raise BadRow(f"time is longer than any law gives, figures have run together: {time} {unit}")
    return ceil(number * factor)


def _fee(row: dict[str, str]) -> int | None:
    fee = reading.whole_cell(row, "fee_vnd", 1_000_000_000)
    if fee is not None and 0 < fee < _SMALLEST_FEE:
        raise BadRow(f"fee is less than {_SMALLEST_FEE} đồng, a slip of the source: {fee}")
    return fee
