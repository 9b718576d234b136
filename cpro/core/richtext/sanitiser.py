"""Sanitise HTML into the canonical stored form, and convert that to plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby

from cpro.core.richtext.blocks import Block, Run, lines_of
from cpro.core.richtext.limits import InvalidRichText, check
from cpro.core.richtext.reader import to_blocks

_REL = "noopener noreferrer nofollow"


def sanitise(html: str) -> str:
    """Return the HTML to store: p, br, strong, em, ul, ol, li and a (http, https, mailto), in canonical form.

    A numbered list may have a `start`. Sanitising twice changes nothing. Other elements lose their tags but keep
    their text, except scripts and styles; pictures are replaced by text.
    """
    return _written(to_blocks(html))


def to_text(html: str) -> str:
    """Return the text alone, one line for each paragraph and list item, for searches and counts."""
    return "\n".join(lines_of(to_blocks(html)))


def read_rich(values: Mapping[str, str], name: str, errors: dict[str, str]) -> str:
    """Return a posted rich text, sanitised; if it is refused, add the reason to `errors` under its name."""
    html = sanitise(values.get(name) or "")
    try:
        check(to_text(html))
    except InvalidRichText as refusal:
        errors[name] = refusal.message
    return html


def _written(blocks: Sequence[Block]) -> str:
    return "".join(_block(each) for each in blocks)


def _block(block: Block) -> str:
    if block["kind"] == "paragraph":
        return f"<p>{_words(block['runs'])}</p>"
    tag = "ol" if block["ordered"] else "ul"
    start = f' start="{block["start"]}"' if block["start"] != 1 else ""
    return f"<{tag}{start}>{''.join(f'<li>{_item(each)}</li>' for each in block['items'])}</{tag}>"


def _item(blocks: Sequence[Block]) -> str:
    """Return the content of a list item, without <p> when it starts with its only paragraph."""
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
    """Return the HTML of runs that are all bold, or all not bold."""
    words = "".join(_run(run) for run in runs)
    return f"<strong>{words}</strong>" if runs[0]["bold"] else words


def _run(run: Run) -> str:
    words = escape(run["text"], quote=False).replace("\n", "<br>")
    return f"<em>{words}</em>" if run["italic"] else words
