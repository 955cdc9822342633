"""Makes a PDF of a paper: its words as data for Typst, its drawings as SVG, always with our own fonts."""

import json
import re
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import typst

from courier_api.custody.papers import drawing
from courier_api.custody.papers.amounts import in_figures, in_words
from courier_api.custody.papers.contents import AnyPaper, CitizenReceipt, Fees, HandoverRecord, HandSignature

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")

_TEMPLATES = Path(__file__).parent
_LONG_WORD = re.compile(r"\S{32,}")  # longer than any code, which must be copied as it is
_own = threading.local()


def render(paper: AnyPaper, zone: ZoneInfo = VIETNAM) -> bytes:
    """Make the PDF, times in `zone`; the same paper gives the same bytes. Raises ValueError for a time without zone."""
    return _pages(paper, zone, "pdf")[0]


def _pages(paper: AnyPaper, zone: ZoneInfo, form: Literal["pdf", "png", "svg"], ppi: float = 144) -> list[bytes]:
    content = _plain(paper, zone)
    if paper.verify_address is not None:
        content["verify_address"] = paper.verify_address
        content["code"] = drawing.code(paper.verify_address)
    compiled = partial(
        _compiler().compile,
        _TEMPLATES / f"{_template(paper)}.typ",
        format=form,
        ppi=ppi,
        sys_inputs={"paper": json.dumps(content, ensure_ascii=False)},
        timestamp=int(paper.server_at.timestamp()),
    )
    try:
        made = compiled(pdf_standards=["a-2a", "ua-1"])  # to be archived, and to be read aloud
    except typst.TypstError:
        # The standards refuse a letter that our fonts lack, a Chinese one in a name. It prints as an empty box.
        made = compiled()
    assert made is not None
    return made if isinstance(made, list) else [made]


def _template(paper: AnyPaper) -> str:
    if isinstance(paper, CitizenReceipt):
        return "citizen_receipt"
    return "handover_record" if isinstance(paper, HandoverRecord) else "supplement_slip"


def _compiler() -> typst.Compiler:
    # One for each thread: a compiler keeps its input between calls. Its fonts are shared.
    if not hasattr(_own, "compiler"):
        _own.compiler = typst.Compiler(root=_TEMPLATES, font_paths=_fonts())
    compiler: typst.Compiler = _own.compiler
    return compiler


@cache
def _fonts() -> typst.Fonts:
    # None of the machine's, so that every machine prints the same.
    folder = str(files("fontpkg_be_vietnam_pro") / "files")
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])


def _plain(value: Any, zone: ZoneInfo) -> Any:
    """Write a value as JSON has it, ready to be printed."""
    match value:
        case str():
            return _text(value)
        case datetime():
            if value.tzinfo is None:
                raise ValueError("a time on a paper needs its zone")
            return f"{value.astimezone(zone):%d/%m/%Y %H:%M}"
        case date():
            return f"{value:%d/%m/%Y}"
        case Fees():
            return _fees(value)
        case HandSignature():
            drawn = drawing.signature(value.strokes) if value.strokes is not None else None
            return {"name": _plain(value.name, zone), "relationship": _text(value.relationship), "drawn": drawn}
        case _ if is_dataclass(value):
            return {field.name: _plain(getattr(value, field.name), zone) for field in fields(value)}
        case Sequence():
            return [_plain(each, zone) for each in value]
        case _:
            return value


def _fees(fees: Fees) -> dict[str, Any]:
    lines = (fees.state_fee, fees.postage, fees.fee_transfer)
    total = sum(lines)
    return {
        "lines": [in_figures(line) for line in lines],
        "total": in_figures(total) if total else None,
        "words": in_words(total),
        "voucher": _text(fees.voucher) if fees.voucher else None,
    }


def _text(text: str) -> str:
    """NFC on one line, without what cannot be printed; a word too long for a line may break after each letter."""
    shown = "".join(c if unicodedata.category(c)[0] not in "CZ" else " " for c in unicodedata.normalize("NFC", text))
    return _LONG_WORD.sub(lambda word: "\u200b".join(word[0]), " ".join(shown.split()))
