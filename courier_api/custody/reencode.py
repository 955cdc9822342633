"""Re-encodes one photo, stdin to stdout, in a process of its own that images.py starts; nothing of ours is imported."""

import io
import resource
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose

MOST_BYTES = 15_000_000
MOST_PIXELS = 25_000_000
LONGEST_SIDE = 2560
QUALITY = 82
MEMORY = 512 * 2**20  # bytes of address space; of 25 megapixels a lossless WebP takes most, 441 MiB
CPU_SECONDS = 15
UNREADABLE, TOO_LARGE = 65, 66  # exit codes; any other but 0 is a fault of ours


def main() -> int:
    """Read a photo, write it as JPEG and nothing but its pixels; gives the exit code."""
    # Hostile bytes meet decoders written in C: whatever they make of them, it stays small, short and leaves no file.
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    # All here, so that a broken set-up shows as one and not as a bad photo.
    from PIL import Image, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin  # noqa: F401

    content = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        return TOO_LARGE
    try:
        written = jpeg(content)
    except (Image.DecompressionBombError, MemoryError):
        return TOO_LARGE
    except Exception:
        return UNREADABLE
    sys.stdout.buffer.write(written)
    sys.stdout.buffer.flush()
    return 0


def jpeg(content: bytes) -> bytes:
    """Decode JPEG, PNG or WebP and encode the upright first picture; raises whatever Pillow does for others."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow warns above it, and refuses, by the header alone, above twice it
    image: Image.Image = Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP"))
    image.draft(None, (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG more than twice as large is decoded at half the size
    image.load()
    turn = orientation(image)
    image = flat(image)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    if turn is not None:
        image = image.transpose(turn)
    image.info = {}  # a comment would be written again from here
    written = io.BytesIO()
    image.save(written, "JPEG", quality=QUALITY, progressive=True, optimize=True)
    return written.getvalue()


def flat(image: "Image") -> "Image":
    """Bring 16 bits down to 8, colours to RGB, and put what is transparent on white."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        image = image.point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        seen = image.convert("RGBA") if image.mode != "RGBA" else image
        image = Image.new("RGB", seen.size, "white")
        image.paste(seen, mask=seen)
    return image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")


def orientation(image: "Image") -> "Transpose | None":
    """How to turn it upright, by its EXIF; None where that says nothing or makes no sense."""
    from PIL.Image import Transpose

    try:
        said = image.getexif().get(0x0112)
    except Exception:  # damaged metadata is thrown away like all other
        return None
    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return turns.get(said) if isinstance(said, int) else None


if __name__ == "__main__":
    sys.exit(main())
