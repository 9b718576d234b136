"""Which divisions each teacher has, according to the last file and to the current one."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from cpro.core.among import is_among
from cpro.extensions import db
from cpro.imports.changes import DIVISIONS, SERVICES
from cpro.imports.models import ImportChange, ImportRun, RunState


def list_known_services(account_ids: Collection[int]) -> dict[int, list[str]]:
    """Return the divisions that the last file applied gave each account; accounts without any are left out."""
    rows = db.session.execute(
        select(ImportChange.object_id, ImportChange.changes)
        .join(ImportRun, ImportRun.id == ImportChange.run_id)
        .where(
            ImportRun.state == RunState.APPLIED,
            ImportChange.object_type == "account",
            is_among(ImportChange.object_id, account_ids),
            ImportChange.is_selected,
        )
        .order_by(ImportChange.id)
    )
    services: dict[int, list[str]] = {}
    for account_id, changes in rows:
        pair = changes.get(SERVICES) or changes.get(DIVISIONS)
        if pair and account_id is not None:
            services[account_id] = pair.new
    return services


def merge_services(have: Collection[str], earlier: Collection[str], current: Collection[str]) -> list[str]:
    """Return the divisions of a teacher, in order, after applying the file's changes to those they have.

    A file that repeats the last one changes nothing: a division added or withdrawn by hand is not reverted by each
    import (in September, STS-Web still gives last year's services).
    """
    before, now = set(earlier), set(current)
    return sorted((set(have) | (now - before)) - (before - now))
