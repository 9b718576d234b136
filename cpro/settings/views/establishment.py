"""Paramètres: the tab Établissement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.permissions import Permission, can, requires
from cpro.core.web.current_user import current_actor, current_principal
from cpro.establishments.models import Establishment
from cpro.establishments.operations.particulars import RULES, get_particulars, is_email_changed, update_particulars
from cpro.establishments.operations.proof import find_proved_address
from cpro.establishments.suggestions import ACADEMIES, SCHOOL_KINDS
from cpro.establishments.web.forms import ParticularsForm, describe_password_prompt
from cpro.settings.tabs import SettingsPage
from cpro.settings.views import bp, describe_changes


@bp.get("/admin/parametres/")
@requires(Permission.PARTICULARS_VIEW)
def index() -> ResponseReturnValue:
    """Redirect to the first tab."""
    return redirect(url_for("settings.establishment"), 303)


class ParticularsPage(SettingsPage[Any]):
    """The form of the particulars."""

    form_class, template = ParticularsForm, "settings/establishment.html"
    tab, edit = "establishment", Permission.ESTABLISHMENT_EDIT

    def values(self) -> Mapping[str, Any]:
        return get_particulars(self.school)

    def offer(self, form: Any) -> None:
        describe_password_prompt(form, self.school)

    def before_save(self, form: Any) -> None:
        if is_email_changed(_typed(form)):
            form.compare_password()

    def save(self, form: Any) -> tuple[str, str]:
        changes = update_particulars(
            _typed(form),
            opened_on=form.version.data,
            password_given=form.password_was_given,
            by=current_actor(),
            now=clock.utcnow(),
        )
        return url_for("settings.establishment"), describe_changes(form, changes)

    def context(self, form: Any) -> Mapping[str, Any]:
        may_see_record = can(current_principal(), Permission.ESTABLISHMENT_VIEW)
        return {
            "head_codes": _head_codes(self.school),
            "uai_locked": self.school.uai_locked_at is not None,
            "kinds": SCHOOL_KINDS,
            "academies": ACADEMIES,
            "records_url": url_for("etablissements.details_view", id=self.school.id) if may_see_record else None,
            **super().context(form),
        }


@bp.get("/admin/parametres/etablissement")
@requires(Permission.PARTICULARS_VIEW)
def establishment() -> ResponseReturnValue:
    """Show the particulars."""
    return ParticularsPage().show()


@bp.post("/admin/parametres/etablissement")
@requires(Permission.ESTABLISHMENT_EDIT, keeps_typed_form=True)
def save_establishment() -> ResponseReturnValue:
    """Save the particulars."""
    return ParticularsPage().answer()


def _typed(form: Any) -> dict[str, Any]:
    return {name: form[name].data for name in RULES}


def _head_codes(school: Establishment) -> dict[str, Any]:
    """Return where the codes of heads are sent, and whether the school's address is used for them."""
    principal, proved = current_principal(), find_proved_address(school)
    return {
        "codes_to": proved,
        "email": school.email,
        "waits": bool(school.email) and school.email != proved,
        "shown": can(principal, Permission.ESTABLISHMENT_EDIT),
        "may_confirm": can(principal, Permission.SCHOOL_ADDRESS_CONFIRM),
    }
