"""The paper taken away from under a stamp: ink stays, edges are in between, shade is no ink, the cost is bounded."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageChops, ImageDraw

from cpro.core.capacity import Overloaded
from cpro.establishments import clearing
from cpro.establishments.clearing import clear_paper, has_paper
from cpro.establishments.imaging import MAX_SIDE, UnusablePicture
from tests.helpers.pictures import BLUE, RED, encoded

SIDE = 240


def ring(ink: tuple[int, int, int], *, paper: tuple[int, int, int] = (255, 255, 255), side: int = SIDE) -> Image.Image:
    """Return a ring of ink on paper, its edges smoothed."""
    drawn = Image.new("RGB", (side * 4, side * 4), paper)
    ImageDraw.Draw(drawn).ellipse((side // 2, side // 2, side * 7 // 2, side * 7 // 2), outline=ink, width=side // 8)
    return drawn.resize((side, side), Image.Resampling.LANCZOS)


def shaded(picture: Image.Image) -> Image.Image:
    """Return the picture as a telephone takes it: less light on one side, and grain."""
    light = Image.linear_gradient("L").resize(picture.size).point([165 + level * 90 // 255 for level in range(256)])
    grain = Image.effect_noise(picture.size, 6)
    channels = [ImageChops.add(ImageChops.multiply(each, light), grain, 1, -128) for each in picture.split()]
    return Image.merge("RGB", channels)


def cleared(picture: Image.Image) -> Image.Image:
    result = clear_paper(io.BytesIO(encoded(picture, "PNG")))
    assert (result.suffix, result.mimetype, result.width, result.height) == (".png", "image/png", *picture.size)
    with Image.open(io.BytesIO(result.content)) as image:
        image.load()
        return image


def laid_on(ground: str, picture: Image.Image) -> Image.Image:
    sheet = Image.new("RGBA", picture.size, ground)
    sheet.alpha_composite(picture)
    return sheet.convert("RGB")


def alpha(picture: Image.Image, x: int, y: int) -> int:
    pixel = picture.getpixel((x, y))
    assert isinstance(pixel, tuple)
    return pixel[3]


class TestClearPaper:
    @pytest.mark.parametrize("ink", [BLUE, RED, (0, 0, 0), (90, 90, 90)])
    def test_clear_paper_paper_goes_ink_stays_and_white_shows_no_difference(self, ink: tuple[int, int, int]) -> None:
        picture = ring(ink)

        result = cleared(picture)

        assert (alpha(result, 0, 0), alpha(result, SIDE // 2, SIDE // 2)) == (0, 0)
        middle = result.getpixel((SIDE // 2, 34))
        assert isinstance(middle, tuple)
        assert middle[3] == 255 and max(abs(is_ - was) for is_, was in zip(middle, ink, strict=False)) <= 4
        difference = ImageChops.difference(laid_on("white", result), picture)
        assert max(level for channel in difference.split() for level in channel.getextrema()) <= 20  # type: ignore[type-var]

    def test_clear_paper_edges_are_in_between_and_leave_no_pale_line_on_grey(self) -> None:
        result = cleared(ring(BLUE))

        levels = result.getchannel("A").histogram()
        assert sum(levels[1:255]) > SIDE
        on_grey = laid_on("#808080", result)
        red = on_grey.getchannel("R").getextrema()
        assert red[1] <= 0x80 + 2, "nothing is lighter than the ground"  # type: ignore[operator]

    @pytest.mark.integration
    def test_clear_paper_a_photo_is_lit_evenly_first(self) -> None:
        photo = shaded(ring(BLUE, paper=(225, 218, 205)))

        result = cleared(photo)

        for x, y in ((4, 4), (SIDE - 5, SIDE - 5), (SIDE // 2, SIDE // 2)):
            assert alpha(result, x, y) <= 12
        share = result.getchannel("A").histogram()[0] / SIDE**2
        assert share > 0.7
        assert alpha(result, SIDE // 2, 34) == 255

    def test_clear_paper_a_block_of_ink_is_no_shade(self) -> None:
        picture = Image.new("RGB", (SIDE, SIDE), "white")
        ImageDraw.Draw(picture).rectangle((40, 40, 200, 200), fill=BLUE)

        result = cleared(picture)

        assert result.getpixel((120, 120)) == (*BLUE, 255)
        assert alpha(result, 10, 10) == 0

    def test_clear_paper_what_was_transparent_stays_so(self) -> None:
        picture = ring(BLUE).convert("RGBA")
        picture.paste((0, 0, 0, 0), (0, 0, SIDE, 20))

        assert alpha(cleared(picture), 10, 10) == 0

    @pytest.mark.parametrize("ink", [BLUE, RED, (0, 0, 0), (90, 90, 90)])
    def test_clear_paper_once_cleared_there_is_no_paper_left(self, ink: tuple[int, int, int]) -> None:
        picture = ring(ink)
        assert has_paper(io.BytesIO(encoded(picture, "PNG")))

        result = cleared(picture)

        assert not has_paper(io.BytesIO(encoded(result, "PNG")))
        with pytest.raises(UnusablePicture, match="rien à rendre transparent"):
            cleared(result)

    @pytest.mark.parametrize("colour", ["white", "#fdfdfb", (20, 30, 40), (120, 120, 120)])
    def test_clear_paper_refuses_what_has_no_white_or_nothing_else(self, colour: str | tuple[int, int, int]) -> None:
        with pytest.raises(UnusablePicture):
            cleared(Image.new("RGB", (80, 80), colour))

    @pytest.mark.parametrize("size", [(1, 1), (1, MAX_SIDE), (MAX_SIDE, 2)])
    def test_clear_paper_takes_every_size_that_is_stored(self, size: tuple[int, int]) -> None:
        with pytest.raises(UnusablePicture):
            cleared(Image.new("RGB", size, "white"))

    def test_clear_paper_clears_one_at_a_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        capacity = clearing.Capacity(1, patience=0)
        monkeypatch.setattr(clearing, "_CLEARING", capacity)

        with capacity.take(), pytest.raises(Overloaded):
            cleared(ring(BLUE))
