"""Generated screen: the school itself, as a record."""

from __future__ import annotations

from typing import Any

from cpro.core.permissions import Permission
from cpro.core.web.forms import VersionedForm
from cpro.core.web.screens import Column, Screen
from cpro.establishments.models import CNILKind, Establishment
from cpro.establishments.operations.particulars import (
    RULES,
    get_particulars,
    is_email_changed,
    update_particulars,
)
from cpro.establishments.web.forms import ParticularsForm
from cpro.establishments.web.hooks import password_given


def _particular(name: str) -> Column:
    label = getattr(ParticularsForm, name).args[0]
    in_list = name in ("name", "uai", "city", "email")
    sort = (getattr(Establishment, name),) if in_list else ()
    return Column(name, label, lambda row: getattr(row, name) or "", sort, in_list=in_list)


class EstablishmentsScreen(Screen):
    """One's own school, read whole and corrected."""

    permission = Permission.ESTABLISHMENT_VIEW
    edit_permission = Permission.ESTABLISHMENT_EDIT
    export_permission = Permission.RECORDS_EXPORT
    title, noun, object_type = "Établissements", ("établissement", "établissements"), "establishment"
    help_slug = "etablissement"
    search_keys, search_help = (Establishment.search_key,), "Nom, UAI, code ou ville."
    default_order = (Establishment.search_key,)
    form_class = ParticularsForm
    columns = (
        *(_particular(name) for name in RULES),
        Column("code", "Code de connexion", lambda row: row.code, in_list=False),
        Column("cnil_kind", "Nature de la référence", lambda row: CNILKind(row.cnil_kind).label, in_list=False),
        Column("cnil_reference", "Référence", lambda row: row.cnil_reference, in_list=False),
        Column("transfers", "Transferts", lambda row: "activés" if row.transfers_enabled else "désactivés"),
        Column("siecle", "Utilise SIECLE", lambda row: "oui" if row.uses_siecle else "non", in_list=False),
    )

    def label_of(self, row: Establishment) -> str:
        """Return the school's name."""
        return row.name or row.code

    def form_values(self, row: Establishment) -> dict[str, Any]:
        """Return the particulars as the form shows them."""
        return get_particulars(row)

    def before_update(self, row: Establishment, form: ParticularsForm) -> None:
        """Compare the password typed, which another e-mail address asks for."""
        form.password_was_given = is_email_changed(self._typed(form)) and password_given(form)

    def update(self, row: Establishment, form: ParticularsForm, *, opened_on: str | None, by: Any, now: Any) -> None:
        """Correct through the feature's operation, which knows the school of the scope only."""
        update_particulars(
            self._typed(form), opened_on=opened_on, password_given=form.password_was_given, by=by, now=now
        )

    def _typed(self, form: VersionedForm) -> dict[str, str]:
        return {name: form[name].data for name in RULES}
