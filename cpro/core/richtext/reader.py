"""Parse HTML, as written by editors, word processors and spreadsheets, into the blocks described in `blocks`.

What has no block of its own is written as text: the cells of a row on one line, a picture's description, exponents
as plain characters, the letters of a list before its items.
"""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

import nh3

from cpro.core.parsing import read_integer
from cpro.core.richtext.blocks import (
    MAX_DEPTH,
    MAX_NUMBER,
    Block,
    Run,
    labelled_items,
    numbering_of,
    paragraphs,
    row_of,
    tidy,
)
from cpro.core.richtext.scripts import Script, plain_script
from cpro.core.validators.base import FORBIDDEN, UNSEEN

_SCHEMES = {"http", "https", "mailto"}
_ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s<>\"\\^`{|}]+", re.IGNORECASE)
_LONGEST_ADDRESS = 2_000
_LONGEST_DESCRIPTION = 80
#: Maximum number of a list item.
_LARGEST_NUMBER = 999_999
_BOLD, _ITALIC, _LISTS = frozenset({"strong", "b"}), frozenset({"em", "i"}), frozenset({"ul", "ol"})
_INLINE = _BOLD | _ITALIC | {"span", "font", "sup", "sub"}
_CELLS = frozenset({"td", "th"})
#: Elements that separate paragraphs.
_PARAGRAPHS = frozenset(
    "p div h1 h2 h3 h4 h5 h6 blockquote pre hr center address article aside details dd dl dt figcaption figure "
    "fieldset footer form header hgroup legend main nav optgroup option search section summary "
    "table caption thead tbody tfoot tr td th".split()
)
_READ = _INLINE | _LISTS | _PARAGRAPHS | {"br", "li", "a", "img"}
_ATTRIBUTES = {
    **{tag: {"style"} for tag in _INLINE | {"p", "div"}},
    "a": {"href"},
    "img": {"alt", "width", "height", "aria-hidden"},
    "li": {"value", "style"},
    "ol": {"start", "type", "style"},
}
#: Word processors express some kept formatting only with these.
_STYLES = {"font-weight", "font-style", "vertical-align", "list-style-type"}
_UNREAD_CONTENT = {"script", "style", "title", "template", "iframe", "object", "svg", "math", "noscript", "textarea"}
#: Elements whose content cannot be read as text, and the notice that replaces them.
_LEFT_OUT = re.compile(
    r"<(?P<tag>math|svg|canvas|video|audio|iframe|object)\b(?![^>]*aria-hidden\s*=\s*[\"']?true)", re.IGNORECASE
)
_LEFT_OUT_WORDS = {
    **dict.fromkeys(("svg", "canvas"), "image non reprise"),
    **dict.fromkeys(("iframe", "object"), "document non repris"),
    "math": "formule non reprise",
    "video": "vidéo non reprise",
    "audio": "son non repris",
}
_ORPHAN_CELLS = re.compile(r"<t(?:[rdh]|body|head)\b", re.IGNORECASE)
_TABLE = re.compile(r"<table\b", re.IGNORECASE)


def to_blocks(html: str) -> list[Block]:
    """Return the text as the plain data described in `blocks`."""
    html = _LEFT_OUT.sub(_announce_left_out, FORBIDDEN.sub("", html))
    if not _TABLE.search(html) and _ORPHAN_CELLS.search(html):  # cells copied without their table
        html = f"<table>{html}</table>"
    clean = nh3.clean(
        unicodedata.normalize("NFC", UNSEEN.sub("", html)),
        tags=set(_READ),
        attributes=_ATTRIBUTES,
        filter_style_properties=_STYLES,
        url_schemes=_SCHEMES,
        clean_content_tags=_UNREAD_CONTENT,
        link_rel=None,
    )
    reader = _Reader()
    reader.feed(clean)
    reader.close()
    return reader.finish()


