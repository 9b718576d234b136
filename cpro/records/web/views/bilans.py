"""Create, update and delete a bilan."""

from __future__ import annotations

from flask import url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.permissions import Permission, requires
from cpro.core.web import drafts as drafts
from cpro.core.web.current_user import current_actor
from cpro.records import queries
from cpro.records.operations import bilans as operations
from cpro.records.operations import rules
from cpro.records.web.forms import BilanForm
from cpro.records.web.views import bp
from cpro.records.web.views.frame import RecordPage, describe_period


class BilanPage(RecordPage[BilanForm]):
    """The form of a bilan."""

    form_class, template = BilanForm, "records/bilan_form.html"
    kind, tab = "bilan", "bilans"
    get_record, values_of = staticmethod(queries.get_bilan), staticmethod(operations.get_bilan_values)

    def save(self, form: BilanForm) -> tuple[str, str]:
        address, by, now = url_for("records.bilans", student_id=self.student_id), current_actor(), clock.utcnow()
        if self.record_id is None:
            operations.create_bilan(self.student_id, form.data, by=by, now=now)
            return address, f"Le bilan {self.pupil.of_name} est enregistré."
        version = form.version.data
        operations.update_bilan(self.student_id, self.record_id, form.data, opened_on=version, by=by, now=now)
        return address, "Le bilan est enregistré."


@bp.get("/<int:student_id>/bilans/nouveau")
@requires(Permission.PUPILS_EVALUATE)
def new_bilan(student_id: int) -> ResponseReturnValue:
    """Show an empty bilan."""
    return BilanPage(student_id).show()


@bp.post("/<int:student_id>/bilans/nouveau")
@requires(Permission.PUPILS_EVALUATE, keeps_typed_form=True)
def create_bilan(student_id: int) -> ResponseReturnValue:
    """Write a bilan."""
    return BilanPage(student_id).answer()


@bp.get("/<int:student_id>/bilans/<int:bilan_id>/modifier")
@requires(Permission.PUPILS_EVALUATE)
def edit_bilan(student_id: int, bilan_id: int) -> ResponseReturnValue:
    """Show a bilan for editing."""
    return BilanPage(student_id, bilan_id).show()


@bp.post("/<int:student_id>/bilans/<int:bilan_id>/modifier")
@requires(Permission.PUPILS_EVALUATE, keeps_typed_form=True)
def save_bilan(student_id: int, bilan_id: int) -> ResponseReturnValue:
    """Save a bilan."""
    return BilanPage(student_id, bilan_id).answer()


@bp.route("/<int:student_id>/bilans/<int:bilan_id>/supprimer", methods=["GET", "POST"])
@requires(Permission.PUPILS_EVALUATE)
def delete_bilan(student_id: int, bilan_id: int) -> ResponseReturnValue:
    """Confirm, then delete a bilan."""
    page = BilanPage(student_id, bilan_id)
    return page.delete(
        operations.delete_bilan,
        check=rules.check_may_change,
        done="Le bilan est supprimé.",
        title="Supprimer un bilan",
        question=f"Supprimer le bilan {page.pupil.of_name}, {describe_period(page.record)} ?",
        consequences=["Il disparaît pour tous, sans retour possible."],
        submit_label="Supprimer le bilan",
    )
