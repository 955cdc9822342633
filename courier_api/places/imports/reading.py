"""Reads files of any origin (byte order marks, line ends, decomposed letters) and says plainly what is wrong."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from courier_api.places.imports.report import BadFile, BadRow
from courier_api.places.names import nfc

# Mainland and islands, generously. A point outside is a slip, most often longitude and latitude exchanged.
WEST, SOUTH, EAST, NORTH = 102.0, 6.0, 118.0, 24.0

type Aliases = Mapping[str, tuple[str, ...]]
type Line = tuple[int, dict[str, str]]


def read_bytes(path: Path) -> bytes:
    """The file's bytes."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise BadFile("file_not_found", f"{path}: there is no such file.", path=str(path)) from None
    except OSError as error:
        raise BadFile("file_unreadable", f"{path}: cannot be read ({error.strerror}).", path=str(path)) from None
    if not content.strip():
        raise BadFile("file_empty", f"{path}: the file is empty.", path=str(path))
    return content


def decode(content: bytes, path: Path) -> str:
    """UTF-8 text; a byte order mark is dropped."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadFile("file_not_utf8", f"{path}: not UTF-8 (line {line}). Save it as UTF-8.", line=line) from None
    if "\0" in text:
        raise BadFile("file_not_text", f"{path}: holds zero bytes, it is not a text file.")
    return text


def parse_json(content: bytes, path: Path) -> Any:
    """A JSON document."""
    try:
        return json.loads(decode(content, path), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadFile("file_bad_json", f"{path}: broken JSON at {place}: {error.msg}.", line=error.lineno) from None
    except (RecursionError, ValueError) as error:
        raise BadFile("file_bad_json", f"{path}: broken JSON: {error}.") from None


def parse_csv(
    content: bytes, path: Path, required: Iterable[str], aliases: Aliases | None = None
) -> tuple[list[Line], list[tuple[int, str]]]:
    """Rows with the line each begins on, and lines with the wrong number of cells; other columns are kept.

    `aliases` lists other names under which a column is known in published files.
    """
    reader = csv.reader(io.StringIO(decode(content, path), newline=""), strict=True)
    try:
        header = _header(next(reader, []), path, list(required), aliases or {})
        good: list[Line] = []
        bad: list[tuple[int, str]] = []
        before = reader.line_num
        for cells in reader:
            line, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                bad.append((line, f"{len(cells)} cells, the header has {len(header)}"))
            else:
                good.append((line, {name: tidy(cell) for name, cell in zip(header, cells, strict=True)}))
    except csv.Error as error:
        raise BadFile("file_bad_csv", f"{path}: broken CSV at line {reader.line_num}: {error}.") from None
    return good, bad


def tidy(cell: str) -> str:
    """NFC with single spaces, line by line, for a cell may hold several lines."""
    return "\n".join(line for line in map(nfc, cell.splitlines()) if line)


def columns(row: Mapping[str, Any], aliases: Aliases) -> dict[str, Any]:
    """The same row under our own column names."""
    known = {alias.casefold(): name for name, others in aliases.items() for alias in others}
    renamed = {known.get(key.casefold(), key): value for key, value in row.items()}
    return renamed | {key: value for key, value in row.items() if key in aliases}


def unique(lines: Iterable[Line], key: Callable[[dict[str, str]], object]) -> Iterator[tuple[int, dict[str, str], str]]:
    """Each row with the reason why it may not come in, if its key was seen before."""
    seen: dict[object, int] = {}
    for line, row in lines:
        first = seen.setdefault(key(row), line)
        yield line, row, "" if first == line else f"the same code stands on line {first} already"


def text_cell(row: Mapping[str, Any], name: str, longest: int, *, optional: bool = False) -> str:
    """A text that fits its column."""
    value = row.get(name)
    text = nfc(str(value)) if value is not None else ""
    if not text and not optional:
        raise BadRow(f"{name} is empty")
    if len(text) > longest:
        raise BadRow(f"{name} is longer than {longest} letters")
    if any(ord(letter) < 32 for letter in text):
        raise BadRow(f"{name} holds control characters")
    return text


def digits_cell(row: Mapping[str, Any], name: str, length: int, *, optional: bool = False) -> str | None:
    """A code of so many digits; zeros that a spreadsheet dropped are not guessed."""
    text = text_cell(row, name, 40, optional=optional)
    if not text and optional:
        return None
    if len(text) != length or not (text.isascii() and text.isdigit()):
        raise BadRow(f"{name} is not {length} digits: {text!r}")
    return text


def whole_cell(row: Mapping[str, Any], name: str, largest: int = 2**31 - 1) -> int | None:
    """A whole number from 0 up, or None when the cell is empty."""
    text = text_cell(row, name, 40, optional=True)
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or int(text) > largest:
        raise BadRow(f"{name} is not a whole number from 0 to {largest}: {text!r}")
    return int(text)


def yes_cell(row: Mapping[str, Any], name: str) -> bool:
    """Yes or no, in the spellings that tables use."""
    text = text_cell(row, name, 10, optional=True).casefold()
    if text in ("1", "true", "yes", "có"):
        return True
    if text in ("", "0", "false", "no", "không"):
        return False
    raise BadRow(f"{name} is neither yes nor no: {text!r}")


def position(lon: object, lat: object) -> tuple[float, float]:
    """Longitude and latitude in degrees, inside Vietnam."""
    try:
        x, y = float(str(lon)), float(str(lat))
    except ValueError:
        raise BadRow(f"the position is not two numbers: {lon!r}, {lat!r}") from None
    if not (math.isfinite(x) and math.isfinite(y)):
        raise BadRow(f"the position is not two numbers: {lon!r}, {lat!r}")
    if WEST <= x <= EAST and SOUTH <= y <= NORTH:
        return x, y
    if WEST <= y <= EAST and SOUTH <= x <= NORTH:
        raise BadRow(f"longitude and latitude are exchanged: longitude {x}, latitude {y}")
    raise BadRow(f"the position is not in Vietnam: longitude {x}, latitude {y}")


def _header(cells: list[str], path: Path, required: list[str], aliases: Aliases) -> list[str]:
    names = list(columns({nfc(cell): None for cell in cells}, aliases))
    missing = [name for name in required if name not in names]
    if missing:
        raise BadFile(
            "file_columns",
            f"{path}: columns missing: {', '.join(missing)}. The first line names: {', '.join(names) or 'nothing'}.",
            missing=", ".join(missing),
        )
    if len(names) != len(cells):
        raise BadFile("file_columns", f"{path}: two columns have the same name.", missing="")
    return names


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")
