"""Find the characters that our documents cannot print: the fonts they embed do not have them (`core.documents`)."""

from __future__ import annotations

import re

#: The characters of the embedded fonts, as ranges of code points (first, last).
PRINTABLE = (
    (0x0009, 0x000D),  # white space
    (0x0020, 0x0525),  # Latin, phonetic letters, marks, Greek, Cyrillic
    (0x0531, 0x058F),  # Armenian
    (0x05B0, 0x05C3),  # Hebrew, with its vowels; none of our fonts places cantillation marks
    (0x05C6, 0x05F4),
    (0x0606, 0x061C),  # Arabic, Persian, Urdu…
    (0x061E, 0x06FF),
    (0x0750, 0x077F),
    (0x07C0, 0x07E7),  # N’Ko
    (0x07EB, 0x07F5),
    (0x1D00, 0x1D78),  # phonetic letters, marks
    (0x1E00, 0x20BA),  # Latin of Vietnamese and others, Greek, punctuation, exponents, currencies
    (0x20BD, 0x20C0),
    (0x2100, 0x214B),  # letters of formulas
    (0x214E, 0x2185),
    (0x2190, 0x237A),  # arrows, signs of mathematics and engineering
    (0x2460, 0x269C),  # circled numbers, frames, shapes, signs
    (0x269E, 0x26B8),
    (0x26C0, 0x26C3),
    (0x2701, 0x2704),  # ticks and crosses
    (0x2706, 0x2709),
    (0x270C, 0x2727),
    (0x2729, 0x274B),
    (0x2758, 0x275E),
    (0x2761, 0x2794),
    (0x2798, 0x27AF),
    (0x27B1, 0x2907),
    (0x290A, 0x2BFF),
    (0x2C60, 0x2C7F),
    (0x2D30, 0x2D65),  # Tifinagh
    (0xFB00, 0xFB4F),  # ligatures
    (0xFB50, 0xFBC1),
    (0xFBD3, 0xFD3F),
    (0xFD50, 0xFDC7),
    (0xFDF0, 0xFDFD),
    (0xFE00, 0xFE0F),
    (0xFE70, 0xFEFC),
    (0x1F600, 0x1F623),  # faces
    (0x1F625, 0x1F62B),
    (0x1F62D, 0x1F640),
)
_OTHER = re.compile("[^" + "".join(rf"\U{first:08x}-\U{last:08x}" for first, last in PRINTABLE) + "]")


def find_unprintable(text: str) -> str:
    """Return the first character no document can print, or ""; capitals are checked too, since names are printed so."""
    if text.isascii():
        return ""
    found = _OTHER.search(text)
    if found:
        return found[0]
    return next((letter for letter in text if not letter.isascii() and _OTHER.search(letter.upper())), "")


def describe_unprintable(letter: str) -> str:
    """Return the sentence that refuses a text because of a character."""
    return (
        f"Le texte contient « {letter} », un signe que les documents ne peuvent pas imprimer\u202f: remplacez-le ou "
        "retirez-le."
    )
