"""The pupils one follows; a pupil's overview and lists."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from cpro.core import clock, events
from cpro.core.parsing import read_page
from cpro.core.permissions import Permission, can, requires
from cpro.core.web.current_user import current_actor, current_principal, remote_address
from cpro.core.web.pages import render_page
from cpro.establishments.models import Module
from cpro.establishments.web.gate_links import list_passport_obstacles
from cpro.establishments.web.modules import is_on
from cpro.establishments.web.own_school import describe_own_school
from cpro.records import queries
from cpro.records.levels import charts_of, describe_level
from cpro.records.models import FicheState
from cpro.records.queries import ALL, GONE, PRESENT, TO_VALIDATE, PupilFilter
from cpro.records.web.views import bp
from cpro.records.web.views.frame import PER_PAGE, frame_of, read_pupil
from cpro.students.queries import suggest_divisions

_PUPILS_PER_PAGE = 50
_LATEST = 5  # fiches on the overview
_SITUATIONS = {
    PRESENT: "présents",
    TO_VALIDATE: "présents, avec une fiche à valider",
    GONE: "partis",
    ALL: "présents et partis",
}


@bp.get("")
@requires(Permission.PUPILS_VIEW)
def pupils() -> ResponseReturnValue:
    """List the pupils one follows: those of one's divisions for a teacher, all of them for the head."""
    actor = current_actor()
    is_within_divisions = not actor.can(Permission.SCHOOL_RECORDS_READ)
    divisions = queries.list_divisions_of(actor.id or 0) if is_within_divisions else None
    wanted = PupilFilter(
        division_ids=frozenset(each.id for each in divisions) if divisions is not None else None,
        division=_asked("division", 8),
        words=_asked("recherche", 100),
        situation=_asked("situation", 10) if _asked("situation", 10) in _SITUATIONS else PRESENT,
    )
    _announce_search(wanted)
    total = queries.count_pupils(wanted)
    page, last_page = _page_of(total, _PUPILS_PER_PAGE)
    students = queries.list_pupils(wanted, limit=_PUPILS_PER_PAGE, offset=(page - 1) * _PUPILS_PER_PAGE)
    return render_page(
        "records/pupils.html",
        students=students,
        figures=queries.count_records([student.id for student in students]),
        no_figures=queries.Figures(),
        wanted=wanted,
        situations=_SITUATIONS,
        divisions=divisions,
        suggestions=[(each.code, each.label) for each in divisions] if divisions else suggest_divisions(),
        to_validate=queries.count_to_validate(wanted.division_ids) if wanted.division_ids else 0,
        total=total,
        may_evaluate=can(current_principal(), Permission.PUPILS_EVALUATE),
        **_pager(page, last_page),
    )


@bp.get("/moi")
@requires(Permission.OWN_RECORDS)
def own() -> ResponseReturnValue:
    """Lead a pupil to their own records."""
    student = queries.find_own_pupil(current_actor().id or 0)
    if student is None:
        return render_page("records/no_pupil.html")
    return redirect(url_for("records.pupil", student_id=student.id), 303)


@bp.get("/<int:student_id>")
@requires(Permission.PUPIL_RECORDS_READ)
def pupil(student_id: int) -> ResponseReturnValue:
    """Show a pupil: identity and training, levels over time, latest fiches, latest bilan."""
    page = read_pupil(student_id, "vue d’ensemble")
    return render_page(
        "records/pupil.html",
        charts=charts_of(queries.list_levels(student_id)),
        fiches=queries.list_fiches(student_id, limit=_LATEST),
        bilan=next(iter(queries.list_bilans(student_id, limit=1)), None),
        own_school=describe_own_school(),
        passport=_describe_passport(student_id),
        **frame_of(page, "pupil"),
    )


@bp.get("/<int:student_id>/fiches")
@requires(Permission.PUPIL_RECORDS_READ)
def fiches(student_id: int) -> ResponseReturnValue:
    """List a pupil's fiches."""
    page = read_pupil(student_id, "fiches")
    state = next((each for each in FicheState if each.value == _asked("etat", 10)), None)
    number, last_page = _page_of(queries.count_fiches(student_id, state=state), PER_PAGE)
    return render_page(
        "records/fiches.html",
        fiches=queries.list_fiches(student_id, state=state, limit=PER_PAGE, offset=(number - 1) * PER_PAGE),
        states=list(FicheState),
        state=state,
        **_pager(number, last_page),
        **frame_of(page, "fiches"),
    )


