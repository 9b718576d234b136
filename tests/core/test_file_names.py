"""Names of files made from people's words."""

from __future__ import annotations

import pytest

from cpro.core.file_names import safe_file_name


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("passeport", "AGATE Noé"), "passeport-agate-noe.pdf"),
        (("passeport", "Чехов Анна"), "passeport-чехов-анна.pdf"),
        (("passeport", "مريم"), "passeport-مريم.pdf"),
        (("passeports", "1/2"), "passeports-1-2.pdf"),
        (("D’ARC / Jean..",), "d-arc-jean.pdf"),
        (("../../etc/passwd",), "etc-passwd.pdf"),
        (('a\\b:c*d?e"f<g>h|i',), "a-b-c-d-e-f-g-h-i.pdf"),
        (("CON",), "fichier-con.pdf"),
        (("nul.",), "fichier-nul.pdf"),
        (("Lpt1",), "fichier-lpt1.pdf"),
        (("Conrad",), "conrad.pdf"),
        (("…",), "fichier.pdf"),
        (("a\r\nSet-Cookie: x",), "a-set-cookie-x.pdf"),
        (("Nguye\u0302\u0303n",), "nguyen.pdf"),
    ],
)
def test_safe_file_name_suits_every_system(parts: tuple[str, ...], name: str) -> None:
    assert safe_file_name(*parts, suffix="pdf") == name


@pytest.mark.parametrize("letter", ["a", "ж", "ع", "ⴰ", "𐐨"])
def test_safe_file_name_is_short_enough_in_bytes_and_cut_between_letters(letter: str) -> None:
    name = safe_file_name(letter * 300, suffix="pdf")

    assert 100 < len(name.encode()) <= 124
    assert set(name.removesuffix(".pdf")) == {letter}
