"""What a courier's camera sees in the tests: printed codes, photos with and without EXIF, a little film."""

import io
from collections.abc import Iterable
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFilter

# Code 128: the widths of bars and spaces of each of its 107 symbols (ISO/IEC 15417).
WIDTHS = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 "
    "123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 "
    "232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 "
    "111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 "
    "111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112"
)
START_B, STOP = 104, 106
PHOTO = (1600, 1200)


def code_128(text: str, module: int = 3, height: int = 160) -> Image.Image:
    """A bar code with its quiet zones, in code set B."""
    values = [START_B, *(ord(letter) - 32 for letter in text)]
    check = (START_B + sum(at * value for at, value in enumerate(values))) % 103
    symbols = WIDTHS.split()
    widths = [int(width) for value in (*values, check, STOP) for width in symbols[value]]
    image = Image.new("L", ((sum(widths) + 20) * module, height), 255)
    pen, x = ImageDraw.Draw(image), 10 * module
    for at, width in enumerate(widths):
        if at % 2 == 0:
            pen.rectangle((x, 0, x + width * module - 1, height), fill=0)
        x += width * module
    return image


def qr(text: str, module: int = 6) -> Image.Image:
    """A QR code in bytes of UTF-8 without a word about it, as identity cards have it."""
    content = io.BytesIO()
    segno.make_qr(text, error="m", encoding="utf-8", eci=False).save(content, kind="png", scale=module, border=4)
    return Image.open(content).convert("L")


def on_paper(
    code: Image.Image, size: tuple[int, int] = PHOTO, degrees: float = 0, blur: float = 0, noise: int = 20
) -> Image.Image:
    """A photo of a code: askew, blurred, grainy, greyish."""
    paper = Image.new("L", size, 225)
    paper.paste(code, ((size[0] - code.width) // 2, (size[1] - code.height) // 2))
    paper = paper.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=190).filter(ImageFilter.GaussianBlur(blur))
    return Image.blend(paper.point(lambda v: int(v * 0.75 + 30)), Image.effect_noise(size, noise), 0.15).convert("RGB")


def corners(size: tuple[int, int]) -> Image.Image:
    """Red at the upper left, green at the upper right, blue at the lower left, white at the lower right."""
    image = Image.new("RGB", (2, 2))
    image.putdata([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)])
    return image.resize(size, Image.Resampling.NEAREST)


def jpeg(image: Image.Image, *, orientation: int | None = None) -> bytes:
    """A JPEG; with an orientation also the place and the telephone that an EXIF block gives away."""
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
        exif[0x0110] = "SM-A055F"
        exif.get_ifd(0x8825).update({1: "N", 2: (20.0, 39.0, 36.0), 3: "E", 4: (106.0, 3.0, 43.0)})
    content = io.BytesIO()
    image.save(content, "JPEG", quality=92, exif=exif)
    return content.getvalue()


def png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def noise(size: tuple[int, int]) -> Image.Image:
    """What compresses worst: another grain in each colour."""
    return Image.merge("RGB", [Image.effect_noise(size, 120) for _ in range(3)])


def film(path: Path, frames: Iterable[Image.Image], a_second: int) -> None:
    """A film that Chromium takes for a camera (YUV4MPEG2), again and again."""
    with path.open("wb") as file:
        for at, frame in enumerate(frames):
            if at == 0:
                file.write(f"YUV4MPEG2 W{frame.width} H{frame.height} F{a_second}:1 Ip A1:1 C420jpeg\n".encode())
            y, cb, cr = frame.convert("YCbCr").split()
            half = (frame.width // 2, frame.height // 2)
            file.write(b"FRAME\n" + y.tobytes() + cb.resize(half).tobytes() + cr.resize(half).tobytes())
