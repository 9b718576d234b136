"""Generated screen: the wordings of the school, all diplomas together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from cpro.core.permissions import Permission
from cpro.core.web.screens import Screen
from cpro.masks import operations
from cpro.masks.models import Mask
from cpro.students.web.choices import offer_diplomas


class MasksScreen(Screen):
    """Wordings: written by the administrator, read by the head and the support."""

    permission, export_permission = Permission.MASKS_VIEW, Permission.RECORDS_EXPORT
    create_permission = edit_permission = delete_permission = Permission.MASKS_EDIT
    title, noun, object_type = "Tous les intitulés modifiés", ("intitulé", "intitulés"), "mask"
    create_label = "Ajouter un intitulé"
    vanished_text = "L’intitulé d’origine est revenu."
    empty_text = "Aucun intitulé n’a été changé : tous les diplômes ont ceux d’origine."
    help_slug, under_tab = "masques", "masks.edit"
    default_order = (Mask.diploma_id, Mask.key)
    columns, filters = ("diploma", "key", "wording"), ("key", "diploma")
    form_columns, create_columns = ("wording",), ("diploma", "key", "wording")

    def label_of(self, row: Mask) -> str:
        """Return the wording and its diploma."""
        return f"« {row.wording} » ({row.diploma.short_label})"

    def list_links(self, counts: Mapping[str, int]) -> list[tuple[str, str]]:
        """Return the link to the tab, where all the wordings of a diploma are edited."""
        return [("Saisir par diplôme", url_for("masks.edit"))]

    def prepare_form(self, form: Any, row: Mask | None) -> None:
        """Fill the choices of diplomas where one is chosen."""
        if row is None:
            offer_diplomas(form["diploma"], nothing="choisissez un diplôme")
            form["wording"].description = "200 caractères au plus."

    def create(self, form: Any, *, by: Any, now: Any) -> Mask:
        """Create a wording through the feature's operation."""
        return operations.create_wording(
            form["diploma"].data or "", form["key"].data, form["wording"].data or "", by=by, now=now
        )

    def update(self, row: Mask, form: Any, *, opened_on: str | None, by: Any, now: Any) -> None:
        """Update through the feature's operation."""
        operations.update_wording(row, form["wording"].data or "", opened_on=opened_on, by=by, now=now)

    def delete(self, row: Mask, *, by: Any, now: Any) -> None:
        """Restore the default through the feature's operation."""
        operations.reset_wordings(row.diploma, row.key, by=by, now=now)

    def deletion_consequences(self, row: Mask) -> list[str]:
        """Return the default wording that will be restored."""
        return [f"L’intitulé d’origine, « {row.key.default} », revient à l’écran et à l’impression."]
