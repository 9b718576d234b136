"""The head's setting: which teachers' accounts that the administrator opens wait for their consent."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor
from cpro.core.web.forms import typed_before_sign_in
from cpro.core.web.pages import back_to, render_page
from cpro.establishments.models import TeachersConsent
from cpro.establishments.queries import get_current_establishment
from cpro.people.forms.teachers import TeachersConsentForm
from cpro.users.operations.teachers import require_consent

bp = Blueprint("teachers", __name__)


@bp.get("/admin/utilisateurs/accord-enseignants")
@requires(Permission.USERS_CONSENT)
def ask() -> ResponseReturnValue:
    """Show what the setting changes, and its choices."""
    return _page(TeachersConsentForm(typed_before_sign_in(), exiger=get_current_establishment().teachers_consent.value))


@bp.post("/admin/utilisateurs/accord-enseignants")
@requires(Permission.USERS_CONSENT)
def switch() -> ResponseReturnValue:
    """Change the setting: field `exiger`, the value of a `TeachersConsent`."""
    form = TeachersConsentForm()
    if not form.validate():
        return _page(form, status=422)
    try:
        with unit_of_work():
            require_consent(TeachersConsent(form.exiger.data), by=current_actor(), now=clock.utcnow())
    except DomainError as refusal:
        return back_to(url_for("utilisateurs.index_view"), refusal.message, "warning")
    return back_to(url_for("utilisateurs.index_view"), "Votre choix est enregistré : il vaut pour les comptes à venir.")


def _page(form: TeachersConsentForm, *, status: int = 200) -> ResponseReturnValue:
    return render_page("people/teachers_consent.html", form=form, status=status)
