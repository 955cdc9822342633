"""Photos come out upright and bare, whatever camera made them; what is no photo, or a trap, is refused soon."""

import io
import os
import struct
import subprocess
import sys
import textwrap
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, PngImagePlugin

from courier_api.custody import images, reencode
from courier_api.custody.images import BadImage, clean

RED, GREEN, WHITE = (200, 30, 30), (30, 160, 60), (255, 255, 255)


def picture(width: int = 60, height: int = 40, mode: str = "RGB") -> Image.Image:
    """Red, with a green block in the upper left."""
    image = Image.new("RGB", (width, height), RED)
    ImageDraw.Draw(image).rectangle((0, 0, width // 3, height // 3), fill=GREEN)
    return image if mode == "RGB" else image.convert(mode)


def written(image: Image.Image, form: str, **options: Any) -> bytes:
    """The bytes of a file."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def read(content: bytes) -> Image.Image:
    """The JPEG that came out, decoded."""
    image = Image.open(io.BytesIO(content))
    assert image.format == "JPEG"
    image.load()
    return image


def like(image: Image.Image, x: int, y: int, colour: tuple[int, ...]) -> bool:
    """Whether a pixel has about this colour."""
    seen = image.convert("RGB").getpixel((x, y))
    assert isinstance(seen, tuple)
    return all(abs(a - b) < 40 for a, b in zip(seen, colour, strict=True))


def refused(content: bytes, code: str = "image_unreadable") -> float:
    """Clean what must be refused; gives the seconds it took."""
    started = time.monotonic()
    with pytest.raises(BadImage) as wrong:
        clean(content)
    assert wrong.value.code == code
    return time.monotonic() - started


def chunk(kind: bytes, content: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *extra: bytes, pixels: bytes = b"") -> bytes:
    """A PNG written by hand, grey of one bit."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(pixels or b"\0" * ((width + 7) // 8 + 1) * min(height, 500)))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(extra) + body + chunk(b"IEND", b"")


def exif(orientation: int = 1) -> Image.Exif:
    """What a telephone writes: how it was held, where, when and by which device."""
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010F] = "TELEPHONE-MAKER"
    data.get_ifd(0x8825).update({1: "N", 2: (20.0, 39.0, 36.5), 3: "E", 4: (106.0, 3.0, 43.2)})
    data.get_ifd(0x8769).update({0x9003: "2026:11:22 10:14:15", 0xA431: "SERIAL-0042"})
    return data


@pytest.mark.parametrize(("form", "options"), [("JPEG", {}), ("PNG", {}), ("WEBP", {"quality": 90})])
def test_each_form_becomes_a_progressive_jpeg(form: str, options: dict[str, Any]) -> None:
    image = read(clean(written(picture(), form, **options)))
    assert image.size == (60, 40)
    assert image.info.get("progressive")
    assert like(image, 5, 5, GREEN)
    assert like(image, 50, 30, RED)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_no_metadata_is_left(form: str) -> None:
    marks = [b"TELEPHONE-MAKER", b"SERIAL-0042", b"A PROFILE", b"A COMMENT", b"A PACKET", b"2026:11:22"]
    options: dict[str, Any] = {"exif": exif(), "icc_profile": b"A PROFILE" * 30, "xmp": b"A PACKET"}
    if form == "JPEG":
        options["comment"] = b"A COMMENT"
    if form == "PNG":
        notes = PngImagePlugin.PngInfo()
        notes.add_text("Comment", "A COMMENT")
        options["pnginfo"] = notes
    before = written(picture(), form, **options)
    assert Image.open(io.BytesIO(before)).getexif().get_ifd(0x8825)
    after = clean(before)
    assert not [mark for mark in marks if mark in after]
    image = read(after)
    assert dict(image.getexif()) == {}
    assert dict(image.getexif().get_ifd(0x8825)) == {}
    assert image.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
    # Nothing but what a decoder needs: no APP1 and up, no comment.
    assert _segments(after) <= {0xE0, 0xDB, 0xC2, 0xC4, 0xDA}


def _segments(content: bytes) -> set[int]:
    found, at = set(), 2
    while at < len(content) - 2:
        if content[at] == 0xFF and content[at + 1] not in (0, 0xFF, *range(0xD0, 0xD9)):
            found.add(content[at + 1])
            at += 2 + int.from_bytes(content[at + 2 : at + 4])
        elif content[at : at + 2] == b"\xff\xd9":
            break
        else:
            at += 1  # coded picture
    return found


# Where the green block of the upper left comes to lie, (right, down), and whether the sides change places.
@pytest.mark.parametrize(
    ("orientation", "right", "down", "turned"),
    [(1, 0, 0, 0), (2, 1, 0, 0), (3, 1, 1, 0), (4, 0, 1, 0), (5, 0, 0, 1), (6, 1, 0, 1), (7, 1, 1, 1), (8, 0, 1, 1)],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_stands_upright(form: str, orientation: int, right: int, down: int, turned: int) -> None:
    image = read(clean(written(picture(), form, exif=exif(orientation))))
    width, height = image.size
    assert (width, height) == ((40, 60) if turned else (60, 40))
    assert like(image, width - 4 if right else 3, height - 4 if down else 3, GREEN)
    assert like(image, 3 if right else width - 4, 3 if down else height - 4, RED)


def test_damaged_metadata_do_not_spoil_a_picture() -> None:
    for data in (
        b"Exif\0\0garbage",
        b"Exif\0\0MM\0*\xff\xff\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 99,
    ):
        assert read(clean(written(picture(), "JPEG", exif=data))).size == (60, 40)
    assert read(clean(written(picture(), "JPEG", exif=exif(99)))).size == (60, 40)


def test_a_large_picture_is_made_smaller_and_keeps_its_shape() -> None:
    for size, result in {(4000, 3000): (2560, 1920), (1000, 6000): (427, 2560), (2560, 100): (2560, 100)}.items():
        for form in ("JPEG", "PNG"):
            assert read(clean(written(picture(*size), form))).size == result


@pytest.mark.parametrize(
    ("form", "mode", "options"),
    [
        ("JPEG", "RGB", {}),
        pytest.param("JPEG", "RGB", {"progressive": True, "subsampling": 0}, marks=pytest.mark.long),
        ("JPEG", "CMYK", {"progressive": True}),
        pytest.param("JPEG", "L", {}, marks=pytest.mark.long),
        ("PNG", "RGBA", {}),
        ("PNG", "P", {"transparency": 0}),
        ("PNG", "I;16", {}),
        ("WEBP", "RGBA", {"lossless": True, "method": 0}),
        pytest.param("WEBP", "RGB", {"method": 0}, marks=pytest.mark.long),
    ],
)
def test_25_megapixels_pass_and_26_do_not(form: str, mode: str, options: dict[str, Any]) -> None:
    assert max(read(clean(written(picture(5000, 5000, mode), form, **options))).size) == 2560
    assert refused(written(picture(5000, 5001, mode), form, **options), "image_too_large") < 3


def test_25_megapixels_of_noise_pass() -> None:
    noise = Image.frombytes("L", (5000, 5000), os.urandom(2_500_000) * 10).point(lambda value: value // 16)
    for form, options in (("JPEG", {"progressive": True}), ("WEBP", {"lossless": True, "method": 0, "quality": 0})):
        content = written(noise.convert("RGB"), form, **options)
        assert len(content) > 1_000_000
        assert read(clean(content)).size == (2560, 2560)


def test_a_heavy_file_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(written(picture(), "JPEG") + b"\0" * 15_000_000, "image_too_large") < 0.2
    monkeypatch.setattr(images.reencode, "MOST_BYTES", 10**9)  # the process looks for itself
    refused(written(picture(), "JPEG") + b"\0" * 15_000_000, "image_too_large")


def test_a_bomb_is_refused_soon_and_takes_no_memory() -> None:
    bomb = png(30_000, 30_000)
    assert len(bomb) < 4000
    assert refused(bomb, "image_too_large") < 3
    # Started by a small process: Linux counts what the starter had in memory as the started one's.
    script = f"""
        import resource, subprocess, sys
        done = subprocess.run([sys.executable, "-I", {reencode.__file__!r}], input=sys.stdin.buffer.read())
        print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], input=bomb, capture_output=True, check=True)
    code, kibibytes = map(int, done.stdout.split())
    assert code == reencode.TOO_LARGE
    assert kibibytes < 80_000


def test_other_bombs_are_refused_soon() -> None:
    webp = b"WEBPVP8X" + struct.pack("<II", 10, 0x12) + b"\xff\x3f\0\xff\x3f\0"  # 16384 x 16384
    assert refused(b"RIFF" + struct.pack("<I", len(webp)) + webp, "image_too_large") < 3
    jpeg = written(picture(), "JPEG")
    at = jpeg.index(b"\xff\xc0")
    assert refused(jpeg[: at + 5] + struct.pack(">HH", 65_000, 65_000) + jpeg[at + 9 :], "image_too_large") < 3
    # Says that it is small, holds a lot.
    small = png(64, 64, pixels=b"\0" * 300_000_000)
    assert len(small) < 400_000
    assert read(clean(small)).size == (64, 64)


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"iCCP", b"p\0\0" + zlib.compress(b"\0" * 200_000_000)),
        chunk(b"zTXt", b"t\0\0" + zlib.compress(b"\0" * 200_000_000)),
        chunk(b"iTXt", b"t\0\1\0\0\0" + zlib.compress(b"\0" * 200_000_000)),
        b"".join(chunk(b"zTXt", b"t%d\0\0" % n + zlib.compress(b"\0" * 1_000_000)) for n in range(100)),
    ],
    ids=["iCCP", "zTXt", "iTXt", "many"],
)
def test_a_bomb_beside_the_picture_is_refused_soon(extra: bytes) -> None:
    assert refused(png(64, 64, extra)) < 3


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_file_is_refused(form: str) -> None:
    noise = Image.effect_noise((300, 300), 80).convert("RGB")
    whole = written(noise, form)
    for tenth in range(10):
        refused(whole[: len(whole) * tenth // 10])
    refused(whole[: len(whole) - 400])


def test_what_is_no_photo_is_refused() -> None:
    for content in (
        b"",
        b"\xff\xd8\xff",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><!DOCTYPE svg><svg/>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7\n%%EOF",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"PK\x03\x04",
        os.urandom(5000),
        *(written(picture(), form) for form in ("GIF", "BMP", "TIFF", "ICO", "PPM", "TGA", "PDF", "JPEG2000")),
    ):
        refused(content)


def test_what_hides_behind_a_photo_is_gone() -> None:
    hidden = b"<?php system($_GET[0]); ?><script>alert(1)</script>"
    assert hidden not in clean(written(picture(), "JPEG", comment=hidden) + hidden)
    assert hidden not in clean(written(picture(), "PNG") + hidden)


@pytest.mark.parametrize("form", ["WEBP", "PNG"])
def test_of_an_animation_the_first_picture_is_kept(form: str) -> None:
    others = [Image.new("RGB", (60, 40), (0, 0, n)) for n in range(50)]
    moving = written(picture(), form, save_all=True, append_images=others)
    assert getattr(Image.open(io.BytesIO(moving)), "n_frames", 1) > 10
    image = read(clean(moving))
    assert like(image, 5, 5, GREEN)
    assert like(image, 50, 30, RED)


def test_of_a_telephone_s_two_pictures_the_first_is_kept() -> None:
    both = written(picture(), "MPO", save_all=True, append_images=[Image.new("RGB", (60, 40))])
    image = read(clean(both))
    assert image.size == (60, 40)
    assert like(image, 50, 30, RED)


def test_four_inks_become_three_colours() -> None:
    image = read(clean(written(picture(mode="CMYK"), "JPEG")))
    assert image.mode == "RGB"
    assert like(image, 5, 5, GREEN)
    assert like(image, 50, 30, RED)


def test_16_bits_become_8_and_not_white() -> None:
    grey = Image.frombytes("I;16", (40, 40), (b"\x34\x40" * 20 + b"\x34\xc0" * 20) * 40)
    image = read(clean(written(grey, "PNG")))
    assert image.mode == "L"
    assert like(image, 5, 20, (0x40,) * 3)
    assert like(image, 35, 20, (0xC0,) * 3)


def test_what_is_transparent_lies_on_white() -> None:
    clear = picture(mode="RGBA")
    clear.putalpha(Image.new("L", clear.size, 255))
    clear.paste((0, 0, 0, 0), (30, 20, 60, 40))
    palette = Image.new("P", (60, 40), 1)
    palette.putpalette([0, 0, 0, *GREEN])
    palette.paste(0, (30, 20, 60, 40))
    grey = Image.new("LA", (60, 40), (90, 255))
    grey.paste((0, 0), (30, 20, 60, 40))
    for content, colour in (
        (written(clear, "PNG"), GREEN),
        (written(clear, "WEBP", lossless=True), GREEN),
        (written(palette, "PNG", transparency=0), GREEN),
        (written(palette, "PNG", transparency=bytes([0, 255])), GREEN),
        (written(grey, "PNG"), (90, 90, 90)),
        (written(picture(), "PNG", transparency=RED), GREEN),
    ):
        image = read(clean(content))
        assert like(image, 5, 5, colour)
        assert like(image, 45, 30, WHITE)


@pytest.mark.parametrize("mode", ["1", "P", "L"])
def test_few_colours_are_read_too(mode: str) -> None:
    assert read(clean(written(picture(mode=mode), "PNG"))).size == (60, 40)


def test_a_slow_picture_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    image = written(Image.new("RGB", (5000, 5000), RED), "JPEG", progressive=True)
    last = image.rindex(b"\xff\xda")
    slow = image[:last] + image[last:-2] * ((14_000_000 - last) // (len(image) - 2 - last)) + b"\xff\xd9"
    monkeypatch.setattr(images, "SECONDS", 2)
    assert refused(slow, "image_too_slow") < 5


def test_the_process_has_no_secrets_and_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text(
        "import os, sys\n"
        "sys.stdout.buffer.write(b'\\xff\\xd8' + repr((dict(os.environ), sorted(sys.modules), sys.path, os.getcwd(),"
        " os.listdir('/proc/self/fd'))).encode())"
    )
    monkeypatch.setenv("SECRET_KEY", "a secret")
    monkeypatch.setattr(reencode, "__file__", str(probe))
    with open(probe) as inheritable:
        os.set_inheritable(inheritable.fileno(), True)
        said = clean(b"x")[2:].decode()
    environment, modules, path, folder, files = eval(said)
    assert environment.keys() <= {"MALLOC_ARENA_MAX", "LC_CTYPE"}
    assert not [name for name in modules if name.startswith(("courier_api", "flask", "sqlalchemy"))]
    assert str(tmp_path) not in path
    assert "" not in path
    assert folder == "/"
    assert len(files) == 4  # three pipes, and the folder that is being listed


@pytest.mark.parametrize(
    ("does", "code"),
    [
        ("import os; os.abort()", "image_unreadable"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "image_unreadable"),
        ("import resource\nresource.setrlimit(resource.RLIMIT_CPU, (1, 2))\nwhile True: pass", "image_too_slow"),
    ],
)
def test_a_decoder_that_breaks_down_is_the_picture_s_fault(
    does: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.py").write_text(does)
    monkeypatch.setattr(reencode, "__file__", str(tmp_path / "broken.py"))
    refused(b"x", code)


@pytest.mark.parametrize(
    "does", ["import no_such_module", "pass", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
)
def test_a_broken_set_up_is_not(does: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.py").write_text(does)
    monkeypatch.setattr(reencode, "__file__", str(tmp_path / "broken.py"))
    with pytest.raises(RuntimeError, match="re-encoding ended"):
        clean(b"x")


def test_threads_at_once() -> None:
    good = written(picture(), "JPEG")
    with ThreadPoolExecutor(6) as pool:
        sizes = list(pool.map(lambda n: read(clean(good)).size if n % 3 else refused(b"x") and None, range(18)))
    assert sizes == [(60, 40) if n % 3 else None for n in range(18)]
