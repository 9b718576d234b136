"""Open accounts for pupils who have none: for one, some, a division or all, after confirmation."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError
from cpro.core.formatting import plural
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor
from cpro.core.web.jobs import progress_url
from cpro.core.web.pages import back_to, render_page
from cpro.core.web.screens import above
from cpro.core.web.screens.bulk import MOST_NAMED, name_some
from cpro.establishments.web.gate_links import describe_missing
from cpro.students.accounts import operations, queries
from cpro.students.accounts.queries import Candidates, Selection
from cpro.students.models import Student
from cpro.students.queries import list_divisions
from cpro.students.web.presenters import name_and_birth
from cpro.students.web.selections import get_fields, read_selection
from cpro.students.web.views import LIST

bp = Blueprint("pupil_accounts", __name__)

above.stand_below(bp, LIST, carries=lambda _endpoint, _values: True)

#: Maximum number of pupils named in a URL, to limit its length.
_MOST_IN_ADDRESS = 200


@bp.route("/admin/eleves/ouvrir-comptes", methods=["GET", "POST"])
@requires(Permission.USERS_EDIT)
def open_accounts() -> ResponseReturnValue:
    """Ask for confirmation, then open accounts for the selected pupils; without any, offer divisions and the school."""
    selection = read_selection(request.values)
    is_post = request.method == "POST"
    if selection is None:
        return _choice(status=422 if is_post else 200)
    candidates = queries.get_candidates(selection)
    gate = describe_missing()
    if gate or not candidates.to_open:
        return _nothing(selection, candidates, gate, status=409 if gate and is_post else 200)
    if not is_post or request.form.get("confirme") != "oui":
        return _confirmation(selection, candidates)
    try:
        with unit_of_work():
            opened, job = operations.open_or_send(selection, by=current_actor(), now=clock.utcnow())
            job_id = job.id if job else None
    except operations.NoAccountToOpen:  # another person did it meanwhile
        return _nothing(selection, queries.get_candidates(selection), [])
    except DomainError as refusal:
        return _choice(refusal.message, status=refusal.status)
    if job_id is not None:
        return redirect(progress_url(job_id), 303)
    counted = plural(opened, "compte d’élève est ouvert", "comptes d’élèves sont ouverts")
    then = "sa fiche d’activation à lui" if opened == 1 else "leurs fiches d’activation à leur"
    return back_to(sheets_url(selection, candidates), f"{counted}. Préparez maintenant {then} remettre.")


def sheets_url(selection: Selection, candidates: Candidates) -> str:
    """Return the URL of the activation sheets of the pupils of a selection."""
    if selection.student_ids and len(selection.student_ids) <= _MOST_IN_ADDRESS:
        return url_for("credential_sheets.choose", eleves=",".join(map(str, selection.student_ids)))
    if candidates.division_id is not None:
        return url_for("credential_sheets.choose", division=candidates.division_id)
    return url_for("credential_sheets.choose", pour="role", role="student")


def left_out(selection: Selection, candidates: Candidates) -> list[str]:
    """Return which pupils of a selection receive no account, and why; by name but among the whole school."""
    if _names_pupils(selection):
        served, departed = (_name(pupils) for pupils in queries.list_left_out(selection))
    else:
        served = plural(candidates.with_account, "élève", "élèves")
        departed = plural(candidates.departed, "élève", "élèves")
    sentences = []
    if candidates.with_account:
        sentences.append(f"{served} {'a' if candidates.with_account == 1 else 'ont'} déjà un compte.")
    if candidates.departed:
        one = candidates.departed == 1
        sentences.append(
            f"{departed} {'a' if one else 'ont'} quitté l’établissement\u202f: aucun compte ne s’ouvre plus pour "
            f"{'lui' if one else 'eux'}."
        )
    return sentences


def _confirmation(selection: Selection, candidates: Candidates) -> ResponseReturnValue:
    number, one = candidates.to_open, candidates.to_open == 1
    what = plural(number, "compte", "comptes")
    return render_page(
        "confirm.html",
        title=f"Ouvrir {what}",
        question=f"Ouvrir {what} d’apprenant ({candidates.label}) ?",
        consequences=[
            *_name_pupils(selection),
            "L’élève reçoit un identifiant formé de son prénom et de son nom."
            if one
            else "Chaque élève reçoit un identifiant formé de son prénom et de son nom ; les homonymes sont numérotés.",
            "Aucun code n’est encore créé : vous imprimerez ensuite la fiche d’activation."
            if one
            else "Aucun code n’est encore créé : vous imprimerez ensuite les fiches d’activation.",
            *(f"Laissé de côté : {sentence}" for sentence in left_out(selection, candidates)),
        ],
        action_url=url_for("pupil_accounts.open_accounts"),
        fields={**get_fields(selection), "confirme": "oui"},
        submit_label=f"Ouvrir {what}",
        cancel_url=_list_url(selection),
        danger=False,
    )


def _name_pupils(selection: Selection) -> list[str]:
    """Return the sentence that names the pupils ticked, or of a division; none for the school, too many to read."""
    if not _names_pupils(selection):
        return []
    return [f"Un compte s’ouvre pour {_name(queries.list_to_open(selection))}."]


def _names_pupils(selection: Selection) -> bool:
    return bool(selection.student_ids or selection.division)


def _name(pupils: Sequence[Student]) -> str:
    return name_some([name_and_birth(each) for each in pupils], MOST_NAMED)


def _choice(refusal: str = "", *, status: int = 200) -> ResponseReturnValue:
    numbers = queries.count_without_account_by_division()
    divisions = [(each, numbers.get(each.id, 0)) for each in list_divisions()]
    if status == 422 and not refusal:
        refusal = "Dites à qui ouvrir un compte : choisissez une division, ou tous les élèves."
    return render_page(
        "people/open_accounts.html",
        divisions=[(division, number) for division, number in divisions if number],
        total=sum(numbers.values()),
        without_division=numbers.get(None, 0),
        refusal=refusal,
        gate=describe_missing(),
        status=status,
    )


def _nothing(
    selection: Selection, candidates: Candidates, gate: list[dict[str, str]], *, status: int = 200
) -> ResponseReturnValue:
    return render_page(
        "people/nothing_to_open.html",
        candidates=candidates,
        gate=gate,
        label=f"Ouvrir {plural(candidates.to_open, 'compte', 'comptes')}",
        reasons=left_out(selection, candidates),
        sheets_url=sheets_url(selection, candidates) if candidates.with_account else "",
        list_url=_list_url(selection),
        status=status,
    )


def _list_url(selection: Selection) -> str:
    """Return the URL of the list of pupils, with those of the selection still ticked if they were."""
    return above.ticked_list_address(LIST, url_for("eleves.index_view"), selection.student_ids)
