"""The tabs of Paramètres, in order, and the frame that each of their pages shows around its form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from cpro.audit.web.page_views import QUIET
from cpro.core import events
from cpro.core.permissions import Permission, can
from cpro.core.web.current_user import announce, current_principal
from cpro.core.web.edit_page import EditForm, EditPage
from cpro.establishments.queries import get_current_establishment
from cpro.settings import consequences
from cpro.settings.consequences import Consequence
from cpro.settings.history.parts import PARTS


@dataclass(frozen=True)
class SettingsTab:
    """One tab of Paramètres, shown to those who have its permission."""

    key: str
    label: str
    endpoint: str
    permission: Permission
    #: returns « Ce que cela change »
    consequences: Callable[[], Sequence[Consequence]]


TABS = (
    SettingsTab(
        "establishment",
        "Établissement",
        "settings.establishment",
        Permission.PARTICULARS_VIEW,
        consequences.describe_particulars,
    ),
    SettingsTab(
        "transfers", "Transferts", "settings.transfers", Permission.TRANSFERS_VIEW, consequences.describe_transfers
    ),
    SettingsTab("masks", "Masque de saisie", "masks.edit", Permission.MASKS_VIEW, consequences.describe_masks),
    SettingsTab("pictures", "Logo", "settings.pictures", Permission.LOGO_VIEW, consequences.describe_pictures),
    SettingsTab(
        "inspectors",
        "Accès inspecteur",
        "inspectors.index",
        Permission.MANDATES_EXPLAIN,
        consequences.describe_inspectors,
    ),
    SettingsTab(
        "retention", "Conservation", "retention.edit", Permission.RETENTION_VIEW, consequences.describe_retention
    ),
    SettingsTab("modules", "Modules", "modules.edit", Permission.MODULES_VIEW, consequences.describe_modules),
)


def list_tabs(current: str = "") -> list[dict[str, Any]]:
    """Return the tabs that the signed-in person may open, marking the current one."""
    principal = current_principal()
    return [
        {"label": each.label, "url": url_for(each.endpoint), "current": each.key == current}
        for each in TABS
        if can(principal, each.permission)
    ]


def settings_frame(key: str) -> dict[str, Any]:
    """Return the frame of a tab's pages: the tabs the person may see, and what this one changes.

    When the support opens the page, the journal records it, once in ten minutes; for an inspector, each time.
    """
    principal = current_principal()
    tab = next(each for each in TABS if each.key == key)
    part = next((each for each in PARTS if each.tab == key), None)
    if principal is not None:
        about = {"object_type": "settings", "object_id": key, "object_label": tab.label}
        announce(events.record_opened, "settings", **about, quiet=QUIET)
    return {
        "tabs": list_tabs(key),
        # Shown to the people who run the school, or assist it: an inspector only reads the particulars.
        "consequences": tab.consequences() if can(principal, Permission.DASHBOARD_VIEW) else [],
        "history_url": url_for("history.index", de=part.key)
        if part and can(principal, Permission.SETTINGS_HISTORY)
        else None,
    }


class SettingsPage(EditPage[EditForm]):
    """The form of a tab, about the school; read-only for those who may not save it."""

    tab: str
    edit: Permission

    def load(self) -> None:
        self.school = get_current_establishment()
        self.about = ("establishment", self.school.id)

    def context(self, form: EditForm) -> Mapping[str, Any]:
        return {"read_only": not can(current_principal(), self.edit), **settings_frame(self.tab)}
