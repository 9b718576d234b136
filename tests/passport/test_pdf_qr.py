"""The QR of a passport as it is printed: the page is drawn as pixels, and the QR read back module by module."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import segno
from PIL import Image
from pypdf import PdfReader

from cpro.core.printed_codes import read_printed_code
from tests.helpers.browser import Browser
from tests.helpers.pages import Page
from tests.passport.conftest import Class_, pdf_of, printed_code

_DPI = 300
_MILLIMETRE = _DPI / 25.4
#: Nothing else on a page without stamp is as black: its ink is a dark blue.
_BLACK = 30


def last_page(content: bytes) -> Image.Image:
    """Return the last page as a printer would draw it."""
    last = str(len(PdfReader(io.BytesIO(content)).pages))
    command = ["pdftoppm", "-r", str(_DPI), "-f", last, "-l", last, "-png", "-"]
    drawn = subprocess.run(command, input=content, capture_output=True, check=True).stdout
    return Image.open(io.BytesIO(drawn)).convert("RGB")


def modules(page: Image.Image, side: int) -> list[list[int]]:
    """Return the modules of the QR on a page, 1 for black, knowing how many there are along a side."""
    blue = page.getchannel("B").point(lambda level: 255 if level < _BLACK else 0)
    box = blue.getbbox()
    assert box is not None, "nothing black is printed"
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    assert abs(width - height) <= 2
    assert width > 20 * _MILLIMETRE, "too small to be read by a telephone"
    step = width / side
    quiet = page.crop((int(left - 1.5 * step), int(top - 1.5 * step), int(right + 1.5 * step), top - 1))
    assert quiet.convert("L").getextrema() == (255, 255), "a QR needs white around it"
    return [
        [
            int(blue.getpixel((int(left + (column + 0.5) * step), int(top + (row + 0.5) * step))) == 255)
            for column in range(side)
        ]
        for row in range(side)
    ]


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="pdftoppm (poppler) is not installed")
def test_passport_qr_leads_to_the_public_page_of_the_code_printed_beside_it(
    as_: Callable[..., Browser], browser: Callable[[], Browser], class_a: Class_
) -> None:
    answer = as_("teacher").get(f"/passeport/{class_a.pupil_id}.pdf")
    url = f"https://cpro.example/verifier/{read_printed_code(printed_code(pdf_of(answer)))}"
    expected = [list(row) for row in segno.make(url, error="m", micro=False).matrix]

    assert modules(last_page(answer.data), len(expected)) == expected
    visitor = browser().get(urlsplit(url).path)
    assert visitor.status_code == 200
    assert "Un passeport a été émis sous ce code" in Page(visitor).text
