"""Convert an uploaded logo or stamp to a picture encoded here, or explain in French why that is impossible.

Only the pixels of the file are kept. It is read twice: first by `containers`, which finds the size and rebuilds a bare
copy with only what the first frame needs, then by Pillow, which decodes that copy. So the size is checked before any
memory is allocated for it, and what Pillow would warn about (bombs, broken animations, malformed EXIF) never reaches
it: silencing a warning would affect the whole process, other threads included.
"""

from __future__ import annotations

import io
import math
import re
import struct
from dataclasses import dataclass
from typing import IO

from PIL import Image, ImageCms

from cpro.core.capacity import Capacity
from cpro.core.errors import DomainError
from cpro.establishments.containers import EXIF_HEADER, SIGNATURES, BrokenContainer, Container, read_container

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 40_000_000
#: Longest side accepted, in pixels: the maximum of a JPEG or a GIF. A PNG of 1 × 40 000 000 pixels weighs 80 kB and
#: would take 700 MB, because Pillow keeps a pointer to each row.
MAX_READ_SIDE = 65_535
#: Longer side of what is stored, in pixels: some 500 dpi in the boxes that pictures fill (`PictureKind.print_box_mm`).
MAX_SIDE = 1200
JPEG_QUALITY = 90
MIN_PRINT_DPI = 200
MM_PER_INCH = 25.4

#: 40 megapixels of 16 bits take some 360 MB while they are decoded, so one picture at a time.
_DECODING = Capacity(1)

#: What to do when our script, which shrinks a picture before it is sent, did not run.
_REDUCE = "Réduisez-la (sur un téléphone, une capture d’écran de l’image suffit), puis choisissez-la à nouveau."
DAMAGED = (
    "Cette image est abîmée ou tronquée\u202f: elle ne peut pas être lue. "
    "Ouvrez-la sur votre ordinateur et enregistrez-la à nouveau, ou choisissez-en une autre."
)

_OTHER_FORMAT = "Cette image est au format {}, qui n’est pas accepté\u202f: enregistrez-la en PNG, JPEG, GIF ou WebP."
#: Signatures of files that are refused, and the reason, in this order; browsers read these expressions too.
REFUSED_STARTS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(beginning, re.DOTALL), sentence)
    for beginning, sentence in (
        (rb"(?!.)", "Ce fichier est vide\u202f: il ne contient aucune image. Choisissez-en un autre."),
        (rb"%PDF", "Ce fichier est un document PDF, pas une image\u202f: enregistrez l’image en PNG ou en JPEG."),
        (rb"....ftyp(?:hei[cxsm]|hev[cxms]|mif1|msf1)", _OTHER_FORMAT.format("HEIC")),
        (rb"....ftypavi[fs]", _OTHER_FORMAT.format("AVIF")),
        (rb"II[*+]\0|MM\0[*+]", _OTHER_FORMAT.format("TIFF")),
        (rb"BM", _OTHER_FORMAT.format("BMP")),
        (rb"8BPS", _OTHER_FORMAT.format("Photoshop")),
        (
            b"(?!" + b"|".join(signature.pattern for signature in SIGNATURES) + b")",
            "Ce fichier n’est pas une image PNG, JPEG, GIF ou WebP\u202f: choisissez-en un autre.",
        ),
    )
)
#: An SVG begins with its element, after an optional prolog, comments and a document type. Groups are atomic, so that a
#: file made of a thousand comments does not cause catastrophic backtracking.
_SVG = re.compile(
    rb"(?>\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)*+<(?:\w+:)?svg[\s/>]", re.DOTALL | re.IGNORECASE
)
_SVG_HEAD_BYTES = 16 * 1024

#: Grey level, out of 255, from which a colour cannot be told from paper.
_PAPER = 250
_EXIF_ORIENTATION = 0x0112
_EXIF_SHORT = 3
#: Transformation of the pixels for each value of the EXIF orientation (Exif 2.32, 4.6.4 A).
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnusablePicture(DomainError):
    """The uploaded picture is refused; the message says why and what to do."""


