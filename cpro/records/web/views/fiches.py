"""Create, update, submit, validate, send back and delete a fiche."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.concurrency import fingerprint
from cpro.core.errors import DomainError, refusal_of
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web import drafts as drafts
from cpro.core.web.current_user import current_actor
from cpro.core.web.pages import back_to, render_page
from cpro.records import queries
from cpro.records.models import Fiche, FicheState
from cpro.records.operations import fiches as operations
from cpro.records.operations import rules
from cpro.records.web.forms import FicheForm
from cpro.records.web.views import bp
from cpro.records.web.views.frame import PupilPage, RecordPage, get_tab_frame, open_pupil, read_pupil

#: Value posted by the button of an author who has finished their fiche.
DONE = "done"


@bp.get("/<int:student_id>/fiches/<int:fiche_id>")
@requires(Permission.PUPIL_RECORDS_READ)
def fiche(student_id: int, fiche_id: int) -> ResponseReturnValue:
    """Show a fiche."""
    return _fiche_page(read_pupil(student_id, "une fiche"), queries.get_fiche(student_id, fiche_id))


class FichePage(RecordPage[FicheForm]):
    """The form of a fiche."""

    form_class, template = FicheForm, "records/fiche_form.html"
    kind, tab = "fiche", "fiches"
    get_record, values_of = staticmethod(queries.get_fiche), staticmethod(operations.get_fiche_values)

    def check(self) -> None:
        if self.record is None:
            rules.check_may_write_fiches(self.pupil.student, current_actor())
        else:
            super().check()

    def save(self, form: FicheForm) -> tuple[str, str]:
        said: dict[str, Any] = {"is_done": _is_done(), "by": current_actor(), "now": clock.utcnow()}
        if self.record_id is None:
            written = operations.create_fiche(self.student_id, form.data, **said)
        else:
            said["opened_on"] = form.version.data
            written = operations.update_fiche(self.student_id, self.record_id, form.data, **said)
        return _address(self.student_id, written.id), _describe_state(written.state)

    def context(self, form: FicheForm) -> Mapping[str, Any]:
        final_state = operations.get_final_state(current_actor())
        return {"final_state": final_state, "done": DONE, **super().context(form)}


@bp.get("/<int:student_id>/fiches/nouvelle")
@requires(Permission.FICHES_WRITE)
def new_fiche(student_id: int) -> ResponseReturnValue:
    """Show an empty fiche."""
    return FichePage(student_id).show()


@bp.post("/<int:student_id>/fiches/nouvelle")
@requires(Permission.FICHES_WRITE, keeps_typed_form=True)
def create_fiche(student_id: int) -> ResponseReturnValue:
    """Write a fiche."""
    return FichePage(student_id).answer()


@bp.get("/<int:student_id>/fiches/<int:fiche_id>/modifier")
@requires(Permission.FICHES_WRITE)
def edit_fiche(student_id: int, fiche_id: int) -> ResponseReturnValue:
    """Show a fiche for editing."""
    return FichePage(student_id, fiche_id).show()


@bp.post("/<int:student_id>/fiches/<int:fiche_id>/modifier")
@requires(Permission.FICHES_WRITE, keeps_typed_form=True)
def save_fiche(student_id: int, fiche_id: int) -> ResponseReturnValue:
    """Save a fiche."""
    return FichePage(student_id, fiche_id).answer()


@bp.post("/<int:student_id>/fiches/<int:fiche_id>/soumettre")
@requires(Permission.FICHES_WRITE)
def submit_fiche(student_id: int, fiche_id: int) -> ResponseReturnValue:
    """Submit a draft to the teachers, unchanged."""
    open_pupil(student_id)
    with unit_of_work():
        operations.submit_fiche(student_id, fiche_id, by=current_actor(), now=clock.utcnow())
    return back_to(_address(student_id, fiche_id), _describe_state(FicheState.SUBMITTED))


@bp.post("/<int:student_id>/fiches/<int:fiche_id>/valider")
@requires(Permission.PUPILS_EVALUATE)
def validate_fiche(student_id: int, fiche_id: int) -> ResponseReturnValue:
    """Validate a fiche as it was shown; one that changed meanwhile is shown again."""
    open_pupil(student_id)
    try:
        with unit_of_work():
            operations.validate_fiche(
                student_id,
                fiche_id,
                opened_on=request.form.get("version"),
                by=current_actor(),
                now=clock.utcnow(),
            )
    except DomainError as refusal:
        return _fiche_page(open_pupil(student_id), queries.get_fiche(student_id, fiche_id), refusal)
    return back_to(_address(student_id, fiche_id), _describe_state(FicheState.VALIDATED))


@bp.post("/<int:student_id>/fiches/<int:fiche_id>/rendre")
@requires(Permission.PUPILS_EVALUATE)
def send_back_fiche(student_id: int, fiche_id: int) -> ResponseReturnValue:
    """Send a fiche back to its author."""
    open_pupil(student_id)
    with unit_of_work():
        row = operations.send_back_fiche(student_id, fiche_id, by=current_actor(), now=clock.utcnow())
        author = row.author_label
    return back_to(_address(student_id, fiche_id), f"La fiche est rendue à {author}, qui peut la modifier.")


@bp.route("/<int:student_id>/fiches/<int:fiche_id>/supprimer", methods=["GET", "POST"])
@requires(Permission.FICHES_WRITE)
def delete_fiche(student_id: int, fiche_id: int) -> ResponseReturnValue:
    """Confirm, then delete a fiche."""
    page = FichePage(student_id, fiche_id)
    return page.delete(
        operations.delete_fiche,
        check=operations.check_deletion,
        done="La fiche est supprimée.",
        title="Supprimer une fiche",
        question=f"Supprimer la fiche « {page.record.title} » {page.pupil.of_name} ?",
        consequences=["Elle disparaît pour tous, sans retour possible."],
        submit_label="Supprimer la fiche",
        cancel_url=_address(student_id, fiche_id),
    )


def _is_done() -> bool:
    return request.form.get("then") == DONE


def _describe_state(state: FicheState) -> str:
    return {
        FicheState.DRAFT: "La fiche est enregistrée comme brouillon.",
        FicheState.SUBMITTED: "La fiche est soumise à vos enseignants.",
        FicheState.VALIDATED: "La fiche est validée.",
    }[state]


def _address(student_id: int, fiche_id: int) -> str:
    return url_for("records.fiche", student_id=student_id, fiche_id=fiche_id)


def _fiche_page(page: PupilPage, row: Fiche, refusal: DomainError | None = None) -> ResponseReturnValue:
    by = current_actor()
    return render_page(
        "records/fiche.html",
        fiche=row,
        version=fingerprint(operations.get_fiche_values(row)),
        locked=page.find_change_refusal(row),
        may_delete=not refusal_of(operations.check_deletion, row, page.student, by),
        may_submit=not page.find_change_refusal(row) and row.state is FicheState.DRAFT,
        final_state=operations.get_final_state(by),
        may_validate=page.powers.evaluates and operations.find_validation_refusal(row, by) is None,
        may_send_back=page.powers.evaluates and operations.find_return_refusal(row) is None,
        refusal=refusal.message if refusal else "",
        status=refusal.status if refusal else 200,
        **get_tab_frame(page, "fiches"),
    )
