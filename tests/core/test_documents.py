"""PDF documents: letters that no font has, shared templates, pages as pictures."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
import typst
from PIL import Image
from pypdf import PdfReader

from cpro.core import documents

_SOURCE = """
#import "/shared/richtext.typ": richtext
#let data = json(bytes(sys.inputs.data))
#set document(title: "Essai")
#set page(width: 60mm, height: 60mm)
#for words in data.pages { page(words) }
#context [#metadata(counter(page).final().first())<pages>]
"""


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a template that renders a page for each text, and counts them."""
    folder = tmp_path / "templates"
    shutil.copytree(documents.PROJECT_ROOT / "templates" / "shared", folder / "shared")
    (folder / "essai.typ").write_text(_SOURCE)
    monkeypatch.setattr(documents, "_TEMPLATES", folder)
    return "essai.typ"


def texts(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


class TestRenderPDFLetters:
    @pytest.mark.parametrize(
        ("typed", "printed"),
        [
            ("Zoé œ € «»", "Zoé œ € «»"),
            ("Чехов Ωμέγα", "Чехов Ωμέγα"),
            ("李明 et Zoé", "[signe non imprimable] et Zoé"),
            ("Bravo 🎓", "Bravo [signe non imprimable]"),
            ("Bravo 😀 ✓", "Bravo 😀 ✓"),
            ("Nguyễn Łukasz Şükrü Ĳĳ Ǆ ẞ", "Nguyễn Łukasz Şükrü Ĳĳ Ǆ ẞ"),
            ("Ґалина Ӂ Ԥ", "Ґалина Ӂ Ԥ"),
            ("a\ufeffb", "ab"),
            ("a\x01b", "ab"),
        ],
    )
    def test_render_pdf_only_what_no_font_has_is_replaced(self, template: str, typed: str, printed: str) -> None:
        assert " ".join(texts(documents.render_pdf(template, {"pages": [typed]}))[0].split()) == printed

    def test_render_pdf_a_defect_of_the_template_is_no_matter_of_letters(self, template: str) -> None:
        with pytest.raises(typst.TypstError, match="pages"):
            documents.render_pdf(template, {})


class TestRenderPages:
    @pytest.mark.parametrize("count", [1, 2, 7])
    def test_render_counted_pdf_counts_its_pages(self, template: str, count: int) -> None:
        rendered = documents.render_counted_pdf(template, {"pages": [f"page {number}" for number in range(count)]})

        assert rendered.page_count == len(texts(rendered.content)) == count

    def test_render_pages_gives_pictures(self, template: str) -> None:
        first, last = documents.render_pages(template, {"pages": ["", "un", "deux"]}, pages=(0, 1), ppi=72)

        with Image.open(io.BytesIO(first)) as blank, Image.open(io.BytesIO(last)) as written:
            assert blank.size == written.size == (170, 170)
            assert blank.convert("L").getextrema() == (255, 255)
            assert written.convert("L").getextrema()[0] < 128


class TestRenderPDFFolder:
    def test_render_pdf_nothing_stays_on_the_disk(
        self, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (work := tmp_path / "work").mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(work))

        documents.render_pdf(template, {"pages": ["x"]}, pictures={"a.png": b"x"})

        assert list(work.iterdir()) == []
