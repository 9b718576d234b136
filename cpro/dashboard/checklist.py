"""« Les incontournables » for one person: a line that they may not act on says who can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cpro.core.formatting import join_french
from cpro.core.permissions import Permission, Principal, can, roles_with
from cpro.core.web.checklist import ChecklistItem


def list_items_for(principal: Principal | None, items: Sequence[ChecklistItem]) -> list[ChecklistItem]:
    """Return the lines for a person: those of acts that are not theirs say who does them."""
    return [
        item if item.done or item.act is None or can(principal, item.act) else _with_holders(item, item.act)
        for item in items
    ]


def who_can(act: Permission) -> str:
    """Return who does something in a school, from the table of rights: « L’administrateur peut le faire. »"""
    holders = [role.doer for role in roles_with(act) if role.doer]
    if len(holders) < 2:
        sentence = f"{''.join(holders)} peut le faire"
    else:
        sentence = f"{join_french(holders)} peuvent le faire"
    return f"{sentence[0].upper()}{sentence[1:]}."


def _with_holders(item: ChecklistItem, act: Permission) -> ChecklistItem:
    return replace(item, detail=f"{item.detail} {who_can(act)}", link_label="Voir")
