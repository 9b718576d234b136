"""Pages of manual changes of several students at once: departure, return, division, course; each is confirmed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock
from cpro.core.errors import DomainError
from cpro.core.formatting import plural
from cpro.core.permissions import Permission, requires
from cpro.core.transactions import unit_of_work
from cpro.core.web.current_user import current_actor
from cpro.core.web.forms import BaseForm
from cpro.core.web.pages import back_to, render_page
from cpro.core.web.screens import above
from cpro.core.web.screens.bulk import describe_left_out
from cpro.establishments.queries import get_current_establishment
from cpro.students import several
from cpro.students.models import Student
from cpro.students.operations import refuse_if_kept_by_siecle
from cpro.students.web import presenters
from cpro.students.web.forms import CourseForm, DepartureForm, DivisionForm
from cpro.students.web.selections import read_students
from cpro.students.web.views import LIST, bp


@bp.route("/admin/eleves/depart", methods=["GET", "POST"])
@requires(Permission.STUDENTS_EDIT)
def depart() -> ResponseReturnValue:
    """Ask for the day of departure of the selected students, then record it."""
    students = _asked_students()
    leaving = [each for each in students if each.is_active]
    if not leaving:
        return back_to(_address_of(students, ticked=True), presenters.ALL_GONE, "warning")
    return _ask_and_act(
        DepartureForm,
        leaving,
        several.record_departures,
        said=lambda left, _form: presenters.describe_departed(left),
        title="Noter le départ",
        button=presenters.label_button("Noter le départ", "départs", leaving),
        lead="L’élève reste dans vos listes, parmi les élèves partis\u202f; rien n’est supprimé ce jour.",
        consequences=presenters.describe_departure(get_current_establishment(), len(leaving)),
    )


@bp.route("/admin/eleves/formation", methods=["GET", "POST"])
@requires(Permission.STUDENTS_EDIT)
def give_course() -> ResponseReturnValue:
    """Ask for the course of the selected students, or of those of a division, then set it."""
    students = _asked_students()
    if not students:
        return back_to(url_for("divisions.index_view"), presenters.NOBODY_THERE, "warning")
    return _ask_and_act(
        CourseForm,
        students,
        several.give_course,
        said=lambda changed, _form: f"{plural(len(changed), 'formation est changée', 'formations sont changées')}.",
        title="Donner une formation",
        lead="La formation (code MEF) dit quel diplôme un élève prépare, et en quelle année.",
        consequences=presenters.COURSE_GIVEN,
        courses_url=url_for("mefs.index_view"),
    )


@bp.route("/admin/eleves/division", methods=["GET", "POST"])
@requires(Permission.STUDENTS_EDIT)
def change_division() -> ResponseReturnValue:
    """Ask for the new division of the selected students, then put them there."""
    students = _asked_students()
    present = [each for each in students if each.is_active]
    if not present:
        return back_to(_address_of(students, ticked=True), presenters.NOBODY_PRESENT, "warning")
    return _ask_and_act(
        DivisionForm,
        present,
        several.change_division,
        said=presenters.describe_moved,
        title="Changer de division",
        lead="Les fiches, évaluations et bilans de chaque élève le suivent dans sa nouvelle division.",
        consequences=presenters.DIVISION_CHANGED,
    )


@bp.route("/admin/eleves/retour", methods=["GET", "POST"])
@requires(Permission.STUDENTS_EDIT)
def come_back() -> ResponseReturnValue:
    """Confirm the return of the selected students, then record it; name those who cannot return."""
    students = _asked_students()
    refusals = presenters.why_not_back(students)
    left_out = [(presenters.name_and_birth(each), refusals[each.id]) for each in students if each.id in refusals]
    kept = describe_left_out(left_out)
    returning = [each for each in students if each.id not in refusals]
    if not returning:
        return back_to(_address_of(students, ticked=True), " ".join(kept), "warning")
    return _ask_and_act(
        BaseForm,
        returning,
        lambda ids, _values, *, by, now: several.record_returns(ids, by=by, now=now),
        said=lambda back, _form: " ".join([presenters.describe_returned(back), *kept]),
        title="Noter le retour",
        button=presenters.label_button("Noter le retour", "retours", returning),
        lead="L’élève redevient présent dans votre établissement.",
        consequences=[*presenters.RETURNED, *kept],
    )


def _asked_students() -> Sequence[Student]:
    students = read_students(request.values)
    refuse_if_kept_by_siecle()
    return students


def _ask_and_act(
    form_class: type[BaseForm],
    students: Sequence[Student],
    operation: Callable[..., list[int]],
    *,
    said: Callable[[list[int], Any], str],
    **context: Any,
) -> ResponseReturnValue:
    form = form_class()
    ids, address = [each.id for each in students], _address_of(students)
    names, cancel_url = [presenters.name_and_birth(each) for each in students], _address_of(students, ticked=True)
    context |= {"names": names, "ids": ids, "cancel_url": cancel_url}
    if form.validate_on_submit():
        try:
            with unit_of_work():
                changed = operation(ids, form.data, by=current_actor(), now=clock.utcnow())
            return back_to(address, said(changed, form))
        except DomainError as refusal:
            form.blame(refusal)
    return render_page("students/several.html", form=form, status=form.status, **context)


def _address_of(students: Sequence[Student], *, ticked: bool = False) -> str:
    """Return the page to return to: the list in its last state, or the page of one student who was not ticked there.

    The list shows the students `ticked` again if they were: nothing was done.
    """
    if len(students) == 1 and not above.is_from_boxes(LIST):
        return url_for("eleves.details_view", id=students[0].id)
    base, ids = url_for("eleves.index_view"), [each.id for each in students]
    return above.ticked_list_address(LIST, base, ids) if ticked else above.list_address(LIST, base)