class _Frame:
    """The container of blocks: the whole text, or one cell of a table."""

    def __init__(self) -> None:
        self.root: list[Block] = []
        #: open lists, their containers, and their numberings
        self.lists: list[Block] = []
        self.places: list[list[Block]] = []
        self.numberings: list[str] = []
        self.too_deep = 0

    @property
    def container(self) -> list[Block]:
        """Return the container of the next block: the last item (old editors put a list between two items)."""
        if not self.lists:
            return self.root
        items: list[list[Block]] = self.lists[-1]["items"]
        if not items:
            items.append([])
        return items[-1]


class _Reader(HTMLParser):
    """Build blocks from balanced, already sanitised HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._frames = [_Frame()]
        self._rows: list[list[list[Block]]] = []
        self._depth = 0
        self._runs: list[Run] = []
        #: for each open inline element: whether its text is bold, italic, and for a script where its text starts: in
        #: which paragraph, after how many runs
        self._styles: list[tuple[bool, bool, Script, int, int]] = []
        self._scripts = 0
        self._paragraph = 0
        self._links: list[str] = []
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Handle an opening tag."""
        values = {name: value or "" for name, value in attrs}
        if tag in _INLINE:
            self._styles.append(self._style_of(tag, values.get("style", "")))
        elif tag == "a":
            self._links.append(_safe_address(values.get("href")))
        elif tag == "br":
            self._add("\n")
        elif tag == "img":
            self._add(_described(values))
        else:
            self._end_paragraph()
            self._open_block(tag, values)

    def handle_endtag(self, tag: str) -> None:
        """Handle a closing tag."""
        if tag in _INLINE:
            self._end_inline()
        elif tag == "a":
            del self._links[-1:]
        elif tag not in ("br", "img"):
            self._end_paragraph()
            self._close_block(tag)

    def handle_data(self, data: str) -> None:
        """Add text; a line break of the source is a blank, as in any page, except in preformatted text."""
        self._add(data if self._preformatted else data.replace("\n", " "))

    def finish(self) -> list[Block]:
        """Return the blocks built."""
        self._end_paragraph()
        return tidy(self._frames[0].root)

    # --- Words

    def _add(self, text: str) -> None:
        bold, italic = self._styles[-1][:2] if self._styles else (False, False)
        link = self._links[-1] if self._links else ""
        self._runs.append({"text": text, "bold": bold, "italic": italic, "link": link})

    def _style_of(self, tag: str, style: str) -> tuple[bool, bool, Script, int, int]:
        """Return the style of an inline element's text; its style attribute overrides its tag."""
        rules = _rules_of(style)
        bold, italic = self._styles[-1][:2] if self._styles else (False, False)
        bold = _is_bold(rules["font-weight"]) if rules.get("font-weight") else bold or tag in _BOLD
        italic = rules["font-style"] in ("italic", "oblique") if rules.get("font-style") else italic or tag in _ITALIC
        script: Script = "sup" if tag == "sup" else "sub" if tag == "sub" else ""
        if rules.get("vertical-align") in ("super", "sub"):
            script = "sup" if rules["vertical-align"] == "super" else "sub"
        self._scripts += bool(script)
        return bold, italic, script, self._paragraph, len(self._runs)

    def _end_inline(self) -> None:
        if not self._styles:
            return
        *_, script, paragraph, start = self._styles.pop()
        if not script:
            return
        self._scripts -= 1
        if self._scripts:  # a script within a script is converted once
            return
        start = start if paragraph == self._paragraph else 0
        written = self._runs[start:]
        words = "".join(run["text"] for run in written)
        if written and "\n" not in words:
            self._runs[start:] = [{**written[0], "text": plain_script(words, script)}]

    def _end_paragraph(self) -> None:
        made = paragraphs(self._runs)
        self._runs = []
        self._paragraph += 1
        if made:
            self._frames[-1].container.extend(made)

    # --- Blocks

    def _open_block(self, tag: str, values: dict[str, str]) -> None:
        frame = self._frames[-1]
        if tag in _LISTS:
            self._open_list(tag, values)
        elif tag == "li" and frame.lists and not frame.too_deep:
            self._open_item(values)
        elif tag == "tr":
            self._rows.append([])
        elif tag in _CELLS and self._rows:
            self._frames.append(_Frame())
        elif tag == "pre":
            self._preformatted += 1

    def _close_block(self, tag: str) -> None:
        if tag in _LISTS:
            self._close_list()
        elif tag == "tr" and self._rows:
            self._frames[-1].container.extend(row_of(self._rows.pop()))
        elif tag in _CELLS and self._rows and len(self._frames) > 1:
            self._rows[-1].append(tidy(self._frames.pop().root))
        elif tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)

    def _open_list(self, tag: str, values: dict[str, str]) -> None:
        frame = self._frames[-1]
        if self._depth >= MAX_DEPTH:
            frame.too_deep += 1
            return
        self._depth += 1
        ordered = tag == "ol"
        opened: Block = {"kind": "list", "ordered": ordered, "start": 1, "items": []}
        if ordered:
            opened["start"] = _number(values.get("start"), 1)
        place = frame.container
        place.append(opened)
        frame.lists.append(opened)
        frame.places.append(place)
        frame.numberings.append(_numbering(values) if ordered else "")

    def _open_item(self, values: dict[str, str]) -> None:
        frame = self._frames[-1]
        current = frame.lists[-1]
        if current["ordered"]:
            frame.numberings[-1] = frame.numberings[-1] or _numbering(values)
            expected = current["start"] + len(current["items"])
            number = _number(values.get("value"), expected)
            if number != expected and current["items"]:  # the numbering jumps: start another list
                _label_items_out_of_order(frame)
                current = {**current, "items": []}
                frame.places[-1].append(current)
                frame.lists[-1] = current
            current["start"] = number - len(current["items"])
        current["items"].append([])

    def _close_list(self) -> None:
        frame = self._frames[-1]
        if frame.too_deep:
            frame.too_deep -= 1
            return
        if not frame.lists:
            return
        self._depth -= 1
        _label_items_out_of_order(frame)
        for open_lists in (frame.lists, frame.places, frame.numberings):
            open_lists.pop()


