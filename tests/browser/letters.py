"""Pages in other letters and with the longest names: nothing may scroll sideways (WCAG 1.4.10 and 1.4.12)."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from playwright.sync_api import Page

#: Letters that do not depend on the fonts of the machine: a wide family and a narrow one, those of the documents, the
#: wide one with the spacing of WCAG 1.4.12.
_FONTS = {"wide": "DejaVuSans.ttf", "narrow": "Amiri-Regular.ttf"}
LETTERS = {
    "of the page": "",
    "wide and spaced": """* {
        font-family: wide !important; letter-spacing: .12em !important; line-height: 1.5 !important;
        word-spacing: .16em !important;
    }
    p { margin-bottom: 2em !important; }""",
    "narrow": "* { font-family: narrow !important; }",
}
#: A constructed style sheet is no inline style, a font made of bytes is fetched nowhere: the page's policy allows both.
_LOAD_FONTS = """(fonts) => Promise.all(Object.entries(fonts).map(([name, text]) => {
    const face = new FontFace(name, Uint8Array.from(atob(text), (each) => each.charCodeAt(0)).buffer);
    document.fonts.add(face);
    return face.load();
}))"""
_SET_LETTERS = """(rules) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(rules);
    document.adoptedStyleSheets = rules ? [sheet] : [];
}"""
#: The longest of what people and files are called, where the page shows such a thing; and what folds, unfolded.
_LENGTHEN = """() => {
    const name = "MONTGOLFIEREDESAINTEXUPERYSSUR", file = "eleves_avec_adresses_2026-2027_definitif.xml.zip";
    const write = (selector, text) => document.querySelectorAll(selector)
        .forEach((each) => { each.append(` ${text}`); });
    write(".who-name a, .school-name, h1, tbody th[scope=row] a, .pairs dd, .flash strong, .checklist-title", name);
    write(".who-role", "Administrateur de l’établissement");
    write(".pill", "remis en service");
    write("td, .error-summary li, .confirm-question > span, .files span", file);
    document.querySelectorAll("main details").forEach((each) => { each.open = true; });
}"""
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def load(page: Page) -> None:
    """Give a page the families."""
    folder = Path(__file__).parents[2] / "templates" / "fonts"
    texts = {name: b64encode((folder / file).read_bytes()).decode() for name, file in _FONTS.items()}
    page.evaluate(_LOAD_FONTS, texts)


def write_in(page: Page, rules: str) -> None:
    """Write a page in other letters; in its own with no rules."""
    page.evaluate(_SET_LETTERS, rules)


def lengthen(page: Page) -> None:
    """Make each name of a page as long as names are, and open what is folded."""
    page.evaluate(_LENGTHEN)


def overflows(page: Page) -> dict[str, int]:
    """Return how many pixels a page is too wide, by its letters; only where it is."""
    found = {}
    for letters, rules in LETTERS.items():
        write_in(page, rules)
        if (excess := page.evaluate(_OVERFLOW)) > 0:
            found[letters] = excess
    write_in(page, "")
    return found
