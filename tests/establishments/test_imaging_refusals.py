"""Files that cannot become a logo or a stamp: each is refused by a sentence that says why, at no cost to the server."""

from __future__ import annotations

import struct
import warnings
import zlib

import pytest
from PIL import Image

from cpro.establishments.imaging import DAMAGED, MAX_PIXELS, UnusablePicture, prepare_picture
from tests.helpers import pictures
from tests.helpers.pictures import refusal, size_stored, traced

MEGABYTE = 1024 * 1024


class TestPreparePictureRefused:
    def test_prepare_picture_refused_an_empty_file(self) -> None:
        assert "est vide" in refusal(b"")

    def test_prepare_picture_refused_a_file_over_five_megabytes_says_its_size(self) -> None:
        assert "pèse 7,3\u00a0Mo\u202f; la limite est de 5\u00a0Mo" in refusal(bytes(int(7.25 * MEGABYTE)))

    def test_prepare_picture_refused_one_byte_too_many_reads_as_more_than_five_megabytes(self) -> None:
        padding = bytes(5 * MEGABYTE - len(pictures.png()))

        assert prepare_picture(pictures.png() + padding)
        assert "pèse 5,1\u00a0Mo" in refusal(pictures.png() + padding + b"\0")

    @pytest.mark.parametrize(
        "content",
        [
            pictures.svg(),
            b"<svg/>",
            b"\xef\xbb\xbf  <svg xmlns='x'>",
            b"\xff\xfe" + "<?xml version='1.0'?><svg width='1'>".encode("utf-16-le"),
            b"<!-- a --><!-- b --><svg:svg xmlns:svg='http://www.w3.org/2000/svg'>",
        ],
    )
    def test_prepare_picture_refused_an_svg_is_told_apart_by_its_content(self, content: bytes) -> None:
        assert refusal(content).endswith(
            "format SVG, un dessin vectoriel qui n’est pas accepté\u202f: enregistrez-la en PNG."
        )

    def test_prepare_picture_refused_comments_without_end_do_not_keep_the_server_busy(self) -> None:
        assert "choisissez-en un autre" in refusal(b"<!---->" * 3000 + b"<p>")

    def test_prepare_picture_refused_a_pdf_is_named(self) -> None:
        assert "est un document PDF" in refusal(pictures.pdf())

    @pytest.mark.parametrize(
        "content",
        [
            b"<!DOCTYPE html><html><body><svg></svg></body></html>",
            b"\x8a\x01\xfe\x33" * 5,
            b"PK\x03\x04" + bytes(40),
            b"\x89PNG",
            b"RIFF\x10\0\0\0WAVEfmt ",
            b" ",
        ],
        ids=["HTML", "noise", "zip", "four bytes", "sound", "space"],
    )
    def test_prepare_picture_refused_what_is_not_a_picture(self, content: bytes) -> None:
        assert refusal(content) == (
            "Ce fichier n’est pas une image PNG, JPEG, GIF ou WebP\u202f: choisissez-en un autre."
        )

    @pytest.mark.parametrize(
        ("content", "name"),
        [
            (pictures.encoded(pictures.two_halves(), "BMP"), "BMP"),
            (pictures.encoded(pictures.two_halves(), "TIFF"), "TIFF"),
            (b"MM\0*\0\0\0\x08", "TIFF"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
            (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF"),
            (b"8BPS\0\x01", "Photoshop"),
        ],
    )
    def test_prepare_picture_refused_another_format_is_named_with_the_accepted_ones(
        self, content: bytes, name: str
    ) -> None:
        sentence = refusal(content)

        assert f"au format {name}" in sentence
        assert "PNG, JPEG, GIF ou WebP" in sentence

    @pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP"])
    @pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
    @pytest.mark.integration
    def test_prepare_picture_refused_a_truncated_file(self, format: str, kept: float) -> None:
        content = pictures.encoded(pictures.photograph(200, 150), format)

        assert refusal(content[: int(len(content) * kept)]) == DAMAGED

    def test_prepare_picture_refused_a_png_with_one_bit_wrong(self) -> None:
        content = bytearray(pictures.encoded(pictures.photograph(), "PNG"))
        content[len(content) // 2] ^= 1

        assert refusal(bytes(content)) == DAMAGED

    @pytest.mark.parametrize(
        "content",
        [
            pictures.PNG_SIGNATURE,
            b"\xff\xd8\xff",
            b"\xff\xd8\xff\xd9",
            b"GIF89a",
            b"GIF89a\x01\0\x01\0\0\0\0;",
            b"RIFF\x04\0\0\0WEBP",
            pictures.raw_png(0, 10, b""),
            pictures.raw_png(10, 10, b"\0" * 20),
            pictures.raw_png(1, 1, b"\0\0\0\0", colour_type=1),
            pictures.raw_png(1, 1, b"\0\0", depth=8, colour_type=3),
        ],
        ids=lambda content: repr(content[:12]),
    )
    def test_prepare_picture_refused_a_header_without_a_picture(self, content: bytes) -> None:
        assert refusal(content) == DAMAGED

    def test_prepare_picture_refused_a_second_header_cannot_replace_the_one_that_was_judged(self) -> None:
        small, large = (struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0) for side in (1, 30_000))
        rows = pictures.png_chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))
        headers = b"".join(pictures.png_chunk(b"IHDR", header) for header in (small, large))

        assert size_stored(pictures.PNG_SIGNATURE + headers + rows + pictures.png_chunk(b"IEND", b"")) == (1, 1)

        frame = pictures.jpeg()[pictures.jpeg().index(b"\xff\xc0") :][:19]
        wide = frame[4:5] + struct.pack(">HH", 60_000, 60_000) + frame[9:]
        assert refusal(pictures.with_jpeg_segment(pictures.jpeg(), 0xC0, wide)) == DAMAGED
        scan = pictures.jpeg().index(b"\xff\xda")
        later = struct.pack(">BBH", 0xFF, 0xC0, len(wide) + 2) + wide
        assert refusal(pictures.jpeg()[:scan] + later + pictures.jpeg()[scan:]) == DAMAGED