def _label_items_out_of_order(frame: _Frame) -> None:
    """Convert the last open list of a frame to labelled paragraphs when a list cannot express its numbers.

    The list is the last block of its container.
    """
    last, place, numbering = frame.lists[-1], frame.places[-1], frame.numberings[-1]
    if numbering or (last["ordered"] and last["start"] + len(last["items"]) > MAX_NUMBER):
        place[-1:] = labelled_items(last, numbering)


def _announce_left_out(found: re.Match[str]) -> str:
    return f"[{_LEFT_OUT_WORDS[found['tag'].lower()]}] {found[0]}"


def _described(values: dict[str, str]) -> str:
    """Return the text that replaces a picture: its description, the sign it draws, or "" for an invisible one."""
    description = " ".join(values.get("alt", "").split())
    if values.get("aria-hidden") == "true" or {values.get("width"), values.get("height")} & {"0", "1"}:
        return ""
    if description and len(description) <= 4 and not any(char.isalnum() or char.isspace() for char in description):
        return description  # an emoji drawn as a picture
    if len(description) > _LONGEST_DESCRIPTION:
        description = f"{description[: _LONGEST_DESCRIPTION - 1]}…"
    return f"[image non reprise\u202f: {description}]" if description else "[image non reprise]"


def _rules_of(style: str) -> dict[str, str]:
    """Return the properties of a style, already filtered to those we read."""
    pairs = (rule.split(":", 1) for rule in style.lower().split(";") if ":" in rule)
    return {name.strip(): value.strip() for name, value in pairs}


def _is_bold(weight: str) -> bool:
    return weight in ("bold", "bolder") or read_integer(weight, smallest=600) is not None


def _number(text: str | None, default: int) -> int:
    """Return the number of an item, or the default when it is not valid in a list."""
    number = read_integer((text or "").strip(), largest=_LARGEST_NUMBER)
    return default if number is None else number


def _numbering(values: dict[str, str]) -> str:
    """Return « a », « A », « i » or « I » for a list numbered in letters or Roman numerals, "" for digits."""
    return numbering_of(values.get("type") or _rules_of(values.get("style", "")).get("list-style-type", ""))


def _safe_address(href: str | None) -> str:
    """Return an address allowed in a link, or "": the link's text is kept."""
    address = (href or "").strip()
    return address if len(address) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(address) else ""
