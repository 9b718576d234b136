"""Letters that documents cannot print: refused where they are typed or imported, and exactly those."""

from __future__ import annotations

import json
import unicodedata

import pytest
import typst

from cpro.core import documents
from cpro.core.validators import InvalidText, clean_text, find_unprintable
from cpro.core.validators.printable import PRINTABLE


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Nguyễn Thị Ánh",
            "Łukasz Żółć",
            "Şükrü Iğdır",
            "Kêr-Moñ",
            "Tautiʻi",
            "Đặng",
            "Škoda Ďáblík",
            "Ǌegoš",
            "Þórður",
        ),
        *("Чехов Ґалина Ѩ", "Ωμέγα Ἀθηνᾶ", "مُحَمَّد عبد الرحمن", "ٹیپو ہما ۀ", "ڭ پ چ ژ گ", "Հայկ", "שָׂרָה"),
        *("ⵎⴰⵙⵉⵏⵉⵙⵙⴰ", "10³ Ω, mm², H₂O, 5 µF, 20 °C, ≤ 3 €", "✓ ✗ → ☺ 😀", "c’est « là » …", "e\u0301"),
    ],
)
def test_find_unprintable_finds_nothing_in_the_scripts_of_our_fonts(name: str) -> None:
    assert find_unprintable(name) == ""


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("李 Zoé", "李"),
        ("Zoé 🎓", "🎓"),
        ("สมชาย", "ส"),
        ("გიორგი", "გ"),
        ("Zoé \ue000", "\ue000"),
        ("ꙮ", "ꙮ"),
        ("ʂ", "ʂ"),
    ],
)
def test_clean_text_refuses_a_letter_that_no_document_prints(text: str, letter: str) -> None:
    with pytest.raises(InvalidText, match=f"« {letter} », un signe que les documents ne peuvent pas imprimer"):
        clean_text(text, max_length=100)


@pytest.mark.integration
def test_printable_letters_are_all_drawn_by_the_embedded_fonts() -> None:
    letters = [
        chr(code)
        for first, last in PRINTABLE
        for code in range(max(first, 0x20), last + 1)
        if unicodedata.category(chr(code)) not in ("Cn", "Cc", "Cf", "Mn")
    ]
    source = '#set document(title: "?")\n#for each in json(bytes(sys.inputs.letters)) [#each \\ ]'

    compiled = typst.compile(
        source.encode(),
        font_paths=documents._fonts(),
        pdf_standards=["ua-1"],
        sys_inputs={"letters": json.dumps(letters)},
    )

    assert isinstance(compiled, bytes)


@pytest.mark.integration
@pytest.mark.parametrize("base", ["e", "ɔ", "а", "ש", "م"])
def test_printable_marks_stand_on_letters(base: str) -> None:
    script = {"ש": "HEBREW", "م": "ARABIC"}.get(base, "COMBINING")
    marks = [
        f"{base}{chr(code)}"
        for first, last in PRINTABLE
        for code in range(first, last + 1)
        if unicodedata.category(chr(code)) == "Mn" and unicodedata.name(chr(code)).startswith(script)
    ]
    fonts = '("Libertinus Serif", "Amiri", "DejaVu Sans")'
    source = (
        f'#set document(title: "?")\n#set text(font: {fonts})\n#for each in json(bytes(sys.inputs.marks)) [#each \\ ]'
    )

    compiled = typst.compile(
        source.encode(),
        font_paths=documents._fonts(),
        pdf_standards=["ua-1"],
        sys_inputs={"marks": json.dumps(marks)},
    )

    assert isinstance(compiled, bytes)
