"""The light Markdown typed in a plain text area, for browsers without script.

A blank line separates paragraphs, `- ` and `1. ` begin list items, `**gras**`, `*italique*`, `[texte](adresse)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby

from markdown_it import MarkdownIt
from markdown_it.token import Token

from cpro.core.richtext.blocks import Block, Run, joined_runs, lines_of
from cpro.core.richtext.reader import to_blocks
from cpro.core.richtext.sanitiser import sanitise

_RULES = ["list", "newline", "escape", "emphasis", "link"]
# Does not begin a list: a year before its full stop, a voltage with its sign.
_BEGINS_NO_LIST = re.compile(r"^( *)(\+|\d{4,9}[.)])(?=[ \t])", re.MULTILINE)
# Would be parsed as the beginning of a list.
_BEGINS_LIST = re.compile(r"^( *)([-+]|\d{1,9}[.)])(?=[ \t]|$)", re.MULTILINE)
_MARKS = re.compile(r"([\\*])")
# An underscore inside a word is not a mark.
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")


def from_typed(text: str) -> str:
    """Return the HTML to store for a text typed without script."""
    text = _BEGINS_NO_LIST.sub(_escaped_start, text.replace("\r\n", "\n"))
    return sanitise(_rendered(text))


def to_typed(html: str) -> str:
    """Return stored text as it would be typed.

    Parsed again by `from_typed`, it gives the same text; bold or italic that Markdown cannot express is dropped.
    """
    return "\n\n".join(_typed_blocks(to_blocks(html)))


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("zero", {"html": False, "breaks": True}).enable(_RULES)


def _rendered(text: str) -> str:
    """Return the HTML of a Markdown text; list items keep the numbers typed, unless all are the same."""
    parser = _markdown()
    tokens = parser.parse(text)
    numbers: list[list[Token]] = []
    for token in tokens:
        if token.type == "ordered_list_open":
            numbers.append([])
        elif token.type == "list_item_open" and token.info:
            numbers[-1].append(token)
        elif token.type == "ordered_list_close":
            items = numbers.pop()
            if len({item.info for item in items}) > 1:
                for item in items:
                    item.attrSet("value", item.info)
    return str(parser.renderer.render(tokens, parser.options, {}))


def _typed_blocks(blocks: Sequence[Block]) -> Iterator[str]:
    mark = ")"
    for block in blocks:
        if block["kind"] == "paragraph":
            mark = ")"
            yield _typed_paragraph(block)
        else:
            mark = "." if mark == ")" else ")"  # the mark distinguishes a list from the one just before it
            yield "\n".join(_typed_items(block, mark))


def _typed_items(block: Block, mark: str) -> Iterator[str]:
    for number, item in enumerate(block["items"], block["start"]):
        marker = f"{number}{mark} " if block["ordered"] else "- "
        indent = " " * len(marker)
        separator = "\n\n" if _needs_blank_lines(item) else "\n"
        text = separator.join(_typed_blocks(item))
        yield marker + text.replace("\n", f"\n{indent}")


def _needs_blank_lines(item: Sequence[Block]) -> bool:
    """Return whether Markdown would merge an item's blocks: two paragraphs, or one and a list not starting at 1."""
    return len([each for each in item if each["kind"] == "paragraph" or each["start"] != 1]) > 1


def _typed_paragraph(block: Block) -> str:
    """Return a paragraph with its marks, or with fewer if Markdown would parse them otherwise."""
    plain = joined_runs([{**run, "bold": False, "italic": False} for run in block["runs"]])
    bare = joined_runs([{**run, "link": ""} for run in plain])
    wanted = list(lines_of([block]))
    for runs in (block["runs"], plain):
        text = _typed_runs(runs)
        if list(lines_of(to_blocks(from_typed(text)))) == wanted:
            return text
    return _typed_runs(bare)


def _typed_runs(runs: Sequence[Run]) -> str:
    parts = []
    for link, linked in groupby(runs, key=lambda run: run["link"]):
        words = _styled(list(linked), in_link=bool(link))
        parts.append(f"[{words}]({_typed_address(link)})" if link else words)
    return _BEGINS_LIST.sub(_escaped_start, "".join(parts))


def _escaped_start(found: re.Match[str]) -> str:
    mark = found[2]
    return f"{found[1]}{mark[:-1]}\\{mark[-1]}"


def _styled(runs: Sequence[Run], *, in_link: bool) -> str:
    parts = []
    for bold, alike in groupby(runs, key=lambda run: run["bold"]):
        words = "".join(_marked(_escaped(run["text"], in_link), "*" if run["italic"] else "") for run in alike)
        parts.append(_marked(words, "**" if bold else ""))
    return "".join(parts)


def _marked(words: str, mark: str) -> str:
    """Put a mark around a text, leaving blanks outside, where Markdown requires them."""
    core = words.strip(" \n\u00a0\u202f")
    if not mark or not core:
        return words
    start = words.index(core)
    return f"{words[:start]}{mark}{core}{mark}{words[start + len(core) :]}"


def _escaped(text: str, in_link: bool) -> str:
    text = _UNDERSCORE.sub(r"\\_", _MARKS.sub(r"\\\1", text))
    if in_link:
        return re.sub(r"([\[\]])", r"\\\1", text)
    return text.replace("](", "\\](")


def _typed_address(link: str) -> str:
    return re.sub(r"([()\\]|&(?=\w+;))", r"\\\1", link)
