"""Lists of pupils; a pupil's overview and records."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock, events
from cpro.core.lists import ListState, find_page
from cpro.core.permissions import Permission, requires
from cpro.core.shown import Filter
from cpro.core.web.current_user import announce, current_actor, may
from cpro.core.web.pages import render_page
from cpro.core.web.screens import above
from cpro.establishments.models import Module
from cpro.establishments.queries import get_school_today
from cpro.establishments.web.gate_links import list_passport_obstacles
from cpro.establishments.web.modules import is_on
from cpro.establishments.web.own_school import describe_own_school
from cpro.records import queries
from cpro.records.levels import describe_level, list_charts
from cpro.records.models import FicheState
from cpro.records.pending import list_pending
from cpro.records.queries import PRESENT, PupilFilter
from cpro.records.web.views import LIST, bp
from cpro.records.web.views.frame import PER_PAGE, announce_view, get_tab_frame, open_pupil, read_pupil
from cpro.records.web.views.listed import SITUATIONS, list_taught, read_asked, read_wanted
from cpro.students.models import Division
from cpro.students.queries import offer_divisions

_LATEST = 5  # fiches on the overview


@bp.get("")
@requires(Permission.PUPILS_VIEW)
def pupils() -> ResponseReturnValue:
    """List pupils: those of their divisions for a teacher, all of them for the head."""
    divisions, asked = list_taught(), read_asked(request.args)
    month = get_school_today(clock.utcnow()).replace(day=1)
    wanted = read_wanted(asked, divisions, month)
    above.show_list(LIST, asked)
    _announce_search(wanted)
    page = queries.find_pupils(asked, wanted)
    return render_page(
        "records/pupils.html",
        page=page,
        figures=queries.count_records([student.id for student in page.rows]),
        no_figures=queries.Figures(),
        wanted=wanted,
        sought=wanted.words,
        situations=SITUATIONS,
        narrowed_by=asked.narrowed_by(
            {"situation": SITUATIONS, "division": {wanted.division: f"division {wanted.division}"}}
        ),
        divisions=divisions,
        division_choices=_offer_divisions(divisions, wanted.division),
        pending=list_pending(divisions or (), month),
        total=queries.count_pupils(wanted),
        anchor_of=above.row_anchor,
        may_evaluate=may(Permission.PUPILS_EVALUATE),
    )


@bp.get("/moi")
@requires(Permission.OWN_RECORDS)
def own() -> ResponseReturnValue:
    """Redirect a pupil to their own records."""
    student = queries.find_own_pupil(current_actor().id or 0)
    if student is None:
        return render_page("records/no_pupil.html")
    return redirect(url_for("records.pupil", student_id=student.id), 303)


@bp.get("/<int:student_id>")
@requires(Permission.PUPIL_RECORDS_READ)
def pupil(student_id: int) -> ResponseReturnValue:
    """Show a pupil: identity and training, levels over time, latest fiches, latest bilan.

    Of a row that was merged, all of that is with the row kept.
    """
    page = open_pupil(student_id)
    if page.student.merged_into_id is not None:
        return redirect(url_for(".pupil", student_id=page.student.merged_into_id))
    announce_view(page, "vue d’ensemble")
    return render_page(
        "records/pupil.html",
        charts=list_charts(queries.list_levels(student_id)),
        fiches=queries.list_fiches(student_id, limit=_LATEST),
        bilan=next(iter(queries.list_bilans(student_id, limit=1)), None),
        own_school=describe_own_school(),
        passport=_describe_passport(student_id),
        **get_tab_frame(page, "pupil"),
    )


@bp.get("/<int:student_id>/fiches")
@requires(Permission.PUPIL_RECORDS_READ)
def fiches(student_id: int) -> ResponseReturnValue:
    """List a pupil's fiches."""
    pupil = read_pupil(student_id, "fiches")
    asked = _read_list({"etat": [each.value for each in FicheState]})
    state = FicheState(asked.chosen["etat"]) if asked.chosen else None
    total = queries.count_fiches(student_id, state=state)
    return render_page(
        "records/fiches.html",
        page=find_page(asked, partial(queries.list_fiches, student_id, state=state), total),
        states=list(FicheState),
        state=state,
        narrowed_by=asked.narrowed_by({"etat": {each.value: each.label for each in FicheState}}),
        **get_tab_frame(pupil, "fiches"),
    )


@bp.get("/<int:student_id>/evaluations")
@requires(Permission.PUPIL_RECORDS_READ)
def evaluations(student_id: int) -> ResponseReturnValue:
    """List a pupil's évaluations, of one competence if asked."""
    pupil = read_pupil(student_id, "évaluations")
    asked = _read_list({"competence": 16})
    competence = asked.chosen.get("competence", "")
    total = queries.count_evaluations(student_id, competence=competence)
    return render_page(
        "records/evaluations.html",
        page=find_page(asked, partial(queries.list_evaluations, student_id, competence=competence), total),
        titles=queries.list_fiches_by_origin(student_id),
        competences=_competences_of(student_id),
        competence=competence,
        narrowed_by=asked.narrowed_by(),
        describe_level=describe_level,
        **get_tab_frame(pupil, "evaluations"),
    )


@bp.get("/<int:student_id>/bilans")
@requires(Permission.PUPIL_RECORDS_READ)
def bilans(student_id: int) -> ResponseReturnValue:
    """Show a pupil's bilans."""
    frame = get_tab_frame(read_pupil(student_id, "bilans"), "bilans")
    return render_page(
        "records/bilans.html",
        page=find_page(_read_list(), partial(queries.list_bilans, student_id), frame["figures"].bilans),
        **frame,
    )


def _describe_passport(student_id: int) -> dict[str, Any] | None:
    """Return the address of a pupil's passport, and what prevents it, for those who may export it; None for others."""
    if not may(Permission.PASSPORT_EXPORT) or not is_on(Module.PASSPORT):
        return None
    own = may(Permission.OWN_PASSPORT)
    url = url_for("passport.own") if own else url_for("passport.of_pupil", student_id=student_id)
    return {"url": url, "reasons": list_passport_obstacles(), "is_own": own}


def _competences_of(student_id: int) -> list[tuple[str, str]]:
    """Return code and label of the competences a pupil was evaluated in, in order; two diplomas may share a code."""
    labels: dict[str, list[str]] = {}
    for chart in list_charts(queries.list_levels(student_id)):
        for each in chart.competences:
            labels.setdefault(each.code, []).append(each.label)
    return [(code, " ou ".join(dict.fromkeys(found))) for code, found in labels.items()]


def _read_list(filters: Mapping[str, Collection[str] | int] | None = None, size: int = PER_PAGE) -> ListState:
    return ListState.read(request.args, request.path, filters=filters, sizes=(size,), beside=above.list_parameters())


def _offer_divisions(taught: Sequence[Division] | None, asked: str) -> list[tuple[str, str, bool]]:
    """Return the choices of the filter: a teacher's own divisions, or all of them."""
    choices = offer_divisions if taught is None else lambda: [(each.code, each.label) for each in taught]
    return Filter("division", coded="toutes", choices=choices).offer(asked)


def _announce_search(wanted: PupilFilter) -> None:
    """Announce the search, if any."""
    sought = [
        *([SITUATIONS[wanted.situation]] if wanted.situation != PRESENT else []),
        *([f"division « {wanted.division} »"] if wanted.division else []),
        *([f"recherche « {wanted.words} »"] if wanted.words else []),
    ]
    if sought:
        announce(events.search_made, "records", screen="Parcours des apprenants", sought=", ".join(sought))
