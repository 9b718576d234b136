"""Paramètres: the history of each tab, and « Rétablir »."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from cpro.audit.labels import EMPTY
from cpro.audit.models import AuditEntry
from cpro.audit.queries import get_entry
from cpro.core import clock
from cpro.core.errors import DomainError, Forbidden, NotFound
from cpro.core.lists import ListState
from cpro.core.permissions import Permission, can, requires
from cpro.core.storage import FileStorage
from cpro.core.transactions import unit_of_work
from cpro.core.web import drafts
from cpro.core.web.current_user import current_actor, current_principal
from cpro.core.web.forms import PasswordForm
from cpro.core.web.pages import back_to, find_way_back, render_page
from cpro.establishments import queries
from cpro.settings.history.parts import PARTS, HistoryPart, find_lines, find_part_of, get_part
from cpro.settings.history.restoring import RestorePlan, Restoring
from cpro.settings.tabs import settings_frame

bp = Blueprint("history", __name__, url_prefix="/admin/parametres/historique")

_MAX_ID = 2**31 - 1


@bp.get("")
@requires(Permission.SETTINGS_HISTORY)
def index() -> ResponseReturnValue:
    """Show what changed in one part of the settings, latest first."""
    part = get_part(request.args.get("de", "etablissement"))
    asked = ListState.read(request.args, request.path, filters={"de": [each.key for each in PARTS]}, forward="avant")
    return render_page(
        "settings/history.html",
        part=part,
        page=find_lines(part, asked),
        may_restore=can(current_principal(), part.edit),
        is_restorable=part.restoring is not None,
        **settings_frame(part.tab),
    )


@bp.get("/<int:entry_id>/retablir")
@requires(Permission.SETTINGS_HISTORY, code_again=True)
def ask(entry_id: int) -> ResponseReturnValue:
    """Show what restoring a line would change now."""
    entry, part, restoring = _asked_line(entry_id)
    plan = restoring.plan(entry)
    return _confirmation(entry, part, plan) if plan else _nothing_to_restore(part)


@bp.post("/<int:entry_id>/retablir")
@requires(Permission.SETTINGS_HISTORY, code_again=True)
def restore(entry_id: int) -> ResponseReturnValue:
    """Restore the value that a line replaced; if it changed since the confirmation was shown, show it again."""
    entry, part, restoring = _asked_line(entry_id)
    plan = restoring.plan(entry)
    if plan is None:
        return _nothing_to_restore(part)
    form = PasswordForm() if plan.asks_password else None
    if form is not None and not form.validate_on_submit():
        return _confirmation(entry, part, plan, form), form.status
    proof = {"password_given": form is not None and form.password_was_given} if restoring.may_ask_password else {}
    try:
        with unit_of_work():
            done = restoring.restore(
                entry, opened_on=request.form.get("version"), by=current_actor(), now=clock.utcnow(), **proof
            )
            if draft := restoring.draft(entry):
                drafts.forget(draft)
    except DomainError as refusal:
        return _refused(entry_id, refusal)
    return back_to(_way_back(part), done)


@bp.get("/image/<int:version_id>")
@requires(Permission.SETTINGS_HISTORY)
def picture(version_id: int) -> ResponseReturnValue:
    """Send a picture of the history that is still kept."""
    version = queries.get_kept_version(version_id, now=clock.utcnow())
    storage = FileStorage(current_app.config["CPRO_UPLOADS"])
    answer = send_file(storage.path(version.stored_name), mimetype=version.mimetype, conditional=True, etag=True)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _refused(entry_id: int, refusal: DomainError) -> ResponseReturnValue:
    """Show the confirmation again with the current values, and the sentence of the refusal."""
    entry, part, restoring = _asked_line(entry_id)
    plan = restoring.plan(entry)
    if plan is None:
        return _nothing_to_restore(part)
    form = PasswordForm(formdata=None) if plan.asks_password else None
    if form is not None and "current_password" in refusal.errors:
        form.blame(refusal)
    else:
        flash(refusal.message, "error")
    return _confirmation(entry, part, plan, form), refusal.status


def _asked_line(entry_id: int) -> tuple[AuditEntry, HistoryPart, Restoring]:
    entry = get_entry(min(entry_id, _MAX_ID))
    part = find_part_of(entry)
    if not can(current_principal(), part.edit):
        raise Forbidden("Votre compte peut lire cet historique, mais pas rétablir ce qui a changé.")
    if part.restoring is None:
        raise NotFound("Ce changement ne se rétablit pas d’ici : refaites-le dans son onglet.")
    return entry, part, part.restoring


def _confirmation(entry: AuditEntry, part: HistoryPart, plan: RestorePlan, form: PasswordForm | None = None) -> str:
    return render_template(
        "confirm.html",
        title=f"Rétablir {plan.title}",
        question=f"Rétablir {plan.title} ?",
        consequences=[
            *(_describe_item(*item) for item in plan.items),
            *plan.warnings,
            *(drafts.describe_loss(draft) if part.restoring and (draft := part.restoring.draft(entry)) else []),
        ],
        action_url=url_for("history.restore", entry_id=entry.id, retour=find_way_back()),
        fields={"version": plan.version},
        submit_label=f"Rétablir {plan.title}",
        cancel_url=_way_back(part),
        danger=False,
        form=form or (PasswordForm() if plan.asks_password else None),
    )


def _describe_item(label: str, present: str, restored: str) -> str:
    if restored == EMPTY:
        return f"{label} : « {present} » sera effacé, il n’y avait rien avant."
    if present == EMPTY:
        return f"{label} : « {restored} » sera remis, il n’y a rien aujourd’hui."
    return f"{label} : « {present} » redeviendra « {restored} »."


def _way_back(part: HistoryPart) -> str:
    """Return the page to return to at the end: the one that led here (`?retour=`), or the history."""
    return find_way_back() or url_for("history.index", de=part.key)


def _nothing_to_restore(part: HistoryPart) -> ResponseReturnValue:
    return back_to(
        _way_back(part),
        "Il n’y a rien à rétablir : ce qui avait changé est déjà revenu, ou n’est plus conservé.",
        "warning",
    )
