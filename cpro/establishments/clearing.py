"""Make the paper behind a stamp transparent: white becomes transparent, ink stays, edges are in between.

The result, laid on white paper, looks like the original picture: the colour of each pixel is split into ink and paper.
The lighting of a photo is first made even, because its paper is rarely pure white.
"""

from __future__ import annotations

from typing import IO

from PIL import Image, ImageChops, ImageFilter, ImageMath

from cpro.core.capacity import Capacity
from cpro.establishments.imaging import PreparedPicture, UnusablePicture, encode

#: Levels out of 255, of the darkest of a pixel's three colours: from this one up the pixel is paper; from this one down
#: it is ink only.
_BLANK, _SOLID = 236, 128
_OPACITY = [min(255, max(0, round(255 * (_BLANK - level) / (_BLANK - _SOLID)))) for level in range(256)]
#: Longer side, in pixels, of the picture in which light is measured; size of the strokes that are never taken for
#: light.
_LIGHT_SIDE, _STROKE = 64, 13
#: Share of the lightest paper below which an area is ink, not shade; level of the lightest area below which there is no
#: paper at all.
_DEEPEST_SHADE, _DARKEST_PAPER = 0.5, 150
#: Opacity from which a pixel hides what is under it. No remaining ink that solid is as pale as `_DARKEST_PAPER`.
_OPAQUE = 128
#: Minimum share of the picture that must become transparent for the result to be useful.
_LEAST_CLEARED = 0.01

#: A tenth of a second each, a few seconds for noise, and 40 MB; waiting longer would hold a worker that others need.
_CLEARING = Capacity(1, patience=2)


def clear_paper(file: IO[bytes]) -> PreparedPicture:
    """Return a stored picture with its white made transparent, as a PNG.

    Raises UnusablePicture when it contains no white, or nothing but white, and Overloaded while others are being
    cleared.
    """
    with _CLEARING.take(), Image.open(file, formats=("PNG", "JPEG")) as source:
        picture = source.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        paper.alpha_composite(picture)
        lit = _light_evenly(paper.convert("RGB"))
        opacity = _darkest_colour(*lit.split()).point(_OPACITY)
        _check(picture, opacity)
        return encode(_part_from_white(lit, opacity), as_jpeg=False)


def has_paper(file: IO[bytes]) -> bool:
    """Return whether a stored picture contains white or near-white areas that are not already transparent."""
    with Image.open(file, formats=("PNG", "JPEG")) as source:
        return _holds_paper(source.convert("RGBA"))


def _holds_paper(picture: Image.Image) -> bool:
    *colours, opacity = picture.split()
    pale = _darkest_colour(*colours).point([255 * (level >= _DARKEST_PAPER) for level in range(256)])
    solid = opacity.point([255 * (level >= _OPAQUE) for level in range(256)])
    return ImageChops.darker(pale, solid).histogram()[255] >= _LEAST_CLEARED * picture.width * picture.height


def _check(picture: Image.Image, opacity: Image.Image) -> None:
    levels = opacity.histogram()
    pixels = opacity.width * opacity.height
    if levels[0] == pixels:
        raise UnusablePicture("Cette image est blanche partout\u202f: il n’en resterait rien.")
    if levels[0] < _LEAST_CLEARED * pixels or not _holds_paper(picture):
        raise UnusablePicture("Cette image n’a pas de fond blanc\u202f: il n’y a rien à rendre transparent.")


def _part_from_white(picture: Image.Image, opacity: Image.Image) -> Image.Image:
    """Return the ink that, laid on white with this opacity, looks like the picture."""
    white = ImageChops.invert(opacity)
    ink = [ImageChops.subtract(channel, white) for channel in picture.split()]
    return Image.merge("RGBa", (*ink, opacity)).convert("RGBA")  # RGBa is what RGBA becomes once multiplied


def _darkest_colour(red: Image.Image, green: Image.Image, blue: Image.Image) -> Image.Image:
    return ImageChops.darker(ImageChops.darker(red, green), blue)


def _light_evenly(picture: Image.Image) -> Image.Image:
    """Return the picture as if its paper were evenly white; a picture that is not on paper is returned unchanged."""
    small = picture.copy()
    small.thumbnail((_LIGHT_SIDE, _LIGHT_SIDE), Image.Resampling.BOX)
    light = small.filter(ImageFilter.MaxFilter(_STROKE)).filter(ImageFilter.MinFilter(_STROKE))
    lightest = tuple(_lightest(channel) for channel in light.split())
    if min(lightest) < _DARKEST_PAPER:
        return picture
    deepest = _DEEPEST_SHADE * min(lightest)
    light.paste(lightest, mask=_darkest_colour(*light.split()).point([255 * (level < deepest) for level in range(256)]))
    light = light.filter(ImageFilter.GaussianBlur(2)).resize(picture.size, Image.Resampling.BICUBIC)
    channels = [_divide(*pair) for pair in zip(picture.split(), light.split(), strict=True)]
    return Image.merge("RGB", channels)


def _lightest(channel: Image.Image) -> int:
    return max(level for level, count in enumerate(channel.histogram()) if count)


def _divide(channel: Image.Image, light: Image.Image) -> Image.Image:
    divided: Image.Image = ImageMath.lambda_eval(
        lambda held: held["convert"](held["min"](held["channel"] * 255 / held["max"](held["light"], 1), 255), "L"),
        channel=channel,
        light=light,
    )
    return divided
