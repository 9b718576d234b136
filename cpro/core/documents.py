"""Papers drawn by Typst: tagged PDF/UA-1, A4, embedded fonts, nothing read from the machine.

Text reaches a template as JSON data, never as markup. Only the fonts that Typst carries are used.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import typst

from cpro.config import PROJECT_ROOT

_TEMPLATES = PROJECT_ROOT / "templates"
#: What Typst says, in PDF/UA, of a letter that none of its fonts draws.
_NO_GLYPH = "could not be displayed"


def render_pdf(template: str, data: Mapping[str, Any], *, pictures: Mapping[str, bytes] | None = None) -> bytes:
    """Return the document that a template of `templates/` draws from plain data.

    The template reads the data as `json(bytes(sys.inputs.data))` and pictures as `image("/<name>")`. A letter that no
    embedded font has is printed « ? »: a paper with a hole is better than no paper.
    """
    # Typst reads pictures from a folder alone; the data, which may hold secrets, never touches the disk.
    with tempfile.TemporaryDirectory(prefix="cpro-") as folder:
        root = Path(folder)
        for name, content in (pictures or {}).items():
            (root / name).write_bytes(content)
        main = root / "main.typ"
        main.write_bytes((_TEMPLATES / template).read_bytes())
        try:
            return _compile(main, data)
        except typst.TypstError as error:
            if _NO_GLYPH not in str(error):
                raise
            return _compile(main, _legible(data))


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False)


def _compile(main: Path, data: Mapping[str, Any]) -> bytes:
    document = typst.compile(
        str(main),
        root=str(main.parent),
        font_paths=_fonts(),
        format="pdf",
        pdf_standards=["ua-1"],
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
    )
    if not isinstance(document, bytes):
        raise TypeError("one PDF was expected")
    return document


def _legible(value: Any) -> Any:
    """Return the data with « ? » for whatever is neither Latin, Greek nor Cyrillic."""
    if isinstance(value, str):
        return "".join(letter if letter < "\u0500" or "\u2010" <= letter <= "\u2044" else "?" for letter in value)
    if isinstance(value, Mapping):
        return {name: _legible(each) for name, each in value.items()}
    return [_legible(each) for each in value] if isinstance(value, list) else value
