"""Paramètres: the tab Établissement."""

from __future__ import annotations

from typing import Any

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError
from cpro.core.permissions import Permission, can, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web.conflicts import explain
from cpro.core.web.current_user import current_actor, current_principal
from cpro.core.web.forms import VersionedForm
from cpro.core.web.pages import back_to, render_page
from cpro.establishments.models import Establishment
from cpro.establishments.operations.particulars import RULES, get_particulars, is_email_changed, update_particulars
from cpro.establishments.operations.proof import find_proved_address
from cpro.establishments.queries import get_current_establishment
from cpro.establishments.suggestions import ACADEMIES, SCHOOL_KINDS
from cpro.establishments.web.forms import ParticularsForm
from cpro.establishments.web.hooks import password_given
from cpro.settings.tabs import settings_frame
from cpro.settings.views import bp, describe_changes


@bp.get("/admin/parametres/")
@requires(Permission.PARTICULARS_VIEW)
def index() -> ResponseReturnValue:
    """Lead to the first tab."""
    return redirect(url_for("settings.establishment"), 303)


@bp.get("/admin/parametres/etablissement")
@requires(Permission.PARTICULARS_VIEW)
def establishment() -> ResponseReturnValue:
    """Show the particulars."""
    school = get_current_establishment()
    stored = get_particulars(school)
    return _particulars_page(ParticularsForm.opened(stored, about=("establishment", school.id)), school)


@bp.post("/admin/parametres/etablissement")
@requires(Permission.ESTABLISHMENT_EDIT, keeps_typed_form=True)
def save_establishment() -> ResponseReturnValue:
    """Save the particulars."""
    school = get_current_establishment()
    form = ParticularsForm.sent(get_particulars(school), about=("establishment", school.id))
    if not form.validate():
        return _particulars_page(form, school, form.status)
    values = {name: form[name].data for name in RULES}
    try:
        known = password_given(form) if is_email_changed(values) else False
        with unit_of_work():
            changes = update_particulars(
                values, opened_on=form.version.data, password_given=known, by=current_actor(), now=clock.utcnow()
            )
    except DomainError as refusal:
        return _particulars_page(form, get_current_establishment(), refusal.status, refusal)
    return back_to(url_for("settings.establishment"), describe_changes(form, changes))


def _particulars_page(
    form: VersionedForm, school: Establishment, status: int = 200, refusal: DomainError | None = None
) -> ResponseReturnValue:
    stored = get_particulars(school)
    return render_page(
        "settings/establishment.html",
        form=form,
        conflict=explain(form, refusal, stored=stored),
        head_codes=_head_codes(school),
        uai_locked=school.uai_locked_at is not None,
        kinds=SCHOOL_KINDS,
        academies=ACADEMIES,
        read_only=not can(current_principal(), Permission.ESTABLISHMENT_EDIT),
        status=status,
        records_url=url_for("etablissements.details_view", id=school.id)
        if can(current_principal(), Permission.ESTABLISHMENT_VIEW)
        else None,
        **settings_frame("establishment"),
    )


def _head_codes(school: Establishment) -> dict[str, Any]:
    """Return where the codes of heads go, and whether the school's address counts for them."""
    principal, proved = current_principal(), find_proved_address(school)
    return {
        "codes_to": proved,
        "email": school.email,
        "waits": bool(school.email) and school.email != proved,
        "shown": can(principal, Permission.ESTABLISHMENT_EDIT),
        "may_confirm": can(principal, Permission.SCHOOL_ADDRESS_CONFIRM),
    }
