"""Drawings on a paper as SVG: a signature's strokes, and the code that a phone reads."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

import segno
from segno import consts

_WIDTH, _HEIGHT, _EDGE = 600, 200, 8
_LEAST_SPAN = 60  # a dot stays a dot, however large the box
_STEP = 0.8  # points nearer than this to the last one drawn cannot be seen
_THIN, _THICK = 3, 7
_QUIET = 4  # modules of white that the standard wants around a code

type _Point = tuple[float, float, int]


def signature(strokes: Sequence[Sequence[Sequence[int]]]) -> str | None:
    """Draw strokes of [x, y, ms, pressure] scaled into one box, thicker where pressed; None where there is no point."""
    points = [point for stroke in strokes for point in stroke]
    if not points:
        return None
    left, top = min(p[0] for p in points), min(p[1] for p in points)
    across, down = max(p[0] for p in points) - left, max(p[1] for p in points) - top
    scale = min((_WIDTH - 2 * _EDGE) / max(across, _LEAST_SPAN), (_HEIGHT - 2 * _EDGE) / max(down, _LEAST_SPAN / 3))
    shift_x, shift_y = (_WIDTH - across * scale) / 2, (_HEIGHT - down * scale) / 2
    hardest = max(max(p[3] for p in points), 0)

    def placed(stroke: Sequence[Sequence[int]]) -> list[_Point]:
        drawn: list[_Point] = []
        for x, y, _, pressure in stroke:
            to_x, to_y = (x - left) * scale + shift_x, (y - top) * scale + shift_y
            if not drawn or abs(to_x - drawn[-1][0]) + abs(to_y - drawn[-1][1]) >= _STEP:
                drawn.append((to_x, to_y, _thickness(pressure, hardest)))
        return drawn

    lines = "".join(line for stroke in strokes for line in _lines(placed(stroke)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}">'
        f'<g fill="none" stroke="#000" stroke-linecap="round" stroke-linejoin="round">{lines}</g></svg>'
    )


def _thickness(pressure: int, hardest: int) -> int:
    return round(_THIN + (_THICK - _THIN) * max(pressure, 0) / hardest) if hardest else (_THIN + _THICK) // 2


def _lines(points: list[_Point]) -> Iterator[str]:
    """One line for each run of the same thickness."""
    pairs = list(pairwise(points)) or [(point, point) for point in points]
    for thickness, run in groupby(pairs, key=lambda pair: pair[1][2]):
        pieces = list(run)
        (x, y, _) = pieces[0][0]
        # A line of no length is drawn by its round caps as a dot.
        path = f"M{x:.1f} {y:.1f}" + "".join(f"L{to[0]:.1f} {to[1]:.1f}" for _, to in pieces)
        yield f'<path d="{path}" stroke-width="{thickness}"/>'


def code(address: str) -> str:
    """Draw an address as a QR code of level M; digits behind its `#` are packed as digits, which keeps it small."""
    head, mark, digits = address.partition("#")
    parts: list[tuple[str, int]] = [(address, consts.MODE_BYTE)]
    if digits.isascii() and digits.isdecimal():
        parts = [(head + mark, consts.MODE_BYTE), (digits, consts.MODE_NUMERIC)]
    # segno takes parts with a mode for each, its types do not say so.
    symbol = segno.make_qr(parts, error="m", boost_error=False)  # type: ignore[arg-type]
    side = len(symbol.matrix) + 2 * _QUIET
    runs = "".join(
        f"M{x} {y}h{width}v1h-{width}z" for y, row in enumerate(symbol.matrix, _QUIET) for x, width in _dark(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{side}" height="{side}"'
        f' shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{runs}"/></svg>'
    )


def _dark(row: bytearray) -> Iterator[tuple[int, int]]:
    x = _QUIET
    for dark, run in groupby(row):
        width = len(list(run))
        if dark:
            yield x, width
        x += width
