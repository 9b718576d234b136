"""The competences of a diploma: the list, its deposit, its emptying."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from cpro.competences import national, operations, queries, reader
from cpro.competences.web.forms import ListForm
from cpro.core import clock
from cpro.core.concurrency import StaleForm, fingerprint
from cpro.core.formatting import join_french, plural
from cpro.core.parsing import read_id
from cpro.core.permissions import Permission, can, requires
from cpro.core.spreadsheets import csv_lines
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor, current_principal
from cpro.core.web.pages import back_to, render_page
from cpro.students.models import Diploma

bp = Blueprint("competences", __name__, url_prefix="/admin/diplomes/<int:diploma_id>/competences")

#: Example content of the template for a school that starts a list.
_EXAMPLE = (("C1", "Analyser une situation professionnelle"), ("C2", "Organiser son travail"))


@bp.get("")
@requires(Permission.STUDENTS_VIEW)
def index(diploma_id: int) -> ResponseReturnValue:
    """Show the list of a diploma."""
    diploma = queries.get_diploma(diploma_id)
    return render_page(
        "competences/list.html",
        diploma=diploma,
        competences=queries.list_competences(diploma_id),
        source=national.find_source(diploma),
        may_edit=_may_edit(diploma),
    )


@bp.get("/modele")
@requires(Permission.STUDENTS_VIEW)
def template(diploma_id: int) -> ResponseReturnValue:
    """Send the list as a file to correct and deposit again, or two examples when it is empty."""
    diploma = queries.get_diploma(diploma_id)
    rows = [(each.code, each.label) for each in queries.list_competences(diploma_id)] or _EXAMPLE
    answer = Response("".join(csv_lines([("code", "intitulé"), *rows])), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="competences-{diploma.id}.csv"'
    return answer


@bp.get("/deposer")
@requires(Permission.DIPLOMAS_EDIT)
def deposit(diploma_id: int) -> ResponseReturnValue:
    """Ask for a file."""
    diploma = queries.get_diploma(diploma_id)
    operations.check_not_national(diploma)
    return _deposit_page(diploma, ListForm())


@bp.post("/deposer")
@requires(Permission.DIPLOMAS_EDIT)
def save(diploma_id: int) -> ResponseReturnValue:
    """Read a file and show what it would change; once confirmed, change it."""
    diploma = queries.get_diploma(diploma_id)
    operations.check_not_national(diploma)
    form = ListForm()
    form.validate()
    file = request.files.get("file")
    try:
        if form.content.data:
            return _apply(diploma, form)
        if file is None or not file.filename:
            raise reader.UnreadableList("Choisissez d’abord un fichier.")
        text = reader.decode(file.read())
        plan = operations.plan_list(diploma, reader.read_list(text))
    except reader.UnreadableList as refusal:
        form.blame(refusal)
        return _deposit_page(diploma, form, refusal.status, lines=refusal.lines)
    except StaleForm:
        form.form_errors.append(
            "La liste a changé pendant que vous la relisiez. Rien n’a été écrasé : déposez à nouveau votre fichier."
        )
        return _deposit_page(diploma, form, StaleForm.status)
    if plan.changes_nothing:
        return back_to(url_for(".index", diploma_id=diploma_id), "Rien n’a changé : la liste était déjà celle-là.")
    version = fingerprint(operations.get_stored_values(queries.list_competences(diploma_id)))
    return render_page("competences/confirm.html", diploma=diploma, plan=plan, content=text, version=version)


@bp.route("/vider", methods=["GET", "POST"])
@requires(Permission.DIPLOMAS_EDIT)
def empty(diploma_id: int) -> ResponseReturnValue:
    """Confirm, then empty the list."""
    diploma = queries.get_diploma(diploma_id)
    if request.method == "POST":
        with unit_of_work():
            plan = operations.delete_list(diploma, by=current_actor(), now=clock.utcnow())
        return back_to(url_for(".index", diploma_id=diploma_id), _emptied(plan))
    plan = operations.plan_list(diploma, [])
    gone = plural(len(plan.deleted), "compétence sera retirée", "compétences seront retirées")
    return render_page(
        "confirm.html",
        title=f"Vider la liste de compétences : {diploma.short_label}",
        question=f"Vider la liste de compétences du diplôme {diploma.short_label} ?",
        consequences=[f"{gone} ; un fichier peut en déposer d’autres.", *_kept(plan)],
        action_url=url_for(".empty", diploma_id=diploma_id),
        fields={},
        submit_label="Vider la liste",
        cancel_url=url_for(".index", diploma_id=diploma_id),
        danger=True,
    )


def diploma_section(object_type: str, object_id: str) -> tuple[str, dict[str, Any]] | None:
    """Return the competence section of a diploma's page."""
    if object_type != "diploma":
        return None
    diploma_id = read_id(object_id)
    assert diploma_id is not None, "the journal knows a diploma by its id"
    return "competences/_section.html", {
        "count": queries.count_competences(diploma_id),
        "url": url_for("competences.index", diploma_id=diploma_id),
    }


def describe_update(plan: operations.Plan) -> str:
    """Return what saving a list changed, in a sentence."""
    if plan.changes_nothing:
        return "Rien n’a changé\u202f: la liste était déjà celle-là."
    parts = [
        plural(count, *words)
        for count, words in (
            (len(plan.added), ("compétence ajoutée", "compétences ajoutées")),
            (len(plan.corrected), ("corrigée", "corrigées")),
            (len(plan.deleted), ("retirée", "retirées")),
        )
        if count
    ]
    return f"Liste enregistrée : {join_french(parts)}." if parts else "Liste enregistrée dans son nouvel ordre."


def _apply(diploma: Diploma, form: ListForm) -> ResponseReturnValue:
    records = reader.read_list(form.content.data)
    with unit_of_work():
        plan = operations.update_list(
            diploma, records, opened_on=form.version.data, by=current_actor(), now=clock.utcnow()
        )
    return back_to(url_for(".index", diploma_id=diploma.id), describe_update(plan))


def _kept(plan: operations.Plan) -> list[str]:
    if not plan.kept:
        return []
    codes = join_french([each.code for each in plan.kept])
    return [f"{codes} : déjà dans des scénarios ou des évaluations, ne sera pas retiré de la liste."]


def _emptied(plan: operations.Plan) -> str:
    gone = plural(len(plan.deleted), "compétence retirée", "compétences retirées")
    stays = plural(len(plan.kept), "reste, déjà utilisée", "restent, déjà utilisées")
    return f"{gone}." if not plan.kept else f"{gone} ; {stays}."


def _may_edit(diploma: Diploma) -> bool:
    return diploma.establishment_id is not None and can(current_principal(), Permission.DIPLOMAS_EDIT)


def _deposit_page(
    diploma: Diploma, form: ListForm, status: int = 200, *, lines: tuple[str, ...] = ()
) -> ResponseReturnValue:
    return render_page("competences/deposit.html", diploma=diploma, form=form, lines=lines, status=status)
