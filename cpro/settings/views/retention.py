"""Paramètres, tab Conservation: how long the records of departed pupils are kept, and what the next nights delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.formatting import plural
from cpro.core.lists import ListState
from cpro.core.permissions import Permission, requires
from cpro.core.web.current_user import current_actor
from cpro.core.web.pages import render_page
from cpro.establishments.queries import get_school_today
from cpro.records.audit_labels import describe_years
from cpro.records.operations import retention
from cpro.records.web.forms import RetentionForm
from cpro.settings.tabs import SettingsPage

bp = Blueprint("retention", __name__, url_prefix="/admin/parametres/conservation")

_PER_PAGE = 50


class RetentionPage(SettingsPage[RetentionForm]):
    """The form of the years: the head sees whose records are deleted and when; the administrator sees figures only."""

    form_class, template = RetentionForm, "settings/retention.html"
    tab, edit = "retention", Permission.RETENTION_EDIT

    def values(self) -> Mapping[str, Any]:
        return retention.get_retention_values(self.school)

    def before_save(self, form: RetentionForm) -> ResponseReturnValue | None:
        chosen = retention.check_years(form.retention_years.data or "")
        return None if request.form.get("confirm") == "oui" else _to_confirm(chosen, form)

    def save(self, form: RetentionForm) -> tuple[str, str]:
        years = form.retention_years.data or ""
        version, by = form.version.data, current_actor()
        changed = retention.update_retention(years, opened_on=version, by=by, now=clock.utcnow())
        kept = describe_years(retention.check_years(years))
        message = f"Les données des anciens apprenants sont conservées {kept}." if changed else "Rien n’a changé."
        return url_for("retention.edit"), message

    def context(self, form: RetentionForm) -> Mapping[str, Any]:
        now, frame = clock.utcnow(), super().context(form)
        figures = retention.get_preview(now)
        total = figures.expired.pupils + figures.kept_pupils
        asked = ListState.read(request.args, request.path, sizes=(_PER_PAGE,))
        return {
            "figures": figures,
            "years": describe_years(self.school.retention_years),
            "page": None if frame["read_only"] else retention.find_departures(asked, now),
            "today": get_school_today(now),
            "total": total,
            **frame,
        }


@bp.get("")
@requires(Permission.RETENTION_VIEW)
def edit() -> ResponseReturnValue:
    """Show the setting, and what it deletes."""
    return RetentionPage().show()


@bp.post("")
@requires(Permission.RETENTION_EDIT, keeps_typed_form=True)
def save() -> ResponseReturnValue:
    """Set the years; a shorter period that deletes records is confirmed first."""
    return RetentionPage().answer()


def _to_confirm(years: int, form: RetentionForm) -> ResponseReturnValue | None:
    """Return the page that confirms a period that would delete more next night, or None."""
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
        cancel_url=url_for("retention.edit", abandonner=1),
        danger=True,
    )
