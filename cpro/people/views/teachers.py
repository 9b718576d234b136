"""The head's switch: whether teachers' accounts that the administrator opens wait for their consent."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor
from cpro.core.web.pages import back_to
from cpro.establishments.queries import get_current_establishment
from cpro.users.operations.teachers import require_consent

bp = Blueprint("teachers", __name__)


@bp.get("/admin/utilisateurs/accord-enseignants")
@requires(Permission.USERS_CONSENT)
def ask() -> str:
    """Say what the switch changes, and offer its other position."""
    required = get_current_establishment().teachers_need_consent
    label = "Ne plus exiger mon accord" if required else "Exiger mon accord"
    consequences = (
        ["Les comptes d’enseignants créés ou réactivés par l’administrateur s’ouvriront sans attendre votre accord."]
        if required
        else [
            "Tout compte d’enseignant que l’administrateur crée, réactive ou importe attendra votre accord avant de "
            "pouvoir servir.",
            "Vous donnez cet accord depuis la liste des utilisateurs, à une personne ou à plusieurs.",
        ]
    )
    return render_template(
        "confirm.html",
        title="Accord pour les comptes d’enseignants",
        question=f"{label} pour les comptes d’enseignants ?",
        consequences=[*consequences, "Vous restez prévenu de chaque compte créé à la main."],
        action_url=url_for("teachers.switch"),
        fields={"exiger": "non" if required else "oui"},
        submit_label=label,
        cancel_url=url_for("utilisateurs.index_view"),
        danger=False,
    )


@bp.post("/admin/utilisateurs/accord-enseignants")
@requires(Permission.USERS_CONSENT)
def switch() -> ResponseReturnValue:
    """Set the switch: field `exiger`, oui or non."""
    required = request.form.get("exiger") == "oui"
    if not required and request.form.get("exiger") != "non":
        raise DomainError("Indiquez s’il faut exiger votre accord : oui ou non.")
    try:
        with unit_of_work():
            require_consent(required, by=current_actor(), now=clock.utcnow())
    except DomainError as refusal:
        return back_to(url_for("utilisateurs.index_view"), refusal.message, "warning")
    return back_to(
        url_for("utilisateurs.index_view"),
        "Les comptes d’enseignants ouverts par l’administrateur attendront votre accord."
        if required
        else "Les comptes d’enseignants s’ouvrent sans attendre votre accord.",
    )
