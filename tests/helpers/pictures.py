"""Builders of test pictures, as the bytes a browser would send, and the result of their processing.

Each builder returns a valid file without arguments; arguments say what matters to the test. Bad files are made by
damaging good ones, or by writing a header by hand where no encoder would produce it.
"""

from __future__ import annotations

import io
import random
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import pytest
from PIL import Image, ImageCms, ImageDraw

from cpro.establishments.imaging import UnusablePicture, prepare_picture

RED = (220, 20, 30)
BLUE = (20, 40, 200)
SCRIPT = b"<script>alert(1)</script>"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

Colour = int | tuple[int, ...]


def two_halves(
    width: int = 64, height: int = 32, mode: str = "RGB", left: Colour = RED, right: Colour = BLUE
) -> Image.Image:
    """Return a picture whose left half has one colour and right half another, so that a rotation shows."""
    image = Image.new(mode, (width, height), right)
    image.paste(left, (0, 0, width // 2, height))
    return image


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    """Return the picture encoded by Pillow in the given format: "PNG", "JPEG", "GIF", "WEBP"..."""
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def png(width: int = 64, height: int = 32, **options: object) -> bytes:
    """Return an opaque PNG."""
    return encoded(two_halves(width, height), "PNG", **options)


def stamp_on_paper() -> bytes:
    """Return a PNG of a stamp: a ring of blue ink on white paper."""
    drawn = Image.new("RGB", (300, 300), "white")
    ImageDraw.Draw(drawn).ellipse((20, 20, 280, 280), outline=BLUE, width=20)
    return encoded(drawn, "PNG")


def noise(size: int) -> bytes:
    """Return bytes that begin as a PNG and continue at random."""
    return PNG_SIGNATURE + random.Random(3).randbytes(size)


def transparent_png(width: int = 64, height: int = 32) -> bytes:
    """Return a PNG whose left half is transparent and right half opaque."""
    return encoded(two_halves(width, height, "RGBA", (*RED, 0), (*BLUE, 255)), "PNG")


def jpeg(width: int = 64, height: int = 32, **options: object) -> bytes:
    """Return a JPEG."""
    return encoded(two_halves(width, height), "JPEG", **{"quality": 95, **options})


def gif(width: int = 64, height: int = 32) -> bytes:
    """Return a still GIF."""
    return encoded(two_halves(width, height).quantize(16), "GIF")


def webp(width: int = 64, height: int = 32, **options: object) -> bytes:
    """Return a WebP."""
    return encoded(two_halves(width, height), "WEBP", **options)


def animated(format: str, width: int = 64, height: int = 32) -> bytes:
    """Return a red picture that turns blue in its second frame, as "GIF", "WEBP" or "PNG" (APNG)."""
    red, blue = (Image.new("RGB", (width, height), colour) for colour in (RED, BLUE))
    return encoded(red, format, save_all=True, append_images=[blue], duration=100)


def photograph(width: int = 64, height: int = 48, seed: int = 7) -> Image.Image:
    """Return a picture with detail everywhere, the same for the same seed: its file is mostly pixel data."""
    noise = random.Random(seed).randbytes(width * height * 3 // 64 * 3 + 3)
    side_x, side_y = max(1, width // 8), max(1, height // 8)
    small = Image.frombytes("RGB", (side_x, side_y), noise[: side_x * side_y * 3].ljust(side_x * side_y * 3, b"\x40"))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def exif(orientation: int) -> bytes:
    """Return EXIF data that contain this orientation, a camera and a place name."""
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010F] = "Appareil de Martin"
    return data.tobytes()


def swapped_profile() -> bytes:
    """Return a colour profile that swaps sRGB's red and blue: applying it changes the colours of a picture."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"\0tmp").replace(b"bXYZ", b"rXYZ").replace(b"\0tmp", b"bXYZ")


def png_chunk(name: bytes, data: bytes) -> bytes:
    """Return a PNG chunk with its length and its checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def raw_png(
    width: int, height: int, rows: bytes, *, depth: int = 8, colour_type: int = 2, extra: Iterable[bytes] = ()
) -> bytes:
    """Return a PNG written by hand: `rows` are the filtered rows before compression, `extra` whole chunks."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(rows, 9))
    return PNG_SIGNATURE + header + b"".join(extra) + pixels + png_chunk(b"IEND", b"")


def with_png_chunk(content: bytes, name: bytes, data: bytes) -> bytes:
    """Return the PNG with one more chunk, right after its header."""
    return content[:33] + png_chunk(name, data) + content[33:]


def with_jpeg_segment(content: bytes, marker: int, data: bytes) -> bytes:
    """Return the JPEG with one more segment, right after its start."""
    return content[:2] + struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data + content[2:]


def png_bomb(side: int = 30_000) -> bytes:
    """Return a square PNG of zeros, one bit a pixel, that weighs about 100 kB and would decode to far more."""
    row = bytes(1 + side // 8)
    return raw_png(side, side, row * side, depth=1, colour_type=0)


def text_bomb_png(swollen_bytes: int = 64 * 1024 * 1024) -> bytes:
    """Return a small PNG with compressed texts and a colour profile that each decompress to this size."""
    compressor = zlib.compressobj(9)
    block = bytes(1024 * 1024)
    packed = b"".join(compressor.compress(block) for _ in range(swollen_bytes // len(block))) + compressor.flush()
    texts = with_png_chunk(png(), b"zTXt", b"Comment\0\0" + packed)
    texts = with_png_chunk(texts, b"iTXt", b"Comment\0\1\0\0\0" + packed)
    return with_png_chunk(texts, b"iCCP", b"icc\0\0" + packed)


def svg() -> bytes:
    """Return an SVG as a drawing program writes it: prolog, comment and document type first."""
    return (
        b'<?xml version="1.0" encoding="utf-8"?>\n<!-- Generator: Illustrator -->\n'
        b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd" [ <!ENTITY ns "x"> ]>\n'
        b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><script>alert(1)</script></svg>'
    )


def pdf() -> bytes:
    """Return the beginning of a PDF."""
    return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"


def damaged_copies(content: bytes, count: int, seed: int) -> list[bytes]:
    """Return copies that are cut, or whose bytes are changed, removed or repeated; deterministic for a seed."""
    chance = random.Random(seed)
    copies = []
    for _ in range(count):
        copy = bytearray(content)
        # Decoders are most vulnerable in headers: half of the changes are in the first eighth.
        reach = len(copy) if chance.random() < 0.5 else max(16, len(copy) // 8)
        at = chance.randrange(min(reach, len(copy)))
        match chance.randrange(5):
            case 0:
                del copy[at:]
            case 1:
                for _ in range(chance.randint(1, 8)):
                    copy[chance.randrange(min(reach, len(copy)))] = chance.randrange(256)
            case 2:
                copy[at] ^= 1 << chance.randrange(8)
            case 3:
                del copy[at : at + chance.randint(1, 40)]
            case _:
                copy[at:at] = copy[at : at + chance.randint(1, 40)] or b"\0"
        copies.append(bytes(copy))
    return copies


def refusal(content: bytes) -> str:
    """Return the refusal message of this file."""
    with pytest.raises(UnusablePicture) as refused:
        prepare_picture(content)
    return refused.value.message


def size_stored(content: bytes) -> tuple[int, int]:
    """Return the width and height of the picture stored for this file."""
    picture = prepare_picture(content)
    return picture.width, picture.height


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """Trace the memory allocated by Python; the result gives its peak in bytes, without what decoders allocate in C."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