@pytest.mark.integration
class TestPreparePictureBombs:
    @pytest.mark.parametrize(
        "content",
        [
            pictures.png_bomb(),
            b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
            b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + b",\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;",
            b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff",
            b"RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xff\xff\xff\xff\0\0\0\0\0",
            pictures.with_jpeg_segment(b"\xff\xd8\xff\xda\0\x02", 0xC0, b"\x08\xff\xff\xff\xff\x03" + bytes(9)),
        ],
        ids=["PNG", "GIF canvas", "GIF frame", "WebP canvas", "WebP lossless", "JPEG"],
    )
    def test_prepare_picture_too_many_pixels_are_refused_before_any_is_decoded(
        self, content: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_arguments: object, **_options: object) -> None:
            raise AssertionError("Pillow was called")  # It would surface as the sentence on damaged pictures.

        monkeypatch.setattr(Image, "open", fail)

        with traced() as peak:
            sentence = refusal(content)
            assert peak() < 2 * MEGABYTE

        assert "la limite est de 40\u00a0mégapixels" in sentence

    def test_prepare_picture_a_bomb_gives_no_warning(self) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            refusal(pictures.png_bomb())

        assert caught == []

    def test_prepare_picture_refused_the_sentence_gives_the_size(self) -> None:
        sentence = refusal(pictures.png_bomb())

        assert "mesure 30\u202f000\u00a0×\u00a030\u202f000\u00a0pixels, soit 900\u00a0mégapixels\u202f;" in sentence

    def test_prepare_picture_forty_megapixels_are_the_last_accepted(self) -> None:
        width, height = 8000, 5000
        assert width * height == MAX_PIXELS
        row = bytes(1 + width // 8)

        assert size_stored(pictures.raw_png(width, height, row * height, depth=1, colour_type=0)) == (1200, 750)
        taller = pictures.raw_png(width, height + 1, row * (height + 1), depth=1, colour_type=0)
        assert "soit 40,1\u00a0mégapixels" in refusal(taller)

    @pytest.mark.parametrize(("width", "height"), [(1, 65_536), (65_536, 1)])
    def test_prepare_picture_a_thread_of_a_picture_is_refused(self, width: int, height: int) -> None:
        content = pictures.raw_png(width, height, bytes((1 + width // 8) * height), depth=1, colour_type=0)

        assert "la limite est de 65\u202f535\u00a0pixels de côté" in refusal(content)

    @pytest.mark.parametrize(("width", "height", "stored"), [(1, 65_535, (1, 1200)), (65_535, 1, (1200, 1))])
    def test_prepare_picture_the_longest_thread_is_drawn(
        self, width: int, height: int, stored: tuple[int, int]
    ) -> None:
        content = pictures.raw_png(width, height, bytes((1 + (width + 7) // 8) * height), depth=1, colour_type=0)

        assert size_stored(content) == stored

    def test_prepare_picture_more_pixel_data_than_the_header_says_are_ignored(self) -> None:
        assert size_stored(pictures.raw_png(8, 8, bytes(8 * MEGABYTE), depth=1, colour_type=0)) == (8, 8)

    def test_prepare_picture_texts_and_profiles_that_swell_are_left_packed(self) -> None:
        content = pictures.text_bomb_png()

        with traced() as peak:
            assert size_stored(content) == (64, 32)
            assert peak() < 4 * MEGABYTE


@pytest.mark.slow
class TestPreparePictureHostileBytes:
    @pytest.mark.parametrize(
        "content",
        [
            pictures.encoded(pictures.photograph(), "PNG"),
            pictures.encoded(pictures.photograph().quantize(32), "PNG", transparency=3, exif=pictures.exif(6)),
            pictures.encoded(
                pictures.photograph(), "JPEG", exif=pictures.exif(6), icc_profile=pictures.swapped_profile()
            ),
            pictures.encoded(pictures.photograph(), "JPEG", progressive=True),
            pictures.encoded(pictures.photograph().convert("CMYK"), "JPEG"),
            pictures.encoded(pictures.photograph().quantize(32), "GIF", transparency=1, comment=b"x"),
            pictures.animated("GIF"),
            pictures.encoded(
                pictures.photograph(), "WEBP", exif=pictures.exif(6), icc_profile=pictures.swapped_profile()
            ),
            pictures.encoded(pictures.photograph(), "WEBP", lossless=True),
            pictures.animated("WEBP"),
            pictures.animated("PNG"),
        ],
        ids=[
            "PNG",
            "palette PNG",
            "JPEG",
            "progressive JPEG",
            "CMYK JPEG",
            "GIF",
            "animated GIF",
            "WebP",
            "lossless WebP",
            "animated WebP",
            "APNG",
        ],
    )
    def test_prepare_picture_three_hundred_damaged_copies_are_converted_or_refused(self, content: bytes) -> None:
        refusals = 0
        for copy in pictures.damaged_copies(content, 300, seed=2018):
            try:
                assert prepare_picture(copy).content
            except UnusablePicture:
                refusals += 1

        assert refusals > 50

    def test_prepare_picture_memory_that_lacks_is_a_refusal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_arguments: object, **_options: object) -> None:
            raise MemoryError

        monkeypatch.setattr(Image.Image, "resize", fail)

        assert refusal(pictures.png(1300, 10)) == DAMAGED
