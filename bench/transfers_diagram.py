"""Draw the life cycle of transfers in docs/transfers.md from the code's table: `python -m bench.transfers_diagram`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cpro.transfers.lifecycle import TABLE, Arrow, Event
from cpro.transfers.models import Direction, TransferState

PAGE = Path(__file__).parent.parent / "docs" / "transfers.md"
_WHO = {Direction.SOURCE: "source school", Direction.DESTINATION: "destination school", None: "platform"}
_DRAWN = re.compile(r"(?<=<!-- drawn -->\n).*(?=<!-- end -->)", re.DOTALL)


def draw() -> str:
    """Return the page with its drawing and table regenerated."""
    return _DRAWN.sub(lambda _old: "\n".join([*_diagram(), "", *_table(), ""]), PAGE.read_text())


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    for state in TransferState:
        yield f"  {_name(state)} : {_name(state)}<br>{state.label}"
    yield "  state judged <<choice>>"
    labels: dict[tuple[str, str], list[str]] = {}
    outcomes: dict[str, None] = {}
    for arrow in TABLE:
        before = _node(arrow.before)
        if _judges(arrow):
            outcomes |= dict.fromkeys(_node(state) for state in [*TransferState, None] if state in arrow.after)
            labels.setdefault((before, "judged"), []).append(_words(arrow))
        else:
            for after in arrow.after:
                labels.setdefault((before, _node(after)), []).append(_words(arrow))
    for (before, after), words in labels.items():
        yield f"  {before} --> {after} : {' / '.join(words)}"
    for outcome in outcomes:
        yield f"  judged --> {outcome}"
    yield "```"


def _table() -> Iterator[str]:
    yield "| event | by | from | to | only if |"
    yield "|---|---|---|---|---|"
    for each in TABLE:
        after = ", ".join(_cell(state) for state in [*TransferState, None] if state in each.after)
        only = each.condition.words if each.condition else ""
        if each.event.needs_both_switches:
            only = f"{only}; both schools have transfers on" if only else "both schools have transfers on"
        yield f"| {_event(each.event)} | {_WHO[each.by]} | {_cell(each.before)} | {after} | {only} |"


def _judges(arrow: Arrow) -> bool:
    """Return whether the data of the two schools decides where an arrow leads."""
    return len(arrow.after) > 1


def _words(arrow: Arrow) -> str:
    return _event(arrow.event) if arrow.by is None else f"{_event(arrow.event)} ({arrow.by.name.lower()})"


def _event(event: Event) -> str:
    return event.name.lower().replace("_", " ")


def _name(state: TransferState) -> str:
    return state.name.lower()


def _node(state: TransferState | None) -> str:
    return _name(state) if state else "[*]"


def _cell(state: TransferState | None) -> str:
    return f"`{state.name}`" if state else "none"


if __name__ == "__main__":
    PAGE.write_text(draw())
