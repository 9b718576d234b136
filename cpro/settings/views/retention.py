"""Paramètres, tab Conservation: how long the records of those who left are kept, and what the next nights delete."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError
from cpro.core.formatting import plural
from cpro.core.lists import ListState, find_page
from cpro.core.permissions import Permission, can, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web.conflicts import explain
from cpro.core.web.current_user import current_actor, current_principal
from cpro.core.web.pages import back_to, render_page
from cpro.establishments.queries import get_current_establishment
from cpro.records.audit_labels import describe_years
from cpro.records.operations import retention
from cpro.records.web.forms import RetentionForm
from cpro.settings.tabs import settings_frame

bp = Blueprint("retention", __name__, url_prefix="/admin/parametres/conservation")

_PER_PAGE = 50


@bp.get("")
@requires(Permission.RETENTION_VIEW)
def edit() -> ResponseReturnValue:
    """Show the setting; to the head, whose records go and when; to the administrator, figures alone."""
    stored = retention.get_retention_values(get_current_establishment())
    return _page(RetentionForm.opened(stored))


@bp.post("")
@requires(Permission.RETENTION_EDIT, keeps_typed_form=True)
def save() -> ResponseReturnValue:
    """Set the years; a shorter period that deletes something is confirmed first."""
    school = get_current_establishment()
    form = RetentionForm.sent(retention.get_retention_values(school), about=("establishment", school.id))
    if not form.validate():
        return _page(form, form.status)
    years = form.retention_years.data or ""
    try:
        chosen = retention.check_years(years)
        question = None if request.form.get("confirm") == "oui" else _to_confirm(chosen, form)
        if question is not None:
            return question
        with unit_of_work():
            changed = retention.update_retention(
                years, opened_on=form.version.data, by=current_actor(), now=clock.utcnow()
            )
    except DomainError as refusal:
        return _page(form, refusal.status, refusal)
    message = f"Les données des anciens apprenants sont conservées {describe_years(chosen)}."
    return back_to(url_for("retention.edit"), message if changed else "Rien n’a changé.")


def _to_confirm(years: int, form: RetentionForm) -> ResponseReturnValue | None:
    """Return the page that asks to confirm a period that would delete more next night, or None."""
    now = clock.utcnow()
    expired, today = retention.get_preview(now, years=years).expired, retention.get_preview(now).expired
    if expired.records <= today.records:
        return None
    whose = plural(expired.pupils, "ancien apprenant", "anciens apprenants")
    counts = (
        plural(expired.fiches, "fiche", "fiches"),
        plural(expired.evaluations, "évaluation", "évaluations"),
        plural(expired.bilans, "bilan", "bilans"),
    )
    return render_page(
        "confirm.html",
        title="Raccourcir la conservation",
        question=f"Ne conserver que {describe_years(years)} les données de ceux qui sont partis ?",
        consequences=[
            f"La nuit prochaine, {', '.join(counts)} de {whose} seront supprimés, sans retour possible.",
            "Jusque-là, vous pouvez revenir à une durée plus longue.",
        ],
        action_url=url_for("retention.save"),
        fields={"retention_years": str(years), "version": form.version.data or "", "confirm": "oui"},
        submit_label=f"Ne conserver que {describe_years(years)}",
        cancel_url=url_for("retention.edit"),
        danger=True,
    )


def _page(form: RetentionForm, status: int = 200, refusal: DomainError | None = None) -> ResponseReturnValue:
    school, now = get_current_establishment(), clock.utcnow()
    figures = retention.get_preview(now)
    is_head = can(current_principal(), Permission.RETENTION_EDIT)
    total = figures.expired.pupils + figures.kept_pupils
    asked = ListState.read(request.args, request.path, sizes=(_PER_PAGE,))
    return render_page(
        "settings/retention.html",
        form=form,
        figures=figures,
        years=describe_years(school.retention_years),
        page=find_page(asked, partial(retention.list_departures, now), total) if is_head else None,
        today=now.date(),
        total=total,
        read_only=not is_head,
        conflict=explain(form, refusal, stored=retention.get_retention_values(school)),
        status=status,
        **settings_frame("retention"),
    )
