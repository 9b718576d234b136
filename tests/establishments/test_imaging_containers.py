"""What our own reading of a file's structure decides, and what Pillow alone would decide otherwise (ADR 0014)."""

from __future__ import annotations

import struct
import warnings
import zlib

import pytest

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


class TestDamage:
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
    def test_is_refused(self, content: bytes) -> None:
        assert refusal(content) == DAMAGED

    @pytest.mark.parametrize("content", [PNG, GIF, GIF[:-1]], ids=["PNG", "GIF", "GIF without its last byte"])
    def test_is_not_seen_where_there_is_none(self, content: bytes) -> None:
        assert size_stored(content) == (64, 48)


class TestWhatIsNotDrawn:
    """Texts, profiles and further frames neither refuse a picture nor cost anything."""

    @pytest.mark.parametrize(
        ("name", "head"),
        [(b"zTXt", b"Raw profile\0\0"), (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0"), (b"iCCP", b"icc\0\0")],
    )
    def test_may_unfold_to_more_than_a_megabyte(self, name: bytes, head: bytes) -> None:
        packed = zlib.compress(bytes(2 * MEGABYTE))

        assert size_stored(pictures.with_png_chunk(PNG, name, head + packed)) == (64, 48)

    @pytest.mark.parametrize("sequence", [1, 7, 2**32 - 1])
    def test_may_be_an_animation_out_of_order(self, sequence: int) -> None:
        frame = struct.pack(">IIIIIHHBB", sequence, 64, 48, 0, 0, 1, 10, 0, 0)
        content = pictures.with_png_chunk(PNG, b"fcTL", frame)

        assert size_stored(pictures.with_png_chunk(content, b"acTL", struct.pack(">II", 2, 0))) == (64, 48)

    @pytest.mark.parametrize("frames", [0, 2**32 - 1])
    def test_may_announce_an_impossible_animation_without_a_warning(self, frames: int) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            size_stored(pictures.with_png_chunk(PNG, b"acTL", struct.pack(">II", frames, 0)))

        assert caught == []

    @pytest.mark.parametrize("name", [b"iCCP", b"zTXt"])
    def test_is_unfolded_once_at_most(self, name: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
        unfolded = []
        real = zlib.decompressobj

        def counting() -> object:
            unfolded.append(1)
            return real()

        monkeypatch.setattr(zlib, "decompressobj", counting)
        packed = pictures.png_chunk(name, b"x\0\0" + zlib.compress(bytes(MEGABYTE - 1)))

        assert size_stored(PNG[:33] + packed * 500 + PNG[33:]) == (64, 48)
        assert len(unfolded) <= 1

    @pytest.mark.parametrize(
        "content",
        [
            with_gif_blocks(b"!\xfe\1x\0" * 100_000),
            pictures.jpeg()[:2] + b"\xff\xfe\0\2" * 100_000 + pictures.jpeg()[2:],
            PNG[:33] + pictures.png_chunk(b"prIv", b"") * 100_000 + PNG[33:],
        ],
        ids=["GIF", "JPEG", "PNG"],
    )
    def test_leaves_nothing_in_memory_however_often_it_comes(self, content: bytes) -> None:
        with traced() as peak:
            size_stored(content)
            assert peak() < 3 * MEGABYTE
