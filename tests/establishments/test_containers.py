"""What our own reading of a file's structure decides, and what Pillow alone would decide otherwise (ADR 0014)."""

from __future__ import annotations

import struct
import warnings
import zlib

import pytest

from cpro.establishments import imaging
from cpro.establishments.containers import Container, read_container
from cpro.establishments.imaging import DAMAGED
from tests.helpers import pictures
from tests.helpers.pictures import refusal, size_stored, traced

MEGABYTE = 1024 * 1024
PNG = pictures.encoded(pictures.photograph(), "PNG")
GIF = pictures.encoded(pictures.photograph().quantize(32), "GIF")
#: Where the blocks of this GIF begin: after its screen and its 32 colours.
GIF_BLOCKS = 13 + 3 * 32
END_CHUNK = 12


def with_gif_blocks(blocks: bytes) -> bytes:
    """Return a GIF with these bytes before its first block."""
    return GIF[:GIF_BLOCKS] + blocks + GIF[GIF_BLOCKS:]


class TestReadContainerDamage:
    """A school's stamp is not drawn from a file that lost something, even when a decoder can fill the gap."""

    @pytest.mark.parametrize(
        "content",
        [
            PNG[:-END_CHUNK],
            PNG[: -END_CHUNK - 2],
            PNG[: -END_CHUNK - 1] + bytes([PNG[-END_CHUNK - 1] ^ 1]) + PNG[-END_CHUNK:],
            GIF[:-2],
            with_gif_blocks(b"xyz"),
        ],
        ids=["PNG without its end", "PNG cut in a checksum", "PNG with a wrong checksum", "cut GIF", "GIF with others"],
    )
    def test_read_container_damage_is_refused(self, content: bytes) -> None:
        assert refusal(content) == DAMAGED

    @pytest.mark.parametrize(("lossless", "mark", "size"), [(False, 23, b"\xff\x3f\xff\x3f"), (True, 20, b"\xff" * 4)])
    def test_read_container_damage_of_a_webp_is_seen_before_its_size_is_believed(
        self, lossless: bool, mark: int, size: bytes
    ) -> None:
        content = bytearray(pictures.webp(lossless=lossless))
        at = 21 if lossless else 26
        content[at : at + 4] = size
        assert "mégapixels" in refusal(bytes(content))

        content[mark] ^= 1

        assert refusal(bytes(content)) == DAMAGED

    @pytest.mark.parametrize("content", [PNG, GIF, GIF[:-1]], ids=["PNG", "GIF", "GIF without its last byte"])
    def test_read_container_damage_is_not_seen_where_there_is_none(self, content: bytes) -> None:
        assert size_stored(content) == (64, 48)


class TestReadContainerSize:
    @pytest.mark.parametrize(("left", "top", "size"), [(10, 0, (74, 48)), (0, 5, (64, 53)), (10, 5, (74, 53))])
    def test_read_container_size_of_a_gif_holds_an_image_that_overflows_its_canvas(
        self, left: int, top: int, size: tuple[int, int]
    ) -> None:
        content = bytearray(GIF)
        assert content[GIF_BLOCKS : GIF_BLOCKS + 1] == b","
        struct.pack_into("<HH", content, GIF_BLOCKS + 1, left, top)

        assert size_stored(bytes(content)) == size

    def test_read_container_size_of_a_webp_leaves_out_the_bits_that_ask_for_scaling(self) -> None:
        content = bytearray(pictures.webp())
        content[27] |= 0x40
        content[29] |= 0x80

        assert size_stored(bytes(content)) == (64, 32)

    @pytest.mark.parametrize(("first", "second", "size"), [(6, 1, (48, 64)), (1, 6, (64, 48))])
    def test_read_container_size_of_a_jpeg_follows_the_first_orientation_written(
        self, first: int, second: int, size: tuple[int, int]
    ) -> None:
        content = pictures.encoded(pictures.photograph(), "JPEG", exif=pictures.exif(second))

        assert size_stored(pictures.with_jpeg_segment(content, 0xE1, pictures.exif(first))) == size

    @pytest.mark.parametrize("size", [(64, 47), (63, 48)])
    @pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP"])
    def test_read_container_size_that_the_decoder_does_not_find_again_is_refused(
        self, format: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def misread(content: bytes) -> Container | None:
            container = read_container(content)
            return container and container._replace(width=size[0], height=size[1])

        content = pictures.encoded(pictures.photograph(), format)
        assert size_stored(content) == (64, 48)

        monkeypatch.setattr(imaging, "read_container", misread)

        assert refusal(content) == DAMAGED


class TestReadContainerNotDrawn:
    """Texts, profiles and further frames neither refuse a picture nor cost anything."""

    @pytest.mark.parametrize(
        ("name", "head"),
        [(b"zTXt", b"Raw profile\0\0"), (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0"), (b"iCCP", b"icc\0\0")],
    )
    def test_read_container_not_drawn_may_unfold_to_more_than_a_megabyte(self, name: bytes, head: bytes) -> None:
        packed = zlib.compress(bytes(2 * MEGABYTE))

        assert size_stored(pictures.with_png_chunk(PNG, name, head + packed)) == (64, 48)

    @pytest.mark.parametrize("sequence", [1, 7, 2**32 - 1])
    def test_read_container_not_drawn_may_be_an_animation_out_of_order(self, sequence: int) -> None:
        frame = struct.pack(">IIIIIHHBB", sequence, 64, 48, 0, 0, 1, 10, 0, 0)
        content = pictures.with_png_chunk(PNG, b"fcTL", frame)

        assert size_stored(pictures.with_png_chunk(content, b"acTL", struct.pack(">II", 2, 0))) == (64, 48)

    @pytest.mark.parametrize("frames", [0, 2**32 - 1])
    def test_read_container_not_drawn_may_announce_an_impossible_animation_without_a_warning(self, frames: int) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            size_stored(pictures.with_png_chunk(PNG, b"acTL", struct.pack(">II", frames, 0)))

        assert caught == []

    @pytest.mark.parametrize("name", [b"iCCP", b"zTXt"])
    def test_read_container_not_drawn_is_unfolded_once_at_most(
        self, name: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unfolded = []
        real = zlib.decompressobj

        def counting() -> object:
            unfolded.append(1)
            return real()

        monkeypatch.setattr(zlib, "decompressobj", counting)
        packed = pictures.png_chunk(name, b"x\0\0" + zlib.compress(bytes(MEGABYTE - 1)))

        assert size_stored(PNG[:33] + packed * 500 + PNG[33:]) == (64, 48)
        assert len(unfolded) <= 1

    @pytest.mark.integration
    @pytest.mark.parametrize(
        "content",
        [
            with_gif_blocks(b"!\xfe\1x\0" * 100_000),
            pictures.jpeg()[:2] + b"\xff\xfe\0\2" * 100_000 + pictures.jpeg()[2:],
            PNG[:33] + pictures.png_chunk(b"prIv", b"") * 100_000 + PNG[33:],
        ],
        ids=["GIF", "JPEG", "PNG"],
    )
    def test_read_container_not_drawn_leaves_nothing_in_memory_however_often_it_comes(self, content: bytes) -> None:
        with traced() as peak:
            size_stored(content)
            assert peak() < 3 * MEGABYTE
