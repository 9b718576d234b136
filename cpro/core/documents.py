"""Render PDF documents with Typst: tagged PDF/UA-1, A4, embedded fonts, nothing read from the machine.

Text reaches a template as JSON data, never as markup. Only the fonts bundled with Typst and those of
`templates/fonts` are used: Libertinus, then Amiri for Arabic and DejaVu for the rest. A template may import the
shared ones: `#import "/shared/….typ"`.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from cpro.config import PROJECT_ROOT
from cpro.core.capacity import Capacity
from cpro.core.parsing import read_integer

if TYPE_CHECKING:  # imported only when printing: seven megabytes, which no page needs
    import typst

_TEMPLATES = PROJECT_ROOT / "templates"
_FONTS = PROJECT_ROOT / "templates" / "fonts"
_SHARED = "shared"
#: Typst's PDF/UA messages about a character that no font has, and about one not allowed in a text.
_NO_GLYPH = ("could not be displayed", "disallowed codepoint")
_LETTERS_KNOWN = 20_000
#: Replaces letters that no font has, except marks and joiners, which are invisible anyway.
_NOT_PRINTED = "[signe non imprimable]"
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Mn", "Sk"})
_STANDARD: Literal["ua-1"] = "ua-1"

#: Typst takes some 100 MB and a whole processor for a long document.
_RENDERING = Capacity(2)

Pictures = Mapping[str, bytes]
T = TypeVar("T")


@dataclass(frozen=True)
class RenderedPDF:
    """A PDF and its number of pages."""

    content: bytes
    page_count: int


def render_pdf(template: str, data: Mapping[str, Any], *, pictures: Pictures | None = None) -> bytes:
    """Render a template of `templates/` as a PDF, from JSON-serialisable data.

    The template reads the data as `json(bytes(sys.inputs.data))` and pictures as `image("/<name>")`. A character
    that no embedded font has is replaced by a notice, rather than refusing the whole document: validation now
    refuses such characters (`validators.find_unprintable`), but values stored earlier may contain them.
    """
    with _workshop(template, pictures) as main:
        return _with_legible_letters(data, lambda legible: _pdf_of(_compiler(main, legible)))


def render_counted_pdf(template: str, data: Mapping[str, Any], *, pictures: Pictures | None = None) -> RenderedPDF:
    """Render like `render_pdf` and count the pages; the template must provide a metadata labelled `<pages>`."""

    def render(legible: Mapping[str, Any]) -> RenderedPDF:
        compiler = _compiler(main, legible)
        content = _pdf_of(compiler)
        pages = read_integer(compiler.query("<pages>", field="value", one=True))  # the layout is already done
        return RenderedPDF(content, pages or 0)

    with _workshop(template, pictures) as main:
        return _with_legible_letters(data, render)


def render_pages(
    template: str, data: Mapping[str, Any], *, pictures: Pictures | None = None, pages: Sequence[int], ppi: float
) -> list[bytes]:
    """Render some pages of a document as PNG pictures; pages count from 0, or from -1 backwards."""
    with _workshop(template, pictures) as main:
        rendered = _compiler(main, data).compile(format="png", ppi=ppi)
    every = [rendered] if isinstance(rendered, bytes) else rendered or []
    return [every[number] for number in pages]


@contextmanager
def _workshop(template: str, pictures: Pictures | None) -> Iterator[Path]:
    """Yield the path of a copy of a template, in a temporary folder with all the files that it may read.

    Typst reads pictures only from a folder; the data, which may contain secrets, is never written to the disk.
    Raises `Overloaded` while the process renders as many documents as it allows.
    """
    with _RENDERING.take(), tempfile.TemporaryDirectory(prefix="cpro-") as folder:
        root = Path(folder)
        for name, content in (pictures or {}).items():
            (root / name).write_bytes(content)
        source = (_TEMPLATES / template).read_bytes()
        if b'"/shared/' in source:
            shutil.copytree(_TEMPLATES / _SHARED, root / _SHARED)
        main = root / "main.typ"
        main.write_bytes(source)
        yield main


@cache
def _fonts() -> typst.Fonts:
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=[_FONTS])


def _compiler(main: Path, data: Mapping[str, Any]) -> typst.Compiler:
    import typst

    return typst.Compiler(
        str(main),
        root=str(main.parent),
        font_paths=_fonts(),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
    )


def _pdf_of(compiler: typst.Compiler) -> bytes:
    document = compiler.compile(format="pdf", pdf_standards=[_STANDARD])
    if not isinstance(document, bytes):
        raise TypeError("one PDF was expected")
    return document


# --- Characters that no font has -------------------------------------------------------------------------------------


def _with_legible_letters(data: Mapping[str, Any], render: Callable[[Mapping[str, Any]], T]) -> T:
    """Call `render` with the data; if a character makes it fail, without it; failing that, with Latin letters alone.

    Raises `typst.TypstError` when it fails for another reason.
    """
    import typst

    for keeps in (None, _is_printable, _is_latin):
        try:
            return render(data if keeps is None else _legible(data, keeps))
        except typst.TypstError as error:
            if keeps is _is_latin or not any(sign in str(error) for sign in _NO_GLYPH):
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def _legible(value: Any, keeps: Callable[[str], bool]) -> Any:
    """Return the data with each run of unsupported letters replaced by a notice."""
    if isinstance(value, str):
        runs = groupby(value, lambda letter: _is_kept(letter, keeps))
        return "".join("".join(run) if kept else _words_for(run) for kept, run in runs)
    if isinstance(value, Mapping):
        return {name: _legible(each, keeps) for name, each in value.items()}
    return [_legible(each, keeps) for each in value] if isinstance(value, list) else value


def _words_for(letters: Iterable[str]) -> str:
    return "" if all(unicodedata.category(letter) in _UNSEEN_CATEGORIES for letter in letters) else _NOT_PRINTED


def _is_kept(letter: str, keeps: Callable[[str], bool]) -> bool:
    return " " <= letter <= "~" or keeps(letter)


@lru_cache(maxsize=_LETTERS_KNOWN)
def _is_printable(letter: str) -> bool:
    """Return whether some font has a letter, by compiling a document that contains nothing else."""
    import typst

    source = f'#set document(title: "?")\n#"\\u{{{ord(letter):x}}}"'
    compiler = typst.Compiler(source.encode(), font_paths=_fonts())
    try:
        compiler.compile(format="pdf", pdf_standards=[_STANDARD])
    except typst.TypstError:
        return False
    return True


def _is_latin(letter: str) -> bool:
    """Return whether a letter is Latin, Greek or Cyrillic, or punctuation used with them."""
    return "\xa0" <= letter < "\u0300" or "\u0370" <= letter < "\u0500" or "\u2010" <= letter <= "\u2044"
