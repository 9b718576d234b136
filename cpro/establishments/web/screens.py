"""Generated screen of the school, as a record."""

from __future__ import annotations

from typing import Any

from cpro.core.permissions import Permission
from cpro.core.web.screens import Screen
from cpro.establishments.models import Establishment
from cpro.establishments.operations.particulars import (
    RULES,
    get_particulars,
    is_email_changed,
    update_particulars,
)
from cpro.establishments.web.forms import ParticularsForm, describe_password_prompt


class EstablishmentsScreen(Screen):
    """The user's own school: read and update."""

    permission, export_permission = Permission.ESTABLISHMENT_VIEW, Permission.RECORDS_EXPORT
    edit_permission = Permission.ESTABLISHMENT_EDIT
    title, noun, object_type = "Établissements", ("établissement", "établissements"), "establishment"
    help_slug = "etablissement"
    search_keys, search_help = (Establishment.search_key,), "Nom, UAI, code ou ville."
    default_order = (Establishment.search_key,)
    form_class = ParticularsForm
    columns = (*RULES, "code", "cnil_kind", "cnil_reference", "transfers_enabled", "uses_siecle")

    def label_of(self, row: Establishment) -> str:
        """Return the school's name."""
        return row.name or row.code

    def form_values(self, row: Establishment) -> dict[str, Any]:
        """Return the particulars as the form shows them."""
        return get_particulars(row)

    def prepare_form(self, form: Any, row: Establishment | None) -> None:
        """Set the note that says when the password is required."""
        if row is not None:
            describe_password_prompt(form, row)

    def before_update(self, row: Establishment, form: Any) -> None:
        """Check the password typed, which changing the e-mail address requires."""
        if is_email_changed(self._typed(form)):
            form.compare_password()

    def update(self, row: Establishment, form: Any, *, opened_on: str | None, by: Any, now: Any) -> None:
        """Update through the feature's operation, which only sees the school of the scope."""
        update_particulars(
            self._typed(form), opened_on=opened_on, password_given=form.password_was_given, by=by, now=now
        )

    def _typed(self, form: Any) -> dict[str, str]:
        return {name: form[name].data for name in RULES}
