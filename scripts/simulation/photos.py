"""Pictures as a phone would take them, only smaller."""

import io
import random

from PIL import Image

SIZE = (96, 72)


def photo(rng: random.Random) -> bytes:
    """A JPEG of some kilobytes, unlike any other."""
    picture = Image.frombytes("L", (12, 9), rng.randbytes(12 * 9)).resize(SIZE, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=70)
    return file.getvalue()
