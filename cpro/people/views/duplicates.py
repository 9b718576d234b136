"""Merge a pupil entered twice: choose the other row, compare both side by side, then keep one, after confirmation."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import Conflict, DomainError, refusal_of
from cpro.core.lists import ListState
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor, may
from cpro.core.web.forms import PasswordForm
from cpro.core.web.pages import back_to, render_page
from cpro.people import duplicates
from cpro.people.duplicates import Holding
from cpro.people.presenters.duplicates import (
    compare,
    describe_candidate,
    describe_choice,
    describe_merge,
    describe_proposal,
)
from cpro.students.merging import find_candidates
from cpro.students.operations import check_not_merged, is_kept_by_siecle
from cpro.students.several import list_students

bp = Blueprint("duplicates", __name__)


@bp.get("/admin/eleves/<int:student_id>/doublon")
@requires(Permission.STUDENTS_EDIT)
def choose(student_id: int) -> ResponseReturnValue:
    """Offer the other rows that may be the same pupil."""
    (student,) = list_students([student_id])
    check_not_merged(student)
    asked = ListState.read(request.args, request.path)
    page = find_candidates(asked, student)
    name = duplicates.get_holding(student).name
    lead, empty = describe_choice(student)
    return render_page(
        "people/choose_link.html",
        asked=asked,
        page=page.show(lambda each: (describe_candidate(each), f"{_address(student_id, each.id)}?proposer=oui")),
        title=f"Réunir un doublon\u202f: {name}",
        lead=lead,
        heading="Élève",
        verb="Comparer",
        empty_message=empty,
        back_url=url_for("eleves.details_view", id=student_id),
    )


@bp.route("/admin/eleves/<int:student_id>/doublon/<int:other_id>", methods=["GET", "POST"])
@requires(Permission.STUDENTS_EDIT)
def merge(student_id: int, other_id: int) -> ResponseReturnValue:
    """Show two rows side by side and the consequences, then merge the second into the first.

    `proposer=oui`, in the address of a link, asks for the row to keep by default rather than the first.
    """
    list_students([student_id, other_id])
    if request.method == "GET" and request.args.get("proposer"):
        one, other = _get_holdings(student_id, other_id)
        if duplicates.prefer(one, other)[0] is other:
            student_id, other_id = other_id, student_id
        return redirect(_address(student_id, other_id), 303)
    refusal = refusal_of(duplicates.get_pair, student_id, other_id)
    if refusal is not None:
        return _page(student_id, other_id, refusal=refusal)
    form = PasswordForm()
    if not form.validate_on_submit():
        return _page(student_id, other_id, form=form)
    try:
        with unit_of_work():
            duplicates.merge(
                student_id,
                other_id,
                password_given=form.password_was_given,
                by=current_actor(),
                now=clock.utcnow(),
            )
    except Conflict as refused:  # another action came first
        return _page(student_id, other_id, refusal=refused)
    except DomainError as refused:
        form.blame(refused)
        return _page(student_id, other_id, form=form)
    message = "Les deux fiches sont réunies en une seule, celle-ci."
    return back_to(url_for("eleves.details_view", id=student_id), message)


def _page(
    student_id: int,
    other_id: int,
    *,
    form: PasswordForm | None = None,
    refusal: DomainError | None = None,
) -> ResponseReturnValue:
    kept, other = _get_holdings(student_id, other_id)
    can_swap = refusal_of(duplicates.check_pair, other.student, kept.student) is None
    is_mended = isinstance(refusal, duplicates.CorrectedByImport) and may(Permission.IMPORTS_MANAGE)
    return render_page(
        "people/duplicate.html",
        name=kept.name,
        rows=compare(kept, other),
        proposal="" if refusal else describe_proposal(kept, other),
        consequences=[] if refusal else describe_merge(kept, other),
        refusal=refusal.message if refusal else "",
        form=form,
        action_url=_address(student_id, other_id),
        swap_url=_address(other_id, student_id) if can_swap else "",
        imports_url=url_for("imports.index") if is_mended else "",
        imports_label="Importer le nouvel export" if is_kept_by_siecle() else "Importer un tableau",
        cancel_url=url_for("eleves.details_view", id=student_id),
        status=refusal.status if refusal else form.status if form else 200,
    )


def _get_holdings(student_id: int, other_id: int) -> tuple[Holding, Holding]:
    by_id = {each.id: duplicates.get_holding(each) for each in list_students([student_id, other_id])}
    return by_id[student_id], by_id[other_id]


def _address(student_id: int, other_id: int) -> str:
    return url_for("duplicates.merge", student_id=student_id, other_id=other_id)