@dataclass(frozen=True)
class PreparedPicture:
    """A picture ready to be stored and served: PNG or JPEG, sRGB, upright, without metadata."""

    content: bytes
    suffix: str
    mimetype: str
    width: int
    height: int


def prepare_picture(content: bytes) -> PreparedPicture:
    """Return the first frame of the picture, re-encoded and at most `MAX_SIDE` pixels on its longer side.

    A JPEG stays a JPEG; any other format becomes a PNG, with its transparency. The file name is ignored.

    Raises UnusablePicture when the file is empty, heavier than `MAX_BYTES`, of another format, larger than
    `MAX_PIXELS`, damaged or truncated, and Overloaded while others are decoded.
    """
    _refuse_weight(content)
    try:
        container = read_container(content)
    except BrokenContainer as error:
        raise UnusablePicture(DAMAGED) from error
    if container is None:
        raise UnusablePicture(_why_not_a_picture(content))
    _refuse_dimensions(container.width, container.height)
    with _DECODING.take():
        return _convert(container)


def _convert(container: Container) -> PreparedPicture:
    try:
        pixels = _decode(container)
    except Exception as error:
        # Pillow's decoders read untrusted bytes here. Besides OSError they are known to raise SyntaxError, ValueError,
        # EOFError, struct.error, zlib.error, OverflowError, MemoryError...: all mean that the file cannot be read.
        raise UnusablePicture(DAMAGED) from error
    return encode(pixels, as_jpeg=container.format == "JPEG")


def is_low_resolution(width: int, height: int, box_mm: tuple[float, float]) -> bool:
    """Return whether a picture of this size in pixels prints below `MIN_PRINT_DPI` when it fills a box."""
    box_width, box_height = box_mm
    dots_per_mm = max(width / box_width, height / box_height)
    return dots_per_mm * MM_PER_INCH < MIN_PRINT_DPI


def prints_nothing(file: IO[bytes]) -> bool:
    """Return whether a stored picture would print nothing: white or transparent everywhere."""
    with Image.open(file, formats=("PNG", "JPEG")) as source:
        picture = source.convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture)
    darkest = paper.convert("L").getextrema()[0]
    return isinstance(darkest, (int, float)) and darkest >= _PAPER


# Refusals


def _refuse_weight(content: bytes) -> None:
    if len(content) > MAX_BYTES:
        raise UnusablePicture(
            f"Cette image pèse {_rounded_up(len(content) / 1024**2)}\u00a0Mo\u202f; la limite est de 5\u00a0Mo. "
            f"{_REDUCE}"
        )


