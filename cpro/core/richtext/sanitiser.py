"""Sanitise HTML into the single form that is stored, and convert that into blocks and plain text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from html import escape
from html.parser import HTMLParser
from itertools import groupby

import nh3

from cpro.core.richtext.blocks import MAX_DEPTH, Block, Run, lines_of, paragraphs, tidy
from cpro.core.richtext.limits import InvalidRichText, check
from cpro.core.validators.base import FORBIDDEN, UNSEEN

_SCHEMES = {"http", "https", "mailto"}
_ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s<>\"\\^`{|}]+", re.IGNORECASE)
_LONGEST_ADDRESS = 2_000
#: What editors and word processors write for what we keep, and what separates paragraphs.
_BOLD, _ITALIC, _LISTS = frozenset({"strong", "b"}), frozenset({"em", "i"}), frozenset({"ul", "ol"})
_PARAGRAPHS = frozenset({"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "tr"})
_READ = _BOLD | _ITALIC | _LISTS | _PARAGRAPHS | {"br", "li", "a"}
_UNREAD_CONTENT = {"script", "style", "title", "template", "iframe", "object", "svg", "math", "noscript", "textarea"}
_REL = "noopener noreferrer nofollow"


def sanitise(html: str) -> str:
    """Return the HTML that is stored: p, br, strong, em, ul, ol, li and a (http, https, mailto), in one sole form.

    Sanitising twice changes nothing. What is not kept loses its tags, not its words, save those of scripts and styles.
    """
    return _written(to_blocks(html))


def to_text(html: str) -> str:
    """Return the words alone, a line for each paragraph and list item: for searches and counts."""
    return "\n".join(lines_of(to_blocks(html)))


def read_rich(values: Mapping[str, str], name: str, errors: dict[str, str]) -> str:
    """Return a rich text among what was typed, as it is stored; note in `errors`, under its name, why it is refused."""
    html = sanitise(values.get(name) or "")
    try:
        check(to_text(html))
    except InvalidRichText as refusal:
        errors[name] = refusal.message
    return html


def to_blocks(html: str) -> list[Block]:
    """Return the text as the plain data that `blocks` describes."""
    clean = nh3.clean(
        unicodedata.normalize("NFC", UNSEEN.sub("", FORBIDDEN.sub("", html))),
        tags=set(_READ),
        attributes={"a": {"href"}},
        url_schemes=_SCHEMES,
        clean_content_tags=_UNREAD_CONTENT,
        link_rel=None,
    )
    reader = _Reader()
    reader.feed(clean)
    reader.close()
    return reader.finish()


class _Reader(HTMLParser):
    """Gather blocks from balanced, already sanitised HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._root: list[Block] = []
        #: open lists, and the item open in each (None between two items)
        self._lists: list[Block] = []
        self._in_item: list[bool] = []
        self._too_deep = 0
        self._runs: list[Run] = []
        self._bold = self._italic = 0
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open what a tag opens."""
        if tag in _BOLD:
            self._bold += 1
        elif tag in _ITALIC:
            self._italic += 1
        elif tag == "a":
            self._links.append(_safe_address(dict(attrs).get("href")))
        elif tag == "br":
            self._add("\n")
        else:
            self._end_paragraph()
            if tag in _LISTS:
                self._open_list(ordered=tag == "ol")
            elif tag == "li" and self._lists and not self._too_deep:
                self._lists[-1]["items"].append([])
                self._in_item[-1] = True

    def handle_endtag(self, tag: str) -> None:
        """Close what a tag closes."""
        if tag in _BOLD:
            self._bold = max(0, self._bold - 1)
        elif tag in _ITALIC:
            self._italic = max(0, self._italic - 1)
        elif tag == "a":
            del self._links[-1:]
        elif tag != "br":
            self._end_paragraph()
            if tag in _LISTS:
                self._close_list()
            elif tag == "li" and self._in_item and not self._too_deep:
                self._in_item[-1] = False

    def handle_data(self, data: str) -> None:
        """Gather words; a line break of the source is a blank, as in any page."""
        self._add(data.replace("\n", " "))

    def finish(self) -> list[Block]:
        """Return the blocks gathered."""
        self._end_paragraph()
        return tidy(self._root)

    def _add(self, text: str) -> None:
        link = self._links[-1] if self._links else ""
        self._runs.append({"text": text, "bold": self._bold > 0, "italic": self._italic > 0, "link": link})

    def _end_paragraph(self) -> None:
        made = paragraphs(self._runs)
        self._runs = []
        if made:
            self._container().extend(made)

    def _open_list(self, *, ordered: bool) -> None:
        if len(self._lists) >= MAX_DEPTH:
            self._too_deep += 1
            return
        opened: Block = {"kind": "list", "ordered": ordered, "items": []}
        self._container().append(opened)
        self._lists.append(opened)
        self._in_item.append(False)

    def _close_list(self) -> None:
        if self._too_deep:
            self._too_deep -= 1
        elif self._lists:
            self._lists.pop()
            self._in_item.pop()

    def _container(self) -> list[Block]:
        """Return where a block goes: the item open, or the last one (old editors put a list between two items)."""
        if not self._lists:
            return self._root
        items: list[list[Block]] = self._lists[-1]["items"]
        if not items:
            items.append([])
        return items[-1]


def _safe_address(href: str | None) -> str:
    """Return an address that a link may have, or nothing: its words remain."""
    address = (href or "").strip()
    return address if len(address) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(address) else ""


def _written(blocks: Sequence[Block]) -> str:
    return "".join(_block(each) for each in blocks)


def _block(block: Block) -> str:
    if block["kind"] == "paragraph":
        return f"<p>{_words(block['runs'])}</p>"
    tag = "ol" if block["ordered"] else "ul"
    return f"<{tag}>{''.join(f'<li>{_item(each)}</li>' for each in block['items'])}</{tag}>"


def _item(blocks: Sequence[Block]) -> str:
    """Return the inside of a list item: bare words when it starts with its only paragraph."""
    paragraphs = [each for each in blocks if each["kind"] == "paragraph"]
    if len(paragraphs) == 1 and blocks[0] is paragraphs[0]:
        return _words(paragraphs[0]["runs"]) + _written(blocks[1:])
    return _written(blocks)


def _words(runs: Sequence[Run]) -> str:
    parts = []
    for link, linked in groupby(runs, key=lambda run: run["link"]):
        words = "".join(_bold(list(alike)) for _bold_or_not, alike in groupby(linked, key=lambda run: run["bold"]))
        parts.append(f'<a href="{escape(link)}" rel="{_REL}">{words}</a>' if link else words)
    return "".join(parts)


def _bold(runs: Sequence[Run]) -> str:
    """Return runs that are all bold, or all not."""
    words = "".join(_run(run) for run in runs)
    return f"<strong>{words}</strong>" if runs[0]["bold"] else words


def _run(run: Run) -> str:
    words = escape(run["text"], quote=False).replace("\n", "<br>")
    return f"<em>{words}</em>" if run["italic"] else words
