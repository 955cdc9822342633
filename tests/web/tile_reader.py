"""Reads as much of a vector tile (Mapbox Vector Tile 2.1, protobuf) as tests ask for: layers and their features."""

from dataclasses import dataclass, field


@dataclass
class Layer:
    """A layer: its keys, its text values, and how many features it has."""

    name: str = ""
    features: int = 0
    keys: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def read_tile(content: bytes) -> dict[str, Layer]:
    """The layers of a tile by name."""
    layers = [_layer(value) for number, value in _fields(content) if number == 3]
    return {layer.name: layer for layer in layers}


def _layer(content: bytes) -> Layer:
    layer = Layer()
    for number, value in _fields(content):
        if number == 1:
            layer.name = value.decode()
        elif number == 2:
            layer.features += 1
        elif number == 3:
            layer.keys.append(value.decode())
        elif number == 4:
            layer.texts += [text.decode() for kind, text in _fields(value) if kind == 1]
    return layer


def _fields(content: bytes) -> list[tuple[int, bytes]]:
    """The fields with a length; numbers are passed over."""
    found, at = [], 0
    while at < len(content):
        tag, at = _number(content, at)
        if tag & 7 == 0:
            _, at = _number(content, at)
        elif tag & 7 == 2:
            size, at = _number(content, at)
            found.append((tag >> 3, content[at : at + size]))
            at += size
        else:
            at += 8 if tag & 7 == 1 else 4
    return found


def _number(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
