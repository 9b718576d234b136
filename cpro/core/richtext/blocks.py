"""The tree between HTML, typed text and PDF documents: plain data, JSON-serialisable.

A paragraph is `{"kind": "paragraph", "runs": […]}`, a list `{"kind": "list", "ordered": bool, "start": int, "items":
[[block, …]]}` where `start` is the number of the first item (1 unless ordered), a run `{"text": str, "bold": bool,
"italic": bool, "link": str}`, where a line break is "\\n" in the text and `link` is an http, https or mailto
address, or empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

Block = dict[str, Any]
Run = dict[str, Any]

#: Maximum depth of nested lists: deeper ones are merged into the last level.
MAX_DEPTH = 6
#: The numbers of list items are below this; from there on, they are written as text.
MAX_NUMBER = 1_000

# White space as in HTML: a no-break space is an ordinary character, which French typography needs.
_BLANKS = re.compile(r"[ \t\r\f]+")
_AT_ENDS = " \u00a0\u202f"
_PLAIN: Run = {"text": "", "bold": False, "italic": False, "link": ""}
_BREAK: Run = {**_PLAIN, "text": "\n"}
#: Separates the cells of a row.
_BETWEEN: Run = {**_PLAIN, "text": " — "}
#: Numberings of lists, by their HTML and CSS names.
_NUMBERINGS = {
    **{name: name for name in "aAiI"},
    **{"lower-alpha": "a", "lower-latin": "a", "upper-alpha": "A", "upper-latin": "A"},
    **{"lower-roman": "i", "upper-roman": "I"},
}
_ROMAN = tuple(zip((100, 90, 50, 40, 10, 9, 5, 4, 1), "c xc l xl x ix v iv i".split(), strict=True))


def paragraphs(runs: Iterable[Run]) -> list[Block]:
    """Return the paragraphs of runs: separated by an empty line between two breaks, with runs of blanks collapsed."""
    made: list[list[Run]] = [[]]
    for line in _lines(runs):
        if not line:
            made.append([])
            continue
        current = made[-1]
        if current:
            current.append({**line[0], "text": "\n"} if style_of(current[-1]) == style_of(line[0]) else dict(_BREAK))
        current.extend(line)
    return [{"kind": "paragraph", "runs": joined_runs(each)} for each in made if each]


def tidy(blocks: Iterable[Block]) -> list[Block]:
    """Return the blocks without empty items or empty lists; a list that continues the previous one joins it."""
    kept: list[Block] = []
    for block in blocks:
        if block["kind"] == "list":
            items = [item for item in (tidy(each) for each in block["items"]) if item]
            if not items:
                continue
            previous = kept[-1] if kept else None
            if previous and _goes_on(previous, block):
                previous["items"].extend(items)
                continue
            block = {**block, "items": items}
        kept.append(block)
    return kept


def row_of(cells: Sequence[Sequence[Block]]) -> list[Block]:
    """Return the blocks of a table row: one line for all its cells, or one after another when they are longer."""
    filled = [number for number, cell in enumerate(cells, 1) if cell]
    cells = cells[: filled[-1]] if filled else []
    if not all(_is_line(cell) for cell in cells):
        return [block for cell in cells for block in cell]
    runs: list[Run] = []
    for number, cell in enumerate(cells):
        runs.extend([_BETWEEN] if number else [])
        runs.extend(cell[0]["runs"] if cell else [])
    return paragraphs(runs)


def numbering_of(name: str) -> str:
    """Return « a », « A », « i » or « I » for a numbering in letters or Roman numerals, or ""."""
    return _NUMBERINGS.get(name, "")


def labelled_items(block: Block, numbering: str) -> list[Block]:
    """Return the items of a list as blocks that begin with their number as text."""
    labelled: list[Block] = []
    for number, item in enumerate(block["items"], block["start"]):
        first, others = (item[0]["runs"], item[1:]) if item and item[0]["kind"] == "paragraph" else ([], item)
        label = {**_PLAIN, "text": f"{_label(number, numbering)}.{' ' if first else ''}"}
        if first or others:
            labelled.append({"kind": "paragraph", "runs": joined_runs([label, *first])})
            labelled.extend(others)
    return labelled


def style_of(run: Run) -> tuple[bool, bool, str]:
    """Return the style of a run: what makes it differ from another besides its text."""
    return run["bold"], run["italic"], run["link"]


def joined_runs(runs: Iterable[Run]) -> list[Run]:
    """Return the runs, with neighbours of the same style merged."""
    joined: list[Run] = []
    for run in runs:
        if joined and style_of(joined[-1]) == style_of(run):
            joined[-1]["text"] += run["text"]
        else:
            joined.append(run)
    return joined


def lines_of(blocks: Iterable[Block]) -> Iterator[str]:
    """Yield the lines of plain text of blocks, in order."""
    for block in blocks:
        if block["kind"] == "paragraph":
            yield from "".join(run["text"] for run in block["runs"]).split("\n")
        else:
            for item in block["items"]:
                yield from lines_of(item)


def _goes_on(previous: Block, block: Block) -> bool:
    if previous["kind"] != "list" or previous["ordered"] != block["ordered"]:
        return False
    return not block["ordered"] or block["start"] == previous["start"] + len(previous["items"])


def _is_line(cell: Sequence[Block]) -> bool:
    if len(cell) != 1 or cell[0]["kind"] != "paragraph":
        return not cell
    return all("\n" not in run["text"] for run in cell[0]["runs"])


def _label(number: int, numbering: str) -> str:
    label = str(number)
    if numbering in ("a", "A") and number > 0:
        label, rest = "", number
        while rest:
            rest, place = divmod(rest - 1, 26)
            label = chr(ord("a") + place) + label
    elif numbering in ("i", "I") and 0 < number < 400:
        label = ""
        for value, sign in _ROMAN:
            count, number = divmod(number, value)
            label += sign * count
    return label.upper() if numbering.isupper() else label


def _lines(runs: Iterable[Run]) -> list[list[Run]]:
    """Return the runs of each line, without blanks at its ends or empty runs."""
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
    return joined_runs(kept)
