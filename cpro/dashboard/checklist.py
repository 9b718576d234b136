"""« Les incontournables » for one person: a line they may not act on names who can; the next step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from cpro.core.formatting import join_french, plural, upper_first
from cpro.core.permissions import Permission, Principal, can
from cpro.core.rights import list_doers
from cpro.core.web.checklist import ChecklistItem, NextStep, describe_others


def list_items_for(principal: Principal | None, items: Sequence[ChecklistItem]) -> list[ChecklistItem]:
    """Return the lines for a person; lines whose action they may not perform say who performs it."""
    return [
        item if item.done or item.act is None or can(principal, item.act) else _with_holders(item, item.act)
        for item in items
    ]


def describe_left(items: Sequence[ChecklistItem]) -> str:
    """Return in a sentence how many lines of a person remain to do or to check, and how many of them others do."""
    missing = [item for item in items if item.is_missing]
    checked = sum(item.is_to_check for item in items)
    if not missing:
        return f"Il reste {_count_points(checked)} à vérifier." if checked else "Tout est en place."
    others = sum(item.is_others for item in missing)
    return f"Il reste {_count_points(len(missing))} à régler{describe_others(others, len(missing))}."


def _count_points(number: int) -> str:
    return "un point" if number == 1 else f"{number} points"


def find_next_step(
    principal: Principal | None, items: Sequence[ChecklistItem], blueprint: str, path: str = ""
) -> NextStep | None:
    """Return the person's next step on a page outside a blueprint; `path` is the page being read.

    None when nothing they may do is missing elsewhere.
    """
    theirs = [each for each in items if each.is_missing and (each.act is None or can(principal, each.act))]
    theirs = [each for each in theirs if urlsplit(each.link_url).path != path]
    following = [each for each in theirs if blueprint in each.after]
    first = next(iter(following or theirs), None)
    left = f"{plural(sum(each.is_missing for each in items), 'point reste', 'points restent')} à régler."
    return NextStep(left, first.title, first.link_url) if first else None


def who_can(act: Permission) -> str:
    """Return who may perform an action in a school, from the permission table: « L’administrateur peut le faire. »"""
    holders = list_doers(act)
    if len(holders) < 2:
        sentence = f"{''.join(holders)} peut le faire"
    else:
        sentence = f"{join_french(holders)} peuvent le faire"
    return f"{upper_first(sentence)}."


def _with_holders(item: ChecklistItem, act: Permission) -> ChecklistItem:
    return replace(item, detail=f"{item.detail} {who_can(act)}", link_label="Voir où cela en est", is_others=True)
