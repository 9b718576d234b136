"""The tree between HTML, typed text and PDF documents: plain data, ready for JSON.

A paragraph is `{"kind": "paragraph", "runs": […]}`, a list `{"kind": "list", "ordered": bool, "items": [[block, …]]}`,
a run `{"text": str, "bold": bool, "italic": bool, "link": str}`, where a line break is "\\n" in the text and `link` is
an http, https or mailto address, or empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

Block = dict[str, Any]
Run = dict[str, Any]

#: Lists within lists go no deeper: what is deeper joins the last level.
MAX_DEPTH = 6

# White space as HTML has it: a no-break space is a letter like another, French typography rests on it.
_BLANKS = re.compile(r"[ \t\r\f]+")
_AT_ENDS = " \u00a0\u202f"
_BREAK: Run = {"text": "\n", "bold": False, "italic": False, "link": ""}


def paragraphs(runs: Iterable[Run]) -> list[Block]:
    """Return the paragraphs that runs make: an empty line between two breaks separates them, blanks are folded."""
    made: list[list[Run]] = [[]]
    for line in _lines(runs):
        if not line:
            made.append([])
            continue
        current = made[-1]
        if current:
            current.append({**line[0], "text": "\n"} if style_of(current[-1]) == style_of(line[0]) else dict(_BREAK))
        current.extend(line)
    return [{"kind": "paragraph", "runs": _joined(each)} for each in made if each]


def tidy(blocks: Iterable[Block]) -> list[Block]:
    """Return the blocks without empty items nor empty lists; lists of a kind that follow each other are one."""
    kept: list[Block] = []
    for block in blocks:
        if block["kind"] == "list":
            items = [item for item in (tidy(each) for each in block["items"]) if item]
            if not items:
                continue
            previous = kept[-1] if kept else None
            if previous and previous["kind"] == "list" and previous["ordered"] == block["ordered"]:
                previous["items"].extend(items)
                continue
            block = {**block, "items": items}
        kept.append(block)
    return kept


def style_of(run: Run) -> tuple[bool, bool, str]:
    """Return what distinguishes two runs besides their text."""
    return run["bold"], run["italic"], run["link"]


def lines_of(blocks: Iterable[Block]) -> Iterator[str]:
    """Yield the lines of plain text of blocks, in order."""
    for block in blocks:
        if block["kind"] == "paragraph":
            yield from "".join(run["text"] for run in block["runs"]).split("\n")
        else:
            for item in block["items"]:
                yield from lines_of(item)


def _lines(runs: Iterable[Run]) -> list[list[Run]]:
    """Return the runs of each line, without blanks at its ends nor runs of nothing."""
    lines: list[list[Run]] = [[]]
    for run in runs:
        first, *others = run["text"].split("\n")
        lines[-1].append({**run, "text": first})
        lines.extend([{**run, "text": other}] for other in others)
    return [_trimmed(line) for line in lines]


def _trimmed(line: Iterable[Run]) -> list[Run]:
    kept: list[Run] = []
    for run in line:
        text = _BLANKS.sub(" ", run["text"])
        if not kept:
            text = text.lstrip(_AT_ENDS)
        elif kept[-1]["text"].endswith(" "):
            text = text.lstrip(" ")
        if text:
            styled = bool(text.strip())
            kept.append({**run, "text": text, "bold": run["bold"] and styled, "italic": run["italic"] and styled})
    while kept:
        kept[-1]["text"] = kept[-1]["text"].rstrip(_AT_ENDS)
        if kept[-1]["text"]:
            break
        kept.pop()
    return _joined(kept)


def _joined(runs: Iterable[Run]) -> list[Run]:
    """Return the runs with neighbours of one style made one."""
    joined: list[Run] = []
    for run in runs:
        if joined and style_of(joined[-1]) == style_of(run):
            joined[-1]["text"] += run["text"]
        else:
            joined.append(run)
    return joined