@bp.get("/<int:student_id>/evaluations")
@requires(Permission.PUPIL_RECORDS_READ)
def evaluations(student_id: int) -> ResponseReturnValue:
    """List a pupil's évaluations, of one competence if asked."""
    page = read_pupil(student_id, "évaluations")
    competence = _asked("competence", 16)
    number, last_page = _page_of(queries.count_evaluations(student_id, competence=competence), PER_PAGE)
    return render_page(
        "records/evaluations.html",
        evaluations=queries.list_evaluations(
            student_id, competence=competence, limit=PER_PAGE, offset=(number - 1) * PER_PAGE
        ),
        titles=queries.list_fiches_by_origin(student_id),
        competences=_competences_of(student_id),
        competence=competence,
        describe_level=describe_level,
        **_pager(number, last_page),
        **frame_of(page, "evaluations"),
    )


@bp.get("/<int:student_id>/bilans")
@requires(Permission.PUPIL_RECORDS_READ)
def bilans(student_id: int) -> ResponseReturnValue:
    """Show a pupil's bilans."""
    page = read_pupil(student_id, "bilans")
    frame = frame_of(page, "bilans")
    number, last_page = _page_of(frame["figures"].bilans, PER_PAGE)
    return render_page(
        "records/bilans.html",
        bilans=queries.list_bilans(student_id, limit=PER_PAGE, offset=(number - 1) * PER_PAGE),
        **_pager(number, last_page),
        **frame,
    )


def _describe_passport(student_id: int) -> dict[str, Any] | None:
    """Return where the passport of a pupil is, and what prevents it, to those who may export it; None to others."""
    principal = current_principal()
    if not can(principal, Permission.PASSPORT_EXPORT) or not is_on(Module.PASSPORT):
        return None
    own = can(principal, Permission.OWN_PASSPORT)
    url = url_for("passport.own") if own else url_for("passport.of_pupil", student_id=student_id)
    return {"url": url, "reasons": list_passport_obstacles(), "is_own": own}


def _competences_of(student_id: int) -> list[tuple[str, str]]:
    """Return code and label of the competences a pupil was evaluated in, in order; a code may be of two diplomas."""
    labels: dict[str, list[str]] = {}
    for chart in charts_of(queries.list_levels(student_id)):
        for each in chart.competences:
            labels.setdefault(each.code, []).append(each.label)
    return [(code, " ou ".join(dict.fromkeys(found))) for code, found in labels.items()]


def _asked(name: str, length: int) -> str:
    return request.args.get(name, "").strip()[:length]


def _page_of(total: int, size: int) -> tuple[int, int]:
    """Return the page asked for, limited to those there are, and the last one."""
    last_page = max(1, -(-total // size))
    return read_page(request.args.get("page"), last=last_page), last_page


def _pager(page: int, last_page: int) -> dict[str, Any]:
    """Return the addresses of the neighbouring pages of the list, its filters kept."""
    kept = [(name, text) for name, text in request.args.items() if name != "page"]

    def address(number: int) -> str | None:
        return f"{request.path}?{urlencode([*kept, ('page', number)])}" if 1 <= number <= last_page else None

    return {
        "page": page,
        "last_page": last_page,
        "previous_url": address(page - 1),
        "next_url": address(page + 1),
    }


def _announce_search(wanted: PupilFilter) -> None:
    """Announce what was sought, if anything was."""
    sought = [
        *([_SITUATIONS[wanted.situation]] if wanted.situation != PRESENT else []),
        *([f"division « {wanted.division} »"] if wanted.division else []),
        *([f"contenant « {wanted.words} »"] if wanted.words else []),
    ]
    if sought:
        events.search_made.send(
            "records",
            principal=current_principal(),
            screen="Parcours des apprenants",
            sought=", ".join(sought),
            origin=remote_address(),
            now=clock.utcnow(),
        )