def _refuse_dimensions(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        excess = (
            f", soit {_rounded_up(width * height / 1e6)}\u00a0mégapixels\u202f; la limite est de 40\u00a0mégapixels"
        )
    elif max(width, height) > MAX_READ_SIDE:
        excess = f"\u202f; la limite est de {_grouped(MAX_READ_SIDE)}\u00a0pixels de côté"
    else:
        return
    raise UnusablePicture(
        f"Cette image mesure {_grouped(width)}\u00a0×\u00a0{_grouped(height)}\u00a0pixels{excess}. {_REDUCE}"
    )


def _why_not_a_picture(content: bytes) -> str:
    """Return the sentence for a file of none of the accepted formats, naming its format when recognised."""
    # Dropping the null bytes is enough to read UTF-16 for the few ASCII words that matter.
    if _SVG.match(content[:_SVG_HEAD_BYTES].lstrip(b"\xef\xbb\xbf\xfe\xff").replace(b"\0", b"")):
        return "Cette image est au format SVG, un dessin vectoriel qui n’est pas accepté\u202f: enregistrez-la en PNG."
    return next(sentence for beginning, sentence in REFUSED_STARTS if beginning.match(content))


def _rounded_up(value: float) -> str:
    """Format a quantity that exceeds a limit so that it still reads above it: 5.01 becomes « 5,1 »."""
    tenths = math.ceil(value * 10)
    whole = _grouped(tenths // 10)
    return f"{whole},{tenths % 10}" if tenths % 10 else whole


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


# Pixels


def _decode(container: Container) -> Image.Image:
    """Return the picture upright, in sRGB and in its final size, as RGB or, when it has transparency, RGBA."""
    target = _bounded(container.width, container.height)
    with Image.open(io.BytesIO(container.content), formats=(container.format,)) as source:
        if source.size != (container.width, container.height):
            raise ValueError("the decoder sees another size than the one that was judged")
        # A JPEG is decoded directly at a half, a quarter or an eighth of its size; other formats ignore this.
        source.draft(None, (target[0] * 2, target[1] * 2))
        source.load()
        exif = container.exif or source.info.get("exif", b"")
        profile = container.profile or source.info.get("icc_profile")
        picture = _with_full_colours(source)
    if picture.size != target:
        # Without `reducing_gap`, a picture of 40 000 000 × 1 pixels needs gigabytes of filter coefficients.
        picture = picture.resize(target, Image.Resampling.LANCZOS, reducing_gap=2.0)
    picture = _to_srgb(picture, profile)
    transposition = _TRANSPOSITIONS.get(_orientation(exif))
    return picture if transposition is None else picture.transpose(transposition)


def _bounded(width: int, height: int) -> tuple[int, int]:
    ratio = min(1, MAX_SIDE / max(width, height, 1))
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def _with_full_colours(picture: Image.Image) -> Image.Image:
    """Return the picture in a mode that can be resized: L, LA, RGB, RGBA or CMYK."""
    if picture.mode == "I;16":
        # Pillow would clip 16-bit greys instead of scaling them; 8 bits can hold only the high bytes.
        info = picture.info
        picture = Image.frombytes("L", picture.size, picture.tobytes()[1::2])
        picture.info = info
    mode = {"1": "L", "LA": "L", "P": "RGB", "RGBA": "RGB"}.get(picture.mode, picture.mode)
    if picture.has_transparency_data:
        mode += "A"
    # At 40 megapixels a copy weighs 160 MB, so none is made when the mode already suits.
    return picture if picture.mode == mode else picture.convert(mode)


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the picture as RGB or RGBA; a profile that is broken or meant for other colours is ignored."""
    colours = picture.convert({"LA": "L", "RGBA": "RGB"}.get(picture.mode, picture.mode))
    result = _apply_profile(colours, profile) if profile else None
    if result is None:
        result = colours.convert("RGB")
    if picture.mode in ("LA", "RGBA"):
        result.putalpha(picture.getchannel("A"))
    return result


def _apply_profile(colours: Image.Image, profile: bytes) -> Image.Image | None:
    srgb = ImageCms.createProfile("sRGB")
    try:
        return ImageCms.profileToProfile(colours, io.BytesIO(profile), srgb, outputMode="RGB")
    except ImageCms.PyCMSError:
        return None


def _orientation(exif: bytes) -> int:
    """Return the orientation written in the first directory of the EXIF data, 1 (upright) when there is none."""
    tiff = exif.removeprefix(EXIF_HEADER)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for position in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, position)
            if (tag, kind) == (_EXIF_ORIENTATION, _EXIF_SHORT):
                return value if isinstance(value, int) else 1
    except struct.error:
        return 1
    return 1


def encode(picture: Image.Image, *, as_jpeg: bool) -> PreparedPicture:
    """Return a picture encoded from its bare pixels, as a JPEG or a PNG."""
    # Pillow's writers copy the contents of `info` (a JPEG comment, a colour profile): a picture made of bare pixels has
    # none.
    bare = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    stream = io.BytesIO()
    if as_jpeg:
        bare.save(stream, "JPEG", quality=JPEG_QUALITY)
        return PreparedPicture(stream.getvalue(), ".jpg", "image/jpeg", bare.width, bare.height)
    bare.save(stream, "PNG", optimize=True)
    return PreparedPicture(stream.getvalue(), ".png", "image/png", bare.width, bare.height)
