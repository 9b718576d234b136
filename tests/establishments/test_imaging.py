"""Logos and stamps as they are stored: whatever the file was, an upright sRGB picture and nothing else."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image

from cpro.establishments.imaging import PreparedPicture, is_low_resolution, prepare_picture
from cpro.establishments.models import PictureKind
from tests.helpers import pictures
from tests.helpers.pictures import BLUE, RED, SCRIPT

WHITE = (255, 255, 255)


def opened(picture: PreparedPicture) -> Image.Image:
    """Return the stored picture, decoded."""
    image = Image.open(io.BytesIO(picture.content))
    image.load()
    return image


def prepared(content: bytes) -> Image.Image:
    """Return the picture that is stored for this file, decoded."""
    return opened(prepare_picture(content))


def pixel(image: Image.Image, at: tuple[int, int]) -> tuple[int, ...]:
    """Return the bands of a pixel."""
    bands = image.getpixel(at)
    assert isinstance(bands, tuple)
    return bands


def is_near(bands: tuple[int, ...], colour: tuple[int, ...], tolerance: int = 12) -> bool:
    """Return whether a pixel has this colour, give or take what a JPEG loses."""
    return len(bands) == len(colour) and all(abs(a - b) <= tolerance for a, b in zip(bands, colour, strict=True))


def png_chunk_names(content: bytes) -> Iterator[bytes]:
    """Yield the names of the chunks of a PNG."""
    position = 8
    while position < len(content):
        length, name = struct.unpack_from(">I4s", content, position)
        yield name
        position += length + 12


class TestPreparePictureFormats:
    @pytest.mark.parametrize(
        ("content", "suffix", "mimetype"),
        [
            (pictures.png(), ".png", "image/png"),
            (pictures.jpeg(), ".jpg", "image/jpeg"),
            (pictures.jpeg(progressive=True), ".jpg", "image/jpeg"),
            (pictures.gif(), ".png", "image/png"),
            (pictures.webp(), ".png", "image/png"),
            (pictures.webp(lossless=True), ".png", "image/png"),
        ],
        ids=["PNG", "JPEG", "progressive JPEG", "GIF", "WebP", "lossless WebP"],
    )
    def test_prepare_picture_each_is_converted_to_png_or_jpeg(self, content: bytes, suffix: str, mimetype: str) -> None:
        picture = prepare_picture(content)

        assert (picture.suffix, picture.mimetype) == (suffix, mimetype)
        assert (picture.width, picture.height) == (64, 32)
        image = opened(picture)
        assert Image.MIME[image.format or ""] == mimetype
        assert (image.mode, image.size) == ("RGB", (64, 32))
        assert is_near(pixel(image, (8, 16)), RED)
        assert is_near(pixel(image, (56, 16)), BLUE)

    @pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
    def test_prepare_picture_an_animation_gives_its_first_frame(self, format: str) -> None:
        image = prepared(pictures.animated(format))

        assert getattr(image, "n_frames", 1) == 1
        assert is_near(pixel(image, (32, 16)), RED)

    def test_prepare_picture_a_gif_smaller_than_its_canvas_keeps_its_place(self) -> None:
        content = bytearray(pictures.gif(64, 32))
        struct.pack_into("<HH", content, 6, 100, 50)

        assert prepared(bytes(content)).size == (100, 50)

    def test_prepare_picture_several_pictures_in_one_jpeg_give_the_first(self) -> None:
        second = Image.new("RGB", (64, 32), BLUE)
        content = pictures.encoded(Image.new("RGB", (64, 32), RED), "MPO", save_all=True, append_images=[second])

        assert is_near(pixel(prepared(content), (32, 16)), RED)

    def test_prepare_picture_a_jpeg_is_written_at_quality_90(self) -> None:
        content = pictures.encoded(pictures.photograph(), "JPEG", quality=100)
        ninety = Image.open(io.BytesIO(pictures.encoded(pictures.photograph(), "JPEG", quality=90)))

        assert prepared(content).quantization == ninety.quantization  # type: ignore[attr-defined]

    def test_prepare_picture_the_same_file_gives_the_same_bytes(self) -> None:
        assert prepare_picture(pictures.jpeg()) == prepare_picture(pictures.jpeg())


@pytest.mark.integration
class TestPreparePictureSize:
    @pytest.mark.parametrize(
        ("before", "after"),
        [((2400, 600), (1200, 300)), ((600, 2400), (300, 1200)), ((1200, 1200), (1200, 1200)), ((5000, 2), (1200, 1))],
    )
    @pytest.mark.parametrize("format", ["PNG", "JPEG"])
    def test_prepare_picture_the_longer_side_is_bounded(
        self, before: tuple[int, int], after: tuple[int, int], format: str
    ) -> None:
        picture = prepare_picture(pictures.encoded(pictures.two_halves(*before), format))

        assert (picture.width, picture.height) == after == opened(picture).size

    def test_prepare_picture_a_small_picture_is_never_enlarged(self) -> None:
        assert prepared(pictures.png(3, 2)).size == (3, 2)

    def test_prepare_picture_a_large_jpeg_is_decoded_small_yet_right(self) -> None:
        image = prepared(pictures.jpeg(6000, 3000))

        assert image.size == (1200, 600)
        assert is_near(pixel(image, (300, 300)), RED)
        assert is_near(pixel(image, (900, 300)), BLUE)

    @pytest.mark.integration
    def test_prepare_picture_a_large_jpeg_is_never_held_whole(self) -> None:
        content = pictures.jpeg(9600, 4000)
        Image.core.reset_stats()

        assert prepared(content).size == (1200, 500)
        taken = Image.core.get_stats()["allocated_blocks"] * Image.core.get_block_size()
        assert taken < 9600 * 4000 * 4

    def test_prepare_picture_shrinking_does_not_bleed_the_colour_of_transparent_pixels(self) -> None:
        content = pictures.encoded(pictures.two_halves(2400, 100, "RGBA", (0, 255, 0, 0), (*BLUE, 255)), "PNG")

        image = prepared(content)

        edge = [pixel(image, (x, 25)) for x in range(590, 612)]
        assert all(is_near(bands[:3], BLUE) for bands in edge if bands[3] > 8)


class TestPreparePictureTransparency:
    @pytest.mark.parametrize(
        "content",
        [
            pictures.transparent_png(),
            pictures.encoded(pictures.two_halves(mode="LA", left=(30, 0), right=(200, 255)), "PNG"),
            pictures.encoded(pictures.two_halves(mode="RGBA", left=(*RED, 0), right=(*BLUE, 255)), "WEBP"),
            pictures.encoded(pictures.two_halves(mode="RGBA", left=(*RED, 0), right=(*BLUE, 255)), "GIF"),
            pictures.encoded(pictures.two_halves().quantize(4), "PNG", transparency=b"\x00\xff\x00\x00"),
            pictures.encoded(pictures.two_halves(mode="L", left=9, right=200), "PNG", transparency=9),
            pictures.encoded(pictures.two_halves(mode="1", left=0, right=1), "PNG", transparency=0),
            pictures.encoded(pictures.two_halves(), "PNG", transparency=RED),
        ],
        ids=["RGBA", "grey and alpha", "WebP", "GIF", "palette", "grey key", "black and white key", "RGB key"],
    )
    def test_prepare_picture_it_is_kept_in_every_form(self, content: bytes) -> None:
        image = prepared(content)

        assert image.mode == "RGBA"
        assert {pixel(image, (x, 16))[3] for x in (8, 56)} == {0, 255}

    @pytest.mark.parametrize(
        ("depth", "colour_type", "key", "rows"),
        [
            (2, 0, b"\0\1", b"\0" + bytes([0b01011111])),
            (4, 0, b"\0\7", b"\0" + bytes([0x77, 0xFF])),
            (16, 0, b"\x12\x34", b"\0" + b"\x12\x34" * 2 + b"\xff\xff" * 2),
            (16, 2, b"\x12\x34\x56\x78\x9a\xbc", b"\0" + b"\x12\x34\x56\x78\x9a\xbc" * 2 + b"\xff" * 12),
        ],
    )
    def test_prepare_picture_a_transparent_colour_is_found_at_every_depth(
        self, depth: int, colour_type: int, key: bytes, rows: bytes
    ) -> None:
        key_chunk = pictures.png_chunk(b"tRNS", key)
        image = prepared(pictures.raw_png(4, 1, rows, depth=depth, colour_type=colour_type, extra=[key_chunk]))

        assert image.getchannel("A").tobytes() == b"\x00\x00\xff\xff"


class TestPreparePictureColours:
    def test_prepare_picture_the_white_of_a_cmyk_jpeg_stays_white(self) -> None:
        content = pictures.encoded(pictures.two_halves(mode="CMYK", left=(0, 0, 0, 0), right=(0, 255, 255, 0)), "JPEG")

        image = prepared(content)

        assert image.mode == "RGB"
        assert is_near(pixel(image, (8, 16)), WHITE)
        assert is_near(pixel(image, (56, 16)), (255, 0, 0), 20)

    def test_prepare_picture_a_profile_cut_short_counts_for_nothing(self) -> None:
        packed = zlib.compress(pictures.swapped_profile())[:-2]
        image = prepared(pictures.with_png_chunk(pictures.png(), b"iCCP", b"icc\0\0" + packed))

        assert is_near(pixel(image, (8, 16)), RED)

    def test_prepare_picture_a_jfif_keeps_its_colours_whatever_it_names_its_components(self) -> None:
        # Without the JFIF segment, libjpeg takes components named R, G and B for those of RGB.
        content = bytearray(pictures.jpeg())
        frame, scan = content.index(b"\xff\xc0") + 10, content.index(b"\xff\xda") + 5
        for number, name in enumerate(b"RGB"):
            content[frame + 3 * number] = content[scan + 2 * number] = name

        image = prepared(bytes(content))

        assert is_near(pixel(image, (8, 16)), RED)
        assert is_near(pixel(image, (56, 16)), BLUE)

    def test_prepare_picture_the_white_of_a_ycck_jpeg_stays_white(self) -> None:
        # The last byte of the Adobe segment says YCCK instead of CMYK. Adobe stores ink inverted, so that white has no
        # luminance, neutral colour differences and a full K; Pillow inverts once more what it writes.
        cmyk = Image.merge("CMYK", [Image.new("L", (64, 32), 255 - stored) for stored in (0, 128, 128, 255)])
        content = bytearray(pictures.encoded(cmyk, "JPEG", quality=95))
        at = content.index(b"Adobe")
        content[at + 11] = 2

        image = prepared(bytes(content))

        assert image.mode == "RGB"
        assert is_near(pixel(image, (8, 16)), WHITE)

    def test_prepare_picture_sixteen_bit_greys_keep_their_scale(self) -> None:
        rows = b"\0" + struct.pack(">4H", 0, 0x4000, 0x8000, 0xFFFF)

        image = prepared(pictures.raw_png(4, 1, rows, depth=16, colour_type=0))

        assert image.getchannel("R").tobytes() == b"\x00\x40\x80\xff"

    @pytest.mark.parametrize(("colour_type", "samples"), [(2, 3), (4, 2), (6, 4)])
    def test_prepare_picture_sixteen_bit_colours_are_read(self, colour_type: int, samples: int) -> None:
        rows = b"\0" + b"\xff\xff" * samples

        image = prepared(pictures.raw_png(1, 1, rows, depth=16, colour_type=colour_type))

        assert pixel(image, (0, 0))[:3] == WHITE

    @pytest.mark.parametrize("mode", ["1", "L", "P"])
    @pytest.mark.parametrize("format", ["PNG", "GIF"])
    def test_prepare_picture_few_colours_become_rgb(self, mode: str, format: str) -> None:
        content = pictures.encoded(Image.new("L", (64, 32), 255).convert(mode), format)

        image = prepared(content)

        assert (image.mode, pixel(image, (8, 16))) == ("RGB", WHITE)

    def test_prepare_picture_a_grey_jpeg_becomes_rgb(self) -> None:
        image = prepared(pictures.encoded(Image.new("L", (64, 32), 90), "JPEG"))

        assert image.mode == "RGB"
        assert is_near(pixel(image, (8, 16)), (90, 90, 90))

    @pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
    def test_prepare_picture_an_embedded_profile_is_applied_then_dropped(self, format: str) -> None:
        content = pictures.encoded(pictures.two_halves(), format, icc_profile=pictures.swapped_profile())

        image = prepared(content)

        red, _green, blue = pixel(image, (8, 16))
        assert blue > red + 100
        assert "icc_profile" not in image.info

    def test_prepare_picture_a_profile_leaves_transparency_alone(self) -> None:
        halves = pictures.two_halves(mode="RGBA", left=(*RED, 0), right=(*BLUE, 255))

        image = prepared(pictures.encoded(halves, "PNG", icc_profile=pictures.swapped_profile()))

        assert image.getchannel("A").getextrema() == (0, 255)
        red, _green, blue, _alpha = pixel(image, (56, 16))
        assert red > blue + 100

    @pytest.mark.parametrize("profile", [b"not a profile", b"\0" * 200, pictures.swapped_profile()[:300]])
    def test_prepare_picture_a_broken_profile_counts_for_nothing(self, profile: bytes) -> None:
        for format in ("PNG", "JPEG"):
            image = prepared(pictures.encoded(pictures.two_halves(), format, icc_profile=profile))

            assert is_near(pixel(image, (8, 16)), RED)

    def test_prepare_picture_a_profile_for_other_colours_counts_for_nothing(self) -> None:
        cmyk = pictures.two_halves(mode="CMYK", left=(0, 0, 0, 0), right=(0, 0, 0, 0))

        image = prepared(pictures.encoded(cmyk, "JPEG", icc_profile=pictures.swapped_profile()))

        assert is_near(pixel(image, (8, 16)), WHITE)


class TestPreparePictureOrientation:
    def test_prepare_picture_a_picture_taken_upright_is_stood_up(self) -> None:
        image = prepared(pictures.jpeg(exif=pictures.exif(6)))

        assert image.size == (32, 64)
        assert is_near(pixel(image, (16, 8)), RED)
        assert is_near(pixel(image, (16, 56)), BLUE)

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
    def test_prepare_picture_every_orientation_is_applied(self, orientation: int, format: str) -> None:
        corner = Image.new("RGB", (64, 32), WHITE)
        corner.paste(RED, (0, 0, 32, 16))
        content = pictures.encoded(corner, format, exif=pictures.exif(orientation))

        image = prepared(content)

        # Where the first row and the first column of the file are seen: Exif 2.32, table of the tag Orientation.
        x, y = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}[orientation]
        width, height = image.size
        assert (width, height) == ((64, 32) if orientation <= 4 else (32, 64))
        assert is_near(pixel(image, (width // 4 + x * width // 2, height // 4 + y * height // 2)), RED)

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"Exif\0\0",
            b"Exif\0\0II*\0",
            b"Exif\0\0II*\0\xff\xff\xff\xff",
            b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01" * 40,
            pictures.exif(6)[:-20],
            pictures.exif(9),
        ],
    )
    def test_prepare_picture_broken_orientation_data_leave_the_picture_as_it_lies(self, data: bytes) -> None:
        content = pictures.with_jpeg_segment(pictures.jpeg(), 0xE1, b"Exif\0\0" + data.removeprefix(b"Exif\0\0"))

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            image = prepared(content)

        assert image.width in (32, 64)
        assert caught == []


class TestPreparePictureMetadata:
    def test_prepare_picture_a_jpeg_loses_its_comment_and_all_metadata(self) -> None:
        content = pictures.jpeg(
            comment=SCRIPT, exif=pictures.exif(1), xmp=b"<x:xmpmeta>Martin</x:xmpmeta>", dpi=(72, 72)
        )
        content = pictures.with_jpeg_segment(content, 0xED, b"Photoshop 3.0\x008BIM" + SCRIPT) + SCRIPT

        stored = prepare_picture(content).content

        assert SCRIPT not in stored
        assert b"Martin" not in stored
        assert set(Image.open(io.BytesIO(stored)).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}

    def test_prepare_picture_a_png_loses_its_texts_and_what_follows_its_end(self) -> None:
        content = pictures.png(exif=pictures.exif(1), dpi=(72, 72), icc_profile=pictures.swapped_profile())
        for name, data in ((b"tEXt", b"Comment\0" + SCRIPT), (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + SCRIPT)):
            content = pictures.with_png_chunk(content, name, data)

        stored = prepare_picture(content + SCRIPT).content

        assert SCRIPT not in stored
        assert set(png_chunk_names(stored)) == {b"IHDR", b"IDAT", b"IEND"}

    def test_prepare_picture_a_gif_loses_its_comment(self) -> None:
        content = pictures.encoded(pictures.two_halves().quantize(4), "GIF", comment=SCRIPT)

        stored = prepare_picture(content + SCRIPT).content

        assert SCRIPT not in stored
        assert set(png_chunk_names(stored)) == {b"IHDR", b"IDAT", b"IEND"}

    def test_prepare_picture_a_webp_loses_its_metadata(self) -> None:
        stored = prepare_picture(pictures.webp(exif=pictures.exif(1), xmp=SCRIPT)).content

        assert SCRIPT not in stored
        assert set(png_chunk_names(stored)) == {b"IHDR", b"IDAT", b"IEND"}


class TestIsLowResolution:
    @pytest.mark.parametrize(
        ("width", "height", "kind", "low"),
        [
            (1200, 300, PictureKind.LOGO, False),
            (473, 10, PictureKind.LOGO, False),
            (472, 10, PictureKind.LOGO, True),
            (10, 197, PictureKind.LOGO, False),
            (10, 196, PictureKind.LOGO, True),
            (300, 300, PictureKind.LOGO, False),
            (300, 300, PictureKind.STAMP, True),
            (10, 315, PictureKind.STAMP, False),
            (10, 314, PictureKind.STAMP, True),
            (1, 1, PictureKind.STAMP, True),
        ],
    )
    def test_is_low_resolution_judges_the_side_that_fills_the_box(
        self, width: int, height: int, kind: PictureKind, low: bool
    ) -> None:
        assert is_low_resolution(width, height, kind.print_box_mm) is low
