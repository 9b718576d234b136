"""Parse PNG, JPEG, GIF and WebP files just enough to know their size and to rebuild a bare copy.

Pure: bytes in, bytes out; no pixel is decoded here. The bare copy contains only what a decoder needs for the first
frame, so comments, text chunks, thumbnails, further frames and trailing bytes never reach a decoder. Decision 0014
compares this with what Pillow does by itself.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from typing import NamedTuple

#: Colour profiles of pictures weigh a few hundred kilobytes; a larger one in a PNG is ignored.
MAX_PROFILE_BYTES = 1024 * 1024

EXIF_HEADER = b"Exif\0\0"

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"IDAT", b"IEND"})

#: JPEG markers: tables and the frame header are kept, application segments only when they define the colours.
_JPEG_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDD})
_JPEG_COLOUR_SEGMENTS = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
_JPEG_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_APP1, _JPEG_END, _JPEG_SCAN = 0xE1, 0xD9, 0xDA


class BrokenContainer(Exception):
    """The file has an accepted signature but cannot be parsed to its end."""


class Container(NamedTuple):
    """Result of a parser: Pillow's format name, the size in pixels, a bare copy, and what affects its display."""

    format: str
    width: int
    height: int
    content: bytes
    exif: bytes = b""
    profile: bytes = b""


def read_container(content: bytes) -> Container | None:
    """Return the parsed container, judged by its content alone, or None when it is none of the four formats.

    Raises BrokenContainer when the file begins like one of them but cannot be parsed.
    """
    for signature, read in _READERS:
        if signature.match(content):
            try:
                return read(content)
            except (ValueError, IndexError, struct.error) as error:
                raise BrokenContainer from error
    return None


def _read_png(content: bytes) -> Container:
    """Read a PNG (W3C PNG, third edition), verifying the checksum of each chunk that is kept."""
    chunks: dict[bytes, bytes] = {}
    pixels: list[bytes] = []
    position = len(_PNG_SIGNATURE)
    while b"IEND" not in chunks:
        length, name = struct.unpack_from(">I4s", content, position)
        data = content[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, position + 8 + length)
        position += length + 12
        if name not in _PNG_KEPT_CHUNKS:
            continue
        if zlib.crc32(name + data) != checksum:
            raise ValueError(f"wrong checksum in {name!r}")
        if name == b"IDAT":
            pixels.append(data)
        else:
            chunks.setdefault(name, data)
    width, height, depth, colour_type = struct.unpack_from(">IIBB", chunks.get(b"IHDR", b""))
    if b"tRNS" in chunks and colour_type in (0, 2):
        chunks[b"tRNS"] = _eight_bit_key(chunks[b"tRNS"], depth)
    exif, profile = chunks.pop(b"eXIf", b""), _inflate_profile(chunks.pop(b"iCCP", b""))
    chunks[b"IDAT"] = b"".join(pixels)
    bare = [_png_chunk(name, chunks[name]) for name in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND") if name in chunks]
    return Container("PNG", width, height, _PNG_SIGNATURE + b"".join(bare), exif, profile)


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _eight_bit_key(samples: bytes, depth: int) -> bytes:
    """Return a transparent colour, written in samples of `depth` bits, as the 8-bit value that Pillow compares with."""
    scale, shift = {2: 85, 4: 17}.get(depth, 1), 8 if depth == 16 else 0
    values = [int.from_bytes(samples[at : at + 2]) for at in range(0, min(len(samples), 6), 2)]
    return struct.pack(f">{len(values)}H", *((value & (1 << depth) - 1) * scale >> shift for value in values))


def _inflate_profile(chunk: bytes) -> bytes:
    """Return the colour profile of an iCCP chunk, or nothing when it is broken or decompresses beyond the limit."""
    _name, _, compressed = chunk.partition(b"\0")
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(compressed[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return b""
    return profile if inflater.eof else b""


def _read_jpeg(content: bytes) -> Container:
    """Read a JPEG (ITU-T T.81, annex B) up to its first scan; the rest is copied for the decoder."""
    bare, exif = [content[:2]], b""
    sizes: list[tuple[int, int]] = []
    position = 2
    while True:
        # Decoders skip stray bytes between segments, and any number of fill bytes before a marker.
        position = content.index(b"\xff", position)
        while content[position] == 0xFF:
            position += 1
        marker, position = content[position], position + 1
        if marker in _JPEG_WITHOUT_LENGTH or marker == 0:
            continue
        if marker == _JPEG_END:
            raise ValueError("no scan")
        if marker == _JPEG_SCAN:
            break
        (length,) = struct.unpack_from(">H", content, position)
        data = content[position + 2 : position + length]
        if len(data) != length - 2:
            raise ValueError("segment cut short")
        if marker in _JPEG_FRAME_HEADERS:
            height, width = struct.unpack_from(">HH", data, 1)
            sizes.append((width, height))
        if _is_needed_to_decode(marker, data):
            bare.append(b"\xff" + content[position - 1 : position + length])
        elif marker == _JPEG_APP1 and data.startswith(EXIF_HEADER):
            exif = exif or data
        position += length
    [(width, height)] = sizes  # A second frame header could contradict the checked one.
    return Container("JPEG", width, height, b"".join([*bare, b"\xff\xda", content[position:]]), exif)


def _is_needed_to_decode(marker: int, data: bytes) -> bool:
    if marker in _JPEG_COLOUR_SEGMENTS:
        return data.startswith(_JPEG_COLOUR_SEGMENTS[marker])
    return marker in _JPEG_FRAME_HEADERS or marker in _JPEG_TABLES


def _read_gif(content: bytes) -> Container:
    """Read a GIF (GIF89a specification) up to the end of its first image, with the transparency that rules it."""
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    position = 13 + _gif_colour_table_bytes(flags)
    screen, control = content[:position], b""
    while content[position] != ord(","):
        if content[position] != ord("!"):
            raise ValueError("neither an extension nor an image")
        end = _gif_end_of_blocks(content, position + 2)
        if content[position + 1] == 0xF9:
            control = content[position:end]
        position = end
    left, top, frame_width, frame_height, flags = struct.unpack_from("<HHHHB", content, position + 1)
    end = _gif_end_of_blocks(content, position + 10 + _gif_colour_table_bytes(flags) + 1)
    bare = screen + control + content[position:end] + b";"
    # Pillow enlarges the canvas for an image that overflows it.
    return Container("GIF", max(width, left + frame_width), max(height, top + frame_height), bare)


def _gif_colour_table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _gif_end_of_blocks(content: bytes, position: int) -> int:
    while size := content[position]:
        position += size + 1
    return position + 1


def _read_webp(content: bytes) -> Container:
    """Read the canvas size of a WebP (RFC 9649); libwebp itself refuses frames that overflow it."""
    kind = content[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"VP8L" and content[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", content, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 " and content[23:26] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", content, 26))
    else:
        raise ValueError("no frame header")
    return Container("WEBP", width, height, content)


_READERS: tuple[tuple[re.Pattern[bytes], Callable[[bytes], Container]], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), _read_png),
    (re.compile(rb"\xff\xd8\xff"), _read_jpeg),
    (re.compile(rb"GIF8[79]a"), _read_gif),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), _read_webp),
)
#: Signatures of the four formats.
SIGNATURES = tuple(signature for signature, _read in _READERS)
